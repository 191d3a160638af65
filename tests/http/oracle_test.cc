// SPDX-License-Identifier: Apache-2.0
// Our HTTP/1 parser beside llhttp, which no one here wrote: what it refuses we refuse, or docs/llhttp-differences.md names the
// section that decides; what both take they read alike, to the same last octet.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "support/llhttp_oracle.h"

namespace gatelab::test {
namespace {

const std::vector<std::string> kRequests = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a/b?c=d&e HTTP/1.1\r\nHost: a:80\r\nX-Empty:\r\nX-Tab:\t\tv \t\r\nX: a\tb\r\n\r\n",
    "GET http://h:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close, X\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y;z=\"q\"\r\n0123456789\r\n00\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
    "PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nCookie: a=b; c=\"d\"\r\nX: \x80\xff\r\n\r\n",
    "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n",
    "FROBNICATE / HTTP/1.1\r\nHost: a\r\n\r\n",
};

const std::vector<std::string> kResponses = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 599 A longer reason: with marks\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
};

struct Known {
  const char* octets;
  bool request;
  const char* difference;  // as difference() says it
  const char* section;     // as the page says it
};

constexpr Known kKnown[] = {
    {"FROBNICATE / HTTP/1.1\r\nHost: a\r\n\r\n", true, "known: method", "RFC 9110 §9.1"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\t\r\n\r\nx", true, "known: tab", "RFC 9110 §5.6.3"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", false, "known: tab", "RFC 9110 §5.6.3"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b;c=\"d\"\r\nx\r\n0\r\n\r\n", true, "known: extension", "RFC 9112 §7.1.1"},
};

TEST(Llhttp, ReadsEveryWholeMessageAsWeDo) {
  for (const std::string& octets : kRequests) {
    const Reading ours = our_request(octets);
    EXPECT_EQ(ours.end, Reading::End::Whole) << octets << ours.why;
    const std::string differs = request_difference(octets);
    EXPECT_TRUE(differs.empty() || differs.starts_with("known: ")) << octets << differs;
  }
  for (const std::string& octets : kResponses)
    for (const bool head : {false, true}) {
      const std::string message = head ? octets.substr(0, octets.find("\r\n\r\n") + 4) : octets;
      const Reading ours = our_response(message, head);
      EXPECT_EQ(ours.end, Reading::End::Whole) << message << ours.why;
      EXPECT_EQ(response_difference(message, head), "") << (head ? "to HEAD: " : "") << message;
    }
}

TEST(Llhttp, DiffersOnlyWhereThePageSaysWhichSectionDecides) {
  std::ifstream in(GATELAB_SOURCE_DIR "/docs/llhttp-differences.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  for (const Known& known : kKnown) {
    const std::string differs = known.request ? request_difference(known.octets) : response_difference(known.octets, false);
    EXPECT_EQ(differs, known.difference) << known.octets;
    EXPECT_NE(page.find(known.section), std::string::npos) << known.section;
  }
}

// Found by the fuzzer: RFC 9110 §5.6.1.2 lets us ignore empty elements, llhttp then sees no chunked body at all.
TEST(Llhttp, WhatItReadsOtherwiseInAFramingFieldIsRefused) {
  for (const char* encoding : {"chunked,", ",chunked", "chunked, ,", ", ,chunked,,,", "chunked\r\nTransfer-Encoding:", "chunked\r\nTransfer-Encoding: ,"}) {
    const std::string fields = std::string("Transfer-Encoding: ") + encoding + "\r\n\r\n0\r\n\r\n";
    EXPECT_EQ(our_response("HTTP/1.1 200 OK\r\n" + fields, false).why, "chunked-not-last") << encoding;
    EXPECT_EQ(our_request("POST / HTTP/1.1\r\nHost: a\r\n" + fields).why, "chunked-not-last") << encoding;
  }
}

// The octets that framing hangs on, put where they hurt.
std::string mutated(std::string text, Dice& dice) {
  constexpr std::string_view kOctets = "\r\n \t:;,0123456789abcdefxX-+\"\\/?#%*\x01\x7f\x80\xff";
  const std::vector<std::string> pieces = {"\r\n", "\n", "\r", "\r\n\r\n", "Content-Length: 3\r\n", "Content-Length: 03\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
                                           "Transfer-Encoding: gzip, chunked\r\n", "Host: b\r\n", " ", "\t", "0\r\n\r\n", "HTTP/1.1", "HTTP/1.0", ": ", "Connection: close\r\n", "Connection: upgrade\r\n",
                                           "Upgrade: x\r\n", ";a=b", "chunked", "X\r\n", "\0"};
  for (std::uint64_t n = 1 + dice.below(3); n > 0 && !text.empty(); --n) {
    const auto at = static_cast<std::size_t>(dice.below(text.size()));
    switch (dice.below(6)) {
      case 0: text[at] = kOctets[dice.below(kOctets.size())]; break;
      case 1: text.insert(at, 1, kOctets[dice.below(kOctets.size())]); break;
      case 2: text.erase(at, 1 + static_cast<std::size_t>(dice.below(4))); break;
      case 3: text.insert(at, pieces[dice.below(pieces.size())]); break;
      case 4: {  // a piece at the begin of a line
        const std::size_t line = text.find("\r\n", at);
        if (line != std::string::npos) text.insert(line + 2, pieces[dice.below(pieces.size())]);
        break;
      }
      default: text.insert(at, text.substr(at, 1 + static_cast<std::size_t>(dice.below(12))));
    }
  }
  return text;
}

TEST(Llhttp, BearsUsOutOnAHundredThousandBrokenMessages) {
  std::map<std::string, std::string> found;
  std::size_t whole = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 50'000; ++seed) {
    Dice dice(seed);
    const std::string request = mutated(kRequests[dice.below(kRequests.size())], dice);
    const Reading ours = our_request(request);
    const std::string differs = request_difference(request);
    if (!differs.empty() && !differs.starts_with("known: ")) found.emplace("request: " + differs.substr(0, differs.find_first_of("`0123456789")), differs + "\n" + request);
    ++(ours.end == Reading::End::Whole ? whole : refused);
    const std::string response = mutated(kResponses[dice.below(kResponses.size())], dice);
    for (const bool head : {false, true}) {
      const std::string other = response_difference(response, head);
      if (!other.empty() && !other.starts_with("known: ")) found.emplace("response: " + other.substr(0, other.find_first_of("`0123456789")), other + "\n" + response);
    }
  }
  for (const auto& [kind, example] : found) ADD_FAILURE() << example;
  EXPECT_GT(whole, 5'000U) << "most mutations are refused at the first octet: the test has gone blind";
  EXPECT_GT(refused, 10'000U);
}

}  // namespace
}  // namespace gatelab::test
