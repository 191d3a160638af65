// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "base/address.h"
#include "crypto/certificate_parts.h"

namespace gatelab::crypto {
namespace {

std::string text_of(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string ip_of(const ASN1_OCTET_STRING* octets) {
  IpAddress ip;
  const int size = ASN1_STRING_length(octets);
  if (size != 4 && size != 16) return {};
  ip.family = size == 4 ? IpAddress::Family::V4 : IpAddress::Family::V6;
  std::memcpy(ip.octets.data(), ASN1_STRING_get0_data(octets), static_cast<std::size_t>(size));
  return format(ip);
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names, addresses;
  const NamesPtr all(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS)
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)), static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    else if (name->type == GEN_IPADD)
      addresses.push_back(ip_of(name->d.iPAddress));
  }
  names.insert(names.end(), addresses.begin(), addresses.end());
  return names;
}

std::vector<std::string> identities_of(X509* certificate) {
  std::vector<std::string> out;
  const NamesPtr all(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    // All three are the same kind of string.
    if (name->type == GEN_URI || name->type == GEN_EMAIL || name->type == GEN_DNS)
      out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)), static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5)));
  }
  return out;
}

// Every certificate of a PEM text, in order. False: there is something that begins like a certificate and is none.
bool read_certificates(std::string_view pem, std::vector<X509Ptr>& out) {
  const BioPtr in = bio_of(pem);
  ERR_clear_error();
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) out.emplace_back(one);
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

Instant instant_of(const ASN1_TIME* time) {
  // As a difference to the epoch: no conversion that asks for time zones.
  int days = 0, seconds = 0;
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return {};
  const std::int64_t all = std::int64_t{days} * 86'400 + seconds;
  constexpr std::int64_t kLast = Instant::max().ns / 1'000'000'000;  // "99991231235959Z": no end
  return all >= kLast ? Instant::max() : Instant::from_seconds(all);
}

std::string subject_of(const X509* certificate) { return text_of(X509_get_subject_name(certificate)); }

std::string fingerprint_of(const X509* certificate) {
  constexpr char kHex[] = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  std::string out;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return out;
  for (unsigned i = 0; i < size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

std::string der_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.subject = subject_of(certificate);
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  facts.fingerprint = fingerprint_of(certificate);
  facts.names = names_of(certificate);
  facts.identities = identities_of(certificate);
  facts.not_before = instant_of(X509_get0_notBefore(certificate));
  facts.not_after = instant_of(X509_get0_notAfter(certificate));
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return facts;
  const int bits = EVP_PKEY_get_bits(key);
  const char* kind = EVP_PKEY_get0_type_name(key);
  facts.key = kind == nullptr ? "unknown" : kind;
  if (facts.key == "RSA" || facts.key == "EC") facts.key += " " + std::to_string(bits);
  facts.weak = (EVP_PKEY_is_a(key, "RSA") == 1 && bits < 2048) || (EVP_PKEY_is_a(key, "EC") == 1 && bits < 224);
  return facts;
}

Identity::Identity(std::unique_ptr<Parts> parts) : parts_(std::move(parts)), facts_(facts_of(parts_->certificate.get())) {}
Identity::~Identity() = default;

Result<std::shared_ptr<const Identity>> Identity::load(std::string_view certificate, std::string_view key, std::string_view chain) {
  std::vector<X509Ptr> own, more;
  if (!read_certificates(certificate, own)) return fail("bad-certificate", "holds a certificate that can't be read");
  if (own.empty()) return fail("bad-certificate", "holds no certificate in PEM form");
  if (!read_certificates(chain, more) || (!chain.empty() && more.empty())) return fail("bad-chain", "holds no certificate in PEM form, or one that can't be read");
  auto parts = std::make_unique<Parts>();
  bool asked = false;
  const BioPtr in = bio_of(key);
  parts->key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) return fail("encrypted-key", "is encrypted with a passphrase, which is not supported");
  if (!parts->key) return fail("bad-key", "holds no private key in PEM form");
  parts->certificate = std::move(own.front());
  if (X509_check_private_key(parts->certificate.get(), parts->key.get()) != 1) {
    ERR_clear_error();
    return fail("key-mismatch", "is not the key of the certificate");
  }
  parts->chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < own.size(); ++i) sk_X509_push(parts->chain.get(), own[i].release());
  for (X509Ptr& one : more) sk_X509_push(parts->chain.get(), one.release());
  std::shared_ptr<const Identity> identity(new Identity(std::move(parts)));
  if (identity->facts().weak) return fail("weak-key", "has a key that is too weak (" + identity->facts().key + ")");
  return identity;
}

Authorities::Authorities(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Authorities::~Authorities() = default;
std::size_t Authorities::size() const noexcept { return parts_->certificates.size(); }

Result<std::shared_ptr<const Authorities>> Authorities::load(std::string_view certificates, std::string_view crl) {
  auto parts = std::make_unique<Parts>();
  parts->store.reset(X509_STORE_new());
  if (!read_certificates(certificates, parts->certificates)) return fail("no-ca", "holds a certificate that can't be read");
  if (parts->certificates.empty()) return fail("no-ca", "holds no CA certificate in PEM form");
  for (const X509Ptr& one : parts->certificates) X509_STORE_add_cert(parts->store.get(), one.get());
  if (!crl.empty()) {
    const BioPtr in = bio_of(crl);
    std::size_t lists = 0;
    for (CrlPtr one(PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)); one; one.reset(PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)), ++lists)
      X509_STORE_add_crl(parts->store.get(), one.get());
    if (lists == 0) return fail("bad-crl", "holds no certificate revocation list in PEM form");
    X509_STORE_set_flags(parts->store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  ERR_clear_error();
  return std::shared_ptr<const Authorities>(new Authorities(std::move(parts)));
}

std::shared_ptr<const Authorities> Authorities::system(std::string_view more) {
  auto parts = std::make_unique<Parts>();
  parts->store.reset(X509_STORE_new());
  X509_STORE_set_default_paths(parts->store.get());
  std::vector<X509Ptr> extra;
  read_certificates(more, extra);
  for (const X509Ptr& one : extra) X509_STORE_add_cert(parts->store.get(), one.get());
  ERR_clear_error();
  return std::shared_ptr<const Authorities>(new Authorities(std::move(parts)));
}

}  // namespace gatelab::crypto
