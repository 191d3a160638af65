// SPDX-License-Identifier: Apache-2.0
// The whole proxy between a client that sends anything and a target that reads strictly. What reaches the target is a row of
// unambiguous requests, each of them one that a second reading (strict.h) finds in what the client sent, in order; what the
// client gets is a row of whole answers, one a request, each the answer to its own; the next client gets nobody else's; and
// everything ends.
//
// Knobs in front of the client's octets: the seed; the listener, how the client ends, its pauses; into how many pieces it
// cuts what it sends; what the target does.
#include <cstdint>

#include "strict.h"
#include "wire.h"

using namespace gatelab;
using namespace gatelab::fuzz;
using strict::Got;
using strict::Message;
using strict::Mode;

namespace {

constexpr std::string_view kGateway = R"(gatelab: 1
listeners:
  - { name: plain, address: "127.0.0.1:8080" }
  - { name: lenient, address: "127.0.0.1:8081", underscore_fields: keep, trace: forward, encoded_slash: keep, duplicate_slash: merge,
      max_body: 100B, max_requests_per_connection: 3, trusted_proxies: [127.0.0.1], request_id: { from_client: trusted } }
  - { name: original, address: "127.0.0.1:8082", underscore_fields: reject, forward_path: original }
upstreams:
  target: { url: "http://127.0.0.1:9001", timeouts: { response: 2s, idle: 2s, total: 10s, tunnel: { idle: 5s } } }
routes:
  - { name: here, match: { path: /local/* }, policies: [ { respond: { status: 200, text: here } } ] }
  - { name: all, upstream: target }
)";
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 §1.3

bool asks_for_websocket(const Message& m) { return !m.http10 && m.lists("upgrade", "websocket"); }

// The requests in what a client sends. Only the last may be a part, or no request at all.
std::vector<Message> requests_of(std::string_view octets) {
  std::vector<Message> out;
  while (!octets.empty() && octets != "\r\n") {
    const Message& m = out.emplace_back(strict::request(octets, Mode::Received));
    // What a client that has asked for another protocol, or for the end, sends behind it is no request.
    if (m.got != Got::Whole || !m.keeps() || m.method == "CONNECT" || asks_for_websocket(m)) break;
    octets.remove_prefix(m.octets);
  }
  return out;
}

// A target as whoever decodes it would read it: the segments of its path, then what stands behind "?". `merge`: empty ones
// between slashes are none.
std::string meaning(std::string_view target, std::string& host, bool merge) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!strict::small(target).starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    host = target.substr(0, end);
    target.remove_prefix(end);
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark), query = target.substr(mark);
  std::vector<std::string> segments;
  bool directory = true;  // it ends with a slash
  for (std::size_t at = path.starts_with('/') ? 1 : 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    std::string segment;
    for (std::size_t i = at; i < end; ++i) {
      std::uint64_t octet = 0;
      const bool encoded = path[i] == '%' && i + 2 < end && strict::number(path.substr(i + 1, 2), octet, 16);
      segment += encoded ? static_cast<char>(octet) : path[i];
      if (encoded) i += 2;
    }
    const bool last = end == path.size();
    directory = segment.empty() || segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!directory || (segment.empty() && !last && !merge)) segments.push_back(segment);
    at = end + 1;
  }
  std::string out;
  for (const std::string& segment : segments) out.append("/").append(segment);
  if (directory) out += "/";
  return out.append(query);
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const std::string_view one : names)
    if (name == one) return true;
  return false;
}

bool is_of_the_gateway(std::string_view name) {
  return name.starts_with("x-forwarded-") || one_of(name, {"x-request-id", "host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "expect"});
}

std::size_t count(const std::vector<strict::Field>& fields, const strict::Field& like) {
  std::size_t n = 0;
  for (const strict::Field& f : fields) n += f.name == like.name && f.value == like.value ? 1 : 0;
  return n;
}

// Why the target must not have got this field of this request; empty: it may.
std::string objection(const strict::Field& f, const Message& got, const Message& sent) {
  const bool websocket = asks_for_websocket(got);
  if (one_of(f.name, {"keep-alive", "proxy-connection", "proxy-authorization", "forwarded", "x-real-ip", "x-original-url", "x-rewrite-url"})) return "it ends at the gateway";
  if (f.name == "connection") return f.value == (websocket ? "Upgrade" : "TE") ? "" : "it is of one hop";
  if (f.name == "te") return f.value == "trailers" && sent.lists("te", "trailers") ? "" : "it is of one hop";
  if (f.name == "upgrade") return f.value == "websocket" && asks_for_websocket(sent) ? "" : "it is of one hop";
  if (f.name == "expect") return f.value == "100-continue" && sent.count("expect") > 0 ? "" : "the client expects nothing";
  if (is_of_the_gateway(f.name)) return got.count(f.name) == 1 ? "" : "it stands there twice";
  if (f.name == "via" && f.value.find("gatelab-") != std::string::npos) return "";
  if (f.name == "max-forwards" && one_of(sent.method, {"OPTIONS", "TRACE"})) return sent.count(f.name) == 1 ? "" : "it was not sent once";
  const bool stays = one_of(f.name, {"via", "max-forwards"});
  if (!stays && sent.lists("connection", f.name)) return "Connection lists it";
  return count(sent.fields, f) >= count(got.fields, f) ? "" : "the client has not sent it";
}

// Why what the target got is not what the client sent; empty: it is.
std::string difference(const Message& got, const Message& sent, bool merge) {
  if (!sent.has_head) return "it has no head";
  if (got.method != sent.method) return "another method";
  if (got.framing != sent.framing) return "another framing";
  if (got.got == Got::Whole && (sent.got != Got::Whole || got.body != sent.body)) return "another body";
  if (!sent.body.starts_with(got.body)) return "another beginning of a body";
  std::string host = sent.value("host"), none;
  if (meaning(got.target, none, merge) != meaning(sent.target, host, merge)) return "another target";
  if (!got.target.starts_with('/')) return "a target that is no path";
  if (host.empty()) host = "127.0.0.1:9001";
  if (got.value("host") != host) return "another host";
  for (const strict::Field& f : got.fields)
    if (const std::string why = objection(f, got, sent); !why.empty()) return "the field " + f.name + ": " + f.value + ", but " + why;
  for (const std::string_view once : {"x-request-id", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"})
    if (got.count(once) != 1) return "not exactly one " + std::string(once);
  for (const strict::Field& f : got.trailers) {
    if (is_of_the_gateway(f.name) || one_of(f.name, {"via", "authorization", "cookie", "content-type", "content-encoding", "trailer"})) return "the trailer " + f.name;
    if (count(sent.trailers, f) < count(got.trailers, f)) return "the trailer " + f.name + ", which the client has not sent";
  }
  return {};
}

// What the target does with each request.
struct Manners {
  unsigned kind = 0;
  bool at_head = false;    // answers before it has read the body
  bool says_100 = false;
  bool says_103 = false;
  bool closes = false;     // behind its answer, without having said so
  Duration delay{};
};

class RequestWorld final : public World {
 public:
  RequestWorld(const std::shared_ptr<const gateway::Model>& model, std::uint64_t seed, Manners manners) : World(model, seed), manners_(manners) {}

  std::vector<Message> seen;  // in the order of their heads
  std::string octets;         // all that came, connections mixed: for reports

 private:
  io::Task<void> target(io::TransportPtr transport) override {
    std::string text;
    std::size_t index = 0;
    bool noted = false, answered = false, continued = false;
    std::array<char, 4096> buffer;
    while (!scope.token().cancelled()) {
      const Message m = strict::request(text, Mode::Written);
      if (m.got == Got::Bad) violation("what reaches the target is no request: " + m.why, {{"the target got", octets}});
      if (m.has_head) {
        if (!noted) index = seen.size(), seen.emplace_back();
        noted = true;
        seen[index] = m;
      }
      if (m.has_head && !continued && manners_.says_100 && m.lists("expect", "100-continue")) {
        continued = true;
        auto writing = io::write_all(*transport, "HTTP/1.1 100 Continue\r\n\r\n", wait("target"));
        co_await writing;
      }
      if (m.has_head && !answered && (manners_.at_head || m.got == Got::Whole)) {
        answered = true;
        const bool upgrade = asks_for_websocket(m) && m.value("sec-websocket-key") == kKey;
        auto answering = answer(*transport, m, upgrade);
        const bool goes_on = co_await answering;
        if (!goes_on) break;
        if (upgrade) {
          auto tunnelling = tunnel(*transport);
          co_await tunnelling;
          break;
        }
      }
      if (m.got == Got::Whole) {
        text.erase(0, m.octets);
        noted = answered = continued = false;
        continue;
      }
      const io::Count read = transport->try_read(buffer);
      if (read.code == io::Code::Ok) {
        text.append(buffer.data(), read.octets);
        octets.append(buffer.data(), read.octets);
        continue;
      }
      if (read.code != io::Code::WouldBlock) break;
      const io::Code code = co_await transport->readable(wait("target"));
      if (code != io::Code::Ok) break;
    }
    transport->close();
  }

  // False: the connection is over.
  io::Task<bool> answer(io::Transport& transport, const Message& m, bool upgrade) {
    if (manners_.delay > Duration{}) {
      io::Wait pause = wait("target");
      pause.deadline = sim.now() + manners_.delay;
      const io::Code code = co_await io::sleep_until(sim.outside(), pause);
      if (code != io::Code::TimedOut) co_return false;
    }
    const std::string text = upgrade ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + std::string(kAccept) + "\r\n\r\n" : answer_to(m);
    auto writing = io::write_all(transport, text, wait("target"));
    const io::Code written = co_await writing;
    const bool until_close = manners_.kind == 2 && m.method != "HEAD";
    co_return written == io::Code::Ok && (upgrade || !(manners_.closes || until_close));
  }

  std::string answer_to(const Message& m) const {
    const bool body = m.method != "HEAD";
    std::string out;
    if (manners_.says_103) out += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    const std::string seen_field = "X-Seen: " + m.target + "\r\n";
    switch (manners_.kind) {
      case 1: return out + "HTTP/1.1 200 OK\r\n" + seen_field + "Transfer-Encoding: chunked\r\n\r\n" + (body ? "2;x=y\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n" : "");
      case 2: return out + "HTTP/1.1 200 OK\r\n" + seen_field + "Connection: X-Hop\r\nX-Hop: 1\r\n\r\n" + (body ? "until the end" : "");
      case 3: return out + "HTTP/1.1 204 No Content\r\n" + seen_field + "\r\n";
      case 4: return out + "HTTP/1.1 304 Not Modified\r\n" + seen_field + "Content-Length: 5\r\n\r\n";
      case 5: return out + "HTTP/1.1 200 OK\r\n" + seen_field + "Content-Length: 70000\r\n\r\n" + (body ? std::string(70'000, 'x') : "");
      case 6: return out + "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + seen_field + "Content-Length: 0\r\n\r\n";
      default: return out + "HTTP/1.1 200 OK\r\n" + seen_field + "Content-Length: 2\r\n\r\n" + (body ? "ok" : "");
    }
  }

  // No messages any more: whatever comes, comes.
  io::Task<void> tunnel(io::Transport& transport) {
    std::array<char, 4096> buffer;
    for (;;) {
      const io::Count read = transport.try_read(buffer);
      if (read.code == io::Code::Ok) continue;
      if (read.code != io::Code::WouldBlock) co_return;
      const io::Code code = co_await transport.readable(wait("target's tunnel"));
      if (code != io::Code::Ok) co_return;
    }
  }

  Manners manners_;
};

struct Run {
  std::string_view sent;
  std::vector<Message> requests;
  const RequestWorld& world;
  const Client& client;
  bool reset = false;  // by the client, which then can't tell what it was owed
  bool merge = false;  // its listener makes several slashes one

  [[noreturn]] void blame(const std::string& what) const {
    violation(what, {{"the client sent", sent}, {"the target got", world.octets}, {"the client got", client.received}});
  }
};

void check_target(const Run& run) {
  std::size_t next = 0;
  for (const Message& got : run.world.seen) {
    std::string why = "there is none left";
    bool found = false;
    for (std::size_t i = next; i < run.requests.size() && !found; ++i) {
      const std::string differs = difference(got, run.requests[i], run.merge);
      found = differs.empty();
      if (found) next = i + 1;
      else if (i == next) why = differs;
    }
    if (!found) run.blame("the target got " + got.method + " " + got.target + ", which is not the next that the client sent: " + why);
  }
}

void check_answer(const Run& run, const Message& m, const Message& asked) {
  for (const strict::Field& f : m.fields) {
    if (one_of(f.name, {"keep-alive", "proxy-connection", "te", "x-hop"})) run.blame("the client got the field " + f.name);
    if (f.name == "connection" && !one_of(f.value, {"close", "keep-alive", "Upgrade"})) run.blame("the client got Connection: " + f.value);
  }
  if (m.count("x-request-id") != 1 || m.count("date") != 1) run.blame("an answer without its id or its date");
  if (m.count("x-seen") == 0) return;
  std::string none;
  if (!asked.has_head || meaning(m.value("x-seen"), none, run.merge) != meaning(asked.target, none, run.merge)) run.blame("an answer to " + m.value("x-seen") + " for " + asked.method + " " + asked.target);
}

// The next answer in `rest`. To a request that is none, the gateway answers by what it could read of it.
Message next_answer(std::string_view rest, const Message& asked, bool closed) {
  const Message m = strict::response(rest, asked.has_head ? asked.method : "", Mode::Written, closed);
  if (asked.has_head || (m.got == Got::Whole && m.octets == rest.size())) return m;
  return strict::response(rest, "HEAD", Mode::Written, closed);
}

void check_answers(const Run& run) {
  std::string_view rest = run.client.received;
  std::size_t answered = 0;
  bool keeps = true;
  while (!rest.empty()) {
    if (!keeps) run.blame("octets behind the last answer");
    if (answered == run.requests.size()) run.blame("an answer to no request");
    const Message& asked = run.requests[answered];
    const Message m = next_answer(rest, asked, run.client.eof);
    if (m.got == Got::Bad) run.blame("what the client got is no answer: " + m.why);
    if (m.got == Got::Part && !run.client.broken) run.blame("a part of an answer, and an orderly end");
    if (m.got == Got::Part) return;
    rest.remove_prefix(m.octets);
    if (m.status == 101) {
      if (!asks_for_websocket(asked)) run.blame("101 to a request that did not ask for it");
      return;
    }
    if (m.status < 200) {
      if (asked.http10 || m.status == 102) run.blame("an interim answer to HTTP/1.0, or one that nobody sent");
      continue;
    }
    check_answer(run, m, asked);
    keeps = m.keeps();
    ++answered;
  }
  if (run.reset || run.client.broken || !keeps) return;
  if (answered < run.requests.size() && run.requests[answered].got == Got::Whole) run.blame("a request without an answer");
}

// Another client, behind all that: it gets the answer to its own request, and no other.
void check_next_client(RequestWorld& world, std::string_view sent) {
  Speech speech;
  speech.octets = "GET /victim HTTP/1.1\r\nHost: victim\r\n\r\n";
  speech.end = Speech::End::Finish;
  const std::size_t before = world.seen.size();
  Client& client = world.connect("127.0.0.1:8080", std::move(speech));
  world.outlast(client, std::chrono::minutes(5));
  std::string_view rest = client.received;
  Message m;
  do {
    m = strict::response(rest, "GET", Mode::Written, client.eof);
    rest.remove_prefix(m.octets);
  } while (m.got == Got::Whole && m.status < 200);
  const bool own = m.got == Got::Whole && rest.empty() && m.value("x-seen") == "/victim";
  if (!own || world.seen.size() != before + 1) violation("the next client does not get its answer", {{"the client before sent", sent}, {"the target got", world.octets}, {"it got", client.received}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto model = model_of(kGateway);
  std::string_view sent(reinterpret_cast<const char*>(data), size);
  Knobs knobs(sent);
  const unsigned seed = knobs.next(), manner = knobs.next(), pieces = knobs.next(), target = knobs.next();
  constexpr std::array<std::string_view, 4> kListeners{"127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8080"};
  constexpr std::array<Speech::End, 4> kEnds{Speech::End::Finish, Speech::End::Stay, Speech::End::Reset, Speech::End::Finish};
  Speech speech;
  speech.octets = sent;
  speech.pieces = 1 + (pieces & 7);
  speech.pause = pause_of(manner >> 4);
  speech.end = kEnds[(manner >> 2) & 3];
  const bool reset = speech.end == Speech::End::Reset;
  const Manners manners{target & 7, (target & 8) != 0, (target & 16) != 0, (target & 32) != 0, (target & 64) != 0, (target & 128) != 0 ? std::chrono::milliseconds(50) : Duration{}};
  RequestWorld world(model, seed, manners);
  Client& client = world.connect(kListeners[manner & 3], std::move(speech));
  if (reset) world.run(std::chrono::seconds(30));
  else world.outlast(client, std::chrono::minutes(10));
  const Run run{sent, requests_of(sent), world, client, reset, (manner & 3) == 1};
  check_target(run);
  check_answers(run);
  check_next_client(world, sent);
  world.stop();
  return 0;
}
