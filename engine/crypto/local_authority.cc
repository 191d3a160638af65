// SPDX-License-Identifier: Apache-2.0
#include "crypto/local_authority.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>
#include <utility>

#include "base/address.h"
#include "base/text.h"
#include "crypto/certificate_parts.h"
#include "crypto/digest.h"
#include "crypto/ticket_keys.h"

namespace gatelab::crypto {
namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kLeafLife = 90 * kDay;
constexpr Duration kAuthorityLife = 3650 * kDay;
constexpr std::size_t kRemembered = 256;
constexpr Instant kAlwaysFrom = Instant::from_seconds(946'684'800);     // 2000-01-01
constexpr Instant kAlwaysUntil = Instant::from_seconds(4'102'444'800);  // 2100-01-01

KeyPtr seeded_key(std::string_view name) {
  const Sha256 seed = sha256("gatelab simulation key of " + std::string(name));
  return KeyPtr(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

// Sixteen octets, the first of which is never zero nor above 127: a positive number of a fixed length.
void set_serial(X509* certificate, std::string_view seed) {
  unsigned char octets[16];
  if (seed.empty()) {
    secret_octets(octets, sizeof octets);
  } else {
    const Sha256 digest = sha256(seed);
    for (std::size_t i = 0; i < sizeof octets; ++i) octets[i] = digest[i];
  }
  octets[0] = static_cast<unsigned char>((octets[0] & 0x3f) | 0x40);
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(octets, sizeof octets, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

void set_life(X509* certificate, Instant from, Instant until) {
  ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<std::time_t>(from.seconds()));
  ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<std::time_t>(until.seconds()));
}

void set_subject(X509* certificate, std::string_view name) {
  const std::string_view common = name.size() <= 64 ? name : std::string_view("gatelab");
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("gatelab"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.data()), static_cast<int>(common.size()), -1, 0);
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  if (X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str())) {
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
}

void sign(X509* certificate, EVP_PKEY* key) {
  X509_sign(certificate, key, EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256());
}

bool is_fit(std::string_view name) noexcept {
  constexpr std::string_view kFine = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:*";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(kFine) == std::string_view::npos;
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Identity::Parts make_authority(std::string_view name, KeyPtr key, std::string_view serial, Instant from, Instant until) {
  Identity::Parts parts;
  parts.key = std::move(key);
  parts.certificate.reset(X509_new());
  parts.chain.reset(sk_X509_new_null());
  X509* certificate = parts.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  set_serial(certificate, serial);
  set_life(certificate, from, until);
  set_subject(certificate, name);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_set_pubkey(certificate, parts.key.get());
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(certificate, certificate, NID_subject_key_identifier, "hash");
  sign(certificate, parts.key.get());
  return parts;
}

}  // namespace

LocalAuthority::LocalAuthority(std::shared_ptr<const Identity> self, bool reproducible)
    : self_(std::move(self)), reproducible_(reproducible), pem_(pem_of(*self_)) {}
LocalAuthority::~LocalAuthority() = default;

std::shared_ptr<LocalAuthority> LocalAuthority::create(std::string_view name, Instant now) {
  auto parts = std::make_unique<Identity::Parts>(make_authority(name, KeyPtr(EVP_EC_gen("P-256")), {}, now + -kDay, now + kAuthorityLife));
  return std::shared_ptr<LocalAuthority>(new LocalAuthority(std::shared_ptr<const Identity>(new Identity(std::move(parts))), false));
}

Result<std::shared_ptr<LocalAuthority>> LocalAuthority::load(std::string_view certificate, std::string_view key) {
  auto self = Identity::load(certificate, key, {});
  if (!self) return Failure<Error>{self.error()};
  return std::shared_ptr<LocalAuthority>(new LocalAuthority(std::move(*self), false));
}

// Every case of a scenario has one, and they are all the same: the first few names are made once a process.
std::shared_ptr<LocalAuthority> LocalAuthority::simulation(std::string_view name) {
  constexpr std::size_t kSimulated = 8;
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Identity>, std::less<>> made;
  std::shared_ptr<const Identity> self;
  {
    const std::lock_guard lock(mutex);
    if (const auto there = made.find(name); there != made.end()) self = there->second;
  }
  if (!self) {
    auto parts = std::make_unique<Identity::Parts>(make_authority(name, seeded_key(name), name, kAlwaysFrom, kAlwaysUntil));
    self.reset(new Identity(std::move(parts)));
    const std::lock_guard lock(mutex);
    if (made.size() < kSimulated) made.emplace(name, self);
  }
  return std::shared_ptr<LocalAuthority>(new LocalAuthority(std::move(self), true));
}

std::shared_ptr<const Identity> LocalAuthority::issue(const Request& request) const {
  std::string names, all;
  for (const std::string& name : request.names) {
    if (!is_fit(name)) return nullptr;
    names += (names.empty() ? "" : ",") + std::string(parse_ip(name).ok() ? "IP:" : "DNS:") + name;
  }
  if (names.empty()) return nullptr;
  all = names + (request.client ? " client " : " server ") + std::to_string(request.until.seconds());
  auto parts = std::make_unique<Identity::Parts>();
  parts->key = reproducible_ ? seeded_key(all) : KeyPtr(EVP_EC_gen("P-256"));
  parts->certificate.reset(X509_new());
  parts->chain.reset(sk_X509_new_null());
  X509* certificate = parts->certificate.get();
  X509* issuer = self_->parts().certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  set_serial(certificate, reproducible_ ? std::string_view(all) : std::string_view());
  set_life(certificate, request.from, request.until);
  set_subject(certificate, request.names.front());
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, parts->key.get());
  extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(certificate, issuer, NID_key_usage, "critical,digitalSignature");
  extend(certificate, issuer, NID_ext_key_usage, request.client ? "clientAuth" : "serverAuth");
  extend(certificate, issuer, NID_subject_key_identifier, "hash");
  extend(certificate, issuer, NID_authority_key_identifier, "keyid");
  extend(certificate, issuer, NID_subject_alt_name, names);
  sign(certificate, self_->parts().key.get());
  ERR_clear_error();
  return std::shared_ptr<const Identity>(new Identity(std::move(parts)));
}

std::shared_ptr<const Identity> LocalAuthority::identity_for(std::string_view name, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto known = issued_.find(name);
  if (known != issued_.end() && known->second->facts().not_before < now && now + kDay < known->second->facts().not_after) return known->second;
  Request request;
  if (name.empty()) request.names = {"localhost", "*.localhost", "127.0.0.1", "::1"};
  else request.names = {std::string(name)};
  request.from = reproducible_ ? kAlwaysFrom : now + -kDay;
  request.until = reproducible_ ? kAlwaysUntil : now + kLeafLife;
  auto fresh = issue(request);
  if (!fresh) return nullptr;
  if (issued_.size() >= kRemembered) issued_.clear();  // rare, and cheap to make again
  issued_[std::string(name)] = fresh;
  return fresh;
}

std::string LocalAuthority::pem_of(const Identity& identity) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), identity.parts().certificate.get());
  return text_of(out);
}

Secret LocalAuthority::key_pem_of(const Identity& identity) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PrivateKey(out.get(), identity.parts().key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return Secret(text_of(out));
}

Secret LocalAuthority::key_pem() const { return key_pem_of(*self_); }

}  // namespace gatelab::crypto
