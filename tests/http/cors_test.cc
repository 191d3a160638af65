// SPDX-License-Identifier: Apache-2.0
#include "http/cors.h"

#include <gtest/gtest.h>

#include "http/parser.h"

namespace gatelab::http {
namespace {

TEST(Cors, KnowsAnOriginAsBrowsersWriteIt) {
  for (const char* text : {"https://app.example", "http://localhost:3000", "https://app.example:8443", "http://app.example:443", "https://app.example:80", "http://127.0.0.1:8080", "https://[2001:db8::1]", "http://[::1]:3000",
                           "https://app.example.", "https://my_app.local", "chrome-extension://abcdefghijklmnop", "capacitor://localhost", "a://b"})
    EXPECT_TRUE(is_origin(text)) << text;
  for (const char* text : {"", "null", "*", "app.example", "//app.example", "https://", "https:/app.example", "https:app.example", "https://App.example", "HTTPS://app.example", "https://app.example/", "https://app.example/x",
                           "https://app.example?x", "https://app.example#x", "https://user@app.example", "https://user:pass@app.example", "https://app.example:443", "http://app.example:80", "https://app.example:", "https://app.example:0",
                           "https://app.example:08443", "https://app.example:65536", "https://app.example:+1", "https://app.example:8443:8443", "https://app example", "https://app.example ", " https://app.example", "https://äpp.example",
                           "https://app%2eexample", "https://*.example", "https://[::1", "https://::1", "https://[::0001]", "https://[::1]x", "https://[127.0.0.1]", "https://a\\b", "://a", "1a://b", "https://a,https://b", "https://[]"})
    EXPECT_FALSE(is_origin(text)) << text;
  EXPECT_FALSE(is_origin("https://" + std::string(600, 'a')));
}

TEST(Cors, KnowsAPreflight) {
  struct Row {
    const char* head;
    bool preflight;
    const char* method;
  };
  for (const Row& row : {Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: PUT\r\n\r\n", true, "PUT"},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\norigin: null\r\naccess-control-request-method: M-SEARCH\r\n\r\n", true, "M-SEARCH"},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\r\n", false, ""},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Method: PUT\r\n\r\n", false, ""},
                         Row{"GET /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: PUT\r\n\r\n", false, ""},
                         Row{"options /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: PUT\r\n\r\n", false, ""},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: P UT\r\n\r\n", true, ""},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method:\r\n\r\n", true, ""},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: GET, PUT\r\n\r\n", true, ""},
                         Row{"OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Method: PUT\r\n\r\n", true, ""}}) {
    Arena arena;
    RequestHead head(arena);
    RequestParser parser(head, {});
    ASSERT_EQ(parser.parse(row.head), ParseState::Done) << row.head;
    EXPECT_EQ(is_preflight(head), row.preflight) << row.head;
    EXPECT_EQ(preflight_method(head), row.method) << row.head;
  }
}

}  // namespace
}  // namespace gatelab::http
