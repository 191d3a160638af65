// SPDX-License-Identifier: Apache-2.0
#include "http/signature_base.h"

#include <gtest/gtest.h>

#include <string>

#include "http/parser.h"

namespace gatelab::test {
namespace {

using Fault = http::SignatureBase::Fault;

http::SignatureBase base_of(const std::string& text, const std::string& input, Arena& arena, std::string_view scheme = "https") {
  http::RequestHead head(arena);
  http::RequestParser parser(head, {});
  EXPECT_EQ(parser.parse(arena.copy(text)), http::ParseState::Done) << text;
  const auto parsed = http::structured::parse_dictionary(arena.copy("sig=" + input), arena);
  EXPECT_TRUE(parsed) << input;
  return http::signature_base(head, scheme, parsed->members.front(), arena);
}

// RFC 9421 §2.2 and §2.1, component by component.
TEST(SignatureBase, HoldsEachComponentAsTheRequestHasIt) {
  struct Row {
    const char* scheme;
    const char* line;
    const char* fields;
    const char* component;
    const char* value;
  };
  for (const Row& row : {
           Row{"https", "POST /path?param=value", "", "\"@method\"", "POST"},
           Row{"https", "get /", "", "\"@method\"", "get"},
           Row{"https", "POST /path?param=value", "", "\"@target-uri\"", "https://www.example.com/path?param=value"},
           Row{"http", "GET /a%2Fb//c/../d?", "", "\"@target-uri\"", "http://www.example.com/a%2Fb//c/../d?"},
           Row{"http", "GET http://Other.example:81/x?y", "", "\"@target-uri\"", "http://Other.example:81/x?y"},
           Row{"http", "GET http://other.example", "", "\"@target-uri\"", "http://other.example/"},
           Row{"http", "GET http://other.example?q", "", "\"@target-uri\"", "http://other.example/?q"},
           Row{"https", "GET /", "", "\"@authority\"", "www.example.com"},
           Row{"http", "GET http://Other.EXAMPLE:80/", "", "\"@authority\"", "other.example"},
           Row{"https", "GET http://Other.EXAMPLE:80/", "", "\"@authority\"", "other.example:80"},
           Row{"https", "GET http://[2001:DB8::1]:443/", "", "\"@authority\"", "[2001:db8::1]"},
           Row{"http", "GET http://other.example:/", "", "\"@authority\"", "other.example"},
           Row{"https", "GET /", "", "\"@scheme\"", "https"},
           Row{"https", "GET /path?param=value", "", "\"@request-target\"", "/path?param=value"},
           Row{"https", "GET http://other.example/p?q", "", "\"@request-target\"", "http://other.example/p?q"},
           Row{"https", "GET /path?param=value", "", "\"@path\"", "/path"},
           Row{"https", "GET /a%2fb/./c?x", "", "\"@path\"", "/a%2fb/./c"},
           Row{"https", "GET http://other.example", "", "\"@path\"", "/"},
           Row{"https", "GET /path?param=value&foo=bar&baz=batman", "", "\"@query\"", "?param=value&foo=bar&baz=batman"},
           Row{"https", "GET /path?queryString", "", "\"@query\"", "?queryString"},
           Row{"https", "GET /path?", "", "\"@query\"", "?"},
           Row{"https", "GET /path", "", "\"@query\"", "?"},
           Row{"https", "GET /path?param=value&foo=bar&baz=batman&qux=", "", "\"@query-param\";name=\"baz\"", "batman"},
           Row{"https", "GET /path?param=value&foo=bar&baz=batman&qux=", "", "\"@query-param\";name=\"qux\"", ""},
           // The three of §2.2.8.
           Row{"https", "GET /parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something", "", "\"@query-param\";name=\"var\"", "this%20is%20a%20big%0Amultiline%20value"},
           Row{"https", "GET /parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something", "", "\"@query-param\";name=\"bar\"", "with%20plus%20whitespace"},
           Row{"https", "GET /parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something", "", "\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\"", "something"},
           Row{"https", "GET /?a=~*-._", "", "\"@query-param\";name=\"a\"", "%7E*-._"},
           Row{"https", "GET /", "Date:\t Tue, 20 Apr 2021 02:07:56 GMT \r\n", "\"date\"", "Tue, 20 Apr 2021 02:07:56 GMT"},
           Row{"https", "GET /", "Cache-Control: max-age=60\r\nX: y\r\ncache-control:   must-revalidate  \r\n", "\"cache-control\"", "max-age=60, must-revalidate"},
           Row{"https", "GET /", "X-Empty-Header: \r\n", "\"x-empty-header\"", ""},
           Row{"https", "GET /", "X: \r\nX: \r\nX: a,  b\r\n", "\"x\"", ", , a,  b"},
       }) {
    Arena arena;
    const http::SignatureBase base = base_of(std::string(row.line) + " HTTP/1.1\r\nHost: www.example.com\r\n" + row.fields + "\r\n", std::string("(") + row.component + ");created=1", arena, row.scheme);
    EXPECT_EQ(base.fault, Fault::None) << row.line << row.component;
    EXPECT_EQ(base.text, std::string(row.component) + ": " + row.value + "\n\"@signature-params\": (" + row.component + ");created=1") << row.line;
  }
}

TEST(SignatureBase, HasNoLineForWhatIsNotThereOrNotKnown) {
  struct Row {
    const char* input;
    Fault fault;
    const char* component;
  };
  for (const Row& row : {
           Row{"(\"x\")", Fault::Absent, "\"x\""},
           Row{"(\"@query-param\";name=\"none\")", Fault::Absent, "\"@query-param\";name=\"none\""},
           Row{"(\"@query-param\";name=\"two\")", Fault::Absent, "\"@query-param\";name=\"two\""},
           Row{"(\"@query-param\";name=\"%61\")", Fault::Absent, "\"@query-param\";name=\"%61\""},
           Row{"(\"@query-param\")", Fault::Malformed, "\"@query-param\""},
           Row{"(\"@query-param\";name=a)", Fault::Malformed, "\"@query-param\";name=a"},
           Row{"(\"@query-param\";name=\"a\";req)", Fault::Unsupported, "\"@query-param\";name=\"a\";req"},
           Row{"(\"@status\")", Fault::Unsupported, "\"@status\""},
           Row{"(\"@signature-params\")", Fault::Unsupported, "\"@signature-params\""},
           Row{"(\"@body\")", Fault::Unsupported, "\"@body\""},
           Row{"(\"@method\";req)", Fault::Unsupported, "\"@method\";req"},
           Row{"(\"host\";sf)", Fault::Unsupported, "\"host\";sf"},
           Row{"(\"host\";key=\"a\")", Fault::Unsupported, "\"host\";key=\"a\""},
           Row{"(\"host\";bs)", Fault::Unsupported, "\"host\";bs"},
           Row{"(\"host\";tr)", Fault::Unsupported, "\"host\";tr"},
           Row{"(\"Host\")", Fault::Malformed, "\"Host\""},
           Row{"(\"ho st\")", Fault::Malformed, "\"ho st\""},
           Row{"(\"\")", Fault::Malformed, "\"\""},
           Row{"(host)", Fault::Malformed, "host"},
           Row{"(\"host\" \"@method\" \"host\")", Fault::Malformed, "\"host\""},
           Row{"1", Fault::Malformed, ""},
       }) {
    Arena arena;
    const http::SignatureBase base = base_of("GET /?a=1&two=1&tw%6f=2 HTTP/1.1\r\nHost: a\r\n\r\n", row.input, arena);
    EXPECT_EQ(base.fault, row.fault) << row.input;
    EXPECT_EQ(base.component, row.component) << row.input;
    EXPECT_EQ(base.text, "");
  }
  Arena arena;
  EXPECT_EQ(base_of("GET / HTTP/1.0\r\n\r\n", "(\"@authority\")", arena).fault, Fault::Absent) << "nobody said for whom it is";
  EXPECT_EQ(base_of("GET / HTTP/1.0\r\n\r\n", "(\"@target-uri\")", arena).fault, Fault::Absent);
}

TEST(SignatureBase, HoldsManyParametersOfALongQuery) {
  std::string query, input = "(";
  for (std::size_t i = 0; i < 60; ++i) {
    query.append(i == 0 ? "" : "&").append("n" + std::to_string(i) + "=" + std::string(120, 'x'));
    input.append(i == 0 ? "" : " ").append("\"@query-param\";name=\"n" + std::to_string(i) + "\"");
  }
  Arena arena;
  const http::SignatureBase base = base_of("GET /?" + query + " HTTP/1.1\r\nHost: a\r\n\r\n", input + ")", arena);
  EXPECT_EQ(base.fault, Fault::None) << base.component;
  for (std::size_t i = 0; i < 60; ++i) EXPECT_NE(base.text.find("name=\"n" + std::to_string(i) + "\": xxx"), std::string_view::npos);
}

}  // namespace
}  // namespace gatelab::test
