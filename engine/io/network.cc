// SPDX-License-Identifier: Apache-2.0
#include "io/network.h"

#include <utility>

namespace gatelab::io {

void Transport::unlink() noexcept {
  if (live_prev_ == nullptr) return;
  *live_prev_ = live_next_;
  if (live_next_ != nullptr) live_next_->live_prev_ = live_prev_;
  live_prev_ = nullptr;
  live_next_ = nullptr;
}

LiveTransports::~LiveTransports() {
  while (first_ != nullptr) first_->unlink();
}

void LiveTransports::add(Transport& transport) noexcept {
  transport.unlink();
  transport.live_next_ = first_;
  transport.live_prev_ = &first_;
  if (first_ != nullptr) first_->live_prev_ = &transport.live_next_;
  first_ = &transport;
}

void LiveTransports::replace(Transport& transport, Transport& other) noexcept {
  other.unlink();
  if (transport.live_prev_ == nullptr) return;
  other.live_next_ = std::exchange(transport.live_next_, nullptr);
  other.live_prev_ = std::exchange(transport.live_prev_, nullptr);
  *other.live_prev_ = &other;
  if (other.live_next_ != nullptr) other.live_next_->live_prev_ = &other.live_next_;
}

void LiveTransports::break_off() noexcept {
  for (Transport* t = first_; t != nullptr; t = t->live_next_) t->break_off();
}

std::size_t LiveTransports::size() const noexcept {
  std::size_t n = 0;
  for (const Transport* t = first_; t != nullptr; t = t->live_next_) ++n;
  return n;
}

Code write_now(Transport& transport, std::span<ConstBuffer>& left) noexcept {
  while (!left.empty()) {
    const Count written = transport.try_write(left);
    if (written.code != Code::Ok) return written.code;
    std::size_t octets = written.octets;
    while (!left.empty() && octets >= left.front().size) {
      octets -= left.front().size;
      left = left.subspan(1);
    }
    if (left.empty()) break;
    left.front().data += octets;
    left.front().size -= octets;
  }
  return Code::Ok;
}

Task<Code> write_all(Transport& transport, std::string_view octets, Wait wait) {
  ConstBuffer buffer{octets.data(), octets.size()};
  std::span<ConstBuffer> left(&buffer, octets.empty() ? 0 : 1);
  Code code = write_now(transport, left);
  while (code == Code::WouldBlock) {
    code = co_await transport.writable(wait);
    if (code == Code::Ok) code = write_now(transport, left);
  }
  co_return code;
}

}  // namespace gatelab::io
