// SPDX-License-Identifier: Apache-2.0
// A whole gateway between raw peers in simulated time, for the fuzz targets that look at what goes over the wire. A world is
// made for each input, so that an input means the same whenever it is run; only the configuration is read once.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"
#include "gateway/gateway.h"
#include "io/scope.h"
#include "io/sim.h"

namespace gatelab::fuzz {

inline std::string visible(std::string_view octets) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\r') out += "\\r";
    else if (c == '\n') out += "\\n\n";
    else if (octet >= 32 && octet < 127 && c != '\\') out += c;
    else out.append("\\x").append(1, kHex[octet >> 4]).append(1, kHex[octet & 15]);
  }
  return out;
}

// What was said, by whom, for a violation's report.
struct Said {
  std::string_view by, octets;
};

[[noreturn]] inline void violation(std::string_view what, std::initializer_list<Said> said = {}) {
  std::fprintf(stderr, "VIOLATION: %.*s\n", static_cast<int>(what.size()), what.data());
  for (const Said& s : said) std::fprintf(stderr, "--- %.*s\n%s\n", static_cast<int>(s.by.size()), s.by.data(), visible(s.octets).c_str());
  std::abort();
}

// The first octets of an input choose what surrounds the rest. '0' is the plainest, so that corpora can be read.
class Knobs {
 public:
  explicit Knobs(std::string_view& input) noexcept : input_(input) {}
  unsigned next() noexcept {
    if (input_.empty()) return 0;
    const unsigned octet = static_cast<unsigned char>(input_.front()) ^ unsigned{'0'};
    input_.remove_prefix(1);
    return octet;
  }

 private:
  std::string_view& input_;
};

// Octets that are sent piece by piece, with a pause between two pieces, and then an end.
struct Speech {
  enum class End : std::uint8_t { Stay, Finish, Reset };
  std::string octets;
  std::size_t pieces = 1;
  Duration pause{};
  End end = End::Stay;
};

inline Duration pause_of(unsigned knob) {
  constexpr std::array<int, 4> kMilliseconds{0, 1, 30, 700};
  return std::chrono::milliseconds(kMilliseconds[knob & 3]);
}

inline io::Task<bool> say(io::Transport& transport, const Speech& speech, io::Wait wait) {
  std::string_view left = speech.octets;
  const std::size_t step = left.size() / std::max<std::size_t>(1, speech.pieces) + 1;
  while (!left.empty()) {
    const std::string_view piece = left.substr(0, step);
    left.remove_prefix(piece.size());
    auto writing = io::write_all(transport, piece, wait);
    const io::Code written = co_await writing;
    if (written != io::Code::Ok) co_return false;
    if (left.empty() || speech.pause == Duration{}) continue;
    io::Wait pause = wait;
    pause.deadline = transport.loop().now() + speech.pause;
    const io::Code code = co_await io::sleep_until(transport.loop(), pause);
    if (code != io::Code::TimedOut) co_return false;
  }
  if (speech.end == Speech::End::Finish) transport.shutdown_write();
  if (speech.end == Speech::End::Reset) transport.reset();
  co_return true;
}

// A client connection: says its speech, and reads all the time.
class Client {
 public:
  Client(io::Scope& scope, io::TransportPtr transport, Speech speech) : scope_(scope), transport_(std::move(transport)), speech_(std::move(speech)) {
    scope_.spawn(speak());
    scope_.spawn(listen());
  }
  // Another speech, when the first is over.
  void say_more(std::string octets) {
    speech_ = {};
    speech_.octets = std::move(octets);
    scope_.spawn(speak());
  }
  bool over() const { return eof || broken; }

  std::string received;
  bool eof = false;     // the gateway has finished its side
  bool broken = false;  // the gateway has reset, or this client has

 private:
  io::Wait wait(std::string_view what) {
    io::Wait wait;
    wait.cancel = &scope_.token();
    wait.what = what;
    wait.background = true;
    return wait;
  }
  io::Task<void> speak() {
    auto saying = say(*transport_, speech_, wait("client's speech"));
    const bool said = co_await saying;
    if (said && speech_.end == Speech::End::Reset) broken = true;
  }
  io::Task<void> listen() {
    std::array<char, 4096> buffer;
    while (!scope_.token().cancelled()) {
      const io::Count read = transport_->try_read(buffer);
      if (read.code == io::Code::Ok) {
        received.append(buffer.data(), read.octets);
        continue;
      }
      if (read.code != io::Code::WouldBlock) {
        eof = read.code == io::Code::Eof;
        broken = !eof;
        break;
      }
      const io::Code code = co_await transport_->readable(wait("answer for a client"));
      if (code != io::Code::Ok) break;
    }
    if (over()) transport_->close();
  }

  io::Scope& scope_;
  io::TransportPtr transport_;
  Speech speech_;
};

// The gateway, its clients and the target on 127.0.0.1:9001, whose behaviour a fuzz target writes.
class World {
 public:
  World(const std::shared_ptr<const gateway::Model>& model, std::uint64_t seed) : sim([seed] {
    io::SimOptions options;
    options.seed = seed;
    options.workers = 1;
    options.events_per_instant = 200'000;
    return options;
  }()), gateway(sim.environment(), {}), scope(sim.outside()) {
    auto listening = sim.environment().network.listen(sim.outside(), *parse_endpoint("127.0.0.1:9001"));
    if (!listening || !gateway.start(model)) violation("the world can't be made");
    target_listener_ = std::move(*listening);
    target_listener_->start({&sim.outside()}, [this](std::uint32_t, io::TransportPtr transport) { scope.spawn(target(std::move(transport))); });
    run();
  }
  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Client& connect(std::string_view address, Speech speech) {
    io::TransportPtr opened;
    scope.spawn(open(*parse_address(address), opened));
    run();
    if (!opened) violation("the gateway does not accept");
    return *clients_.emplace_back(std::make_unique<Client>(scope, std::move(opened), std::move(speech)));
  }

  // All that can happen now, then what time brings.
  void run(Duration time = Duration{}) {
    const io::SimEnd end = time == Duration{} ? sim.drain() : sim.advance(time);
    if (end == io::SimEnd::Livelock) violation("a livelock");
  }
  // Until the gateway has closed this connection.
  void outlast(const Client& client, Duration at_most) {
    const Instant end = sim.now() + at_most;
    for (run(); !client.over() && sim.now() < end;) run(std::chrono::seconds(5));
    if (!client.over()) violation("a client connection that does not end", {{"the client got", client.received}});
  }

  // Stops the gateway; nothing of it may stay.
  void stop() {
    bool done = false;
    gateway.drain(Duration{}, [&done] { done = true; });
    run();
    for (int i = 0; i < 60 && !done; ++i) run(std::chrono::seconds(1));
    if (!done) violation("the gateway does not drain");
    if (gateway.in_flight() != 0) violation("an exchange is in flight after the drain");
    target_listener_->close();
    scope.cancel();
    run();
    if (scope.running() != 0) violation("a task of the world's does not end");
  }

  io::Wait wait(std::string_view what) {
    io::Wait wait;
    wait.cancel = &scope.token();
    wait.what = what;
    wait.background = true;
    return wait;
  }

  io::Simulation sim;
  gateway::Gateway gateway;
  io::Scope scope;

 protected:
  virtual io::Task<void> target(io::TransportPtr transport) = 0;

 private:
  io::Task<void> open(Address to, io::TransportPtr& out) {
    auto connecting = sim.environment().network.connect(sim.outside(), to, wait("client's connect"));
    auto connected = co_await connecting;
    if (connected) out = std::move(*connected);
  }

  std::unique_ptr<io::Listener> target_listener_;
  std::vector<std::unique_ptr<Client>> clients_;
};

// A configuration, read once. Its states live as long as the program.
inline std::shared_ptr<const gateway::Model> model_of(std::string_view yaml) {
  static policy::StateStore states;
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "gateway.yaml";
  source->text = yaml;
  gateway::ModelInput input;
  input.source = source;
  input.states = &states;
  diag::Sink sink;
  auto built = gateway::build_model(input, sink);
  if (!built) violation(diag::render_all(sink, diag::Colour::Off));
  return built;
}

}  // namespace gatelab::fuzz
