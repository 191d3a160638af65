// SPDX-License-Identifier: Apache-2.0
#include "proxy/preface.h"

#include <algorithm>
#include <array>

#include "http/proxy_protocol.h"

namespace gatelab::proxy {
namespace {

// What was seen by peeking is taken off; the transport may give it in parts.
bool take(io::Transport& transport, std::size_t size, std::string& into) noexcept {
  std::array<char, 512> part;
  while (size > 0) {
    const io::Count read = transport.try_read({part.data(), std::min(size, part.size())});
    if (read.code != io::Code::Ok) return false;
    into.append(part.data(), read.octets);
    size -= read.octets;
  }
  return true;
}

}  // namespace

io::Task<Preface> read_preface(io::Transport& transport, ProxyMode mode, Ends ends, io::Wait wait) {
  Preface out;
  out.ends = ends;
  std::string all(http::kMaxProxyHeader, '\0');
  std::string& kept = out.early;
  for (;;) {
    const io::Count seen = transport.try_peek({all.data() + kept.size(), all.size() - kept.size()});
    if (seen.code == io::Code::WouldBlock) {
      const io::Code code = co_await transport.readable(wait);
      if (code != io::Code::Ok) co_return out;
      continue;
    }
    if (seen.code != io::Code::Ok) co_return out;
    const std::size_t filled = kept.size() + seen.octets;
    const http::ProxyHeader header = http::parse_proxy_header({all.data(), filled});
    switch (header.state) {
      case http::ProxyHeader::State::Broken: co_return out;
      case http::ProxyHeader::State::Absent:
        out.ok = mode == ProxyMode::Optional;
        co_return out;
      case http::ProxyHeader::State::NeedMore:
        // Peeked octets would be told of again at once: they are taken, and given back should they be no header.
        if (filled == all.size() || !take(transport, seen.octets, kept)) co_return out;
        break;
      case http::ProxyHeader::State::Done:
        out.ok = take(transport, header.size - kept.size(), kept);
        kept.clear();
        if (header.known) out.ends = {header.source, header.destination, ends.connection};
        co_return out;
    }
  }
}

}  // namespace gatelab::proxy
