// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/foreign.h"

#include <algorithm>
#include <mutex>

#include "base/units.h"
#include "harness/scenario/beside.h"
#include "harness/scenario/client.h"

namespace gatelab::harness {
namespace {

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// Shared with the loop, so that who gives up leaves nothing hanging.
struct ForeignGateway::Asking {
  explicit Asking(io::Environment& e, io::CancelToken& c) : environment(e), cancel(c) {}
  io::Environment& environment;
  io::CancelToken& cancel;
  Dial dial;
  std::string host, octets;  // without octets, that it takes a connection is enough
  IpAddress found;
  std::atomic<bool> done{false}, over{false};

  // What came of the last time. Any thread.
  void note(std::string problem) {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(problem);
  }
  std::string problem() {
    const std::lock_guard lock(mutex_);
    return problem_.empty() ? std::string() : ": " + problem_;
  }

 private:
  std::mutex mutex_;
  std::string problem_;
};

ForeignGateway::ForeignGateway(const World& world, std::string directory, io::Files& files, Driver& driver)
    : spec_(*world.foreign), directory_(std::move(directory)), files_(files), driver_(driver), places_(place_names(world)) {}

Status ForeignGateway::start(const MockServers& mocks, std::string_view mocks_ca, io::Scope& scope) {
  if (!spec_.run.empty()) {
    if (Status launched = launch(mocks, mocks_ca); !launched) return launched;
  }
  const auto whole = fill(spec_.url, places_);
  if (!whole) return fail(whole.error().id, whole.error().message);
  auto parsed = parse_gateway_url(*whole);
  if (!parsed) return fail(parsed.error().id, parsed.error().message);
  url_ = std::move(*parsed);
  return await_ready(scope);
}

Status ForeignGateway::launch(const MockServers& mocks, std::string_view mocks_ca) {
  auto own = io::PrivateDirectory::make();
  if (!own) return fail(own.error().id, own.error().message);
  own_ = std::move(*own);
  auto port = io::HeldPort::take();
  if (!port) return fail(port.error().id, port.error().message);
  port_ = std::move(*port);
  places_["gateway.port"] = std::to_string(port_->port());
  places_["gateway.directory"] = own_->path();
  for (const auto& [name, address] : mocks.addresses()) {
    const std::size_t slash = name.find('/');
    set_mock_place(places_, name.substr(0, slash), name.substr(slash + 1), address);
  }
  if (Status written = files_.write(own_->path() + "/mocks-ca.pem", mocks_ca); !written) return written;
  io::ProcessOptions options;
  for (const std::string& path : spec_.templates) {
    const auto text = read_beside(files_, directory_, path);
    if (!text) return fail(text.error().id, text.error().message);
    const auto filled = fill(*text, places_);
    if (!filled) return fail(filled.error().id, "`" + path + "`: " + filled.error().message);
    if (Status written = files_.write(own_->path() + "/" + file_name(path), *filled); !written) return written;
  }
  for (const std::string& word : spec_.run) {
    const auto filled = fill(word, places_);
    if (!filled) return fail(filled.error().id, filled.error().message);
    options.arguments.push_back(*filled);
  }
  for (const auto& [name, value] : spec_.env) {
    const auto filled = fill(value, places_);
    if (!filled) return fail(filled.error().id, filled.error().message);
    options.environment.emplace_back(name, *filled);
  }
  options.directory = directory_;
  auto process = io::Process::start(options);
  if (!process) return fail(process.error().id, process.error().message);
  process_ = std::move(*process);
  return success();
}

Status ForeignGateway::await_ready(io::Scope& scope) {
  auto asking = std::make_shared<Asking>(driver_.environment(), scope.token());
  asking->host = url_.host;
  if (!spec_.ready.empty()) {
    const auto ready = fill(spec_.ready, places_);
    if (!ready) return fail(ready.error().id, ready.error().message);
    GatewayUrl at = url_;
    if (ready->starts_with('/')) at.path = *ready;
    else if (auto parsed = parse_gateway_url(*ready)) at = std::move(*parsed);
    else return fail(parsed.error().id, "`ready`: " + parsed.error().message + ", or a path");
    if (at.tls) return fail("bad-url", "`ready` is asked over http; without it the gateway is ready when it takes connections");
    asking->host = at.host;
    asking->dial.to.port = at.port;
    asking->octets = "GET " + (at.path.empty() ? "/" : at.path) + " HTTP/1.1\r\nHost: " + at.authority + "\r\nConnection: close\r\n\r\n";
  } else {
    asking->dial.to.port = url_.port;
  }
  driver_.on(driver_.outside(), [this, asking, &scope] { scope.spawn(ask(asking)); });
  const std::string late = driver_.run_until([this, asking] { return asking->done.load() || (process_ && process_->ended()); }, spec_.within);
  asking->over = true;
  if (late == "interrupted") return fail("interrupted", late);
  if (!asking->done.load()) {
    const std::string what = process_ && process_->ended() ? "it ended " + process_->how() + " before it was ready" : "it was not ready within " + format(spec_.within) + asking->problem();
    return fail("not-ready", with_output("the gateway can't be used: " + what));
  }
  bound_.name = "gateway";
  bound_.address = {asking->found, url_.port};
  bound_.tls = url_.tls;
  return success();
}

// Asks again and again; the loop's timer waits between.
io::Task<void> ForeignGateway::ask(std::shared_ptr<Asking> asking) {
  io::Loop& loop = driver_.outside();
  Client client(asking->environment.network, loop, asking->cancel);
  for (std::size_t turn = 0; !asking->over && !asking->cancel.cancelled(); ++turn) {
    io::Wait wait;
    wait.deadline = loop.now() + std::chrono::seconds(5);
    wait.cancel = &asking->cancel;
    wait.what = "the gateway to be ready";
    io::Question question{asking->host, {}};
    auto resolving = asking->environment.resolver.resolve(loop, std::move(question), wait);
    auto found = co_await resolving;
    if (found) {
      // A name of several addresses may be served at one of them only.
      asking->dial.to.ip = found->addresses[turn % found->addresses.size()];
      Answer answer;
      if (asking->octets.empty()) {
        auto connecting = connect(asking->environment.network, loop, asking->dial, wait, answer);
        const io::TransportPtr transport = co_await connecting;
        asking->found = asking->dial.to.ip;
        if (transport) break;
        asking->note(format(asking->dial.to) + (answer.error == "refused" ? " refuses connections" : " does not answer: " + answer.error));
      } else {
        auto sending = client.send(asking->dial, asking->octets, "GET", std::chrono::seconds(5), answer);
        co_await sending;
        asking->found = asking->dial.to.ip;
        if (answer.status > 0 && answer.status < 500) break;
        asking->note("`ready` was answered with " + (answer.status > 0 ? std::to_string(answer.status) : "no status (" + answer.error + ")"));
      }
    } else {
      asking->note("there is no address of `" + asking->host + "`");
    }
    wait.deadline = loop.now() + std::chrono::milliseconds(10);
    co_await io::sleep_until(loop, wait);
  }
  if (!asking->cancel.cancelled() && !asking->over) asking->done = true;
}

std::string ForeignGateway::gone() { return process_ && process_->ended() ? "the gateway ended " + process_->how() : std::string(); }

void ForeignGateway::stop() {
  if (!process_) return;
  process_->terminate();
  driver_.run_until([this] { return process_->ended(); }, std::chrono::seconds(5));
  process_->kill();
}

std::vector<std::string> ForeignGateway::output(std::size_t lines) const {
  std::vector<std::string> out;
  std::string rest = process_ ? process_->output() : std::string();
  while (!rest.empty()) {
    const std::size_t newline = rest.find('\n');
    out.push_back(rest.substr(0, newline));
    rest.erase(0, newline == std::string::npos ? rest.size() : newline + 1);
  }
  if (out.size() > lines) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(lines));
  return out;
}

std::string ForeignGateway::with_output(std::string message) const {
  const std::vector<std::string> lines = output(20);
  message += process_ ? lines.empty() ? "; it said nothing" : "; it said:" : "";
  for (const std::string& line : lines) message += "\n    " + line;
  return message;
}

}  // namespace gatelab::harness
