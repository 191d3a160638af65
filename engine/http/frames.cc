// SPDX-License-Identifier: Apache-2.0
#include "http/frames.h"

#include <algorithm>

#include "base/utf8.h"

namespace gatelab::http::websocket {
namespace {

constexpr std::uint8_t octet(char c) noexcept { return static_cast<std::uint8_t>(c); }

bool is_known(std::uint8_t opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// RFC 6455 §7.4: what may stand in a close frame.
bool is_close_code(unsigned code) noexcept {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
}

}  // namespace

std::size_t HeadReader::size() const noexcept {
  if (filled_ < 2) return 2;
  const std::uint8_t length = octet(octets_[1]) & 0x7f;
  return 2U + (length == 126 ? 2U : length == 127 ? 8U : 0U) + ((octet(octets_[1]) & 0x80) != 0 ? 4U : 0U);
}

//  0                   1
// |F|R R R|opcode |M| length | extended length: 0, 2 or 8 octets | mask: 0 or 4 octets |
HeadReader::State HeadReader::next(std::string_view& data, Sender sender, FrameHead& out) noexcept {
  while (filled_ < 2 || filled_ < size()) {
    if (data.empty()) return State::NeedMore;
    octets_[filled_++] = data.front();
    data.remove_prefix(1);
  }
  const std::uint8_t first = octet(octets_[0]), second = octet(octets_[1]);
  out.fin = (first & 0x80) != 0;
  out.reserved = static_cast<std::uint8_t>((first >> 4) & 7);
  out.masked = (second & 0x80) != 0;
  out.length = second & 0x7fU;
  if (!is_known(first & 15) || out.masked != (sender == Sender::Client)) return State::Broken;
  out.opcode = static_cast<Opcode>(first & 15);
  if (is_control(out.opcode) && (!out.fin || out.length > 125)) return State::Broken;
  std::size_t at = 2;
  if (out.length >= 126) {
    const std::size_t extended = out.length == 126 ? 2 : 8;
    out.length = 0;
    for (std::size_t i = 0; i < extended; ++i) out.length = (out.length << 8) | octet(octets_[at++]);
    if (out.length >> 63 != 0 || out.length < (extended == 2 ? 126U : 65'536U)) return State::Broken;
  }
  if (out.masked) std::copy_n(octets_.begin() + static_cast<std::ptrdiff_t>(at), 4, out.mask.begin());
  filled_ = 0;
  return State::Done;
}

void FrameScanner::follow(std::string_view data) noexcept {
  while (!lost_ && !data.empty()) {
    // Behind a close frame nothing may come.
    if (closed()) {
      lost_ = true;
      return;
    }
    if (left_ > 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
      left_ -= n;
      data.remove_prefix(n);
      continue;
    }
    FrameHead head;
    const HeadReader::State state = head_.next(data, sender_, head);
    if (state == HeadReader::State::NeedMore) return;
    lost_ = state == HeadReader::State::Broken;
    closed_ = !lost_ && head.opcode == Opcode::Close;
    left_ = head.length;
  }
}

std::size_t FrameScanner::rest_of_frame(std::string_view data) const noexcept {
  if (lost_) return data.size();
  if (at_boundary()) return 0;
  FrameScanner ahead = *this;
  std::size_t n = 0;
  if (ahead.left_ == 0) {
    FrameHead head;
    std::string_view rest = data;
    if (ahead.head_.next(rest, sender_, head) != HeadReader::State::Done) return data.size();
    n = data.size() - rest.size();
    ahead.left_ = head.length;
  }
  return n + static_cast<std::size_t>(std::min<std::uint64_t>(ahead.left_, data.size() - n));
}

std::size_t write_head(const FrameHead& head, char* out) noexcept {
  std::size_t n = 0;
  out[n++] = static_cast<char>((head.fin ? 0x80 : 0) | (head.reserved << 4) | static_cast<std::uint8_t>(head.opcode));
  const std::uint8_t masked = head.masked ? 0x80 : 0;
  const std::size_t extended = head.length < 126 ? 0 : head.length < 65'536 ? 2 : 8;
  out[n++] = static_cast<char>(masked | (extended == 0 ? static_cast<std::uint8_t>(head.length) : extended == 2 ? 126U : 127U));
  for (std::size_t i = extended; i > 0; --i) out[n++] = static_cast<char>(head.length >> (8 * (i - 1)));
  if (head.masked)
    for (const char c : head.mask) out[n++] = c;
  return n;
}

void apply_mask(char* data, std::size_t size, const std::array<char, 4>& mask, std::uint64_t offset) noexcept {
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[(offset + i) & 3]);
}

std::string frame(Opcode opcode, std::string_view payload, const std::optional<std::array<char, 4>>& mask, bool fin) {
  FrameHead head;
  head.fin = fin;
  head.opcode = opcode;
  head.length = payload.size();
  head.masked = mask.has_value();
  if (mask) head.mask = *mask;
  char octets[14];
  std::string out(octets, write_head(head, octets));
  const std::size_t begin = out.size();
  out += payload;
  if (mask) apply_mask(out.data() + begin, payload.size(), *mask);
  return out;
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string out{static_cast<char>(code >> 8), static_cast<char>(code & 255)};
  out += reason.substr(0, 123);
  return out;
}

MessageReader::State MessageReader::next(std::string_view& data, Message& out) {
  for (;;) {
    State state = in_payload_ ? State::Message : begin_frame(data);
    if (state == State::Message) state = payload(data);
    if (state != State::Message) return state;
    if (is_control(head_.opcode) || head_.fin) return finish(out);
  }
}

// Message: a head is complete.
MessageReader::State MessageReader::begin_frame(std::string_view& data) {
  const HeadReader::State state = reader_.next(data, sender_, head_);
  if (state == HeadReader::State::NeedMore) return State::NeedMore;
  if (state == HeadReader::State::Broken || head_.reserved != 0) return State::Broken;
  const bool control = is_control(head_.opcode), continues = head_.opcode == Opcode::Continuation;
  if (!control && continues != kind_.has_value()) return State::Broken;
  if (!control && !continues) kind_ = head_.opcode;
  if (head_.length > max_ || (!control && message_.size() + head_.length > max_)) return State::Broken;
  in_payload_ = true;
  taken_ = 0;
  control_.clear();
  return State::Message;
}

// Message: the frame is complete.
MessageReader::State MessageReader::payload(std::string_view& data) {
  std::string& into = is_control(head_.opcode) ? control_ : message_;
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(head_.length - taken_, data.size()));
  const std::size_t begin = into.size();
  into.append(data.substr(0, n));
  if (head_.masked) apply_mask(into.data() + begin, n, head_.mask, taken_);
  taken_ += n;
  data.remove_prefix(n);
  in_payload_ = taken_ < head_.length;
  return in_payload_ ? State::NeedMore : State::Message;
}

MessageReader::State MessageReader::finish(Message& out) {
  out = {};
  if (!is_control(head_.opcode)) {
    out.opcode = *kind_;
    out.payload = std::move(message_);
    message_.clear();
    kind_.reset();
    return out.opcode == Opcode::Text && !is_utf8(out.payload) ? State::Broken : State::Message;
  }
  out.opcode = head_.opcode;
  if (head_.opcode != Opcode::Close) {
    out.payload = control_;
    return State::Message;
  }
  out.code = 1005;
  if (control_.empty()) return State::Message;
  if (control_.size() == 1) return State::Broken;
  out.code = static_cast<std::uint16_t>(octet(control_[0]) << 8 | octet(control_[1]));
  out.payload = control_.substr(2);
  return is_close_code(out.code) && is_utf8(out.payload) ? State::Message : State::Broken;
}

}  // namespace gatelab::http::websocket
