// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "coding/coder.h"
#include "http/parser.h"
#include "io/tls_transport.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;

bool has(const Texts& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& h) { return iequals(h.first, name); });
}

// Of a handshake that this side has ended.
std::string_view word_of(crypto::TlsFailure failure) noexcept {
  using F = crypto::TlsFailure;
  switch (failure) {
    case F::PeerAlert: return "tls-alert";
    case F::Malformed:
    case F::PlainHttp: return "not-tls";
    case F::Missing:
    case F::Expired:
    case F::NotYetValid:
    case F::Revoked:
    case F::Untrusted:
    case F::Hostname:
    case F::TooDeep:
    case F::Unfit: return "tls-certificate";
    case F::None:
    case F::Version:
    case F::Cipher:
    case F::Protocol:
    case F::UnknownName:
    case F::PeerGone:
    case F::Other: break;
  }
  return "tls-handshake";
}

std::string_view error_of(io::Code code, bool began) noexcept {
  if (code == io::Code::TimedOut) return "timeout";
  return began ? "truncated" : "closed";
}

}  // namespace

std::string content_of(const Answer& answer) {
  const auto said = std::find_if(answer.headers.begin(), answer.headers.end(), [](const auto& h) { return iequals(h.first, "content-encoding"); });
  const auto known = said == answer.headers.end() ? std::nullopt : coding::parse(said->second);
  auto content = known ? coding::decode(*known, answer.body, kMaxAnswer) : std::nullopt;
  return content ? std::move(*content) : answer.body;
}

std::string octets_of(const Send& send, const Credential* credential, const Address& to) {
  if (send.raw) return *send.raw;
  std::string target = send.target;
  Texts headers = send.headers;
  if (credential != nullptr) headers.insert(headers.end(), credential->headers.begin(), credential->headers.end());
  if (credential != nullptr && credential->certificate.empty() && !credential->signature) {
    const std::string key = (credential->scheme.empty() ? "" : credential->scheme + " ") + std::string(credential->key.reveal());
    switch (credential->where) {
      case Credential::Where::Header: headers.emplace_back(credential->name, key); break;
      case Credential::Where::Cookie: headers.emplace_back("Cookie", credential->name + "=" + key); break;
      case Credential::Where::Query: target += (target.find('?') == std::string::npos ? "?" : "&") + credential->name + "=" + key; break;
    }
  }
  std::string out = send.method + " " + target + (send.http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  if (!has(headers, "host")) out += "Host: " + (to.ip.family == IpAddress::Family::None ? "localhost" : format(to)) + "\r\n";
  for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
  const bool framed = has(headers, "content-length") || has(headers, "transfer-encoding");
  if (send.has_body && !framed) out += "Content-Length: " + std::to_string(send.body.size()) + "\r\n";
  return out + "\r\n" + send.body;
}

io::Task<void> Client::send(const Dial& dial, std::string octets, std::size_t body, Upload upload, std::string method, Duration timeout, Answer& out) {
  if (upload.abort_after) octets.resize(std::min<std::uint64_t>(octets.size(), body + *upload.abort_after));
  const Instant began = loop_.now();
  io::Wait wait;
  wait.deadline = began + timeout;
  wait.cancel = &cancel_;
  wait.what = "the client's answer";
  io::TransportPtr transport;
  if (!dial.connection.empty()) {
    auto known = kept_.extract(dial.connection);
    if (!known.empty() && known.mapped()->peer_state() == io::Transport::Peer::Quiet) transport = std::move(known.mapped());
  }
  if (!transport) {
    auto dialling = connect(network_, loop_, dial, wait, out);
    transport = co_await dialling;
    if (!transport) {
      out.latency = loop_.now() - began;
      co_return;
    }
    if (!dial.tls.context) {
      octets.insert(0, dial.preface);
      body += dial.preface.size();
    }
  }
  // An answer may come, and the connection close, before the request is out: what was said counts.
  // The tasks are named first: GCC 12 copies a text that is made inside a co_await expression octet by octet.
  std::string_view left(octets), slow;
  if (upload.rate > 0) slow = left.substr(body), left = left.substr(0, body);
  io::Task<io::Code> writing = write(*transport, left, wait);
  io::Code written = co_await writing;
  if (written == io::Code::Ok && left.empty() && !slow.empty()) {
    io::Task<io::Code> going_on = write_slowly(*transport, slow, upload.rate, wait);
    written = co_await going_on;
  }
  const bool whole = left.empty() && slow.empty();
  if (written == io::Code::TimedOut) {
    out.error = "timeout";
  } else if (written == io::Code::Ok && whole && upload.abort_after && !upload.half_close) {
    out.error = "aborted";
    out.latency = loop_.now() - began;
    transport->reset();
    co_return;
  } else {
    if (whole && upload.half_close) transport->shutdown_write();
    io::Task<void> reading = read(*transport, std::move(method), wait, out);
    co_await reading;
  }
  // In TLS 1.3 a client hears only after the handshake that its certificate was refused.
  if (out.status == 0 && transport->tls_failure() == crypto::TlsFailure::PeerAlert) out.error = "tls-alert";
  out.latency = loop_.now() - began;
  if (!dial.connection.empty() && out.error.empty() && !out.closed && whole && !upload.half_close) kept_[dial.connection] = std::move(transport);
  else transport->close();
}

io::Task<io::TransportPtr> connect(io::Network& network, io::Loop& loop, const Dial& dial, io::Wait wait, Answer& out) {
  const bool chosen = dial.from.family != IpAddress::Family::None;
  io::Task<io::IoResult<io::TransportPtr>> connecting = !dial.path.empty() ? network.connect_unix(loop, dial.path, wait) : chosen ? network.connect_from(loop, dial.from, dial.to, wait) : network.connect(loop, dial.to, wait);
  auto connected = co_await connecting;
  io::TransportPtr done;
  if (!connected) {
    out.error = connected.error() == io::Code::TimedOut ? "timeout" : "refused";
    co_return done;
  }
  io::TransportPtr transport = std::move(*connected);
  if (!dial.tls.context) co_return transport;
  if (!dial.preface.empty()) {  // a PROXY header comes before TLS
    io::Task<io::Code> writing = io::write_all(*transport, dial.preface, wait);
    const io::Code written = co_await writing;
    if (written != io::Code::Ok) {
      out.error = "closed";
      co_return done;
    }
  }
  auto secured = std::make_unique<io::TlsTransport>(std::move(transport), dial.tls.context);
  secured->call(dial.tls.name, dial.tls.sessions);
  auto shaking = secured->handshake(wait);
  const io::Code code = co_await shaking;
  if (code == io::Code::Ok) {
    const crypto::TlsFacts& facts = *secured->tls();
    std::string names;
    for (const std::string& name : facts.peer_names) names += (names.empty() ? "" : ",") + name;
    out.tls = {{"version", std::string(facts.version)}, {"cipher", std::string(facts.cipher)}, {"group", std::string(facts.group)}, {"alpn", facts.alpn},
               {"resumed", facts.resumed ? "true" : "false"}, {"stapled", facts.stapled ? "true" : "false"}, {"subject", facts.peer_subject}, {"names", names}};
    done = std::move(secured);
    co_return done;
  }
  const crypto::TlsFailure failure = secured->failure();
  const bool gone = code != io::Code::Other || failure == crypto::TlsFailure::PeerGone;
  out.error = code == io::Code::TimedOut ? "timeout" : gone ? "closed" : std::string(word_of(failure));
  secured->close();
  co_return done;
}

// A look at what has come, without reading it.
Client::Heard Client::heard(io::Transport& transport) {
  std::array<char, 4096> block;
  const io::Count seen = transport.try_peek(block);
  if (seen.code == io::Code::WouldBlock) return Heard::Nothing;
  if (seen.code != io::Code::Ok) return Heard::Answer;
  constexpr std::size_t kStatus = std::string_view("HTTP/1.1 ").size();
  std::string_view rest(block.data(), seen.octets);
  while (rest.size() > kStatus && rest[kStatus] == '1') {
    const std::size_t end = rest.find("\r\n\r\n");
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 4);
  }
  return rest.size() > kStatus ? Heard::Answer : Heard::Interim;
}

io::Task<io::Code> Client::write_slowly(io::Transport& transport, std::string_view& left, std::uint64_t rate, io::Wait wait) {
  constexpr std::uint64_t kPiecesASecond = 10;
  Instant next = loop_.now();
  while (!left.empty()) {
    std::string_view piece = left.substr(0, std::max<std::uint64_t>(1, rate / kPiecesASecond));
    left.remove_prefix(piece.size());
    next = next + Duration(static_cast<std::int64_t>(piece.size() * std::uint64_t{1'000'000'000} / rate));
    io::Task<io::Code> writing = write(transport, piece, wait);
    const io::Code written = co_await writing;
    if (written != io::Code::Ok) co_return written;
    if (!piece.empty()) {
      left = {piece.data(), piece.size() + left.size()};
      co_return io::Code::Ok;
    }
    io::Wait pause = wait;
    pause.deadline = std::min(wait.deadline, next);
    while (loop_.now() < pause.deadline) {
      Heard news = heard(transport);
      if (news == Heard::Answer) co_return io::Code::Ok;
      // What is not read stays readable: behind an interim answer only time tells.
      io::Code code = io::Code::Ok;
      if (news == Heard::Nothing) code = co_await transport.readable(pause);
      else code = co_await io::sleep_until(loop_, pause);
      if (code == io::Code::Cancelled) co_return code;
    }
    if (loop_.now() >= wait.deadline) co_return io::Code::TimedOut;
  }
  co_return io::Code::Ok;
}

io::Task<io::Code> Client::write(io::Transport& transport, std::string_view& left, io::Wait wait) {
  while (!left.empty()) {
    const std::array<io::ConstBuffer, 1> buffers{{{left.data(), left.size()}}};
    const io::Count written = transport.try_write(buffers);
    if (written.code == io::Code::Ok) {
      left.remove_prefix(written.octets);
      continue;
    }
    if (written.code != io::Code::WouldBlock) co_return written.code;
    // A gateway that answers early may not read on: whoever has an answer waiting stops writing.
    if (heard(transport) == Heard::Answer) co_return io::Code::Ok;
    io::Wait moment = wait;
    moment.deadline = std::min(wait.deadline, loop_.now() + std::chrono::milliseconds(50));
    const io::Code code = co_await transport.writable(moment);
    if (code == io::Code::Cancelled) co_return code;
    if (code != io::Code::Ok && loop_.now() >= wait.deadline) co_return io::Code::TimedOut;
  }
  co_return io::Code::Ok;
}

io::Task<void> Client::read(io::Transport& transport, std::string method, io::Wait wait, Answer& out) {
  std::vector<char> block(64 * 1024);
  std::string all;  // heads point into it: reserved once, so that they stay valid
  all.reserve(256 * 1024);
  Arena arena;
  http::ResponseHead head(arena);
  std::size_t begin = 0;
  bool complete = false;
  // Heads, until a final one.
  while (!complete) {
    http::ResponseParser parser(head, http::method_of(method), {200 * 1024, 0, 1000});
    http::ParseState state = parser.parse(std::string_view(all).substr(begin));
    while (state == http::ParseState::NeedMore) {
      if (all.size() == all.capacity()) {
        out.error = "truncated";  // heads without end
        co_return;
      }
      const io::Count read = transport.try_read(std::span<char>(block).first(std::min(block.size(), all.capacity() - all.size())));
      if (read.code == io::Code::Ok) {
        all.append(block.data(), read.octets);
        state = parser.parse(std::string_view(all).substr(begin));
        continue;
      }
      io::Code code = read.code;
      if (code == io::Code::WouldBlock) code = co_await transport.readable(wait);
      if (code == io::Code::Ok) continue;
      out.error = error_of(code, all.size() > begin);
      out.closed = true;
      co_return;
    }
    if (state == http::ParseState::Failed) {
      out.error = "truncated";
      co_return;
    }
    begin += parser.consumed();
    complete = head.status >= 200;
    if (complete) break;
    out.interim.push_back(head.status);
    std::construct_at(&head, arena);
  }
  out.status = head.status;
  for (const http::Field& f : head.fields) {
    out.headers.emplace_back(f.name, f.value);
    if (f.id == http::FieldId::XRequestId) out.request_id = f.value;
  }
  const http::BodyFraming framing = head.body;
  const bool keep = head.keep_alive;
  http::Fields trailers(arena);
  http::BodyDecoder decoder(framing, &trailers);
  std::string rest = all.substr(begin);
  std::string_view input = rest;
  for (;;) {
    const auto piece = decoder.next(input);
    input.remove_prefix(piece.consumed);
    if (piece.state == http::BodyDecoder::State::Done) break;
    if (piece.state == http::BodyDecoder::State::Data) {
      if (out.body.size() < kMaxAnswer) out.body.append(piece.data);
      continue;
    }
    if (piece.state == http::BodyDecoder::State::Failed) {
      out.error = "truncated";
      co_return;
    }
    const io::Count read = transport.try_read(block);
    if (read.code == io::Code::Ok) {
      input = {block.data(), read.octets};
      continue;
    }
    if (read.code == io::Code::Eof && decoder.finish_at_close()) break;
    io::Code code = read.code;
    if (code == io::Code::WouldBlock) code = co_await transport.readable(wait);
    if (code == io::Code::Ok) continue;
    out.error = error_of(code, true);
    out.closed = true;
    co_return;
  }
  for (const http::Field& f : trailers) out.trailers.emplace_back(f.name, f.value);
  out.closed = !keep || framing.kind == http::Framing::UntilClose;
}

}  // namespace gatelab::harness
