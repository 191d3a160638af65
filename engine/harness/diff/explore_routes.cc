// SPDX-License-Identifier: Apache-2.0
// Which route: hosts, paths, methods, conditions, listeners; and fields that policies write or take away.
#include <algorithm>

#include "base/text.h"
#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

std::string encoded_last(std::string path) {
  constexpr char kHex[] = "0123456789ABCDEF";
  if (path.size() < 2) return path;
  const auto octet = static_cast<unsigned char>(path.back());
  path.pop_back();
  return path + '%' + kHex[octet >> 4] + kHex[octet & 15];
}

std::vector<std::string> paths_near(const std::string& path, const route::Match& match) {
  const std::size_t slash = path.rfind('/');
  const std::string above = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  std::string upper = path;
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  std::vector<std::string> out{path, path + "/", path + "x", path + "/extra", path + "/extra/more", above, above == "/" ? above : above + "/", above == "/" ? "/x" : above + "x",
                               encoded_last(path), "/." + path, "/x/.." + path, path + "/..", upper, "/" + path, path + "//", path + "%2Fextra", path + ";v=1", above == "/" ? "/other" : above + "/other"};
  if (match.path_kind == route::PathKind::Prefix && match.path != "/")
    for (const char* end : {"", "/", "/a/b/c", "x", "/%61"}) out.push_back(match.path + end);
  if (match.path_kind == route::PathKind::Regex)
    for (std::size_t i = 1; i < 6; ++i)
      if (const std::string other = sample_of(match.path, i); !other.empty()) out.push_back(other);
  return out;
}

void conditions(const View& view, const Request& base, const std::vector<route::Condition>& all, bool header, Probes& probes) {
  for (const route::Condition& condition : all) {
    const std::string what = (header ? "header " : "query ") + condition.name;
    const auto rebuild = [&](const std::optional<std::string>& value) {
      Request request = base;
      if (header) {
        std::erase_if(request.headers, [&](const auto& h) { return iequals(h.first, condition.name); });
        if (value) request.headers.emplace_back(condition.name, *value);
        return request;
      }
      // The query is written anew without it.
      const std::size_t query = request.target.find('?');
      std::string rest = query == std::string::npos ? "" : request.target.substr(query + 1), kept;
      while (!rest.empty()) {
        const std::size_t amp = rest.find('&');
        const std::string pair = rest.substr(0, amp);
        rest = amp == std::string::npos ? "" : rest.substr(amp + 1);
        if (pair.substr(0, pair.find('=')) != condition.name) kept += (kept.empty() ? "?" : "&") + pair;
      }
      request.target = path_of(request) + kept;
      if (value) add_query(request, condition.name, *value);
      return request;
    };
    add(probes, view, "without " + what).send(rebuild(std::nullopt));
    add(probes, view, "another value of " + what).send(rebuild("other"));
    add(probes, view, "an empty " + what).send(rebuild(""));
    if (condition.kind == route::Condition::Kind::Equals) {
      add(probes, view, what + " and more").send(rebuild(condition.value + "x"));
      std::string upper = condition.value;
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      add(probes, view, what + " in capitals").send(rebuild(upper));
    }
    if (condition.kind == route::Condition::Kind::Regex)
      for (std::size_t i = 1; i < 4; ++i)
        if (const std::string value = sample_of(condition.value, i); !value.empty()) add(probes, view, "a value of " + what).send(rebuild(value));
  }
}

}  // namespace

namespace {

void meet(Request& request, const Asked::Layer& layer) {
  const route::Match& match = layer.match;
  if (!match.methods.empty()) request.method = match.methods.front();
  if (match.path_kind != route::PathKind::Any)
    if (const std::string path = path_for(match); !path.empty()) set_path(request, path);
  if (!match.hosts.empty()) set_header(request, "Host", match.hosts.front().value.starts_with("*.") ? "a" + match.hosts.front().value.substr(1) : match.hosts.front().value);
  for (const route::Condition& c : match.headers) set_header(request, c.name, value_for(c));
  for (const route::Condition& c : match.query) add_query(request, c.name, value_for(c));
  if (!layer.addresses.empty()) request.from = address_in(layer.addresses.front());
}

}  // namespace

// From a request on that meets all of it.
void probe_conditions(const View& view, Probes& probes) {
  for (const Asked& asked : view.asked) {
    Request met = view.base, nobody = view.bare;
    for (const Asked::Layer& layer : asked.layers) meet(met, layer), meet(nobody, layer);
    const Asked::Layer& last = asked.layers.back();
    add(probes, view, asked.about + ", met").send(met, 2);
    conditions(view, met, last.match.headers, true, probes);
    conditions(view, met, last.match.query, false, probes);
    const auto changed = [&](const std::string& about, auto&& change) {
      Request request = met;
      change(request);
      add(probes, view, asked.about + ", " + about).send(std::move(request));
    };
    for (const std::string& method : last.match.methods) changed("method " + method, [&](Request& r) { r.method = method; });
    if (!last.match.methods.empty()) changed("another method", [](Request& r) { r.method = r.method == "PATCH" ? "PUT" : "PATCH"; });
    for (const std::string& range : last.addresses)
      for (const IpAddress& ip : edges_of(range)) changed("from " + format(ip) + ", at the border of " + range, [&](Request& r) { r.from = ip; });
    if (!asked.who) continue;
    for (const Identity& identity : view.identities) add(probes, view, asked.about + ", " + identity.about).send(with(nobody, identity));
  }
}

void probe_routing(const View& view, const Everything& all, Probes& probes) {
  const auto changed = [&](const std::string& about, auto&& change) {
    Request request = view.base;
    change(request);
    add(probes, view, about).send(std::move(request));
  };
  add(probes, view, "a request as it should be").send(view.base);
  std::set<std::string> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"};
  methods.insert(all.methods.begin(), all.methods.end());
  for (const std::string& method : methods) changed("method " + method, [&](Request& r) { r.method = method; });
  for (const std::string& path : paths_near(path_of(view.base), *view.match)) changed("path " + path, [&](Request& r) { set_path(r, path); });
  for (const char* path : {"/", "/no-such-path"}) changed("path " + std::string(path), [&](Request& r) { set_path(r, path); });
  std::set<std::string> hosts = all.hosts;
  hosts.insert("localhost");
  hosts.insert("other.example");
  const std::string own = view.base.headers.front().second;
  for (const std::string& host : {own + ":8080", "a." + own, "a.b." + own, own + ".", "x" + own}) hosts.insert(host);
  if (const std::size_t dot = own.find('.'); dot != std::string::npos) hosts.insert(own.substr(dot + 1));
  for (const auto& named : view.match->hosts)
    if (named.value.starts_with("*."))
      for (const char* front : {"", "b.", "a.b."}) hosts.insert(front + named.value.substr(2));
  for (const std::string& host : hosts) changed("host " + host, [&](Request& r) { set_header(r, "Host", host); });
  conditions(view, view.base, view.match->headers, true, probes);
  conditions(view, view.base, view.match->query, false, probes);
  for (const std::string& listener : all.listeners) changed("listener " + listener, [&](Request& r) { r.listener = listener; });
  for (const std::string& name : all.request_headers) changed("a client's own " + name, [&](Request& r) { set_header(r, name, "of-the-client"); });
  changed("a query", [](Request& r) { add_query(r, "q", "a b"); });
  changed("a query twice", [](Request& r) {
    add_query(r, "q", "1");
    add_query(r, "q", "2");
  });
  changed("a small body", [](Request& r) {
    r.method = r.method == "GET" || r.method == "HEAD" ? "POST" : r.method;
    r.has_body = true;
    r.body = "{}";
    set_header(r, "Content-Type", "application/json");
  });
  changed("a WebSocket", [](Request& r) {
    r.headers.insert(r.headers.end(), {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  });
  changed("fields of a proxy", [](Request& r) {
    r.headers.insert(r.headers.end(), {{"X-Forwarded-For", "198.51.100.7"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=198.51.100.8;proto=https"}});
  });
  changed("a field with an underscore", [](Request& r) { r.headers.emplace_back("under_score", "1"); });
  changed("a request id of the client", [](Request& r) { r.headers.emplace_back("X-Request-Id", "of-the-client"); });
  changed("TRACE", [](Request& r) { r.method = "TRACE"; });
  changed("cookies", [](Request& r) { r.headers.emplace_back("Cookie", "a=1; b=2"); });
}

}  // namespace gatelab::harness::diff
