// SPDX-License-Identifier: Apache-2.0
// TLS on one connection: plaintext on one side, a Wire on the other. Knows no socket and no clock: time is an argument.
// Belongs to whoever owns the connection; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/tls_context.h"

struct ssl_st;
struct ssl_session_st;

namespace gatelab::crypto {

// Where the ciphertext goes and comes from. Never blocks.
class Wire {
 public:
  enum class State : std::uint8_t { Ok, WouldBlock, Eof, Broken };
  struct Moved {
    State state = State::Ok;
    std::size_t octets = 0;
  };
  virtual ~Wire() = default;
  virtual Moved wire_read(std::span<char> into) noexcept = 0;
  // `first`, then `then`; `octets` counts both.
  virtual Moved wire_write(std::string_view first, std::string_view then) noexcept = 0;
};

// What a handshake has agreed on. Texts live as long as the engine.
struct TlsFacts {
  std::string_view version;      // "1.3"
  std::string_view cipher;       // TLS_AES_128_GCM_SHA256
  std::string_view group;        // x25519
  std::string sni;               // what the client asked for, lower case; empty: nothing
  std::string alpn;
  std::string peer_subject;      // of the peer's certificate; empty: it showed none
  std::string peer_fingerprint;
  std::vector<std::string> peer_names;
  std::vector<std::string> peer_identities;  // URIs, addresses of mail and DNS names
  std::string peer_certificate;  // DER in base64; empty unless the listener keeps it
  bool resumed = false;
  bool stapled = false;          // the server sent an OCSP response; of a client that asked for it
  bool server = false;
  int certificate = 0;           // which of the listener's was shown
};

// Why there is no connection. The words that users see are the caller's.
enum class TlsFailure : std::uint8_t {
  None, Malformed, PlainHttp, Version, Cipher, Protocol, UnknownName, PeerAlert, PeerGone, Missing, Expired, NotYetValid, Revoked,
  Untrusted, Hostname, TooDeep, Unfit, Other,
};

// Sessions of one target, to be resumed: the last one. One thread.
class TlsSessions {
 public:
  TlsSessions() = default;
  ~TlsSessions();
  TlsSessions(const TlsSessions&) = delete;
  TlsSessions& operator=(const TlsSessions&) = delete;

 private:
  friend class TlsEngine;
  friend struct TlsCallbacks;
  ssl_session_st* session_ = nullptr;
  Instant since_;
};

class TlsEngine {
 public:
  // `wire` must outlive the engine.
  TlsEngine(std::shared_ptr<const TlsContext> context, Wire& wire);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // A client's, before its handshake: who is called (a name or a literal address) and whose sessions may be resumed and
  // are to be kept (may be null; must outlive the engine or be taken away with forget_sessions()).
  void call(const std::string& server_name, TlsSessions* sessions, Instant now);
  void forget_sessions() noexcept { sessions_ = nullptr; }

  enum class State : std::uint8_t {
    Ok,
    WantRead,   // nothing more without octets from the wire
    WantWrite,  // nothing more until the wire takes octets
    Closed,     // the peer said that it sends no more
    Truncated,  // the wire ended without the peer saying so, or broke
    Failed,     // failure() says why
  };
  struct Moved {
    State state = State::Ok;
    std::size_t octets = 0;
  };
  // `now`: validity of certificates, age of tickets. Again after WantRead or WantWrite.
  State handshake(Instant now);
  Moved read(std::span<char> into) noexcept;
  // All of `from` up to one record, or nothing. After WantWrite the same octets must come again, perhaps with more behind.
  Moved write(std::string_view from) noexcept;
  // Is there plaintext? Takes what is not plaintext (tickets, key updates) off the wire. Ok: there is.
  State peek() noexcept;
  // As read(), but what was read stays.
  Moved peek(std::span<char> into) noexcept;
  // Sends what is held back, as far as the wire takes it: to be called before the peer is waited for.
  void flush() noexcept { send({}); }
  // Octets were read off the wire and not given to read() yet.
  bool has_pending() const noexcept;
  // Says that we send no more; best effort.
  void close_notify() noexcept;

  const TlsFacts& facts() const noexcept { return facts_; }
  TlsFailure failure() const noexcept { return failure_; }
  const std::string& detail() const noexcept { return detail_; }  // for people

 private:
  friend struct TlsCallbacks;
  State ended(int result);
  Wire::Moved send(std::string_view from) noexcept;
  void learn();
  void explain();

  std::shared_ptr<const TlsContext> context_;
  Wire& wire_;
  ssl_st* ssl_ = nullptr;
  TlsSessions* sessions_ = nullptr;
  Instant now_;
  TlsFacts facts_;
  TlsFailure failure_ = TlsFailure::None;
  std::string detail_;
  std::string local_name_;
  // What must go out and has not yet: what the wire did not take while we were reading, and a server's tickets, which need
  // no send of their own if an answer or a close follows.
  std::string held_;
  bool gathering_ = false;       // a handshake's octets go out together at its end
  bool writing_ = false;         // the caller knows how to wait for the wire
  Wire::State wire_state_ = Wire::State::Ok;
};

}  // namespace gatelab::crypto
