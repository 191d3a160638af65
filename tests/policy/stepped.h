// SPDX-License-Identifier: Apache-2.0
// Policies from YAML text, stepped by hand: no network, no clock.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/node.h"
#include "http/parser.h"
#include "policy/catalog.h"
#include "policy/issuers.h"

namespace gatelab::test {

class Stepped {
 public:
  // `policies`: the YAML of a list; `consumers` and `issuers` likewise, or empty. Key sets come from upstream 0; `files`
  // by the name that the configuration gives them.
  explicit Stepped(const std::string& policies, const std::string& consumers = "", const std::string& issuers = "", std::map<std::string, std::string> given = {}) : files(std::move(given)) {
    if (!consumers.empty()) people = policy::parse_consumers(parse(consumers), sink);
    else people = policy::parse_consumers(nullptr, sink);
    const auto read = [](const config::Node&, const std::string&) -> std::optional<std::string> { return std::nullopt; };
    const auto upstream = [](const std::string&, const config::Node&, const config::Node&, Duration) -> std::optional<std::int32_t> { return 0; };
    if (!issuers.empty()) signers = policy::parse_issuers(parse(issuers), {states, read, upstream, nullptr, {}, sink});
    policy::Context context{{}, "r", people, signers, states, Random(7), [](const std::string&, const diag::Span&) -> std::optional<std::int32_t> { return 0; },
                            [this](const config::Node& path, const std::string&) -> std::optional<std::string> { return files.count(path.text) > 0 ? std::optional(files[path.text]) : std::nullopt; }, sink};
    list = policy::parse_policies(parse(policies), "r", context);
    if (sink.has_errors()) errors = diag::render_all(sink, diag::Colour::Off);
  }

  // The first policy's verdict on a request at `now`.
  policy::Step step(std::string head, Instant now = Instant::from_seconds(1000), const policy::Consumer* consumer = nullptr) {
    arena = std::make_unique<Arena>();
    request = std::make_unique<http::RequestHead>(*arena);
    http::RequestParser parser(*request, {});
    EXPECT_EQ(parser.parse(arena->copy(head)), http::ParseState::Done) << head;
    scratch = {};
    input = std::make_unique<policy::Input>(policy::Input{*request, request->path, *parse_address("192.0.2.1:5"), "r", consumer, {}, now, *arena, scratch, true});
    input->tls = tls;
    return list.at(0)->step(*input);
  }
  // Does what a step asks for, as far as it is computed, and steps again. `answer`: of a call.
  policy::Step go_on(policy::Step step, bool done = true) {
    while (step.verdict == policy::Verdict::Need) {
      if (auto* job = std::get_if<policy::ComputeJob>(step.effect); job != nullptr) std::exchange(job->job, nullptr)();
      input->effect_done = done;
      step = list.at(0)->step(*input);
    }
    return step;
  }
  // What step() keeps until then is freed.
  void end() {
    observe::Record record(*arena);
    list.at(0)->on_end(*input, record);
  }
  std::string answer_field(const policy::Step& step, std::string_view name) const {
    const http::Field* f = step.answer == nullptr ? nullptr : step.answer->fields.find(name);
    return f == nullptr ? "" : std::string(f->value);
  }

  std::map<std::string, std::string> files;
  const crypto::TlsFacts* tls = nullptr;  // of the connection
  diag::Sink sink;
  policy::StateStore states;
  policy::Consumers people;
  policy::Issuers signers;
  std::vector<std::unique_ptr<policy::Policy>> list;
  std::string errors;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<http::RequestHead> request;
  policy::Scratch scratch;
  std::unique_ptr<policy::Input> input;

 private:
  const config::Node* parse(const std::string& text) {
    auto source = std::make_shared<diag::SourceFile>();
    source->name = "test.yaml";
    source->text = text;
    trees_.push_back(config::parse(source, {}, sink));
    EXPECT_NE(trees_.back(), nullptr) << diag::render_all(sink, diag::Colour::Off);
    return trees_.back().get();
  }
  std::vector<std::unique_ptr<config::Node>> trees_;
};

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace gatelab::test
