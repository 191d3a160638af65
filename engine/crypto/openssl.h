// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects with owners. Private to the room: no other includes OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace gatelab::crypto {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept { Free(object); }
};
inline void free_certificates(STACK_OF(X509) * stack) noexcept { sk_X509_pop_free(stack, X509_free); }
inline void free_names(GENERAL_NAMES* names) noexcept { GENERAL_NAMES_free(names); }

using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Freed<free_certificates>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<free_names>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

// Reads `text` without copying it; it must live as long as the BIO.
inline BioPtr bio_of(std::string_view text) noexcept { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

}  // namespace gatelab::crypto
