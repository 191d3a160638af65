// SPDX-License-Identifier: Apache-2.0
// A certificate authority of one's own, for development and for simulations: makes certificates for the names that clients
// ask for. Its certificates are remembered, in a bounded table. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/certificate.h"

namespace gatelab::crypto {

class LocalAuthority {
 public:
  // A new one with a P-256 key (browsers know no Ed25519), valid for ten years from `now`.
  static std::shared_ptr<LocalAuthority> create(std::string_view name, Instant now);
  // From what pem() and key_pem() gave, in one text or two.
  static Result<std::shared_ptr<LocalAuthority>> load(std::string_view certificate, std::string_view key);
  // Always the same, known to everyone: its Ed25519 keys are made from the names. Never expires. For simulations only.
  static std::shared_ptr<LocalAuthority> simulation(std::string_view name = "gatelab simulation CA");
  ~LocalAuthority();
  LocalAuthority(const LocalAuthority&) = delete;
  LocalAuthority& operator=(const LocalAuthority&) = delete;

  struct Request {
    std::vector<std::string> names;  // DNS names and addresses; the first is the subject
    bool client = false;             // a client's certificate, not a server's
    Instant from, until;
  };
  std::shared_ptr<const Identity> issue(const Request& request) const;
  // For one name that a client asks for (or localhost and its addresses when it is empty), remembered. Valid for 90 days
  // (browsers accept up to 398), made again a day before that is over.
  std::shared_ptr<const Identity> identity_for(std::string_view name, Instant now);

  const std::string& pem() const noexcept { return pem_; }
  Secret key_pem() const;
  const CertificateFacts& facts() const noexcept { return self_->facts(); }
  static std::string pem_of(const Identity& identity);
  static Secret key_pem_of(const Identity& identity);

 private:
  explicit LocalAuthority(std::shared_ptr<const Identity> self, bool reproducible);
  std::shared_ptr<const Identity> self_;
  bool reproducible_;
  std::string pem_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Identity>, std::less<>> issued_;
};

}  // namespace gatelab::crypto
