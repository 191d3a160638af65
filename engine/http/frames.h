// SPDX-License-Identifier: Apache-2.0
// WebSocket frames (RFC 6455 §5). A proxy follows where frames begin and end without touching what is in them; whoever
// speaks the protocol writes frames and puts messages together. Pure, one thread each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatelab::http::websocket {

enum class Opcode : std::uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };
constexpr bool is_control(Opcode o) noexcept { return static_cast<std::uint8_t>(o) >= 8; }

// Who sends: a client's frames are masked, a server's are not (RFC 6455 §5.1).
enum class Sender : std::uint8_t { Client, Server };

struct FrameHead {
  bool fin = true;
  std::uint8_t reserved = 0;  // the three bits that extensions use
  Opcode opcode = Opcode::Text;
  bool masked = false;
  std::array<char, 4> mask{};
  std::uint64_t length = 0;
};

// Reads one frame's head, octet by octet if it comes so.
class HeadReader {
 public:
  enum class State : std::uint8_t { NeedMore, Done, Broken };
  // Takes octets off `data` until the head is complete or what came is no head: unknown opcode, a fragmented or long
  // control frame, a length that is not written in its shortest form or has its top bit set, wrong masking.
  State next(std::string_view& data, Sender sender, FrameHead& out) noexcept;
  bool begun() const noexcept { return filled_ > 0; }

 private:
  std::size_t size() const noexcept;  // of the whole head, as far as its first octets say
  std::array<char, 14> octets_{};
  std::uint8_t filled_ = 0;
};

// Follows one direction of a connection.
class FrameScanner {
 public:
  explicit FrameScanner(Sender sender) noexcept : sender_(sender) {}
  void follow(std::string_view data) noexcept;
  // How many octets of `data` belong to the frame that is under way; 0 at a boundary, all of them when lost.
  std::size_t rest_of_frame(std::string_view data) const noexcept;
  // Between two frames: a frame may be put in here.
  bool at_boundary() const noexcept { return !lost_ && left_ == 0 && !head_.begun(); }
  // What came is not WebSocket; where frames begin is not known any more.
  bool lost() const noexcept { return lost_; }
  // A close frame has passed as a whole: its sender says nothing more (RFC 6455 §5.5.1).
  bool closed() const noexcept { return closed_ && left_ == 0; }

 private:
  Sender sender_;
  HeadReader head_;
  std::uint64_t left_ = 0;  // of the payload
  bool lost_ = false;
  bool closed_ = false;
};

// A frame's head as octets; `out` has room for 14. Returns how many.
std::size_t write_head(const FrameHead& head, char* out) noexcept;
// Masks or unmasks `data`, which begins `offset` octets into the payload.
void apply_mask(char* data, std::size_t size, const std::array<char, 4>& mask, std::uint64_t offset = 0) noexcept;
// A whole frame; masked if `mask` is given.
std::string frame(Opcode opcode, std::string_view payload, const std::optional<std::array<char, 4>>& mask, bool fin = true);
// The payload of a close frame: a code and a reason of at most 123 octets.
std::string close_payload(std::uint16_t code, std::string_view reason);

// A message or control frame as a whole. `code` is of a Close: 1005 if its frame carried none.
struct Message {
  Opcode opcode = Opcode::Text;
  std::string payload;
  std::uint16_t code = 0;
};

// Puts messages together, strictly: what RFC 6455 forbids is Broken. No extensions.
class MessageReader {
 public:
  explicit MessageReader(Sender sender, std::size_t max_octets = 64 * 1024 * 1024) noexcept : sender_(sender), max_(max_octets) {}
  enum class State : std::uint8_t { NeedMore, Message, Broken };
  // Takes octets off `data`. Call again until NeedMore.
  State next(std::string_view& data, Message& out);

 private:
  State begin_frame(std::string_view& data);
  State payload(std::string_view& data);
  State finish(Message& out);
  Sender sender_;
  std::size_t max_;
  HeadReader reader_;
  FrameHead head_;
  bool in_payload_ = false;
  std::string control_, message_;
  std::uint64_t taken_ = 0;
  std::optional<Opcode> kind_;  // of the message that is under way
};

}  // namespace gatelab::http::websocket
