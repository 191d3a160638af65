// SPDX-License-Identifier: Apache-2.0
// The whole proxy between a plain client and a target that answers anything. The client gets exactly one answer: the target's,
// if a second reading (strict.h) finds it whole and the same, or the gateway's own; what broke off never ends in order; and a
// connection on which anything was unclear is not used for the next request, which gets its own answer.
//
// Knobs in front of the target's octets: the seed; what is asked, how the target ends and pauses; into how many pieces it
// cuts what it says, whether there was a request before, and whether the next one comes from the same client.
#include <cstdint>

#include "strict.h"
#include "wire.h"

using namespace gatelab;
using namespace gatelab::fuzz;
using strict::Framing;
using strict::Got;
using strict::Message;
using strict::Mode;

namespace {

constexpr std::string_view kGateway = R"(gatelab: 1
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
upstreams:
  target:
    url: "http://127.0.0.1:9001"
    timeouts: { response: 2s, idle: 2s, total: 10s, stream: { idle: 3s, total: 12s }, tunnel: { idle: 3s, total: 12s } }
routes: [ { name: all, upstream: target } ]
)";
constexpr Duration kPatience = std::chrono::seconds(2);  // timeouts.response of that
constexpr Duration kEnough = std::chrono::seconds(25);  // for all of that; idle connections to targets stay longer
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 §1.3

std::string tested_request(unsigned kind, bool http10) {
  const std::string version = http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  switch (kind) {
    case 1: return "HEAD /tested" + version + "Host: a\r\n\r\n";
    case 2: return "POST /tested" + version + "Host: a\r\nContent-Length: 5\r\n\r\nhello";
    case 3: return "GET /tested HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string(kKey) + "\r\n\r\n";
    default: return "GET /tested" + version + "Host: a\r\n\r\n";
  }
}

// What a strict reader finds in what the target says.
struct Reading {
  Message last;              // the final answer, or what there is of it
  std::size_t interims = 0;  // in front of it
  std::string_view rest;     // behind it
};

Reading read(std::string_view octets, std::string_view method, Mode mode, bool closed) {
  Reading out;
  out.rest = octets;
  for (;;) {
    out.last = strict::response(out.rest, method, mode, closed);
    out.rest.remove_prefix(out.last.octets);
    if (out.last.got != Got::Whole || out.last.status >= 200 || out.last.status == 101) return out;
    ++out.interims;
  }
}

class ResponseWorld final : public World {
 public:
  ResponseWorld(const std::shared_ptr<const gateway::Model>& model, std::uint64_t seed, const Speech& speech, bool at_head, const Reading& said)
      : World(model, seed), speech_(speech), at_head_(at_head) {
    clean_ = said.last.got == Got::Whole && said.rest.empty() && said.last.keeps() && said.last.status != 101 && speech.end == Speech::End::Stay;
  }

 private:
  io::Task<void> target(io::TransportPtr transport) override {
    std::string text;
    bool spoken = false, answered = false;
    std::array<char, 4096> buffer;
    while (!scope.token().cancelled()) {
      const Message m = strict::request(text, Mode::Written);
      if (m.got == Got::Bad) violation("what reaches the target is no request: " + m.why, {{"the target said", speech_.octets}, {"the target got", text}});
      if (m.has_head && !answered && spoken && !clean_) violation("a connection on which anything was unclear is used for another request", {{"the target said", speech_.octets}, {"the target got", text}});
      const bool tested = m.target == "/tested";
      if (m.has_head && !answered && (m.got == Got::Whole || (tested && at_head_))) {
        answered = true;
        const std::string name = m.target.substr(1);
        Speech plain;
        plain.octets = "HTTP/1.1 200 OK\r\nX-Seen: " + name + "\r\nContent-Length: " + std::to_string(name.size()) + "\r\n\r\n" + (m.method == "HEAD" ? "" : name);
        const Speech& speech = tested ? speech_ : plain;
        spoken = spoken || tested;
        auto saying = say(*transport, speech, wait("target"));
        const bool said = co_await saying;
        if (!said || speech.end == Speech::End::Reset) co_return;
      }
      if (m.got == Got::Whole) {
        text.erase(0, m.octets);
        answered = false;
        continue;
      }
      const io::Count read = transport->try_read(buffer);
      if (read.code == io::Code::Ok) {
        text.append(buffer.data(), read.octets);
        continue;
      }
      if (read.code != io::Code::WouldBlock) break;
      const io::Code code = co_await transport->readable(wait("target"));
      if (code != io::Code::Ok) break;
    }
    transport->close();
  }

  const Speech& speech_;
  bool at_head_;
  bool clean_ = false;  // the next request may come on the same connection
};

struct Run {
  std::string_view said, received;
  const Reading& upstream;
  const Client& client;
  std::string method;
  bool http10 = false, websocket = false;
  bool slow = false;  // the target takes longer for its answer than the gateway waits for a head

  [[noreturn]] void blame(const std::string& what) const { violation(what, {{"the target said", said}, {"the client got", received}}); }
};

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const std::string_view one : names)
    if (name == one) return true;
  return false;
}

std::size_t count(const std::vector<strict::Field>& fields, const strict::Field& like) {
  std::size_t n = 0;
  for (const strict::Field& f : fields) n += f.name == like.name && f.value == like.value ? 1 : 0;
  return n;
}

void check_fields(const Run& run, const Message& got, const Message& said) {
  for (const strict::Field& f : got.fields) {
    if (one_of(f.name, {"x-request-id", "content-length", "transfer-encoding", "connection"})) {
      if (got.count(f.name) != 1) run.blame("the field " + f.name + " twice");
      if (f.name == "connection" && !one_of(f.value, {"close", "keep-alive", "Upgrade"})) run.blame("Connection: " + f.value);
      continue;
    }
    if (one_of(f.name, {"keep-alive", "proxy-connection"}) || (f.name == "upgrade" && got.status != 101)) run.blame("the field " + f.name + ", which is of one hop");
    if (f.name == "via" && f.value.find("gatelab-") != std::string::npos) continue;
    if (f.name == "date" && said.count("date") == 0) continue;
    if (f.name == "upgrade") continue;
    if (f.name != "via" && said.lists("connection", f.name)) run.blame("the field " + f.name + ", which Connection lists");
    if (count(said.fields, f) < count(got.fields, f)) run.blame("the field " + f.name + ": " + f.value + ", which the target has not sent");
  }
  for (const strict::Field& f : got.trailers)
    if (count(said.trailers, f) < count(got.trailers, f)) run.blame("the trailer " + f.name + ", which the target has not sent");
}

// What the gateway says when it can't go on with what the target says.
bool is_own(const Message& m) {
  return one_of(std::to_string(m.status), {"502", "504"}) && m.value("content-type") == "application/problem+json" &&
         (m.body.empty() || m.body.find(m.value("x-request-id")) != std::string::npos);
}

void check_tunnel(const Run& run, const Message& got, std::string_view rest) {
  const Message& said = run.upstream.last;
  if (!run.websocket || said.status != 101 || said.value("sec-websocket-accept") != kAccept) run.blame("101 that is none");
  check_fields(run, got, said);
  const std::size_t same = std::min(rest.size(), run.upstream.rest.size());
  if (rest.substr(0, same) != run.upstream.rest.substr(0, same)) run.blame("other octets through a tunnel");
  // Behind them the gateway may say goodbye by a close frame.
  if (rest.size() > same && rest[same] != '\x88') run.blame("octets through a tunnel that nobody sent");
}

void check_answer(const Run& run) {
  const Reading got = read(run.received, run.method, Mode::Written, run.client.eof);
  const Message &m = got.last, &said = run.upstream.last;
  if (m.got == Got::Bad) run.blame("what the client got is no answer: " + m.why);
  // A body that is broken from its first octet on may be cut before the head is written.
  if (run.received.empty() && run.client.broken && said.has_head && (said.got != Got::Whole || said.framing == Framing::Chunked)) return;
  if (!m.has_head) run.blame("no answer");
  if (got.interims > run.upstream.interims || (run.http10 && got.interims > 0)) run.blame("an interim answer that nobody sent");
  if (m.status == 101) return check_tunnel(run, m, got.rest);
  if (m.got == Got::Part && !run.client.broken) run.blame("a part of an answer, and no end or an orderly one");
  if (!got.rest.empty()) run.blame("more than one answer");
  if (m.got == Got::Whole && !m.keeps() && !run.client.over()) run.blame("the connection goes on behind an answer that is the last");
  if (is_own(m)) {
    if (m.got != Got::Whole) run.blame("a part of the gateway's own answer");
    if (m.status == 504 && run.slow) return;
    const bool good = said.got == Got::Whole && said.status != 101 && run.upstream.interims <= 16 && said.fields.size() <= 256;
    if (good && said.framing != Framing::Chunked) run.blame("a good answer is refused");
    return;
  }
  if (!said.has_head) run.blame("an answer that the target has not given");
  if (m.status != said.status) run.blame("another status");
  if (m.got == Got::Whole && (said.got != Got::Whole || m.body != said.body)) run.blame("an answer that is not whole, or another, ends in order");
  if (!said.body.starts_with(m.body)) run.blame("another body");
  check_fields(run, m, said);
  if (m.framing == Framing::None && m.status != 204 && m.count("content-length") > 0 && said.count("content-length") > 0) {
    std::uint64_t ours = 0, theirs = 0;
    if (!strict::number(m.value("content-length"), ours) || !strict::number(said.value("content-length"), theirs) || ours != theirs) run.blame("another length of a body that is not sent");
  }
}

void check_plain(const Run& run, std::string_view received, std::string_view name, bool closed) {
  const Reading got = read(received, "GET", Mode::Written, closed);
  if (got.last.got != Got::Whole || !got.rest.empty() || got.interims > 0 || got.last.body != name || got.last.value("x-seen") != name)
    violation("the request " + std::string(name) + " did not get its own answer", {{"the target said to another", run.said}, {"the client got", received}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto model = model_of(kGateway);
  std::string_view octets(reinterpret_cast<const char*>(data), size);
  Knobs knobs(octets);
  const unsigned seed = knobs.next(), manner = knobs.next(), more = knobs.next();
  constexpr std::array<Speech::End, 4> kEnds{Speech::End::Stay, Speech::End::Finish, Speech::End::Reset, Speech::End::Finish};
  Speech speech;
  speech.octets = octets;
  speech.pieces = 1 + (more & 7);
  speech.pause = pause_of(manner >> 6);
  speech.end = kEnds[(manner >> 4) & 3];
  const unsigned kind = manner & 3;
  const bool http10 = (manner & 4) != 0 && kind != 3, at_head = (manner & 8) != 0, before = (more & 8) != 0, same_client = (more & 16) != 0;
  const std::string method = kind == 1 ? "HEAD" : kind == 2 ? "POST" : "GET";
  const Reading said = read(speech.octets, method, Mode::Received, speech.end == Speech::End::Finish);
  ResponseWorld world(model, seed, speech, at_head, said);
  if (before) {
    Speech first;
    first.octets = "GET /before HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    Client& client = world.connect("127.0.0.1:8080", std::move(first));
    world.run(std::chrono::seconds(1));
    check_plain({speech.octets, client.received, said, client, method}, client.received, "before", client.eof);
  }
  Speech ask;
  ask.octets = tested_request(kind, http10);
  Client& client = world.connect("127.0.0.1:8080", std::move(ask));
  world.run(kEnough);
  const std::string received = client.received;
  const bool slow = speech.pause * static_cast<int>(speech.pieces - 1) >= kPatience;
  const Run run{speech.octets, received, said, client, method, http10, kind == 3, slow};
  check_answer(run);
  const std::string next = "GET /after HTTP/1.1\r\nHost: a\r\n\r\n";
  if (same_client && !client.over()) {
    client.say_more(next);
    world.run(std::chrono::seconds(1));
    check_plain(run, std::string_view(client.received).substr(received.size()), "after", client.eof);
  } else {
    Speech last;
    last.octets = next;
    Client& other = world.connect("127.0.0.1:8080", std::move(last));
    world.run(std::chrono::seconds(1));
    check_plain(run, other.received, "after", other.eof);
  }
  world.stop();
  return 0;
}
