// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "coding/coder.h"
#include "policy/compress/accept_encoding.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

using coding::Coding;

struct Answered {
  std::string fields;  // "Name: value | …" without Content-Type
  bool filtered = false;
  http::Framing framing = http::Framing::None;
};

struct Given {
  std::vector<std::pair<std::string, std::string>> fields = {{"Content-Type", "text/plain"}};
  http::BodyFraming body{http::Framing::Length, 2000};
  std::uint16_t status = 200;
};

Answered answered(Stepped& policy, Given given) {
  http::Fields out(*policy.arena);
  for (const auto& [name, value] : given.fields) out.add(policy.arena->copy(name), policy.arena->copy(value));
  policy::ResponseInput response{given.status, out, false, *policy.input, given.body};
  if (policy.list[0]->has_on_response()) policy.list[0]->on_response(response);
  Answered result;
  for (const http::Field& f : out)
    if (f.id != http::FieldId::ContentType) result.fields += (result.fields.empty() ? "" : " | ") + std::string(f.name) + ": " + std::string(f.value);
  result.filtered = policy.input->answer_body != nullptr;
  result.framing = given.body.kind;
  return result;
}

TEST(AcceptEncoding, IsReadAsRfc9110HasIt) {
  struct Row {
    const char* field;  // null: there is none
    int coding;
    bool refuses_identity;
  };
  constexpr std::array offered{Coding::Brotli, Coding::Zstd, Coding::Gzip};
  for (const Row& row : {
           Row{nullptr, -1, false}, {"", -1, false}, {"gzip", 2, false}, {"gzip, br", 0, false}, {"zstd, gzip", 1, false}, {"gzip;q=0.9, br;q=0.8", 2, false}, {"br;q=0", -1, false},
           {"br;q=0.000", -1, false}, {"br;q=0.001", 0, false}, {"*", 0, false}, {"*;q=0", -1, true}, {"*;q=0, gzip", 2, true}, {"*;q=0, identity", -1, false}, {"identity;q=0", -1, true}, {"identity;q=0, *;q=0.1", 0, true},
           {"identity", -1, false}, {"identity, gzip", 2, false}, {"identity;q=1, gzip;q=0.999", -1, false}, {"identity;q=0.5, gzip;q=0.5", 2, false}, {"br;q=0, *", 1, false}, {"gzip;q=0, x-gzip", 2, false},
           {"gzip;q=1.001", -1, false}, {"gzip;q=1.0000", -1, false}, {"gzip;q=", -1, false}, {"gzip;q=.5", -1, false}, {"gzip;q=-1", -1, false}, {"gzip;level=9", -1, false}, {"gzip ; q=1", 2, false}, {"GZIP;Q=1", 2, false},
           {",, gzip ,", 2, false}, {"gzipp", -1, false}, {"deflate", -1, false}, {"\"gzip\"", -1, false}, {"gzip;q=1.", 2, false}, {"br;q=0.5,zstd;q=0.7,gzip;q=0.6", 1, false},
       }) {
    Arena arena;
    http::Fields fields(arena);
    fields.add("Accept", "gzip");
    if (row.field != nullptr) fields.add("accept-encoding", row.field);
    const policy::Accepted accepted = policy::accept_encoding(fields, offered);
    EXPECT_EQ(accepted.coding, row.coding) << (row.field == nullptr ? "none" : row.field);
    EXPECT_EQ(accepted.refuses_identity, row.refuses_identity) << (row.field == nullptr ? "none" : row.field);
  }
}

TEST(AcceptEncoding, SeveralLinesAreOneList) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("Accept-Encoding", "gzip;q=0.5");
  fields.add("Accept-Encoding", "br;q=0.7");
  constexpr std::array offered{Coding::Gzip, Coding::Brotli};
  EXPECT_EQ(policy::accept_encoding(fields, offered).coding, 1);
  EXPECT_EQ(policy::accept_encoding(fields, {}).coding, -1);
}

TEST(Compress, SaysWhatBecomesOfAnAnswer) {
  struct Row {
    const char* name;
    Given given;
    const char* fields;
    bool filtered;
  };
  const auto with = [](std::initializer_list<std::pair<std::string, std::string>> more, const char* type = "text/plain") {
    Given given;
    given.fields = {{"Content-Type", type}};
    given.fields.insert(given.fields.end(), more);
    return given;
  };
  const auto framed = [](http::Framing kind, std::uint64_t length, std::uint16_t status = 200) {
    Given given;
    given.body = {kind, length};
    given.status = status;
    return given;
  };
  const char* coded = "Vary: Accept-Encoding | Content-Encoding: gzip";
  for (const Row& row : {
           Row{"text", Given(), coded, true},
           {"with parameters", with({}, "Text/HTML; charset=utf-8"), coded, true},
           {"json of a vendor", with({}, "application/vnd.api+json"), coded, true},
           {"a problem", with({}, "application/problem+json;x=y"), coded, true},
           {"a picture", with({}, "image/png"), "", false},
           {"svg", with({}, "image/svg+xml"), coded, true},
           {"events", with({}, "text/event-stream"), "", false},
           {"binary", with({}, "application/octet-stream"), "", false},
           {"a type that only ends so", with({}, "json"), "", false},
           {"a strong tag", with({{"ETag", "\"a\""}}), "ETag: W/\"a\" | Vary: Accept-Encoding | Content-Encoding: gzip", true},
           {"a weak tag", with({{"ETag", "W/\"a\""}}), "ETag: W/\"a\" | Vary: Accept-Encoding | Content-Encoding: gzip", true},
           {"Vary of something else", with({{"Vary", "Origin"}}), "Vary: Origin | Vary: Accept-Encoding | Content-Encoding: gzip", true},
           {"Vary that says it", with({{"Vary", "Origin, ACCEPT-encoding"}}), "Vary: Origin, ACCEPT-encoding | Content-Encoding: gzip", true},
           {"Vary of everything", with({{"Vary", "*"}}), "Vary: * | Content-Encoding: gzip", true},
           {"digests", with({{"Content-Digest", "a"}, {"Repr-Digest", "b"}, {"Digest", "c"}, {"Content-MD5", "d"}, {"Accept-Ranges", "bytes"}}), coded, true},
           {"digests in trailers", with({{"Trailer", "X-Sum, repr-digest"}, {"Trailer", "Content-MD5 , digest"}, {"Trailer", "CONTENT-DIGEST, X-End"}}), "Trailer: X-Sum | Trailer: X-End | Vary: Accept-Encoding | Content-Encoding: gzip", true},
           {"no-transform", with({{"Cache-Control", "public"}, {"Cache-Control", "max-age=1, No-Transform"}}), "Cache-Control: public | Cache-Control: max-age=1, No-Transform", false},
           {"coded already", with({{"Content-Encoding", "br"}}), "Content-Encoding: br", false},
           {"coded as nothing", with({{"Content-Encoding", "identity"}}), "Content-Encoding: identity", false},
           {"a part", with({{"Content-Range", "bytes 0-1/2"}}), "Content-Range: bytes 0-1/2", false},
           {"short", framed(http::Framing::Length, 1023), "", false},
           {"just long enough", framed(http::Framing::Length, 1024), coded, true},
           {"nobody knows how long", framed(http::Framing::Chunked, 0), coded, true},
           {"until the close", framed(http::Framing::UntilClose, 0), coded, true},
           {"empty", framed(http::Framing::Length, 0), "", false},
           {"without a body", framed(http::Framing::None, 0), "", false},
           {"204", framed(http::Framing::None, 0, 204), "", false},
           {"205", framed(http::Framing::Length, 2000, 205), "", false},
           {"206", framed(http::Framing::Length, 2000, 206), "", false},
           {"101", framed(http::Framing::None, 0, 101), "", false},
           {"304", framed(http::Framing::None, 0, 304), "Vary: Accept-Encoding", false},
           {"404", framed(http::Framing::Length, 2000, 404), coded, true},
       }) {
    Stepped policy("[ { compress: {} } ]");
    ASSERT_EQ(policy.errors, "");
    EXPECT_EQ(policy.step(get("/", "Accept-Encoding: gzip\r\n")).detail, "answers may go out as gzip");
    const Answered out = answered(policy, row.given);
    EXPECT_EQ(out.fields, row.fields) << row.name;
    EXPECT_EQ(out.filtered, row.filtered) << row.name;
    EXPECT_EQ(out.framing == http::Framing::Chunked, row.filtered || row.given.body.kind == http::Framing::Chunked) << row.name;
  }
}

TEST(Compress, A304KeepsTheTagThatTheAnswerWouldHave) {
  Given given;
  given.fields = {{"ETag", "\"a\""}};
  given.status = 304;
  given.body = {};
  Stepped policy("[ { compress: {} } ]");
  policy.step(get("/", "Accept-Encoding: br\r\n"));
  EXPECT_EQ(answered(policy, given).fields, "ETag: W/\"a\" | Vary: Accept-Encoding");
  EXPECT_EQ(answered(policy, given).framing, http::Framing::None);
  policy.step(get("/"));
  EXPECT_EQ(answered(policy, given).fields, "ETag: \"a\" | Vary: Accept-Encoding");
}

// RFC 9110 §8.6, RFC 9111 §3.2: a client would take them for those of the answer that it has.
TEST(Compress, A304SaysNoLengthAndNoDigestsOfAnAnswerThatIsCompressed) {
  Given given;
  given.fields = {{"ETag", "\"a\""}, {"Repr-Digest", "b"}, {"Trailer", "X-Sum, Repr-Digest"}, {"Accept-Ranges", "bytes"}};
  given.status = 304;
  given.body = {http::Framing::Length, 5000};
  Stepped policy("[ { compress: {} } ]");
  policy.step(get("/", "Accept-Encoding: br\r\n"));
  const Answered coded = answered(policy, given);
  EXPECT_EQ(coded.fields, "ETag: W/\"a\" | Trailer: X-Sum | Vary: Accept-Encoding");
  EXPECT_EQ(coded.framing, http::Framing::None);
  policy.step(get("/"));
  const Answered plain = answered(policy, given);
  EXPECT_EQ(plain.fields, "ETag: \"a\" | Repr-Digest: b | Trailer: X-Sum, Repr-Digest | Accept-Ranges: bytes | Vary: Accept-Encoding");
  EXPECT_EQ(plain.framing, http::Framing::Length);
}

TEST(Compress, HeadIsAnsweredAsGetWouldBeWithoutABody) {
  Stepped policy("[ { compress: {} } ]");
  for (const http::BodyFraming body : {http::BodyFraming{http::Framing::Length, 2000}, http::BodyFraming{}}) {
    policy.step("HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n");
    Given given;
    given.body = body;
    const Answered out = answered(policy, given);
    EXPECT_EQ(out.fields, "Vary: Accept-Encoding | Content-Encoding: br");
    EXPECT_FALSE(out.filtered);
    EXPECT_EQ(out.framing, http::Framing::Chunked);
  }
}

TEST(Compress, WhoRefusesIdentityGetsEvenAShortAnswerCompressed) {
  Stepped policy("[ { compress: {} } ]");
  Given given;
  given.body.length = 5;
  policy.step(get("/", "Accept-Encoding: gzip, identity;q=0\r\n"));
  EXPECT_TRUE(answered(policy, given).filtered);
  policy.step(get("/", "Accept-Encoding: identity;q=0\r\n"));
  EXPECT_FALSE(answered(policy, given).filtered);
}

TEST(Compress, EventsAreCompressedWhereTheyAreNamed) {
  Stepped policy("[ { compress: { types: [ text/event-stream ] } } ]");
  ASSERT_EQ(policy.errors, "");
  policy.step(get("/", "Accept-Encoding: gzip\r\n"));
  Given given;
  given.fields = {{"Content-Type", "text/event-stream"}};
  given.body = {http::Framing::Chunked, 0};
  EXPECT_TRUE(answered(policy, given).filtered);
  given.fields = {{"Content-Type", "text/plain"}};
  policy.step(get("/", "Accept-Encoding: gzip\r\n"));
  EXPECT_FALSE(answered(policy, given).filtered);
}

// RFC 9111 §5.2.1.6: other clients get it in another coding all the same.
TEST(Compress, AnAnswerToARequestThatSaysNoTransformStaysAsItIs) {
  for (const char* said : {"no-transform", "max-age=0, No-Transform"}) {
    Stepped policy("[ { compress: {} } ]");
    const policy::Step step = policy.step(get("/", "Accept-Encoding: gzip, identity;q=0\r\nCache-Control: " + std::string(said) + "\r\n"));
    EXPECT_EQ(step.outcome, observe::Outcome::Skip);
    EXPECT_EQ(step.detail, "the request says no-transform");
    Given given;
    given.fields.emplace_back("ETag", "\"a\"");
    const Answered out = answered(policy, given);
    EXPECT_EQ(out.fields, "ETag: \"a\" | Vary: Accept-Encoding") << said;
    EXPECT_FALSE(out.filtered) << said;
    EXPECT_EQ(out.framing, http::Framing::Length) << said;
  }
}

std::string post(std::string_view fields, std::string_view framing = "Content-Length: 10\r\n") { return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + std::string(fields) + "\r\n"; }

TEST(Compress, TakesARequestOutOfItsCoding) {
  struct Row {
    const char *fields, *reason;  // reason empty: it passes
    bool filtered;
  };
  for (const Row& row : {Row{"", "", false}, {"Content-Encoding: gzip\r\n", "", true}, {"Content-Encoding: X-GZIP\r\n", "", true}, {"Content-Encoding: deflate\r\n", "", true}, {"Content-Encoding: br\r\n", "", true},
                         {"Content-Encoding: zstd\r\n", "", true}, {"Content-Encoding: identity\r\n", "", false}, {"Content-Encoding: identity, gzip\r\n", "", true}, {"Content-Encoding: \r\n", "", false},
                         {"Content-Encoding: compress\r\n", "unsupported-encoding", false}, {"Content-Encoding: gzip, gzip\r\n", "unsupported-encoding", false},
                         {"Content-Encoding: gzip\r\nContent-Encoding: br\r\n", "unsupported-encoding", false}, {"Content-Encoding: gzip;q=1\r\n", "unsupported-encoding", false}}) {
    Stepped policy("[ { compress: { decompress: request } } ]");
    ASSERT_EQ(policy.errors, "");
    const policy::Step step = policy.step(post(row.fields));
    EXPECT_EQ(step.reason, row.reason) << row.fields;
    EXPECT_EQ(policy.input->request_body != nullptr, row.filtered) << row.fields;
    if (*row.reason != '\0') {
      EXPECT_EQ(step.answer->status, 415);
      EXPECT_EQ(policy.answer_field(step, "Accept-Encoding"), "gzip, deflate, br, zstd, identity");
    }
    EXPECT_EQ(policy.request->body.kind, row.filtered ? http::Framing::Chunked : http::Framing::Length) << row.fields;
    if (row.filtered) { EXPECT_EQ(policy.request->fields.find(http::FieldId::ContentEncoding), nullptr) << row.fields; }
  }
}

TEST(Compress, ARequestThatSaysNoTransformGoesUpInItsCoding) {
  for (const char* coding : {"gzip", "nothing", "gzip, br"}) {
    Stepped policy("[ { compress: { decompress: request } } ]");
    EXPECT_EQ(policy.step(post("Cache-Control: no-transform\r\nDigest: a\r\nContent-Encoding: " + std::string(coding) + "\r\n")).reason, "");
    EXPECT_EQ(policy.input->request_body, nullptr) << coding;
    EXPECT_NE(policy.request->fields.find(http::FieldId::ContentEncoding), nullptr) << coding;
    EXPECT_NE(policy.request->fields.find("Digest"), nullptr) << coding;
    EXPECT_EQ(policy.request->body.kind, http::Framing::Length) << coding;
  }
}

TEST(Compress, ARequestThatIsTakenOutOfItsCodingClaimsNothingOfTheOneItHad) {
  Stepped policy("[ { compress: { decompress: request } } ]");
  policy.step(post("Content-Encoding: gzip\r\nContent-Digest: a\r\nRepr-Digest: b\r\nDigest: c\r\nContent-MD5: d\r\nTrailer: Content-Digest\r\nTrailer: X-Sum, Digest\r\n", "Transfer-Encoding: chunked\r\n"));
  for (const char* name : {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"}) EXPECT_EQ(policy.request->fields.find(name), nullptr) << name;
  ASSERT_EQ(policy.request->fields.count(http::FieldId::Trailer), 1U);
  EXPECT_EQ(policy.request->fields.find(http::FieldId::Trailer)->value, "X-Sum");
}

TEST(Compress, WithoutABodyThereIsNothingToTakeOut) {
  Stepped policy("[ { compress: { decompress: request } } ]");
  EXPECT_EQ(policy.step(post("Content-Encoding: nothing\r\n", "Content-Length: 0\r\n")).reason, "");
  EXPECT_EQ(policy.input->request_body, nullptr);
  EXPECT_EQ(policy.step(get("/", "Content-Encoding: gzip\r\n")).reason, "");
  EXPECT_EQ(policy.input->request_body, nullptr);
  Stepped off("[ { compress: {} } ]");
  EXPECT_EQ(off.step(post("Content-Encoding: nothing\r\n")).reason, "");
  EXPECT_EQ(off.input->request_body, nullptr);
}

// Runs `octets` through the request's filter as they come, `piece` at a time. The reason's word; what came out.
struct Undone {
  std::string octets, reason;
  const policy::Policy* blamed = nullptr;
};
Undone undo(policy::BodyFilter& filter, std::string_view octets, std::size_t piece) {
  Undone out;
  std::array<char, 4096> room;
  for (bool last = false; !last;) {
    std::string_view in = octets.substr(0, piece);
    octets.remove_prefix(in.size());
    last = octets.empty();
    for (bool more = true; more;) {
      const policy::BodyFilter::Moved moved = filter.move(in, last ? policy::Behind::End : policy::Behind::More, room);
      if (moved.failure != nullptr) {
        out.reason = moved.failure->word;
        out.blamed = &filter.blamed();
        return out;
      }
      out.octets.append(room.data(), moved.made);
      in.remove_prefix(moved.taken);
      more = moved.more;
    }
  }
  return out;
}

TEST(Compress, LimitsWhatARequestMayBecome) {
  for (const Coding coding : {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd})
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
      const auto run = [&](const char* yaml, const std::string& octets) {
        Stepped policy(yaml);
        EXPECT_EQ(policy.errors, "");
        policy.step(post("Content-Encoding: " + std::string(coding::name(coding)) + "\r\n"));
        return undo(*policy.input->request_body, octets, piece);
      };
      const std::string zeros = coding::encode(coding, std::string(5'000'000, '\0')), few = coding::encode(coding, std::string(60'000, '\0'));
      const char* sized = "[ { compress: { decompress: request, max_size: 100KiB, max_ratio: 100000 } } ]";
      EXPECT_EQ(run(sized, zeros).reason, "decompressed-too-large") << coding::name(coding) << " " << piece;
      EXPECT_EQ(run(sized, coding::encode(coding, std::string(102'400, 'x'))).reason, "") << coding::name(coding) << " " << piece;
      EXPECT_EQ(run(sized, coding::encode(coding, std::string(102'401, 'x'))).reason, "decompressed-too-large") << coding::name(coding) << " " << piece;
      const char* rated = "[ { compress: { decompress: request, max_size: 100MiB, max_ratio: 50 } } ]";
      EXPECT_EQ(run(rated, zeros).reason, "decompression-ratio") << coding::name(coding) << " " << piece;
      EXPECT_EQ(run(rated, few).reason, "") << "the first 64KiB are free: " << coding::name(coding) << " " << piece;
      EXPECT_EQ(run(rated, few).octets.size(), 60'000U);
      EXPECT_EQ(run(rated, few.substr(0, few.size() - 1)).reason, "malformed-encoding") << coding::name(coding) << " " << piece;
      EXPECT_EQ(run(rated, few + "x").reason, "malformed-encoding") << coding::name(coding) << " " << piece;
    }
}

// `size` octets in a gzip member of exactly `octets`, however well they are compressed: a comment makes it longer (RFC 1952 §2.3.1).
std::string gzip_of(std::size_t size, std::size_t octets) {
  std::string out = coding::encode(Coding::Gzip, std::string(size, '\0'));
  EXPECT_LT(out.size(), octets);
  out[3] |= 0x10;
  return out.insert(10, std::string(octets - out.size() - 1, 'x') + '\0');
}

TEST(Compress, ExactlyTheRatioThatARequestMayGrowByPasses) {
  const auto run = [](const std::string& octets, std::size_t piece) {
    Stepped policy("[ { compress: { decompress: request, max_ratio: 100 } } ]");
    policy.step(post("Content-Encoding: gzip\r\n"));
    return undo(*policy.input->request_body, octets, piece);
  };
  EXPECT_EQ(run(gzip_of(200'000, 2'000), SIZE_MAX).reason, "");
  EXPECT_EQ(run(gzip_of(200'000, 2'000), SIZE_MAX).octets.size(), 200'000U);
  EXPECT_EQ(run(gzip_of(200'000, 1'999), SIZE_MAX).reason, "decompression-ratio");
  EXPECT_EQ(run(gzip_of(200'001, 2'000), SIZE_MAX).reason, "decompression-ratio");
}

TEST(Compress, ObservedNothingIsChanged) {
  Stepped policy("[ { compress: { decompress: request }, mode: observe } ]");
  const policy::Step step = policy.step(post("Content-Encoding: gzip\r\nAccept-Encoding: br\r\n"));
  EXPECT_EQ(step.outcome, observe::Outcome::Observe);
  EXPECT_EQ(step.detail, "the body is taken out of gzip; answers may go out as br");
  EXPECT_EQ(policy.input->request_body, nullptr);
  EXPECT_EQ(answered(policy, Given()).fields, "");
}

TEST(BodyFilter, OneFollowsUponAnother) {
  const std::string text(100'000, 'x');
  for (const std::size_t piece : {std::size_t{1}, std::size_t{77}, SIZE_MAX}) {
    Stepped outer("[ { compress: { decompress: request, max_size: 64KiB } } ]"), inner("[ { compress: { decompress: request, max_ratio: 100000 } } ]");
    const auto chain = [&](Coding first, Coding second) {
      outer.step(post("Content-Encoding: " + std::string(coding::name(first)) + "\r\n"));
      inner.step(post("Content-Encoding: " + std::string(coding::name(second)) + "\r\n"));
      policy::BodyFilterPtr both = std::move(outer.input->request_body);
      policy::append(both, std::move(inner.input->request_body));
      return both;
    };
    // A bomb within a bomb: each keeps to its own limits.
    const std::string twice = coding::encode(Coding::Gzip, coding::encode(Coding::Brotli, text));
    EXPECT_TRUE(undo(*chain(Coding::Gzip, Coding::Brotli), twice, piece).octets == text) << piece;
    const Undone broken = undo(*chain(Coding::Gzip, Coding::Zstd), twice, piece);
    EXPECT_EQ(broken.reason, "malformed-encoding") << piece;
    EXPECT_EQ(broken.blamed, inner.list[0].get()) << piece;
    const Undone first = undo(*chain(Coding::Gzip, Coding::Gzip), coding::encode(Coding::Gzip, std::string(70'000, '\0')), piece);
    EXPECT_EQ(first.blamed, first.reason == "malformed-encoding" ? inner.list[0].get() : outer.list[0].get()) << piece << first.reason;
  }
}

TEST(Compress, RefusesConfigurationsThatMeanNothing) {
  for (const char* yaml : {"{ codings: [deflate] }", "{ codings: [lzma] }", "{ codings: [gzip, x-gzip] }", "{ codings: { gzip: 1 } }", "{ types: [html] }", "{ types: ['*/*'] }", "{ types: ['text/'] }", "{ types: ['text/html; a=b'] }",
                           "{ level: 5 }", "{ level: { gzip: 0 } }", "{ level: { br: 7 } }", "{ level: { zstd: 13 } }", "{ level: { deflate: 1 } }", "{ min_size: 100 }", "{ max_size: 1MiB }", "{ max_ratio: 10 }",
                           "{ decompress: response }", "{ decompress: true }", "{ decompress: request, max_ratio: 1 }", "{ encodings: [gzip] }", "gzip", "[gzip]"})
    EXPECT_NE(Stepped("[ { compress: " + std::string(yaml) + " } ]").errors, "") << yaml;
  for (const char* yaml : {"{}", "{ codings: gzip }", "{ codings: [], decompress: request }", "{ types: ['*/json'] }", "{ level: { gzip: 1, br: 6, zstd: 12 } }", "{ min_size: 0B }"})
    EXPECT_EQ(Stepped("[ { compress: " + std::string(yaml) + " } ]").errors, "") << yaml;
}

}  // namespace
}  // namespace gatelab::test
