// SPDX-License-Identifier: Apache-2.0
// Which route wins (design: the ladder), why the others lost, and what `check` says of routes that never win.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "http/parser.h"
#include "route/table.h"

namespace gatelab::route {
namespace {

struct Routes {
  // `yaml`: a list of { name, match }.
  explicit Routes(const std::string& yaml) {
    auto file = std::make_shared<diag::SourceFile>();
    file->name = "t.yaml";
    file->text = yaml;
    tree = config::parse(file, {}, sink);
    EXPECT_NE(tree, nullptr) << yaml << diag::render_all(sink, diag::Colour::Off);
    std::vector<Spec> specs;
    for (const config::Node& node : tree->items) {
      Spec spec;
      spec.name = node.find("name")->text;
      spec.span = node.find("name")->span;
      spec.match = parse_match(node.find("match"), sink, "route `" + spec.name + "`");
      specs.push_back(std::move(spec));
    }
    table = std::make_unique<Table>(std::move(specs), sink);
    EXPECT_FALSE(sink.has_errors()) << diag::render_all(sink, diag::Colour::Off);
  }

  // "METHOD http://host/path?query" and field lines; the request as the table sees it.
  Request request(const std::string& line, const std::string& fields) {
    const std::size_t space = line.find(' ');
    arena.reset();
    head = std::make_unique<http::RequestHead>(arena);
    http::RequestParser parser(*head, {});
    const std::string text = line.substr(0, space) + line.substr(space) + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
    EXPECT_EQ(parser.parse(arena.copy(text)), http::ParseState::Done) << text;
    Request r;
    r.host = head->host;
    r.path = head->path;
    r.query = head->query;
    r.method = head->method_text;
    r.fields = &head->fields;
    return r;
  }
  std::string winner(const std::string& line, const std::string& fields = "") {
    const Matched m = table->match(request(line, fields), arena);
    if (m.route < 0) return m.allow.empty() ? "-" : "allow " + std::string(m.allow);
    std::string out = table->spec(m.route).name;
    for (const auto& [name, value] : m.parameters) out.append(" ").append(name).append("=").append(value);
    return out;
  }
  // "name: criterion (detail)" of every loser.
  std::string losers(const std::string& line, const std::string& fields = "") {
    const Request r = request(line, fields);
    std::string out;
    for (const Rejected& rejected : table->explain(r, table->match(r, arena).route)) {
      out.append(out.empty() ? "" : "; ").append(table->spec(rejected.route).name).append(": ").append(rejected.criterion);
      if (!rejected.detail.empty()) out.append(" (").append(rejected.detail).append(")");
    }
    return out;
  }
  std::string warnings() const {
    std::string out;
    for (const diag::Diagnostic& d : sink.all()) out.append(out.empty() ? "" : "; ").append(d.id).append(" ").append(d.message);
    return out;
  }

  diag::Sink sink;
  std::unique_ptr<config::Node> tree;
  std::unique_ptr<Table> table;
  Arena arena;
  std::unique_ptr<http::RequestHead> head;
};

struct Rung {
  const char* name;
  const char* routes;  // the loser stands first in the file wherever the file's order must not decide
  const char* request;
  const char* fields;
  const char* winner;
};

constexpr Rung kRungs[] = {
    // hosts
    {"exact host over wildcard", "- { name: wild, match: { hosts: ['*.b.local'] } }\n- { name: exact, match: { hosts: [a.b.local] } }", "GET http://a.b.local/", "", "exact"},
    {"exact host over a better path", "- { name: path, match: { path: /x } }\n- { name: host, match: { hosts: [a.local] } }", "GET http://a.local/x", "", "host"},
    {"longer wildcard over shorter", "- { name: short, match: { hosts: ['*.local'] } }\n- { name: long, match: { hosts: ['*.b.local'] } }", "GET http://a.b.local/", "", "long"},
    {"wildcard over any", "- { name: any }\n- { name: wild, match: { hosts: ['*.local'] } }", "GET http://a.local/", "", "wild"},
    {"a star is any host", "- { name: star, match: { hosts: ['*'] } }\n- { name: wild, match: { hosts: ['*.local'] } }", "GET http://other/", "", "star"},
    {"a wildcard needs a label", "- { name: wild, match: { hosts: ['*.b.local'] } }", "GET http://b.local/", "", "-"},
    {"a wildcard takes several labels", "- { name: wild, match: { hosts: ['*.b.local'] } }", "GET http://x.y.b.local/", "", "wild"},
    {"hosts compare without case and port", "- { name: exact, match: { hosts: [A.Local] } }", "GET http://a.LOCAL:99/", "", "exact"},
    {"a host that fails otherwise gives way", "- { name: host, match: { hosts: [a.local], path: /x } }\n- { name: any }", "GET http://a.local/y", "", "any"},
    // paths
    {"exact over template", "- { name: template, match: { path: '/a/{id}' } }\n- { name: exact, match: { path: /a/b } }", "GET http://h/a/b", "", "exact"},
    {"template over prefix", "- { name: prefix, match: { path: /a/* } }\n- { name: template, match: { path: '/a/{id}' } }", "GET http://h/a/b", "", "template id=b"},
    {"prefix over any path", "- { name: any }\n- { name: prefix, match: { path: /a/* } }", "GET http://h/a/b", "", "prefix"},
    {"longer prefix over shorter", "- { name: short, match: { path: /a/* } }\n- { name: long, match: { path: /a/b/* } }", "GET http://h/a/b/c", "", "long"},
    {"a literal on the left over literals on the right", "- { name: right, match: { path: '/{x}/b/c' } }\n- { name: left, match: { path: '/a/{y}/{z}' } }", "GET http://h/a/b/c", "", "left y=b z=c"},
    {"exact over prefix of the same path", "- { name: prefix, match: { path: /a/* } }\n- { name: exact, match: { path: /a } }", "GET http://h/a", "", "exact"},
    {"a prefix matches its own path", "- { name: prefix, match: { path: /a/* } }", "GET http://h/a", "", "prefix"},
    {"a prefix matches by segment", "- { name: prefix, match: { path: /a/* } }", "GET http://h/ab", "", "-"},
    {"a slash at the end is another path", "- { name: exact, match: { path: /a } }", "GET http://h/a/", "", "-"},
    {"a parameter is never empty", "- { name: template, match: { path: '/a/{id}' } }", "GET http://h/a/", "", "-"},
    {"a parameter is one segment", "- { name: template, match: { path: '/a/{id}' } }", "GET http://h/a/b/c", "", "-"},
    {"two parameters", "- { name: template, match: { path: '/{a}/x/{b}' } }", "GET http://h/1/x/2", "", "template a=1 b=2"},
    {"back from a literal that leads nowhere", "- { name: deep, match: { path: /a/b/c } }\n- { name: template, match: { path: '/a/{id}/d' } }", "GET http://h/a/b/d", "", "template id=b"},
    {"regex after everything else", "- { name: regex, match: { path: { regex: ^/a } } }\n- { name: any, match: { path: /* } }", "GET http://h/a", "", "any"},
    {"regexes in the file's order", "- { name: first, match: { path: { regex: a } } }\n- { name: second, match: { path: { regex: ^/a$ } } }", "GET http://h/a", "", "first"},
    {"regex where nothing else fits", "- { name: exact, match: { path: /b } }\n- { name: regex, match: { path: { regex: '^/v[0-9]+/' } } }", "GET http://h/v12/x", "", "regex"},
    {"prefix written long", "- { name: prefix, match: { path: { prefix: /a } } }", "GET http://h/a/b", "", "prefix"},
    {"braces in an exact path are text", "- { name: exact, match: { path: { exact: /a%7Bb%7D } } }", "GET http://h/a%7Bb%7D", "", "exact"},
    // the same place: methods, header conditions, query conditions, order
    {"a method over none", "- { name: any, match: { path: /a } }\n- { name: get, match: { path: /a, methods: [GET] } }", "GET http://h/a", "", "get"},
    {"HEAD where GET is listed", "- { name: get, match: { path: /a, methods: [GET] } }", "HEAD http://h/a", "", "get"},
    {"methods compare with case", "- { name: get, match: { path: /a, methods: [GET] } }", "get http://h/a", "", "allow GET, HEAD"},
    {"a method before headers", "- { name: headers, match: { path: /a, headers: { A: '1', B: '2' } } }\n- { name: method, match: { path: /a, methods: [GET] } }", "GET http://h/a", "A: 1\r\nB: 2\r\n", "method"},
    {"more header conditions", "- { name: one, match: { path: /a, headers: { A: '1' } } }\n- { name: two, match: { path: /a, headers: { A: '1', B: '2' } } }", "GET http://h/a", "A: 1\r\nB: 2\r\n", "two"},
    {"header conditions before query", "- { name: query, match: { path: /a, query: { p: '1', q: '2' } } }\n- { name: header, match: { path: /a, headers: { A: '1' } } }", "GET http://h/a?p=1&q=2", "A: 1\r\n", "header"},
    {"more query conditions", "- { name: one, match: { path: /a, query: { p: '1' } } }\n- { name: two, match: { path: /a, query: { p: '1', q: '2' } } }", "GET http://h/a?q=2&p=1", "", "two"},
    {"the earlier in the file", "- { name: first, match: { path: /a, query: { p: '1' } } }\n- { name: second, match: { path: /a, query: { q: '1' } } }", "GET http://h/a?q=1&p=1", "", "first"},
    {"path before number of conditions", "- { name: conditions, match: { path: /a/*, methods: [GET], headers: { A: '1' } } }\n- { name: path, match: { path: /a/b } }", "GET http://h/a/b", "A: 1\r\n", "path"},
    {"a failing condition gives way to a less specific path", "- { name: any, match: { path: /* } }\n- { name: beta, match: { path: /a, headers: { X-Beta: 'yes' } } }", "GET http://h/a", "X-Beta: no\r\n", "any"},
    // conditions
    {"header names without case, values with", "- { name: h, match: { headers: { x-a: Val } } }", "GET http://h/", "X-A: Val\r\n", "h"},
    {"header value differs in case", "- { name: h, match: { headers: { x-a: Val } } }", "GET http://h/", "X-A: val\r\n", "-"},
    {"any of repeated headers", "- { name: h, match: { headers: { X-A: '2' } } }", "GET http://h/", "X-A: 1\r\nX-A: 2\r\n", "h"},
    {"header present", "- { name: h, match: { headers: { X-A: { present: true } } } }", "GET http://h/", "X-A:\r\n", "h"},
    {"header regex", "- { name: h, match: { headers: { User-Agent: { regex: ^curl } } } }", "GET http://h/", "User-Agent: curl/8\r\n", "h"},
    {"query decoded", "- { name: q, match: { query: { 'a b': 'c&d' } } }", "GET http://h/?a%20b=c%26d", "", "q"},
    {"query present", "- { name: q, match: { query: { a: { present: true } } } }", "GET http://h/?a", "", "q"},
    {"query regex", "- { name: q, match: { query: { v: { regex: '^[0-9]+$' } } } }", "GET http://h/?v=x&v=12", "", "q"},
    // nothing fits
    {"no route at all", "- { name: a, match: { path: /a } }", "GET http://h/b", "", "-"},
    {"Allow gathers every method of the path", "- { name: a, match: { path: /a, methods: [GET] } }\n- { name: b, match: { path: '/{x}', methods: [POST, PUT] } }", "DELETE http://h/a", "", "allow GET, HEAD, POST, PUT"},
    {"Allow leaves out what other conditions exclude", "- { name: a, match: { path: /a, methods: [GET], headers: { A: '1' } } }", "POST http://h/a", "", "-"},
};

TEST(Ladder, EachRungDecides) {
  for (const Rung& rung : kRungs) {
    Routes routes(rung.routes);
    EXPECT_EQ(routes.winner(rung.request, rung.fields), rung.winner) << rung.name;
  }
}

TEST(Explain, NamesTheFirstCriterionThatEachLoserFailed) {
  Routes routes(
      "- { name: host, match: { hosts: [a.local, '*.b.local'], path: /x, methods: [PUT] } }\n"
      "- { name: path, match: { path: /x/*, methods: [PUT] } }\n"
      "- { name: method, match: { path: '/orders/{id}', methods: [POST, PUT], headers: { X-Beta: '1' } } }\n"
      "- { name: header, match: { path: /orders/*, headers: { X-One: '1', X-Two: '2' }, query: { v: '1' } } }\n"
      "- { name: query, match: { path: /orders/*, query: { v: '1' } } }\n"
      "- { name: winner, match: { path: '/orders/{id}' } }\n"
      "- { name: broad, match: { path: /* } }\n");
  EXPECT_EQ(routes.losers("GET http://h/orders/7", "X-One: 1\r\n"),
            "host: host (a.local, *.b.local ≠ h); path: path (/x/* ≠ /orders/7); method: method (POST, PUT ≠ GET); header: header X-Two; "
            "query: query v; broad: less specific than winner");
  EXPECT_EQ(Routes("- { name: only, match: { path: /a } }").losers("GET http://h/a"), "");
  EXPECT_EQ(Routes("- { name: only, match: { path: /a } }").losers("GET http://h/b"), "only: path (/a ≠ /b)");
}

// What the table finds and what each criterion says alone must be one and the same, whatever the routes.
TEST(Explain, AgreesWithTheTableOnRandomRoutesAndRequests) {
  const std::vector<std::string> hosts{"a.local", "'*.local'", "'*.b.local'", "c.b.local", "'*'"};
  const std::vector<std::string> paths{"/", "/*", "/a", "/a/*", "/a/b", "'/a/{x}'", "'/{x}'", "'/{x}/b'", "/a/b/*", "{ regex: b$ }", "'/{x}/{y}'", "/b/*"};
  const std::vector<std::string> targets{"/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/b/b", "/c/b", "/ab", "//b"};
  const std::vector<std::string> names{"a.local", "c.b.local", "x.c.b.local", "b.local", "elsewhere"};
  Dice dice(11);
  const auto pick = [&dice](const std::vector<std::string>& from) { return from[dice.below(from.size())]; };
  std::size_t matched = 0, none = 0, allowed = 0;
  for (int round = 0; round < 300; ++round) {
    std::string yaml;
    const std::uint64_t count = 1 + dice.below(8);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string match;
      if (dice.below(2) == 0) match += "hosts: [" + pick(hosts) + "], ";
      if (dice.below(4) != 0) match += "path: " + pick(paths) + ", ";
      if (dice.below(3) == 0) match += "methods: [GET], ";
      if (dice.below(3) == 0) match += "headers: { X-A: '1' }, ";
      if (dice.below(3) == 0) match += "query: { q: '1' }, ";
      yaml += "- { name: r" + std::to_string(i) + ", match: { " + match + "} }\n";
    }
    Routes routes(yaml);
    for (int i = 0; i < 40; ++i) {
      const std::string line = (dice.below(2) == 0 ? "GET http://" : "POST http://") + pick(names) + pick(targets) + (dice.below(2) == 0 ? "?q=1" : "");
      const Request r = routes.request(line, dice.below(2) == 0 ? "X-A: 1\r\n" : "");
      const Matched m = routes.table->match(r, routes.arena);
      bool only_method = false;
      for (const Rejected& rejected : routes.table->explain(r, m.route)) {
        ASSERT_FALSE(rejected.criterion.empty()) << yaml << line << ": route r" << rejected.route << " fits, and was not found";
        only_method = only_method || rejected.criterion == "method";
      }
      if (m.route >= 0) {
        // The winner itself must fit: asked as a loser, it fails nothing.
        const Rejected asked = routes.table->explain(r, -1).at(static_cast<std::size_t>(m.route));
        ASSERT_EQ(asked.criterion, "") << yaml << line << ": r" << m.route << " won and does not fit";
      }
      ASSERT_TRUE(m.allow.empty() || only_method) << yaml << line;
      ++(m.route >= 0 ? matched : m.allow.empty() ? none : allowed);
    }
  }
  EXPECT_GT(matched, 1'000U);
  EXPECT_GT(none, 1'000U);
  EXPECT_GT(allowed, 50U);
}

TEST(Lint, WarnsOfRoutesThatNeverWinAndOfTies) {
  const std::pair<const char*, const char*> cases[] = {
      {"- { name: a, match: { path: /x } }\n- { name: b, match: { path: /y } }", ""},
      {"- { name: a, match: { path: /x } }\n- { name: b, match: { path: /x } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
      {"- { name: a }\n- { name: b, match: { path: /* } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
      {"- { name: a, match: { path: '/x/{id}' } }\n- { name: b, match: { path: '/x/{name}' } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
      {"- { name: a, match: { path: /x, methods: [GET, POST] } }\n- { name: b, match: { path: /x, methods: [GET] } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
      {"- { name: a, match: { path: /x, methods: [GET] } }\n- { name: b, match: { path: /x, methods: [GET, POST] } }", "route-tie routes `a` and `b` tie: only their order in the file decides between them"},
      {"- { name: a, match: { path: /x, headers: { A: '1' } } }\n- { name: b, match: { path: /x, headers: { B: '1' } } }", "route-tie routes `a` and `b` tie: only their order in the file decides between them"},
      {"- { name: a, match: { path: /x, headers: { A: '1' } } }\n- { name: b, match: { path: /x } }", ""},
      {"- { name: a, match: { path: /x, methods: [GET] } }\n- { name: b, match: { path: /x } }", ""},
      {"- { name: a, match: { hosts: [h.local], path: /x } }\n- { name: b, match: { path: /x } }", ""},
      {"- { name: a, match: { hosts: [h.local, i.local], path: /x } }\n- { name: b, match: { hosts: [i.local], path: /x } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
      {"- { name: a, match: { path: { regex: x } } }\n- { name: b, match: { path: { regex: x } } }", "route-unreachable route `b` can never be reached: `a` takes all of its requests"},
  };
  for (const auto& [yaml, want] : cases) EXPECT_EQ(Routes(yaml).warnings(), want) << yaml;
}

// Hosts of their own keep routes out of each other's way, however many there are.
TEST(Lint, FindsADuplicateAmongManyHosts) {
  std::string yaml;
  for (int i = 0; i < 200; ++i) yaml += "- { name: r" + std::to_string(i) + ", match: { hosts: [h" + std::to_string(i) + ".local] } }\n";
  EXPECT_EQ(Routes(yaml + "- { name: again, match: { hosts: [h150.local] } }").warnings(), "route-unreachable route `again` can never be reached: `r150` takes all of its requests");
}

TEST(Table, MatchesAMillionSegmentsOfPathWithoutGoingDeeperThanItsRoutes) {
  Routes routes("- { name: a, match: { path: '/{a}/{b}/{c}' } }\n- { name: b, match: { path: /* } }");
  std::string path;
  for (int i = 0; i < 1'000'000; ++i) path += "/x";
  Request r;
  r.path = path;
  r.host = "h";
  r.method = "GET";
  EXPECT_EQ(routes.table->spec(routes.table->match(r, routes.arena).route).name, "b");
}

}  // namespace
}  // namespace gatelab::route
