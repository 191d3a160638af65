// SPDX-License-Identifier: Apache-2.0
// What anyone may send to a TLS listener before it knows who they are: records, a ClientHello, its names, protocols and
// tickets. The handshake never ends well; it must end.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "crypto/tls_engine.h"

namespace {

using gatelab::Instant;
namespace crypto = gatelab::crypto;

class Input final : public crypto::Wire {
 public:
  explicit Input(std::string_view octets) : left_(octets) {}
  Moved wire_read(std::span<char> into) noexcept override {
    if (left_.empty()) return {State::Eof, 0};
    const std::size_t n = std::min(into.size(), left_.size());
    std::memcpy(into.data(), left_.data(), n);
    left_.remove_prefix(n);
    return {State::Ok, n};
  }
  Moved wire_write(std::string_view first, std::string_view then) noexcept override { return {State::Ok, first.size() + then.size()}; }

 private:
  std::string_view left_;
};

std::shared_ptr<const crypto::TlsContext> listener() {
  const auto authority = crypto::LocalAuthority::simulation();
  crypto::TlsServerOptions options;
  for (const char* name : {"localhost", "shop.local", "*.wild.local"}) {
    crypto::LocalAuthority::Request request;
    request.names = {name};
    request.until = Instant::from_seconds(4'000'000'000);
    options.certificates.push_back({authority->issue(request), {name}, {}});
  }
  options.client_certificate = crypto::ClientCertificates::Required;
  options.client_ca = *crypto::Authorities::load(authority->pem(), {});
  options.reject_unknown = true;
  options.tickets = std::make_shared<crypto::TicketKeys>(std::chrono::hours(1));
  return *crypto::TlsContext::server(std::move(options));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto context = listener();
  Input wire({reinterpret_cast<const char*>(data), size});
  crypto::TlsEngine engine(context, wire);
  const auto state = engine.handshake(Instant::from_seconds(1'767'225'600));
  if (state == crypto::TlsEngine::State::Ok) __builtin_trap();  // without a client certificate nobody comes in
  static_cast<void>(context->certificate_for({reinterpret_cast<const char*>(data), size}));
  return 0;
}
