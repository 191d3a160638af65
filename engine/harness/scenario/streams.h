// SPDX-License-Identifier: Apache-2.0
// Connections that a scenario keeps open by name: WebSockets, and answers that are looked at while they still come. Tasks
// of the client's loop read them all the time; what has come may be looked at from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/scenario/client.h"
#include "http/frames.h"
#include "http/message.h"
#include "io/scope.h"

namespace gatelab::harness {

class OpenStream {
 public:
  struct State {
    Answer answer;  // its head; its body so far; how it ended
    std::vector<http::websocket::Message> messages;
    bool head = false, ended = false;
  };
  State look() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  // What the scenario has looked at already: the runner's.
  std::size_t seen_messages = 0, seen_body = 0, seen_upstream = 0;
  bool seen_end = false;
  const bool websocket;

  // On the loop's thread.
  OpenStream(io::Network& network, io::Scope& scope, bool is_websocket) noexcept : websocket(is_websocket), network_(network), scope_(scope) {}
  static io::Task<void> run(std::shared_ptr<OpenStream> self, Dial dial, std::string octets);
  static void write(const std::shared_ptr<OpenStream>& self, std::string octets, bool close);
  void drop() noexcept;

 private:
  static io::Task<void> writer(std::shared_ptr<OpenStream> self);
  io::Task<io::Code> more();
  io::Task<bool> read_head();
  io::Task<void> read_messages();
  io::Task<void> read_body();
  void take(http::websocket::Message message);
  void agreed(Texts tls);
  void end(std::string error);
  io::Wait wait(std::string_view what) noexcept;

  io::Network& network_;
  io::Scope& scope_;
  io::TransportPtr transport_;
  std::weak_ptr<OpenStream> self_;
  std::string unread_, unsent_;
  http::BodyFraming framing_;
  bool writing_ = false, said_close_ = false;
  mutable std::mutex mutex_;
  State state_;
};

}  // namespace gatelab::harness
