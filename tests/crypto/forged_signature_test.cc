// SPDX-License-Identifier: Apache-2.0
// Tokens whose encoding or signature is not what it must be (RFC 7515 §2 and §5.2, RFC 7518 §3, RFC 8032 §5.1.7).
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/forged.h"

namespace gatelab::test {
namespace {

constexpr JoseReason kMalformed = JoseReason::Malformed, kSignature = JoseReason::Signature;

std::vector<std::string> parts_of(const std::string& token) {
  const std::size_t first = token.find('.'), second = token.find('.', first + 1);
  return {token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

// The same octets in another spelling; signed as it stands, where it stands in what is signed.
std::vector<std::pair<std::string, std::string>> respelt(const std::string& part) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto inserted = [&](std::size_t at, std::string_view what) { return part.substr(0, at) + std::string(what) + part.substr(at); };
  out.emplace_back("padding", part + std::string((4 - part.size() % 4) % 4 == 0 ? 4 : (4 - part.size() % 4) % 4, '='));
  out.emplace_back("three =", part + "===");
  out.emplace_back("a space in front", " " + part);
  out.emplace_back("a space behind", part + " ");
  out.emplace_back("four spaces inside", inserted(4, "    "));
  out.emplace_back("a line end behind", part + "\n");
  out.emplace_back("CR LF inside", inserted(8, "\r\n"));
  out.emplace_back("a tab", inserted(3, "\t"));
  out.emplace_back("a NUL", inserted(5, std::string_view("\0", 1)));
  out.emplace_back("a NUL behind", part + '\0');
  out.emplace_back("percent", "%" + part);
  out.emplace_back("not ASCII", "\xc3\xa9" + part);
  out.emplace_back("a digit too many", part + std::string(5 - part.size() % 4, 'A'));
  return out;
}

TEST(Forged, EachPartHasOneSpelling) {
  std::vector<Row> rows;
  // Long enough that both leave bits over: 26 and 40 octets.
  const std::string token = token_of(kHeader, R"({"iss":"joe","sub":"abc","exp":130081938})");
  const auto good = parts_of(token);
  ASSERT_EQ(said(judge(token)), "accepted");
  ASSERT_NE(good[0].size() % 4, 0U);
  ASSERT_NE(good[1].size() % 4, 0U);
  const auto put = [&](const std::string& name, std::size_t which, const std::string& part) {
    auto parts = good;
    parts[which] = part;
    const std::string all = parts[0] + "." + parts[1];
    rows.push_back({std::string(which == 0 ? "header" : which == 1 ? "payload" : "signature") + ": " + name, kMalformed, which == 2 ? all + "." + part : signed_over(all, ring().ed, Algorithm::EdDSA)});
  };
  for (std::size_t which = 0; which < 3; ++which) {
    for (const auto& [name, part] : respelt(good[which])) put(name, which, part);
    std::string bits = good[which];
    bits.back() = static_cast<char>(bits.back() + 1);
    put("bits left over", which, bits);
  }
  // {"~~~":"???"} has both digits in which base64 and base64url differ.
  const std::string odd = base64url_encode(R"({"alg":"EdDSA","x":"~~~???"})");
  ASSERT_NE(odd.find_first_of("-_"), std::string::npos);
  std::string standard = odd;
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  put("base64 and not base64url", 0, standard);
  ASSERT_EQ(said(judge(signed_over(odd + "." + good[1], ring().ed, Algorithm::EdDSA))), "accepted");
  put("+", 2, "+" + good[2].substr(1));
  put("/", 2, "/" + good[2].substr(1));
  expect_all_refused(rows, 45);
}

TEST(Forged, ThreePartsAndNoMore) {
  const std::string token = token_of(kHeader);
  const auto parts = parts_of(token);
  std::vector<Row> rows{
      {"nothing", kMalformed, ""},
      {"a dot", kMalformed, "."},
      {"two dots", kMalformed, ".."},
      {"three dots", kMalformed, "..."},
      {"a header alone", kMalformed, parts[0]},
      {"two parts", kMalformed, parts[0] + "." + parts[1]},
      {"a dot in front", kMalformed, "." + token},
      {"a dot behind", kMalformed, token + "."},
      {"two dots in the middle", kMalformed, parts[0] + ".." + parts[1] + "." + parts[2]},
      {"four parts", kMalformed, token + ".AA"},
      {"five parts", kMalformed, token + ".AA.AA"},
      {"six parts", kMalformed, token + ".AA.AA.AA"},
      {"no header", kMalformed, signed_over("." + parts[1], ring().ed, Algorithm::EdDSA)},
      {"no payload", kMalformed, signed_over(parts[0] + ".", ring().ed, Algorithm::EdDSA)},
      {"no signature", kSignature, parts[0] + "." + parts[1] + "."},
      {"a detached payload", kMalformed, parts[0] + ".." + parts[2]},
      {"a scheme in front", kMalformed, "Bearer " + token},
      {"two tokens", kMalformed, token + "," + token},
      {"JSON serialization", kMalformed, R"({"payload":")" + parts[1] + R"(","protected":")" + parts[0] + R"(","signature":")" + parts[2] + R"("})"},
      {"larger than 16 KiB", kMalformed, token_of(kHeader, R"({"x":")" + std::string(12'300, 'x') + R"("})")},
      {"a mebibyte of dots", kMalformed, std::string(1 << 20, '.')},
      {"a mebibyte of digits", kMalformed, std::string(1 << 20, 'A')},
  };
  // RFC 7516 A.1's, of which the header is good.
  rows.push_back({"an encrypted token", kMalformed, "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ"});
  expect_all_refused(rows, 23);
  EXPECT_EQ(said(judge(token_of(kHeader, R"({"x":")" + std::string(12'000, 'x') + R"("})"))), "accepted");
}

struct Kind {
  const char* header;
  SigningKeyPtr key;
  Algorithm algorithm;
  std::size_t size;
};
std::vector<Kind> kinds() {
  const Ring& keys = ring();
  return {{R"({"alg":"RS256","kid":"rsa"})", keys.rsa, Algorithm::RS256, 256},  {R"({"alg":"PS384","kid":"rsa"})", keys.rsa, Algorithm::PS384, 256},
          {R"({"alg":"ES256","kid":"ec"})", keys.ec, Algorithm::ES256, 64},     {R"({"alg":"ES512","kid":"p521"})", keys.p521, Algorithm::ES512, 132},
          {R"({"alg":"EdDSA","kid":"ed"})", keys.ed, Algorithm::EdDSA, 64},     {R"({"alg":"HS256","kid":"oct"})", keys.oct, Algorithm::HS256, 32},
          {R"({"alg":"HS512","kid":"oct"})", keys.oct, Algorithm::HS512, 64}};
}

TEST(Forged, SignaturesOfEveryKindAreExact) {
  std::vector<Row> rows;
  for (const Kind& kind : kinds()) {
    const std::string part = part_of(kind.header), good = *crypto::sign(part, *kind.key, kind.algorithm);
    ASSERT_EQ(good.size(), kind.size) << kind.header;
    ASSERT_EQ(said(judge(with_signature(part, good))), "accepted") << kind.header;
    const auto add = [&](const std::string& name, std::string_view signature) { rows.push_back({std::string(kind.header) + ": " + name, kSignature, with_signature(part, signature)}); };
    const auto flipped = [&good](std::size_t at, int bit) {
      std::string out = good;
      out[at] = static_cast<char>(out[at] ^ bit);
      return out;
    };
    add("none", "");
    add("its first octet", good.substr(0, 1));
    add("its first half", good.substr(0, kind.size / 2));
    add("its second half", good.substr(kind.size / 2));
    add("one octet less", good.substr(0, kind.size - 1));
    add("one zero more", good + '\0');
    add("a zero in front", '\0' + good);
    add("twice", good + good);
    add("the first bit", flipped(0, 0x80));
    add("the last bit", flipped(kind.size - 1, 1));
    add("a bit in the middle", flipped(kind.size / 2, 4));
    add("zeros", std::string(kind.size, '\0'));
    add("ones", std::string(kind.size, '\xff'));
    add("halves swapped", good.substr(kind.size / 2) + good.substr(0, kind.size / 2));
    add("as base64url of itself", base64url_encode(good));
    add("over the payload alone", *crypto::sign(base64url_encode(kClaims), *kind.key, kind.algorithm));
    add("over what is decoded", *crypto::sign(std::string(kind.header) + "." + std::string(kClaims), *kind.key, kind.algorithm));
    add("over another token", *crypto::sign(part_of(kind.header, R"({"iss":"joe","sub":"b"})"), *kind.key, kind.algorithm));
    const SigningKeyPtr other = kind.key == ring().rsa ? ring().second_rsa : *crypto::generate_signing_key(kind.algorithm);
    add("by another key", *crypto::sign(part, *other, kind.algorithm));
  }
  expect_all_refused(rows, 130);
}

// Big endian, of equal length.
std::string plus(std::string a, std::string_view b) {
  unsigned carry = 0;
  for (std::size_t i = a.size(); i-- > 0; carry >>= 8) {
    carry += static_cast<unsigned char>(a[i]) + static_cast<unsigned>(static_cast<unsigned char>(b[i]));
    a[i] = static_cast<char>(carry & 0xff);
  }
  return a;
}
std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

// SEQUENCE { INTEGER, INTEGER }, as OpenSSL and Java write ECDSA's signatures.
std::string der(std::string_view raw) {
  const auto integer = [](std::string_view number) {
    while (number.size() > 1 && number.front() == 0) number.remove_prefix(1);
    std::string body = (number.front() & 0x80 ? std::string(1, '\0') : std::string()) + std::string(number);
    return "\x02" + std::string(1, static_cast<char>(body.size())) + body;
  };
  const std::string body = integer(raw.substr(0, raw.size() / 2)) + integer(raw.substr(raw.size() / 2));
  return "\x30" + (body.size() > 127 ? "\x81"s : std::string()) + std::string(1, static_cast<char>(body.size())) + body;
}

TEST(Forged, EcdsaNumbersAreInRange) {
  const std::string n256 = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const std::string n521 = from_hex("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409");
  std::vector<Row> rows;
  for (const Kind& kind : kinds()) {
    if (kind.key->type() != crypto::KeyType::Ec) continue;
    const std::string& n = kind.size == 64 ? n256 : n521;
    const std::size_t half = kind.size / 2;
    const std::string part = part_of(kind.header), good = *crypto::sign(part, *kind.key, kind.algorithm), r = good.substr(0, half), s = good.substr(half), zero(half, '\0'),
                      one = zero.substr(1) + '\x01';
    ASSERT_EQ(n.size(), half);
    const auto add = [&](const std::string& name, std::string_view signature) { rows.push_back({std::string(kind.header) + ": " + name, kSignature, with_signature(part, signature)}); };
    add("r is 0", zero + s);
    add("s is 0", r + zero);
    add("both are 1", one + one);
    add("r is 0, s is 1", zero + one);
    add("r is n", n + s);
    add("s is n", r + n);
    add("r and s are n", n + n);
    add("s is n + 1", r + plus(n, one));
    // The same number but for n: P-521's has room for it, and whoever reduces first takes it.
    if (half == 66) {
      add("r + n", plus(r, n) + s);
      add("s + n", r + plus(s, n));
    }
    add("DER", der(good));
    add("r and s without zeros in front of a longer field", zero.substr(0, 8) + r + zero.substr(0, 8) + s);
  }
  expect_all_refused(rows, 22);
  // OpenSSL would refuse them too; that is not what is relied on.
  for (const Kind& kind : kinds()) {
    if (kind.key->type() != crypto::KeyType::Ec) continue;
    const std::string zero(kind.size, '\0'), one = zero.substr(0, kind.size / 2 - 1) + '\x01', &n = kind.size == 64 ? n256 : n521;
    for (const std::string& both : {zero, one + n, n + one}) {
      const crypto::CompactJws jws = *crypto::parse_compact(with_signature(part_of(kind.header), both));
      EXPECT_EQ(verify(jws, *kind.key->verifier()).error().detail, "r or s is zero or not below the curve's order");
    }
  }
}

// S and S + L are the same to who does not look (RFC 8032 §5.1.7, §8.4).
TEST(Forged, Ed25519IsNotMalleable) {
  const std::string part = part_of(kHeader), good = *crypto::sign(part, *ring().ed, Algorithm::EdDSA);
  std::string order = from_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"), s(good.rbegin(), good.rend() - 32);
  s = plus(s, order);
  std::vector<Row> rows{{"S + L", kSignature, with_signature(part, good.substr(0, 32) + std::string(s.rbegin(), s.rend()))},
                        {"R is the neutral element", kSignature, with_signature(part, '\x01' + std::string(31, '\0') + good.substr(32))},
                        {"R is no point", kSignature, with_signature(part, '\x02' + std::string(31, '\0') + good.substr(32))},
                        {"R is the neutral element, S is 0", kSignature, with_signature(part, '\x01' + std::string(63, '\0'))}};
  expect_all_refused(rows, 4);
}

// RFC 7518 §3.5: the salt is as long as the hash. Other lengths verify for who asks OpenSSL to find it out.
TEST(Forged, PssSaltsHaveTheHashsLength) {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  BIO* out = BIO_new(BIO_s_mem());
  ASSERT_EQ(PEM_write_bio_PUBKEY(out, key), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  const auto verifier = crypto::jwk_from_pem({text, static_cast<std::size_t>(size)});
  ASSERT_TRUE(verifier);
  const std::string part = part_of(R"({"alg":"PS256"})");
  for (const int salt : {32, 0, 20, 31, 33, 64, RSA_PSS_SALTLEN_MAX}) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* parameters = nullptr;
    std::string signature(256, '\0');
    std::size_t length = signature.size();
    ASSERT_EQ(EVP_DigestSignInit(context, &parameters, EVP_sha256(), nullptr, key), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt), 1);
    ASSERT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length, reinterpret_cast<const unsigned char*>(part.data()), part.size()), 1);
    EVP_MD_CTX_free(context);
    crypto::JwkSet set{{*verifier}, {}};
    EXPECT_EQ(said(judge(with_signature(part, signature), set)), salt == 32 ? "accepted" : "signature") << salt;
  }
  BIO_free(out);
  EVP_PKEY_free(key);
}

// RSA: numbers that are no signature of anyone's, of the right length.
TEST(Forged, RsaNumbersAreBelowTheModulus) {
  const std::string jwk = to_json(*ring().rsa->verifier());
  const std::size_t at = jwk.find(R"("n":")") + 5;
  const std::string n = *base64url_decode(std::string_view(jwk).substr(at, jwk.find('"', at) - at));
  std::vector<Row> rows;
  for (const char* alg : {"RS256", "PS256"}) {
    const std::string part = part_of(R"({"alg":")"s + alg + R"(","kid":"rsa"})");
    const std::string zero(256, '\0'), one = zero.substr(1) + '\x01';
    rows.push_back({alg + ": 1"s, kSignature, with_signature(part, one)});
    rows.push_back({alg + ": n"s, kSignature, with_signature(part, n)});
    rows.push_back({alg + ": n + 1"s, kSignature, with_signature(part, plus(n, one))});
  }
  expect_all_refused(rows, 6);
}

}  // namespace
}  // namespace gatelab::test
