// SPDX-License-Identifier: Apache-2.0
// The borders of limits, addresses, origins and sizes.
#include <algorithm>

#include "base/cidr.h"
#include "base/text.h"
#include "base/units.h"
#include "config/node.h"
#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

constexpr Duration kNs{1};
constexpr std::uint64_t kMost = 2'000;           // requests of one probe
constexpr std::uint64_t kLargest = 16ULL << 20;  // octets of a body

std::uint64_t number_of(const config::Node* node, std::uint64_t fallback) {
  if (node == nullptr || node->text.empty() || node->text.size() > 18 || !std::all_of(node->text.begin(), node->text.end(), [](char c) { return c >= '0' && c <= '9'; })) return fallback;
  return std::stoull(node->text);
}

std::optional<Duration> duration_of(const config::Node* node) {
  if (node == nullptr) return std::nullopt;
  const auto parsed = parse_duration(node->text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

// Others, as a limiter may see them.
std::vector<std::pair<std::string, Request>> others(const View& view, const config::Node& policy) {
  std::vector<std::pair<std::string, Request>> out;
  Request elsewhere = view.base;
  elsewhere.from = *parse_ip("10.11.12.13");
  out.emplace_back("another address", elsewhere);
  const config::Node* key = policy.find("key");
  if (const config::Node* header = key == nullptr ? nullptr : key->find("header"))
    for (const char* value : {"one", "two"}) {
      Request request = view.base;
      set_header(request, header->text, value);
      out.emplace_back(header->text + " " + value, request);
    }
  return out;
}

// Until it is used up, and one more; others then; and the same again on both sides of the borders of time.
void use_up(const View& view, const std::string& about, std::uint64_t n, const Request& by, const std::vector<Duration>& edges, const config::Node& policy, Probes& probes, std::set<std::string>& notes) {
  if (n + 1 > kMost) {
    notes.insert(about + " is larger than " + std::to_string(kMost) + ": it is not used up, its fields are compared");
    return;
  }
  Probe& probe = add(probes, view, about + ", used up");
  probe.send(by, static_cast<std::uint32_t>(n + 1));
  for (const auto& [who, request] : others(view, policy)) probe.send(request);
  Duration at{};
  for (const Duration edge : edges) {
    if (edge - kNs <= at) continue;
    probe.advance(edge - kNs - at).send(by).advance(kNs).send(by, 2);
    at = edge;
  }
}

void rate_limit(const View& view, const config::Node& policy, Probes& probes, std::set<std::string>& notes) {
  std::vector<Rate> rates;
  const auto take = [&rates](const config::Node* node) {
    for (const std::string& text : texts_of(node))
      if (const auto rate = parse_rate(text)) rates.push_back(*rate);
  };
  take(policy.find("rate"));
  if (const config::Node* groups = policy.find("groups"))
    for (const config::Entry& e : groups->entries) take(e.value.get());
  const std::uint64_t burst = number_of(policy.find("burst"), 0);
  Request failing = view.bare;
  const config::Node* count = policy.find("count");
  const bool failures = count != nullptr && count->text == "failures";
  for (const Rate& rate : rates) {
    const std::uint64_t n = burst > 0 ? burst : rate.count;
    const Duration one = rate.per / static_cast<std::int64_t>(rate.count);
    const std::vector<Duration> edges{one, rate.per, rate.per * 2};
    const std::string about = "rate " + format(rate) + (burst > 0 ? ", burst " + std::to_string(burst) : "");
    use_up(view, about, n, failures ? failing : view.base, edges, policy, probes, notes);
    if (failures) add(probes, view, about + ", failures, then a good one").send(failing, static_cast<std::uint32_t>(std::min<std::uint64_t>(n + 1, kMost))).send(view.base);
    // Every consumer may have another rate.
    for (const Identity& identity : view.identities)
      if (identity.about.starts_with("a key of ") || identity.about.starts_with("a token of consumer")) use_up(view, about + ", " + identity.about, n, with(view.bare, identity), {rate.per}, policy, probes, notes);
    // Two kinds of window differ in the middle of one.
    if (n + 1 <= kMost) add(probes, view, about + ", from the middle of a window").advance(rate.per / 2).send(view.base, static_cast<std::uint32_t>(n)).advance(rate.per / 2).send(view.base, static_cast<std::uint32_t>(n)).advance(rate.per / 4).send(view.base, 2);
  }
  if (const config::Node* cost = policy.find("cost"))
    if (const config::Node* field = cost->find("header"))
      for (const std::string& value : {std::string("0"), std::string("2"), std::string("none"), std::to_string(number_of(cost->find("max"), 10)), std::to_string(number_of(cost->find("max"), 10) + 1)}) {
        Request request = view.base;
        set_header(request, field->text, value);
        add(probes, view, "a request that costs " + value).send(request, 3);
      }
}

void quota(const View& view, const config::Node& policy, Probes& probes, std::set<std::string>& notes) {
  using std::chrono::hours;
  const config::Node* per = policy.find("per");
  // From midnight of a Thursday, the first of a month of 31 days, in UTC; elsewhere the day ends some hours away.
  std::vector<Duration> edges;
  const std::string word = per == nullptr ? "day" : per->text;
  const int days = word == "hour" ? 0 : word == "day" ? 1 : word == "week" ? 4 : 31;
  if (word == "hour") edges = {hours(1), hours(2)};
  else
    for (int hour = -14; hour <= 14; ++hour) edges.push_back(hours(days * 24 + hour));
  std::vector<std::uint64_t> limits{number_of(policy.find("limit"), 1)};
  if (const config::Node* groups = policy.find("groups"))
    for (const config::Entry& e : groups->entries) limits.push_back(number_of(e.value.get(), 1));
  for (const std::uint64_t n : limits) {
    use_up(view, "quota " + std::to_string(n) + " per " + word, n, view.base, edges, policy, probes, notes);
    for (const Identity& identity : view.identities)
      if (identity.about.starts_with("a key of ")) use_up(view, "quota " + std::to_string(n) + " per " + word + ", " + identity.about, n, with(view.bare, identity), {}, policy, probes, notes);
  }
}

void at_once(const View& view, const PolicyNode& policy, Probes& probes) {
  if (view.route->upstream < 0) return;
  const std::uint64_t max = number_of(policy.node->find("max"), 1), queue = number_of(policy.node->find("queue"), 0);
  const Duration wait = duration_of(policy.node->find("max_wait")).value_or(std::chrono::seconds(1));
  const std::string& upstream = view.model->upstreams[static_cast<std::size_t>(view.route->upstream)].name;
  const auto all = static_cast<std::uint32_t>(std::min<std::uint64_t>(max + queue + 2, 512));
  for (const Duration time : {wait - kNs, wait, wait + kNs}) {
    upstream::Fault slow;
    slow.kind = upstream::Fault::Kind::Slow;
    slow.delay = time;
    add(probes, view, policy.kind + ", " + std::to_string(all) + " requests at once, each of " + format(time)).suffer(upstream, slow).send(view.base, all, all);
  }
}

void origins(const View& view, const config::Node& policy, Probes& probes) {
  std::vector<std::string> all;
  if (const config::Node* given = policy.find("origins")) {
    for (const std::string& text : texts_of(given)) all.push_back(text);
    for (const config::Node& item : given->items)
      if (const config::Node* regex = item.find("regex"))
        for (std::size_t i = 0; i < 4; ++i)
          if (const std::string text = sample_of(regex->text, i); !text.empty()) all.push_back(text);
  }
  std::vector<std::string> near = all;
  for (const std::string& origin : all) {
    near.push_back(origin + ":8443");
    near.push_back(origin + ".example");
    if (origin.starts_with("https://")) {
      near.push_back("http://" + origin.substr(8));
      near.push_back("https://a." + origin.substr(8));
    }
  }
  near.insert(near.end(), {"https://other.example", "null"});
  std::vector<std::string> methods = texts_of(policy.find("methods")), headers = texts_of(policy.find("headers"));
  methods.insert(methods.end(), {"GET", "POST", "PUT", "PATCH", "DELETE"});
  headers.insert(headers.end(), {"", "Authorization", "Content-Type", "X-Other"});
  for (const std::string& origin : near) {
    Request plain = view.base;
    set_header(plain, "Origin", origin);
    add(probes, view, "a request of " + origin).send(plain);
    Request preflight = view.bare;
    preflight.method = "OPTIONS";
    set_header(preflight, "Origin", origin);
    set_header(preflight, "Access-Control-Request-Method", view.base.method);
    add(probes, view, "a preflight of " + origin).send(preflight);
  }
  const std::string origin = all.empty() || all.front() == "*" ? "https://app.example" : all.front();
  Request preflight = view.bare;
  preflight.method = "OPTIONS";
  set_header(preflight, "Origin", origin);
  for (const std::string& method : methods) {
    Request request = preflight;
    set_header(request, "Access-Control-Request-Method", method);
    add(probes, view, "a preflight for " + method).send(request);
  }
  set_header(preflight, "Access-Control-Request-Method", view.base.method);
  for (const std::string& header : headers) {
    Request request = preflight;
    set_header(request, "Access-Control-Request-Headers", header);
    add(probes, view, "a preflight with " + (header.empty() ? std::string("an empty list of fields") : header)).send(request);
  }
  Request local = preflight;
  set_header(local, "Access-Control-Request-Private-Network", "true");
  add(probes, view, "a preflight from a private network").send(local);
}

// Shares of requests, by who asks: `split`, `mirror`, `fault`.
void shares(const View& view, const PolicyNode& policy, Probes& probes) {
  add(probes, view, policy.kind + ", request after request").send(view.base, 200);
  Probe& each = add(probes, view, policy.kind + ", of many clients");
  const config::Node* key = policy.node->find("key");
  for (int i = 1; i <= 60; ++i) {
    Request request = view.base;
    const std::string value = "client-" + std::to_string(i);
    if (const config::Node* header = key == nullptr ? nullptr : key->find("header")) set_header(request, header->text, value);
    if (const config::Node* cookie = key == nullptr ? nullptr : key->find("cookie")) request.headers.emplace_back("Cookie", cookie->text + "=" + value);
    if (request.from.family == IpAddress::Family::None) request.from = *parse_ip("127.0.1." + std::to_string(i));
    each.send(request);
  }
  const config::Node *variants = policy.node->find("variants"), *override = policy.node->find("override");
  if (variants == nullptr || override == nullptr) return;
  std::vector<std::string> names{"no-such-variant"};
  for (const config::Entry& e : variants->entries) names.push_back(e.key);
  for (const std::string& name : names)
    for (const Identity& identity : view.identities) {
      Request request = with(view.bare, identity);
      if (const config::Node* header = override->find("header")) set_header(request, header->text, name);
      if (const config::Node* cookie = override->find("cookie")) request.headers.emplace_back("Cookie", cookie->text + "=" + name);
      add(probes, view, "variant " + name + " asked for by " + identity.about).send(request);
    }
}

// One further, or one back; nullopt at the end of all addresses.
std::optional<IpAddress> next(IpAddress ip, bool up) {
  for (std::size_t i = ip.family == IpAddress::Family::V4 ? 4 : 16; i-- > 0;) {
    ip.octets[i] = static_cast<std::uint8_t>(ip.octets[i] + (up ? 1 : -1));
    if (ip.octets[i] != (up ? 0 : 255)) return ip;
  }
  return std::nullopt;
}

void addresses(const View& view, const config::Node* ranges, Probes& probes) {
  for (const std::string& text : texts_of(ranges))
    for (const IpAddress& ip : edges_of(text)) {
      Request request = view.base;
      request.from = ip;
      add(probes, view, "from " + format(ip) + ", at the border of " + text).send(request);
    }
}

Request with_body(Request request, std::uint64_t octets) {
  if (request.method == "GET" || request.method == "HEAD") request.method = "POST";
  request.has_body = true;
  request.body.assign(octets, 'x');
  return request;
}

void body_sizes(const View& view, std::uint64_t limit, Probes& probes) {
  if (limit > kLargest) return;
  for (const std::uint64_t octets : {limit > 0 ? limit - 1 : 0, limit, limit + 1}) {
    add(probes, view, "a body of " + std::to_string(octets) + " octets").send(with_body(view.base, octets));
    if (view.base.method == "PUT" || view.match->methods.empty()) continue;
    // The method that the route takes, whatever it is.
    Request request = with_body(view.base, octets);
    request.method = view.base.method;
    add(probes, view, "a body of " + std::to_string(octets) + " octets with " + request.method).send(request);
  }
}

void field_counts(const View& view, std::uint64_t limit, Probes& probes) {
  if (limit > 1'000) return;
  for (std::uint64_t total = limit > 4 ? limit - 4 : 1; total <= limit + 2; ++total) {
    Request request = view.base;
    for (std::size_t i = request.headers.size(); i < total; ++i) request.headers.emplace_back("X-Pad-" + std::to_string(i), "1");
    add(probes, view, std::to_string(total) + " header fields").send(request);
  }
}

std::size_t head_octets(const Request& r, bool wire) {
  std::size_t out = wire ? r.method.size() + r.target.size() + 14 : 0;  // "METHOD target HTTP/1.1", two line ends
  for (const auto& [name, value] : r.headers) out += name.size() + value.size() + 4;
  return out;
}

void head_sizes(const View& view, std::uint64_t limit, bool wire, Probes& probes) {
  Request bare = view.base;
  bare.headers.emplace_back("X-Pad", "");
  const std::size_t now = head_octets(bare, wire);
  if (limit < now + 8 || limit > (1U << 20)) return;
  for (std::uint64_t total = limit - 2; total <= limit + 2; ++total) {
    Request request = bare;
    request.headers.back().second.assign(total - now, 'x');
    add(probes, view, "header fields of " + std::to_string(total) + " octets").send(request);
  }
}

}  // namespace

std::vector<IpAddress> edges_of(const std::string& text) {
  const auto range = parse_cidr(text);
  if (!range) return {};
  IpAddress last = range->base;
  const std::size_t octets = last.family == IpAddress::Family::V4 ? 4 : 16;
  for (std::size_t bit = range->bits; bit < octets * 8; ++bit) last.octets[bit / 8] = static_cast<std::uint8_t>(last.octets[bit / 8] | (0x80U >> (bit % 8)));
  std::vector<IpAddress> out{range->base, last};
  if (const auto before = next(range->base, false)) out.push_back(*before);
  if (const auto after = next(last, true)) out.push_back(*after);
  return out;
}

void probe_limits(const View& view, Probes& probes, std::set<std::string>& notes) {
  for (const PolicyNode& policy : view.policies) {
    if (policy.kind == "rate-limit") rate_limit(view, *policy.node, probes, notes);
    else if (policy.kind == "quota") quota(view, *policy.node, probes, notes);
    else if (policy.kind == "concurrency" || policy.kind == "load-shed") at_once(view, policy, probes);
    else if (policy.kind == "split" || policy.kind == "mirror" || policy.kind == "fault") shares(view, policy, probes);
  }
}

void probe_access(const View& view, Probes& probes, std::set<std::string>& notes) {
  for (const PolicyNode& policy : view.policies) {
    if (policy.kind == "cors") origins(view, *policy.node, probes);
    for (const std::string_view key : {"allow", "deny", "addresses"}) addresses(view, policy.node->find(key), probes);
    if (policy.kind == "forward-auth") notes.insert("`forward-auth` asks a mock, which lets everybody pass");
    if (policy.kind != "size-limit") continue;
    const auto size = [&policy](std::string_view key) -> std::optional<std::uint64_t> {
      const config::Node* node = policy.node->find(key);
      const auto parsed = node == nullptr ? Result<ByteSize>(ByteSize{}) : parse_size(node->text);
      return node == nullptr || !parsed ? std::nullopt : std::optional<std::uint64_t>(parsed->bytes);
    };
    if (const auto limit = size("max_body")) body_sizes(view, *limit, probes);
    if (const auto limit = size("max_fields_size")) head_sizes(view, *limit, false, probes);
    if (const std::uint64_t limit = number_of(policy.node->find("max_fields"), 0); limit > 0) field_counts(view, limit, probes);
    if (const auto limit = size("max_query"); limit && *limit < 8'000)
      for (const std::uint64_t octets : {*limit > 0 ? *limit - 1 : 0, *limit, *limit + 1}) {
        Request request = view.base;
        const std::size_t query = request.target.find('?');
        const std::uint64_t there = query == std::string::npos ? 0 : request.target.size() - query;
        if (octets < there + 2) continue;
        request.target += (query == std::string::npos ? "?" : "&") + std::string(octets - there, 'q');
        add(probes, view, "a query of " + std::to_string(octets) + " octets").send(request);
      }
  }
}

void probe_listeners(const View& view, Probes& probes) {
  const auto& tree = *view.model->tree;
  const config::Node* nodes = tree.find("listeners");
  for (std::size_t i = 0; i < view.model->listeners.size(); ++i) {
    const gateway::ListenerConfig& listener = view.model->listeners[i];
    const std::size_t first = probes.size();
    if (listener.max_body > 0) body_sizes(view, listener.max_body, probes);
    head_sizes(view, listener.limits.head_octets, true, probes);
    field_counts(view, listener.limits.fields, probes);
    if (nodes != nullptr && i < nodes->items.size()) {
      for (const std::string& text : texts_of(nodes->items[i].find("trusted_proxies")))
        for (const IpAddress& ip : edges_of(text)) {
          Request request = view.base;
          request.from = ip;
          request.headers.insert(request.headers.end(), {{"X-Forwarded-For", "198.51.100.7"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=198.51.100.8"}, {"X-Request-Id", "of-the-proxy"}});
          add(probes, view, "from " + format(ip) + ", for another").send(request);
        }
    }
    Request kept = view.base;
    kept.connection = "kept";
    if (listener.max_requests > 0 && listener.max_requests < kMost) add(probes, view, std::to_string(listener.max_requests + 1) + " requests on one connection").send(kept, listener.max_requests + 1);
    Request marker = view.base;
    add(probes, view, "a connection that waits as long as it may").send(kept).advance(listener.idle_timeout - kNs).send(marker).advance(kNs).send(marker).advance(kNs).send(marker);
    if (i > 0)
      for (std::size_t n = first; n < probes.size(); ++n)
        for (Step& step : probes[n].steps) step.request.listener = listener.name;
  }
}

}  // namespace gatelab::harness::diff
