// SPDX-License-Identifier: Apache-2.0
// Certificates, private keys and trust anchors from PEM texts, and what people want to know of them. Immutable once
// loaded; shared by all workers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace gatelab::crypto {

struct CertificateFacts {
  std::string subject;          // RFC 2253: CN=localhost,O=…
  std::string issuer;
  std::string fingerprint;      // SHA-256 of the DER form, in hexadecimal
  std::vector<std::string> names;  // DNS names of subjectAltName, as written; then IP addresses
  std::vector<std::string> identities;  // URIs, addresses of mail and DNS names of subjectAltName, in its order
  std::string key;              // "RSA 2048", "EC 256", "ED25519"
  Instant not_before, not_after;
  bool weak = false;            // of RSA below 2048 bits, or of a curve below 224
};

// A certificate with its chain and its private key.
class Identity {
 public:
  // Ids of errors: bad-certificate, weak-key, bad-chain (certificate files); bad-key, encrypted-key, key-mismatch (the key's).
  // Certificates after the first in `certificate` belong to the chain too.
  static Result<std::shared_ptr<const Identity>> load(std::string_view certificate, std::string_view key, std::string_view chain);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const CertificateFacts& facts() const noexcept { return facts_; }
  struct Parts;
  const Parts& parts() const noexcept { return *parts_; }

 private:
  friend class LocalAuthority;
  explicit Identity(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  CertificateFacts facts_;
};

// What is trusted: CA certificates, and lists of what they have revoked.
class Authorities {
 public:
  // Ids of errors: no-ca (no certificate in it, or one that can't be read), bad-crl. `crl` may be empty: nothing is looked up then.
  static Result<std::shared_ptr<const Authorities>> load(std::string_view certificates, std::string_view crl);
  // The system's, read once; `more`: further CA certificates in PEM, may be empty.
  static std::shared_ptr<const Authorities> system(std::string_view more);
  ~Authorities();
  Authorities(const Authorities&) = delete;
  Authorities& operator=(const Authorities&) = delete;

  std::size_t size() const noexcept;  // certificates that were given
  struct Parts;
  const Parts& parts() const noexcept { return *parts_; }

 private:
  explicit Authorities(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gatelab::crypto
