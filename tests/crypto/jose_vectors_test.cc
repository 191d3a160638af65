// SPDX-License-Identifier: Apache-2.0
// The examples of the RFCs, as they are printed there.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "crypto/jws.h"
#include "crypto/jws_generate.h"
#include "crypto/rfc_keys.h"

namespace gatelab::test {
namespace {

using namespace crypto;

struct Vector {
  const char* where;
  const char* key;
  const char* token;
};

// The payload of RFC 7520.
#define FRODO "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"

const Vector kVectors[] = {
    {"RFC 7515 A.1", R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 7515 A.2",
     R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515 A.3", R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {"RFC 7515 A.4",
     R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
    {"RFC 8037 A.4", R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
    {"RFC 7520 §4.1", kRfcRsa,
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." FRODO ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"},
    {"RFC 7520 §4.2", kRfcRsa,
     "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." FRODO ".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"},
    {"RFC 7520 §4.3", kRfcP521,
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." FRODO ".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"},
    {"RFC 7520 §4.4", kRfcSmallSecret,
     "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." FRODO ".s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"},
};

TEST(JoseVectors, Verify) {
  for (const Vector& v : kVectors) {
    const auto key = parse_jwk(v.key);
    ASSERT_TRUE(key) << v.where << " " << key.error().detail;
    const auto token = parse_compact(v.token);
    ASSERT_TRUE(token) << v.where << " " << token.error().detail;
    const auto verdict = verify(*token, **key);
    EXPECT_TRUE(verdict) << v.where << " " << verdict.error().detail;
  }
}

TEST(JoseVectors, BelongToTheirKeysAlone) {
  for (const Vector& v : kVectors)
    for (const Vector& other : kVectors) {
      if (std::string_view(v.key) == other.key) continue;
      EXPECT_FALSE(verify(*parse_compact(v.token), **parse_jwk(other.key))) << v.where << " by the key of " << other.where;
    }
}

// RFC 7515 A.5, and RFC 8725 §2.1: `none` in any spelling.
TEST(JoseVectors, AnUnsignedTokenIsNone) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "noNe"}) {
    const auto token = parse_compact(compact(std::string(R"({"alg":")") + alg + R"("})", R"({"iss":"joe"})", ""));
    ASSERT_FALSE(token) << alg;
    EXPECT_EQ(token.error().reason, JoseReason::Algorithm) << alg;
  }
}

// RFC 8037 A.4 signs deterministically.
TEST(JoseVectors, SignsAsTheRfcDoes) {
  const auto key = SigningKey::from_jwk(kRfcEd25519);
  ASSERT_TRUE(key);
  const auto token = sign_compact(R"({"alg":"EdDSA"})", "Example of Ed25519 signing", **key, Algorithm::EdDSA);
  ASSERT_TRUE(token);
  EXPECT_EQ(*token, kVectors[4].token);
}

TEST(JoseVectors, EveryAlgorithmSignsWhatItVerifies) {
  for (std::size_t i = 0; i < kAlgorithms; ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    const auto key = generate_signing_key(algorithm, "k1");
    ASSERT_TRUE(key) << name(algorithm);
    ASSERT_NE((*key)->verifier(), nullptr) << name(algorithm);
    const auto text = sign_compact(jws_header(algorithm, "JWT", "k1"), R"({"sub":"a"})", **key, algorithm);
    ASSERT_TRUE(text) << name(algorithm);
    const auto token = parse_compact(*text);
    ASSERT_TRUE(token) << name(algorithm);
    EXPECT_TRUE(verify(*token, *(*key)->verifier())) << name(algorithm);
    // A flipped bit anywhere in the signature, and the public key's way through JSON.
    for (const std::size_t at : {std::size_t{0}, token->signature.size() / 2, token->signature.size() - 1}) {
      CompactJws wrong = *token;
      wrong.signature[at] = static_cast<char>(wrong.signature[at] ^ 1);
      EXPECT_FALSE(verify(wrong, *(*key)->verifier())) << name(algorithm) << " " << at;
    }
    if ((*key)->type() == KeyType::Oct) continue;
    const auto again = parse_jwk(to_json(*(*key)->verifier()));
    ASSERT_TRUE(again) << name(algorithm);
    EXPECT_TRUE(verify(*token, **again)) << name(algorithm);
    const auto pem = jwk_from_pem(public_pem(**again));
    ASSERT_TRUE(pem) << name(algorithm);
    EXPECT_TRUE(verify(*token, **pem)) << name(algorithm);
  }
}

}  // namespace
}  // namespace gatelab::test
