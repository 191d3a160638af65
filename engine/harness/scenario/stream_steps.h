// SPDX-License-Identifier: Apache-2.0
// The steps of a case on connections that stay open. Steps on an open connection do not move time: they look at what has
// come by then (docs/scenarios.md). The runner's thread.
#pragma once

#include <functional>
#include <map>

#include "harness/mock/mock.h"
#include "harness/scenario/driver.h"
#include "harness/scenario/expect.h"
#include "harness/scenario/streams.h"

namespace gatelab::harness {

class StreamSteps {
 public:
  // The record and its log line of a request that has ended, by its id.
  using FindRecord = std::function<bool(const std::string& request_id, observe::OwnedRecord& record, std::string& line)>;
  StreamSteps(Driver& driver, MockServers& mocks, io::Scope& scope, CaseResult& result, FindRecord find)
      : driver_(driver), mocks_(mocks), scope_(scope), result_(result), find_(std::move(find)) {}

  void open(const Step& step, Dial dial, std::string octets);
  void message(const Step& step);
  void receive(const Step& step);
  void drop(const Step& step);
  // How many answers the gateway still owes: `advance` does not wait for those.
  std::size_t open_ones() const;

 private:
  std::shared_ptr<OpenStream> find(const Step& step, const std::string& name);
  void await(const Step& step, OpenStream& stream);
  void judge(const Step& step, OpenStream& stream, std::size_t first_seen);
  void judge_messages(const Step& step, OpenStream& stream, const OpenStream::State& state);
  void judge_upstream(const Step& step, OpenStream& stream, const OpenStream::State& state);
  void compare(const std::vector<MessageMatcher>& expected, const std::vector<http::websocket::Message>& got, const diag::Span& span, const Step& step);
  void fail(const diag::Span& span, std::string message, const Step& step, std::string hint = {});

  Driver& driver_;
  MockServers& mocks_;
  io::Scope& scope_;
  CaseResult& result_;
  FindRecord find_;
  std::map<std::string, std::shared_ptr<OpenStream>> streams_;
};

}  // namespace gatelab::harness
