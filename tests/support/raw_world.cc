// SPDX-License-Identifier: Apache-2.0
#include "support/raw_world.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace gatelab::test {
namespace {

const Address kListener = *parse_address("127.0.0.1:8080");
const Address kTarget = *parse_address("127.0.0.1:9001");

io::Wait to_write() {
  io::Wait wait;
  wait.what = "test: to write";
  return wait;
}

}  // namespace

RawClient::RawClient(io::Scope& scope, io::TransportPtr transport) : scope_(scope), transport_(std::move(transport)) {
  scope_.spawn(reader());
}

void RawClient::write(std::string text) {
  unsent_ += text;
  if (!writing_) scope_.spawn(writer());
  writing_ = true;
}

void RawClient::finish() {
  fin_ = true;
  if (!writing_) transport_->shutdown_write();
}

void RawClient::resume() {
  paused_ = false;
  resumed_.signal();
}

io::Task<void> RawClient::writer() {
  while (!unsent_.empty()) {
    std::string text = std::move(unsent_);
    unsent_.clear();
    auto writing = io::write_all(*transport_, text, to_write());
    const io::Code code = co_await writing;
    if (code != io::Code::Ok) break;
  }
  writing_ = false;
  if (fin_) transport_->shutdown_write();
}

io::Task<void> RawClient::reader() {
  std::array<char, 4096> buffer;
  io::Wait wait;
  wait.cancel = &scope_.token();
  wait.what = "test client";
  wait.background = true;
  for (;;) {
    if (scope_.token().cancelled()) co_return;
    if (paused_) {
      const io::Code code = co_await resumed_.wait(scope_.loop(), wait);
      if (code != io::Code::Ok) co_return;
      continue;
    }
    const io::Count read = transport_->try_read(buffer);
    if (read.code == io::Code::Ok) {
      received.append(buffer.data(), read.octets);
      continue;
    }
    if (read.code != io::Code::WouldBlock) {
      eof = read.code == io::Code::Eof;
      broken = !eof;
      co_return;
    }
    const io::Code code = co_await transport_->readable(wait);
    if (code != io::Code::Ok) co_return;
  }
}

RawWorld::RawWorld(std::string_view yaml, std::uint64_t seed, std::uint32_t workers, io::Tap* tap) : sim([seed, workers] {
  io::SimOptions options;
  options.seed = seed;
  options.workers = workers;
  return options;
}()) {
  gateway::Options options;
  options.tap = tap;
  options.on_record = [this](const observe::Record& record) { records.emplace_back().assign(record); };
  gateway = std::make_unique<gateway::Gateway>(sim.environment(), options);
  scope_ = std::make_unique<io::Scope>(sim.outside());
  auto listener = sim.environment().network.listen(sim.outside(), kTarget);
  if (!listener) throw std::runtime_error(listener.error().message);
  listener_ = std::move(*listener);
  listener_->start({&sim.outside()}, [this](std::uint32_t, io::TransportPtr transport) {
    ++target_connections;
    scope_->spawn(target(std::move(transport)));
  });
  const Status started = gateway->start(build(*gateway, yaml));
  if (!started) throw std::runtime_error(started.error().message);
  sim.drain();
}

RawWorld::~RawWorld() {
  bool done = false;
  gateway->drain(Duration{}, [&done] { done = true; });
  sim.run_until([&done] { return done; }, std::chrono::minutes(1));
  listener_->close();
  scope_->cancel();
  sim.drain();
  EXPECT_TRUE(done) << "the gateway did not drain";
  EXPECT_EQ(scope_->running(), 0U);
}

std::shared_ptr<const gateway::Model> build(gateway::Gateway& gateway, std::string_view yaml) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "gateway.yaml";
  source->text = yaml;
  gateway::ModelInput input;
  input.source = source;
  input.states = &gateway.states();
  diag::Sink sink;
  auto built = gateway::build_model(input, sink);
  if (!built) throw std::runtime_error(diag::render_all(sink, diag::Colour::Off));
  return built;
}

void RawWorld::reload(std::string_view yaml) {
  const gateway::ReloadReport report = gateway->reload(build(*gateway, yaml));
  EXPECT_TRUE(report.ok) << report.error;
  sim.drain();
}

RawClient& RawWorld::connect() {
  io::TransportPtr opened;
  const auto open = [](RawWorld& world, io::TransportPtr& out) -> io::Task<void> {
    io::Wait wait;
    wait.what = "test connect";
    auto connected = co_await world.sim.environment().network.connect(world.sim.outside(), kListener, wait);
    if (connected) out = std::move(*connected);
  };
  scope_->spawn(open(*this, opened));
  sim.run_until([&opened] { return opened != nullptr; }, std::chrono::seconds(10));
  if (!opened) throw std::runtime_error("the gateway does not accept");
  return *clients_.emplace_back(std::make_unique<RawClient>(*scope_, std::move(opened)));
}

void RawWorld::settle(Duration more) {
  sim.drain();
  if (more > Duration{}) sim.advance(more);
}

void RawWorld::say_unasked(std::string octets) {
  const std::array<io::ConstBuffer, 1> buffers{{{octets.data(), octets.size()}}};
  EXPECT_EQ(newest_target_->try_write(buffers).code, io::Code::Ok);
  settle();
}

std::string RawWorld::talk(std::string bytes) {
  RawClient& client = connect();
  client.write(std::move(bytes));
  settle();
  return client.received;
}

io::Task<void> RawWorld::target(io::TransportPtr transport) {
  newest_target_ = transport.get();
  std::string text;
  bool continued = false;
  std::array<char, 4096> buffer;
  io::Wait wait;
  wait.cancel = &scope_->token();
  wait.what = "test target";
  wait.background = true;
  while (!scope_->token().cancelled()) {
    const Reply reply = replies_[std::min(next_, replies_.size() - 1)];
    const std::size_t size = whole_request(text, reply.at_head);
    if (size == 0 && wants_continue(text, continued)) {
      auto writing = io::write_all(*transport, "HTTP/1.1 100 Continue\r\n\r\n", to_write());
      co_await writing;
    }
    if (size == 0) {
      const io::Count read = transport->try_read(buffer);
      if (read.code == io::Code::Ok) {
        text.append(buffer.data(), read.octets);
        target_octets.append(buffer.data(), read.octets);
        continue;
      }
      if (read.code != io::Code::WouldBlock) break;
      const io::Code code = co_await transport->readable(wait);
      if (code != io::Code::Ok) break;
      continue;
    }
    ++next_;
    requests.push_back(text.substr(0, size));
    text.erase(0, size);
    continued = false;
    if (reply.delay > Duration{}) {
      io::Wait pause = wait;
      pause.deadline = sim.outside().now() + reply.delay;
      pause.background = false;
      co_await io::sleep_until(sim.outside(), pause);
    }
    auto writing = io::write_all(*transport, reply.text, to_write());
    co_await writing;
    if (reply.reset) {
      transport->reset();
      co_return;
    }
    if (reply.raw) {
      peers.push_back(std::make_unique<RawClient>(*scope_, std::move(transport)));
      peers.back()->put(text);
      co_return;
    }
    if (reply.close) break;
  }
  transport->close();
}

std::size_t whole_request(const std::string& text, bool head_only) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  const std::size_t head = end + 4;
  if (head_only) return head;
  if (text.substr(0, head).find("Transfer-Encoding: chunked") != std::string::npos) {
    const std::size_t last = text.find("0\r\n", head);
    const std::size_t close = last == std::string::npos ? last : text.find("\r\n\r\n", last);
    return close == std::string::npos ? 0 : close + 4;
  }
  const std::size_t at = text.find("Content-Length: ");
  const std::size_t length = at < head ? std::stoul(text.substr(at + 16)) : 0;
  return text.size() >= head + length ? head + length : 0;
}

bool wants_continue(const std::string& text, bool& continued) {
  const std::size_t end = text.find("\r\n\r\n");
  if (continued || end == std::string::npos || text.substr(0, end).find("\r\nExpect: 100-continue") == std::string::npos) return false;
  return continued = true;
}

std::string plain_gateway(std::string_view upstream_keys, std::string_view listener_keys, std::string_view policies) {
  std::string yaml = "gatelab: 1\nlisteners:\n  - { name: main, address: 127.0.0.1:8080";
  if (!listener_keys.empty()) yaml.append(", ").append(listener_keys);
  yaml += " }\nupstreams:\n  target: { url: http://127.0.0.1:9001";
  if (!upstream_keys.empty()) yaml.append(", ").append(upstream_keys);
  yaml += " }\nroutes:\n  - name: all\n    upstream: target\n";
  if (!policies.empty()) yaml.append("    policies: ").append(policies).append("\n");
  return yaml;
}

std::string plain(std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    std::string_view line = message.substr(0, end);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.starts_with("Date: ") || line.starts_with("X-Request-Id: ")) continue;
    out.append(line.starts_with("Via: 1.1 gatelab-") ? std::string_view("Via: 1.1 gatelab") : line);
    if (end != std::string_view::npos) out += '\n';
  }
  return out;
}

}  // namespace gatelab::test
