// SPDX-License-Identifier: Apache-2.0
#include "crypto/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "crypto/certificate_parts.h"

namespace gatelab::crypto {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Freed<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Freed<OCSP_BASICRESP_free>>;

// The same serial number of an issuer of the same name (RFC 6960 §4.1.1). The issuer's key can't be compared: its certificate
// need not be here.
bool is_for(const OCSP_CERTID* id, const X509* certificate) {
  ASN1_OCTET_STRING* name = nullptr;
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_INTEGER* serial = nullptr;
  if (OCSP_id_get0_info(&name, &algorithm, nullptr, &serial, const_cast<OCSP_CERTID*>(id)) != 1) return false;  // reads only
  if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) return false;
  const EVP_MD* digest = EVP_get_digestbyobj(algorithm);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (digest == nullptr || X509_NAME_digest(X509_get_issuer_name(certificate), digest, hash, &size) != 1) return false;
  return ASN1_STRING_length(name) == static_cast<int>(size) && std::memcmp(ASN1_STRING_get0_data(name), hash, size) == 0;
}

std::string_view word_for(int status) {
  return status == V_OCSP_CERTSTATUS_GOOD ? "good" : status == V_OCSP_CERTSTATUS_REVOKED ? "revoked" : "unknown";
}

}  // namespace

Result<OcspStaple> read_ocsp_staple(std::string der, const Identity* identity) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const bool successful = response && OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
  const BasicPtr basic(successful ? OCSP_response_get1_basic(response.get()) : nullptr);
  ERR_clear_error();
  if (!basic) return fail("bad-ocsp-staple", "is not a successful OCSP response in DER form");
  for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
    OCSP_SINGLERESP* one = OCSP_resp_get0(basic.get(), i);
    if (identity != nullptr && !is_for(OCSP_SINGLERESP_get0_id(one), identity->parts().certificate.get())) continue;
    ASN1_GENERALIZEDTIME *since = nullptr, *until = nullptr;
    OcspStaple out;
    out.status = word_for(OCSP_single_get0_status(one, nullptr, nullptr, &since, &until));
    out.this_update = instant_of(since);
    out.next_update = until == nullptr ? Instant::max() : instant_of(until);
    out.der = std::move(der);
    return out;
  }
  ERR_clear_error();
  return fail("ocsp-mismatch", "is for another certificate");
}

}  // namespace gatelab::crypto
