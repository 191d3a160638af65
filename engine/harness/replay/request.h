// SPDX-License-Identifier: Apache-2.0
// A recorded message, to be sent again. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "harness/replay/replay.h"

namespace gatelab::harness {

bool has_header(const RecordedHeaders& headers, std::string_view name);
// Of one connection: framing and the like. Whoever sends the message again says its own.
bool is_of_connection(std::string_view header);
// Without them, framed anew. `host`: for those whose Host was not recorded.
std::string octets_of(const RecordedRequest& request, const std::string& host);

// Secrets stand where their marks stood.
void put_back(RecordedRequest& request, const std::vector<Replay::Secret>& secrets, std::vector<bool>& used);

// The digits of one that stands there still; empty: none.
std::string first_mark(const RecordedRequest& request);

// A token without its signature, as recordings have them.
struct RecordedToken {
  nlohmann::ordered_json header, claims;
};
// Every one in the headers becomes what `mint` makes of it; returns how many there were.
std::size_t remint(RecordedRequest& request, const std::function<std::string(const RecordedToken&)>& mint);

// A request as it is shown: without its secrets. Marks of a recording stay as they are: --secret takes them.
std::string shown_target(const std::string& target);

// Without what no two recordings have in common: the digits of their marks.
std::string without_marks(std::string_view text);

}  // namespace gatelab::harness
