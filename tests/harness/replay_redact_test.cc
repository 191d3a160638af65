// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/redact.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/base64.h"
#include "coding/coder.h"
#include "harness/replay/import_parts.h"

namespace gatelab::harness {
namespace {

const Redactor kRedactor("0123456789abcdef-salt");

RecordedExchange plain() {
  RecordedExchange e;
  e.id = "1";
  e.request = {"POST", "/orders/1?page=2", "1.1", {{"Host", "shop.test"}}, {}};
  e.answer.status = 200;
  return e;
}

void set_body(RecordedHeaders& headers, RecordedBody& body, std::string type, std::string text) {
  headers.emplace_back("Content-Type", std::move(type));
  headers.emplace_back("Content-Length", std::to_string(text.size()));
  body.size = text.size();
  body.octets = std::make_shared<const std::string>(std::move(text));
}

// All that a file would hold of it, bodies decoded too.
std::string written(const RecordedExchange& e) {
  std::string out = RecordingWriter().lines(e);
  const std::string lines = out;
  for (std::size_t at = lines.find("base64\":\""); at != std::string::npos; at = lines.find("base64\":\"", at + 1)) {
    const std::size_t from = at + 9, to = lines.find('"', from);
    out += *base64_decode(lines.substr(from, to - from));
  }
  return out;
}

const std::string kJwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0." + base64url_encode(R"({"sub":"alice","email":"alice@shop.test","exp":1767225600})") + ".c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

TEST(Redact, NoneOfThirtyKindsOfSecretsIsWritten) {
  struct Row { const char* kind; std::string secret; std::function<void(RecordedExchange&, const std::string&)> plant; };
  const auto request_header = [](std::string name, std::string before = {}, std::string after = {}) {
    return [=](RecordedExchange& e, const std::string& s) { e.request.headers.emplace_back(name, before + s + after); };
  };
  const auto answer_header = [](std::string name, std::string before = {}, std::string after = {}) {
    return [=](RecordedExchange& e, const std::string& s) { e.answer.headers.emplace_back(name, before + s + after); };
  };
  const auto query = [](std::string name) { return [=](RecordedExchange& e, const std::string& s) { e.request.target += "&" + name + "=" + s; }; };
  const auto request_body = [](std::string type, std::string before, std::string after) {
    return [=](RecordedExchange& e, const std::string& s) { set_body(e.request.headers, e.request.body, type, before + s + after); };
  };
  const auto answer_body = [](std::string type, std::string before, std::string after) {
    return [=](RecordedExchange& e, const std::string& s) { set_body(e.answer.headers, e.answer.body, type, before + s + after); };
  };
  const Row rows[] = {
      {"basic credentials", "YWxpY2U6aHVudGVyMg==", request_header("Authorization", "Basic ")},
      {"opaque bearer token", "2YotnFZFEjr1zCsicMWpAA", request_header("authorization", "Bearer ")},
      {"signed token", kJwt.substr(kJwt.rfind('.') + 1), request_header("Authorization", "Bearer " + kJwt.substr(0, kJwt.rfind('.') + 1))},
      {"claims beyond the list", kJwt.substr(kJwt.find('.') + 1, kJwt.rfind('.') - kJwt.find('.') - 1), request_header("Authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.", ".c2ln")},
      {"digest response", "6629fae49393a05397450978507c4ef1", request_header("Authorization", "Digest username=\"a\", response=\"", "\"")},
      {"proxy credentials", "cHJveHk6cGFzcw", request_header("Proxy-Authorization", "Basic ")},
      {"session cookie", "s3ss10n", request_header("Cookie", "theme=dark; sid=")},
      {"first cookie", "s3ss10n", request_header("Cookie", "sid=", "; theme=dark")},
      {"cookie that is set", "s3ss10n", answer_header("Set-Cookie", "sid=", "; HttpOnly; Path=/")},
      {"API key", "test-key-gold", request_header("X-Api-Key")},
      {"CSRF token", "tok-1", request_header("X-CSRF-Token")},
      {"vault token", "hvs-short", request_header("X-Vault-Token")},
      {"signature", "keyid-and-more", request_header("X-Hub-Signature")},
      {"client certificate", "MIIBfake", request_header("X-Forwarded-Client-Cert", "Cert=")},
      {"random value of an unknown header", "q7Zt3LpX9vKc2RmN8sWd", request_header("X-Thing")},
      {"API key in the query", "test-key-gold", query("api_key")},
      {"percent-encoded password in the query", "hunter%212", query("pass%77ord")},
      {"signature of a URL", "3f2a9", query("sig")},
      {"authorization code", "SplxlOBeZQQYbYS6WxSbIA", query("code")},
      {"secret in a path", "q7Zt3LpX9vKc2RmN8sWd", [](RecordedExchange& e, const std::string& s) { e.request.target = "/hooks/" + s + "/run"; }},
      {"token in a referer", "tok-1", request_header("Referer", "https://shop.test/?access_token=")},
      {"token in a location", "tok-1", answer_header("Location", "https://shop.test/cb?id_token=")},
      {"password of a form", "hunter2", request_body("application/x-www-form-urlencoded", "user=a&password=", "&x=1")},
      {"password in JSON", "hunter2", request_body("application/json", R"({"user":{"passWord":")", R"("}})")},
      {"number in JSON", "4929", request_body("application/json", R"({"pin":)", "}")},
      {"list under a name in JSON", "one-time", request_body("application/json", R"({"backup_secrets":[")", R"("]})")},
      {"token of an answer", "tGzv3JOkF0XG5Qx2TlKWIA", answer_body("application/json", R"({"access_token":")", R"(","token_type":"Bearer"})")},
      {"broken JSON", "hunter2", request_body("application/json", R"({"password": ")", R"(", )")},
      {"field of a multipart form", "hunter 2", request_body("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n", "\r\n--b--\r\n")},
      {"XML element", "hunter2", request_body("text/xml", "<a><password>", "</password></a>")},
      {"words in an XML element", "horse battery", request_body("text/xml", "<a><password>correct ", "</password><b>x</b></a>")},
      {"words in a line of JSON", "horse, battery", request_body("application/x-ndjson", "{\"a\":1}\n{\"password\":\"correct ", "\"}\n")},
      {"blank before a secret", "hunter2", request_body("application/x-ndjson", "{}\n{\"password\":\" ", "\"}\n")},
      {"quote in a secret", "horse", request_body("application/x-ndjson", "{}\n{\"password\":\"correct \\\" ", "\"}\n")},
      {"JSON in a text of JSON", "horse battery", request_body("text/plain", "says \"{\\\"password\\\":\\\"correct ", "\\\"}\"")},
      {"words of a line", "horse;battery,staple", request_body("text/plain", "password=correct ", "\nnext line")},
      {"event of a stream", "horse battery", answer_body("text/event-stream", "data: {\"token\":\"correct ", "\"}\n\n")},
      {"number in a line of JSON", "4929", request_body("application/x-ndjson", "{\"a\":1}\n{\"pin\":", "}\n")},
      {"list in a line of JSON", "one-time", request_body("application/jsonl", "{\"a\":1}\r\n{\"backup_secrets\":[\"", "\"]}\r\n")},
      {"object in a line of JSON", "hunter2", request_body("text/plain", "{\"a\":1}\n\n{\"password\":{\"now\":\"", "\"}}")},
      {"line of JSON behind one that is none", "4929", request_body("application/x-ndjson", "none\n{\"pin\":", "}\n")},
      {"record of a JSON sequence", "4929", request_body("application/json-seq", "\x1e{\"a\":1}\n\x1e{\"pin\":", "}\n")},
      {"number in an event", "4929", answer_body("text/event-stream", "id: 1\ndata: {\"pin\":", "}\n\ndata: [DONE]\n\n")},
      {"list in an event", "one-time", answer_body("text/event-stream; charset=utf-8", "event: x\r\ndata:{\"backup_secrets\":[\"", "\"]}\r\n\r\n")},
      {"event of several lines", "hunter2", answer_body("text/event-stream", "data: {\"password\":\ndata: [\"", "\"]\ndata: }\n\n")},
      {"event of lines that end with CR", "4929", answer_body("text/event-stream", "data: {\"pin\":", "}\r\rdata: x\r\r")},
      {"event whose end never came", "4929", answer_body("text/event-stream", "data: {}\n\ndata: {\"pin\":", "}")},
      {"lines of JSON in an event", "4929", answer_body("text/event-stream", "data: {\"a\":1}\ndata: {\"pin\":", "}\n\n")},
      {"events of no type", "4929", answer_body("text/plain", "data: {\"pin\":", "}\n\n")},
      {"comment of a stream", "hunter2", answer_body("text/event-stream", ": password=", "\n\ndata: 1\n\n")},
      {"key in an event", "MIIEvQIBADANBg", answer_body("text/event-stream", "data: -----BEGIN PRIVATE KEY-----\ndata: ", "\ndata: -----END PRIVATE KEY-----\n\n")},
      {"twin of a member", "hunter2", request_body("application/json", R"({"password":")", R"(","password":null})")},
      {"twin under a plain name", "q7Zt3LpX9vKc2RmN8sWd", request_body("application/json", R"({"a":")", R"(","a":1})")},
      {"name of a member", "q7Zt3LpX9vKc2RmN8sWd", request_body("application/json", R"({"keys":{")", R"(":1}})")},
      {"private key", "MIIEvQIBADANBg", answer_body("text/plain", "-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----\n")},
      {"key of a cloud", "AKIAIOSFODNN7EXAMPLE", answer_body("text/plain", "use ", " now")},
      {"token of a forge", "ghp_abcdefghijklmnopqrstuvwx", answer_body("text/html", "<p>", "</p>")},
      {"password in a URL", "hunter2", answer_body("text/plain", "postgres://app:", "@db/x")},
      {"compressed body", "hunter2", [](RecordedExchange& e, const std::string& s) {
         e.answer.headers.emplace_back("Content-Encoding", "gzip");
         set_body(e.answer.headers, e.answer.body, "application/json", s);
       }},
      {"binary body", "hunter2", [](RecordedExchange& e, const std::string& s) { set_body(e.answer.headers, e.answer.body, "application/octet-stream", "\xff" + s); }},
      {"upstream's side", "test-key-gold", [](RecordedExchange& e, const std::string& s) {
         e.attempts.emplace_back().request = {"GET", "/", "1.1", {{"X-Api-Key", s}}, {}};
       }},
  };
  static_assert(std::size(rows) >= 30);
  for (const Row& row : rows) {
    RecordedExchange e = plain();
    row.plant(e, row.secret);
    ASSERT_NE(written(e).find(row.secret), std::string::npos) << row.kind << " was not planted";
    kRedactor.apply(e);
    EXPECT_EQ(written(e).find(row.secret), std::string::npos) << row.kind << "\n" << written(e);
  }
}

TEST(Redact, EqualSecretsStayEqualAndOthersDiffer) {
  const std::string a = kRedactor.header("X-Api-Key", "gold"), b = kRedactor.target("/?api_key=gold"), c = kRedactor.header("X-Api-Key", "free");
  EXPECT_EQ(a.substr(0, 10), "<redacted:");
  EXPECT_EQ(b, "/?api_key=%3C" + a.substr(1, a.size() - 2) + "%3E");
  EXPECT_NE(a, c);
  EXPECT_NE(a, Redactor("another-salt-another").header("X-Api-Key", "gold"));
  EXPECT_EQ(kRedactor.header("X-Api-Key", a), a);  // twice is once
}

TEST(Redact, ATokenKeepsWhatItTakesToMintItAgain) {
  const std::string out = kRedactor.header("Authorization", "Bearer " + kJwt);
  const std::size_t first = out.find('.'), second = out.find('.', first + 1);
  EXPECT_EQ(*base64url_decode(out.substr(7, first - 7)), R"({"alg":"RS256","kid":"k1"})");
  EXPECT_EQ(*base64url_decode(out.substr(first + 1, second - first - 1)), R"({"sub":"alice","exp":1767225600})");
  EXPECT_TRUE(std::string_view(out).substr(second + 1).starts_with("<redacted:"));
}

TEST(Redact, WhatIsNoSecretStays) {
  const std::pair<const char*, const char*> headers[] = {{"ETag", "\"q7Zt3LpX9vKc2RmN8sWd\""},
                                                         {"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                                                         {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
                                                         {"Cache-Control", "max-age=60, stale-if-error=300"},
                                                         {"X-Order", "5f0c7a4e-8b8e-4b7e-9d5e-0f1f2f3f4f5f"},
                                                         {"Content-Type", "application/json"}};
  for (const auto& [name, value] : headers) EXPECT_EQ(kRedactor.header(name, value), value);
  EXPECT_EQ(kRedactor.header("Set-Cookie", "a=; Path=/; Max-Age=0"), "a=; Path=/; Max-Age=0");
  for (const char* target : {"/orders/1?page=2&sort=-created_at", "/a%20b/c", "/articles/how-to-write-a-long-title-in-2024", "/?"}) EXPECT_EQ(kRedactor.target(target), target);
  const char* const body = R"({ "id": 1, "name": "a lamp", "token_type": "Bearer", "at": "2026-01-01T00:00:00Z" })";
  RecordedExchange e = plain();
  set_body(e.request.headers, e.request.body, "application/json", body);
  kRedactor.apply(e);
  EXPECT_EQ(*e.request.body.octets, body);
}

std::string body_after(const char* type, std::string text) {
  RecordedExchange e = plain();
  set_body(e.answer.headers, e.answer.body, type, std::move(text));
  kRedactor.apply(e);
  return *e.answer.body.octets;
}

TEST(Redact, AStreamKeepsItsFormAndWhatIsNoSecret) {
  const std::string secret = kRedactor.header("X-Api-Key", "hunter2");
  const char* const kEvents = "\xef\xbb\xbf: hello\nid: 7\nretry: 10\nevent: say\ndata: { \"a\": 1 }\n\ndata: one\ndata: two\ndata\n\n\n";
  EXPECT_EQ(body_after("text/event-stream", kEvents), kEvents);
  EXPECT_EQ(body_after("text/event-stream", "id: 1\r\ndata: {\"password\":\r\ndata: \"hunter2\"}\r\nevent: x\r\n\r\ndata: 2\r\n\r\n"),
            "id: 1\r\ndata: {\"password\":\"" + secret + "\"}\r\nevent: x\r\n\r\ndata: 2\r\n\r\n");
  const char* const kLines = "{ \"a\": 1 }\n\n[ 1,2 ]\r\nnone\n{}";
  EXPECT_EQ(body_after("application/x-ndjson", kLines), kLines);
  EXPECT_EQ(body_after("application/x-ndjson", "{\"a\":1}\r\n{\"password\":\"hunter2\"}\r\n{ \"b\":2}"), "{\"a\":1}\r\n{\"password\":\"" + secret + "\"}\r\n{ \"b\":2}");
}

TEST(Redact, ACompressedAnswerIsLookedInto) {
  using coding::Coding;
  RecordedExchange e = plain();
  e.answer.headers = {{"Content-Encoding", "gzip"}, {"Content-Type", "application/json"}};
  const std::string innocent = coding::encode(Coding::Gzip, R"({"id":7})");
  e.answer.body = body_from(innocent);
  kRedactor.apply(e);
  EXPECT_EQ(*e.answer.body.octets, innocent);
  e.answer.headers.emplace_back("Content-Length", "1");
  e.answer.body = body_from(coding::encode(Coding::Gzip, R"({"id":7,"password":"hunter2"})"));
  kRedactor.apply(e);
  ASSERT_TRUE(e.answer.body.octets);
  EXPECT_EQ(coding::decode(Coding::Gzip, *e.answer.body.octets, 1000), R"({"id":7,"password":")" + kRedactor.header("X-Api-Key", "hunter2") + R"("})");
  EXPECT_EQ(e.answer.headers.back().second, std::to_string(e.answer.body.octets->size()));
  // What is no gzip, and what becomes too much.
  for (const std::string& octets : {std::string("hunter2"), coding::encode(Coding::Gzip, std::string(std::size_t{17} << 20, 'a'))}) {
    e.answer.body = body_from(octets);
    kRedactor.apply(e);
    EXPECT_EQ(e.answer.body.octets, nullptr);
    EXPECT_EQ(e.answer.body.left_out, "opaque");
  }
}

// Its marks could not be put back.
TEST(Redact, ACompressedRequestWithASecretIsLeftOut) {
  RecordedExchange e = plain();
  e.request.headers = {{"Content-Encoding", "br"}, {"Content-Type", "application/json"}};
  e.request.body = body_from(coding::encode(coding::Coding::Brotli, R"({"id":7})"));
  const auto before = e.request.body.octets;
  kRedactor.apply(e);
  EXPECT_EQ(e.request.body.octets, before);
  e.request.body = body_from(coding::encode(coding::Coding::Brotli, R"({"password":"hunter2"})"));
  kRedactor.apply(e);
  EXPECT_EQ(e.request.body.octets, nullptr);
  EXPECT_EQ(e.request.body.left_out, "opaque");
}

TEST(Redact, TheLengthFollowsTheBody) {
  RecordedExchange e = plain();
  set_body(e.request.headers, e.request.body, "application/json", R"({"password":"x"})");
  kRedactor.apply(e);
  EXPECT_EQ(e.request.headers.back().second, std::to_string(e.request.body.octets->size()));
}

}  // namespace
}  // namespace gatelab::harness
