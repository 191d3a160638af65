// SPDX-License-Identifier: Apache-2.0
// What the parsers of steps share. Each reports.
#pragma once

#include "harness/scenario/file.h"
#include "harness/scenario/words.h"

namespace gatelab::harness {

// Null if `r` has no such key.
MatcherPtr matcher(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink);
// A map of names to matchers; `known` empty: any name.
Matchers matchers(config::Reader& r, std::string_view key, Dimension dimension, diag::Sink& sink, const std::vector<std::string_view>& known = {});

// parse_send.cc: the verb `send`.
void parse_send_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink);
// One request, who it is from, and what is saved of its answer; without how it gets there and how often.
void parse_request(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink);
// parse_expect.cc
Totals parse_totals(const config::Node& node, diag::Sink& sink);
// parse_fault.cc
std::vector<During> parse_during(const config::Node& node, const World& world, diag::Sink& sink);
// parse_replay.cc: the verb `replay`, with `compare` and `totals` beside it.
void parse_replay_step(Step& step, const config::Node& node, config::Reader& r, const World& world, diag::Sink& sink);
// parse_check.cc: the verb `check`.
std::vector<Check> parse_checks(const config::Node& node, bool real, diag::Sink& sink);

}  // namespace gatelab::harness
