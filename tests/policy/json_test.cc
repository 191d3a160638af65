// SPDX-License-Identifier: Apache-2.0
// What edits make of bodies, by table; and an answer's body in pieces of every size, in every coding. What a gateway does with
// it is in scenarios/policy/json.yaml.
#include <array>

#include "coding/coder.h"
#include "policy/stepped.h"

namespace gatelab::test {
namespace {

struct Request {
  std::string body;  // or the reason
  std::string fields;
};

// A request with that body, as the proxy walks it.
Request requested(Stepped& policy, const std::string& body, const std::string& fields = "Content-Type: application/json\r\n") {
  policy::Step step = policy.step("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  policy::WholeBody whole{body, true};
  while (step.verdict == policy::Verdict::Need) {
    if (std::holds_alternative<policy::ReadBody>(*step.effect)) policy.input->body = &whole;
    else std::exchange(std::get<policy::ComputeJob>(*step.effect).job, nullptr)();
    policy.input->effect_done = true;
    step = policy.list[0]->step(*policy.input);
  }
  Request out{step.verdict == policy::Verdict::Continue ? whole.octets : std::string(step.reason), {}};
  for (const http::Field& f : policy.request->fields) out.fields += std::string(f.name) + " ";
  if (step.verdict == policy::Verdict::Continue && out.body != body) {
    EXPECT_EQ(policy.request->body.length, out.body.size());
  }
  policy.end();
  return out;
}

struct Edit {
  const char *edits, *body, *becomes;
};

void check(std::initializer_list<Edit> edits) {
  for (const Edit& one : edits) {
    Stepped policy(std::string("[ { json: { request: ") + one.edits + " } } ]");
    ASSERT_EQ(policy.errors, "") << one.edits;
    EXPECT_EQ(requested(policy, one.body).body, one.becomes) << one.edits << " " << one.body;
  }
}

TEST(Json, SetPutsAValueIntoItsPlaceAndMakesObjectsOnTheWay) {
  check({
      {"{ set: { /a: 1 } }", "{}", R"({"a":1})"},
      {"{ set: { /a: 1 } }", R"({ "z": 1.0, "a": {"b":2} })", R"({"z":1.0,"a":1})"},
      {"{ set: { /a/b/c: x } }", R"({"a":{"z":0}})", R"({"a":{"z":0,"b":{"c":"x"}}})"},
      {"{ set: { /a/0: x, /a/-: y, /a/2: z } }", R"({"a":[1]})", R"({"a":["x","y","z"]})"},
      {"{ set: { /a/5: x } }", R"({"a":[1]})", "json-mismatch"},
      {"{ set: { /a/01: x } }", R"({"a":[1]})", "json-mismatch"},
      {"{ set: { /a/b: x } }", R"({"a":[]})", "json-mismatch"},
      {"{ set: { /a/b: x } }", R"({"a":"s"})", "json-mismatch"},
      {"{ set: { /a/b: x } }", R"({"a":null})", "json-mismatch"},
      {"{ set: { '': { x: 1 } } }", "[1]", R"({"x":1})"},
      {"{ set: { /a~1b: 1, /c~0d: 2, '/': 3 } }", "{}", R"({"a/b":1,"c~d":2,"":3})"},
      {"{ set: { /v: [ true, null, 1.50, -0.0, 12345678901234567890, 1e400, '1', { a: {} } ] } }", "{}", R"({"v":[true,null,1.50,-0.0,12345678901234567890,1e400,"1",{"a":{}}]})"},
      {"{ set: { $.a: 1 } }", "{}", "{}"},
      {"{ set: { '$[*].a': { t: x } } }", R"([{"a":1},{"b":2},{"a":3}])", R"([{"a":{"t":"x"}},{"b":2},{"a":{"t":"x"}}])"},
      {"{ set: { '$..a': 0 } }", R"({"a":{"a":1},"b":[{"a":2}]})", R"({"a":0,"b":[{"a":0}]})"},
      {"{ set: { $: 0 } }", R"({"a":1})", "0"},
  });
}

TEST(Json, ValuesOfTheRequestAreTextsAndWhatIsNotThereStandsForNothing) {
  check({
      {"{ set: { /a: '${request.method} \"${route}\"', /b: '$${x}' } }", "{}", R"({"a":"POST \"r\"","b":"${x}"})"},
      {"{ set: { /a: '${request.header.X-None}', /b: '${request.header.X-None:none}' } }", R"({"a":1,"b":2})", R"({"b":"none"})"},
      {"{ set: { /a: { x: '${claims.sub}', y: [ '${claims.sub}', z ] } } }", "{}", R"({"a":{"y":["z"]}})"},
      {"{ set: { '$[*]': '${claims.sub}', /-: '${route}' } }", "[1,2]", R"(["r"])"},
  });
}

TEST(Json, OtherEditsByPointerAndByPath) {
  check({
      {"{ remove: [ /a, /b/1, /none/x ] }", R"({"a":1,"b":[1,2,3]})", R"({"b":[1,3]})"},
      {"{ remove: [ '$..s', '$.l[?@.hidden == true]', '$.l[-1]' ] }", R"({"s":1,"l":[{"s":2},{"hidden":true},{"x":{"s":[]}}]})", R"({"l":[{}]})"},
      {"{ remove: [ '$[?@.price > 9.99]' ] }", R"([{"price":10},{"price":9.99},{"price":9.990000000000000000001},{"price":"11"}])", R"([{"price":9.99},{"price":"11"}])"},
      {"{ rename: { /a: b } }", R"({"a":1,"c":2})", R"({"b":1,"c":2})"},
      {"{ rename: { /a: c } }", R"({"c":0,"a":1})", R"({"c":1})"},
      {"{ rename: { '$.l[*].q': quantity, /l/0: x } }", R"({"l":[{"q":1},{"q":2}]})", R"({"l":[{"quantity":1},{"quantity":2}]})"},
      {"{ rename: { /a: 'q\"' } }", R"({"a":1})", R"({"q\"":1})"},
      {"{ move: { /a: /b/c } }", R"({"a":{"x":1.0},"z":0})", R"({"z":0,"b":{"c":{"x":1.0}}})"},
      {"{ move: { /a: /a/b } }", R"({"a":1})", R"({"a":{"b":1}})"},
      {"{ move: { /data: '' } }", R"({"data":[1],"meta":2})", "[1]"},
      {"{ move: { '': /data } }", "[1]", R"({"data":[1]})"},
      {"{ move: { $.a.b: /c, /none: /d } }", R"({"a":{"b":1}})", R"({"a":{},"c":1})"},
      {"{ move: { /a: /b/c } }", R"({"a":1,"b":2})", "json-mismatch"},
      {"{ move: { /0: /- } }", "[1,2]", "[2,1]"},
      {"{ wrap: /a/b }", "[1]", R"({"a":{"b":[1]}})"},
      {"{ wrap: data }", "null", R"({"data":null})"},
      {"{ pick: [ /a/b, '$.l[*].id' ] }", R"({"a":{"b":{"x":[1]},"c":2},"l":[{"id":1,"p":2},{"q":3},5],"z":0})", R"({"a":{"b":{"x":[1]}},"l":[{"id":1}]})"},
      {"{ pick: [ /none ] }", R"({"a":1})", "{}"},
      {"{ pick: [ /none ] }", "3", "null"},
      {"{ pick: [ $.a, $.a.b ] }", R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1,"c":2}})"},
      {"{ pick: [ /a ], remove: [ /a/x ], move: { /a/y: /y }, rename: { /y: z }, set: { /n: 1 }, wrap: w }", R"({"a":{"x":1,"y":2},"b":3})", R"({"w":{"a":{},"z":2,"n":1}})"},
      {"[ { wrap: w }, { set: { /w/a: 1 } }, { remove: [ /w/b ] } ]", R"({"b":0})", R"({"w":{"a":1}})"},
  });
}

TEST(Json, WhatNoEditChangesStaysOctetForOctet) {
  check({
      {"{ remove: [ /none ] }", R"( { "a" : 1 } )", R"( { "a" : 1 } )"},
      {"{ pick: [ /a ] }", R"( { "a" : 1 } )", R"( { "a" : 1 } )"},
      {"{ move: { /none: /x }, rename: { '$..none': x }, set: { '$..none': 1, /b: '${claims.sub}' } }", R"( [ ] )", R"( [ ] )"},
  });
}

TEST(Json, OctetsThatAreNotUtf8AreRefused) {
  check({{"{ wrap: a }", "\"\xff\"", "json-malformed"}, {"{ wrap: a }", "{\"\xc0\xaf\":1}", "json-malformed"}, {"{ wrap: a }", "\xef\xbb\xbf{}", "json-malformed"}});
}

TEST(Json, ALargeBodyIsEditedOffTheLoop) {
  Stepped policy("[ { json: { request: { wrap: a }, max_size: 1MiB } } ]");
  const std::string text = "\"" + std::string(100'000, 'x') + "\"";
  EXPECT_EQ(requested(policy, text).body, "{\"a\":" + text + "}");
}

TEST(Json, AChangedRequestSaysNothingOfTheOctetsThatCame) {
  Stepped policy("[ { json: { request: { set: { /a: 1 } } } } ]");
  const std::string fields = "Content-Type: application/merge-patch+json\r\nContent-Encoding: gzip\r\nContent-Digest: sha-256=:a:\r\nX-A: b\r\n";
  const Request zipped = requested(policy, coding::encode(coding::Coding::Gzip, "{}"), fields);
  EXPECT_EQ(zipped.body, R"({"a":1})");
  EXPECT_EQ(zipped.fields.find("Digest"), std::string::npos);
  EXPECT_EQ(zipped.fields.find("Encoding"), std::string::npos);
  EXPECT_NE(zipped.fields.find("X-A"), std::string::npos);
}

struct Answer {
  std::string body, failure;
  std::optional<std::uint64_t> length;
  bool held_while_it_came = true;
};

// The answer in pieces of `size` octets, into rooms of as many.
Answer answered(Stepped& policy, std::string_view body, std::size_t size, std::string_view coding = {}) {
  policy.step(get("/"));
  http::Fields fields(*policy.arena);
  fields.add("Content-Type", "application/json");
  if (!coding.empty()) fields.add("Content-Encoding", coding);
  std::uint16_t status = 200;
  http::BodyFraming framing{http::Framing::Chunked, 0};
  policy::ResponseInput response{status, fields, false, *policy.input, framing};
  policy.list[0]->on_response(response);
  EXPECT_EQ(fields.find("Content-Encoding"), nullptr);
  Answer out;
  std::vector<char> room(size);
  policy::BodyFilter& filter = *policy.input->answer_body;
  bool ended = false;
  while (!ended) {
    std::string_view piece = body.substr(0, size);
    body.remove_prefix(piece.size());
    ended = body.empty();
    policy::BodyFilter::Moved moved;
    do {
      out.held_while_it_came = out.held_while_it_came && (filter.holds_head() || ended);
      moved = filter.move(piece, ended ? policy::Behind::End : policy::Behind::Wait, room);
      EXPECT_TRUE(moved.made == 0 || !filter.holds_head());
      piece.remove_prefix(moved.taken);
      out.body.append(room.data(), moved.made);
      if (moved.failure != nullptr) {
        out.failure = moved.failure->word;
        return out;
      }
    } while (moved.more);
    EXPECT_TRUE(piece.empty());
  }
  out.length = filter.length();
  return out;
}

TEST(Json, AnAnswerIsHeldUntilAllOfItIsThereWhateverItsPieces) {
  const std::string body = R"({"secret":1,"a":[1.0,"ß"],"secret2":2})", becomes = R"({"a":[1.0,"ß"],"secret2":2})";
  Stepped policy("[ { json: { response: { remove: [ /secret ] } } } ]");
  for (const std::size_t size : {1, 2, 7, 1000}) {
    const Answer plain = answered(policy, body, size);
    EXPECT_EQ(plain.body, becomes);
    EXPECT_EQ(plain.length, becomes.size());
    EXPECT_TRUE(plain.held_while_it_came);
    for (const auto coding : {coding::Coding::Gzip, coding::Coding::Deflate, coding::Coding::Brotli, coding::Coding::Zstd}) {
      const Answer coded = answered(policy, coding::encode(coding, body), size, coding::name(coding));
      EXPECT_EQ(coded.body, becomes) << coding::name(coding);
      EXPECT_EQ(coded.length, becomes.size());
    }
  }
}

TEST(Json, AnAnswerThatCantBeEditedIsRefusedOrGoesOnAsItIs) {
  struct Row {
    const char* body;
    const char* reason;
  };
  for (const Row& row : {Row{"{\"a\":1,", "answer-json"}, {"[[[[[1]]]]]", "answer-json"}, {"[1,2,3,4,5,6,7,8,9]", "answer-json"}, {"[\"0123456789012345678901234567890123456789012345678901234567890123456789\"]", "answer-too-large"}, {"{\"a\":3}", "answer-json"}}) {
    for (const std::size_t size : {1, 3, 100}) {
      Stepped strict("[ { json: { response: { set: { /a/b: 1 } }, max_size: 40B, max_depth: 3, max_values: 8 } } ]");
      const Answer refused = answered(strict, row.body, size);
      EXPECT_EQ(refused.failure, row.reason) << row.body;
      EXPECT_EQ(refused.body, "") << row.body;
      Stepped lenient("[ { json: { response: { set: { /a/b: 1 } }, max_size: 40B, max_depth: 3, max_values: 8, on_error: pass } } ]");
      EXPECT_EQ(answered(lenient, row.body, size).body, row.body) << size;
      EXPECT_EQ(answered(lenient, coding::encode(coding::Coding::Gzip, row.body), size, "gzip").body, row.body) << size;
    }
  }
  Stepped lenient("[ { json: { response: { wrap: a }, on_error: pass } } ]");
  EXPECT_EQ(answered(lenient, "no gzip", 100, "gzip").failure, "answer-encoding");
}

}  // namespace
}  // namespace gatelab::test
