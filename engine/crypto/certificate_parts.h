// SPDX-License-Identifier: Apache-2.0
// What is behind Identity and Authorities. Private to the room.
#pragma once

#include <vector>

#include "crypto/certificate.h"
#include "crypto/openssl.h"

namespace gatelab::crypto {

struct Identity::Parts {
  X509Ptr certificate;
  KeyPtr key;
  ChainPtr chain;
};

struct Authorities::Parts {
  StorePtr store;
  std::vector<X509Ptr> certificates;
};

Instant instant_of(const ASN1_TIME* time);
CertificateFacts facts_of(X509* certificate);
std::string subject_of(const X509* certificate);
std::string fingerprint_of(const X509* certificate);
std::string der_of(const X509* certificate);

}  // namespace gatelab::crypto
