// SPDX-License-Identifier: Apache-2.0
// A tree of path segments for each host. Walked in the order of the ladder, so that the first route that fits wins; each
// node of the tree is visited at most once, however a client chooses its path.
#include "route/table.h"

#include <algorithm>
#include <unordered_map>

#include "base/random.h"
#include "base/text.h"
#include "route/lint.h"
#include "route/rule.h"

namespace gatelab::route {
namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const noexcept { return hash64(s); }
};

// Hosts compare without case.
struct HostHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const noexcept {
    std::uint64_t h = s.size();
    for (const char c : s) h = (h ^ static_cast<unsigned char>(ascii_lower(c))) * 0x100000001b3ULL;
    return mix64(h);
  }
};
struct HostEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept { return iequals(a, b); }
};

using Candidates = std::vector<const Compiled*>;

struct Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, Hash, std::equal_to<>> literal;
  std::unique_ptr<Node> parameter;
  Candidates exact;   // the path ends here
  Candidates prefix;  // it ends here or goes on
};

struct HostTable {
  Node root;
  Candidates regex;
  Candidates any;  // no path at all: also for "OPTIONS *"
};

// Within one place of the ladder: with methods before without, more header conditions, more query conditions, file order.
bool ranks_before(const Compiled* a, const Compiled* b) noexcept {
  const auto key = [](const Compiled* c) {
    const Match& m = c->spec->match;
    return std::tuple(m.methods.empty() ? 1 : 0, -static_cast<std::ptrdiff_t>(m.headers.size()), -static_cast<std::ptrdiff_t>(m.query.size()), c->index);
  };
  return key(a) < key(b);
}

void sort_all(Node& node) {
  std::sort(node.exact.begin(), node.exact.end(), ranks_before);
  std::sort(node.prefix.begin(), node.prefix.end(), ranks_before);
  for (auto& [segment, child] : node.literal) sort_all(*child);
  if (node.parameter) sort_all(*node.parameter);
}

void insert(HostTable& table, const Compiled& route) {
  const Match& match = route.spec->match;
  if (match.path_kind == PathKind::Regex) return table.regex.push_back(&route);
  if (match.path_kind == PathKind::Any) table.any.push_back(&route);
  Node* node = &table.root;
  std::string_view rest = match.path_kind == PathKind::Any ? std::string_view() : std::string_view(match.path);
  while (!rest.empty()) {
    const std::string_view segment = next_segment(rest);
    const bool parameter = match.path_kind == PathKind::Template && segment.starts_with("{");
    auto& child = parameter ? node->parameter : node->literal[std::string(segment)];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  }
  const bool prefix = match.path_kind == PathKind::Prefix || match.path_kind == PathKind::Any;
  (prefix ? node->prefix : node->exact).push_back(&route);
}

// One walk for one request; or, when nothing was found, one that gathers the methods that would have been.
class Search {
 public:
  Search(const Request& request, Arena& arena, bool gather) noexcept : request_(request), arena_(arena), gather_(gather) {}

  const Compiled* in(const HostTable& table) noexcept {
    if (request_.path.empty() || request_.path.front() != '/') return among(table.any);
    if (const Compiled* found = below(table.root, request_.path)) return found;
    for (const Compiled* candidate : table.regex)
      if (path_fits(*candidate, request_.path) && fits(*candidate)) return candidate;
    return nullptr;
  }
  const std::vector<std::string_view>& methods() const noexcept { return methods_; }

 private:
  const Compiled* below(const Node& node, std::string_view rest) noexcept {
    if (rest.empty()) {
      if (const Compiled* found = among(node.exact)) return found;
      return among(node.prefix);
    }
    std::string_view after = rest;
    const std::string_view segment = next_segment(after);
    if (!node.literal.empty()) {
      const auto child = node.literal.find(segment);
      if (child != node.literal.end())
        if (const Compiled* found = below(*child->second, after)) return found;
    }
    if (node.parameter && !segment.empty())
      if (const Compiled* found = below(*node.parameter, after)) return found;
    return among(node.prefix);
  }

  const Compiled* among(const Candidates& candidates) noexcept {
    for (const Compiled* candidate : candidates)
      if (fits(*candidate)) return candidate;
    return nullptr;
  }

  bool fits(const Compiled& candidate) noexcept {
    const Match& match = candidate.spec->match;
    const bool method = method_fits(match, request_.method);
    if (!gather_) return method && conditions_fit(candidate, request_, arena_);
    if (!method && conditions_fit(candidate, request_, arena_)) {
      for (const std::string& m : match.methods) {
        remember(m);
        if (m == "GET") remember("HEAD");
      }
    }
    return false;
  }

  void remember(std::string_view method) {
    if (std::find(methods_.begin(), methods_.end(), method) == methods_.end()) methods_.push_back(method);
  }

  const Request& request_;
  Arena& arena_;
  bool gather_;
  std::vector<std::string_view> methods_;
};

}  // namespace

struct Table::Inner {
  std::vector<Spec> specs;
  std::vector<Compiled> routes;
  std::unordered_map<std::string, HostTable, HostHash, HostEqual> exact;
  std::unordered_map<std::string, HostTable, HostHash, HostEqual> wildcard;  // ".example.local"
  HostTable any;

  const Compiled* search(const Request& request, Search& search) const noexcept {
    if (!exact.empty()) {
      const auto table = exact.find(request.host);
      if (table != exact.end())
        if (const Compiled* found = search.in(table->second)) return found;
    }
    for (std::size_t dot = request.host.find('.', 1); !wildcard.empty() && dot != std::string_view::npos; dot = request.host.find('.', dot + 1)) {
      const auto table = wildcard.find(request.host.substr(dot));
      if (table != wildcard.end())
        if (const Compiled* found = search.in(table->second)) return found;
    }
    return search.in(any);
  }
};

Table::Table(std::vector<Spec> specs, diag::Sink& sink) : inner_(std::make_unique<Inner>()) {
  inner_->specs = std::move(specs);
  inner_->routes.reserve(inner_->specs.size());
  for (std::size_t i = 0; i < inner_->specs.size(); ++i) inner_->routes.push_back(compile(inner_->specs[i], static_cast<std::int32_t>(i), sink));
  for (const Compiled& route : inner_->routes) {
    const auto& hosts = route.spec->match.hosts;
    if (hosts.empty()) insert(inner_->any, route);
    for (const auto& host : hosts) {
      if (host.value == "*") insert(inner_->any, route);
      else if (host.value.starts_with("*.")) insert(inner_->wildcard[host.value.substr(1)], route);
      else insert(inner_->exact[host.value], route);
    }
  }
  const auto sort = [](HostTable& table) {
    sort_all(table.root);
    std::sort(table.any.begin(), table.any.end(), ranks_before);
  };
  sort(inner_->any);
  for (auto& [host, table] : inner_->exact) sort(table);
  for (auto& [host, table] : inner_->wildcard) sort(table);
  lint(inner_->specs, sink);
}

Table::~Table() = default;
std::size_t Table::size() const noexcept { return inner_->specs.size(); }
const Spec& Table::spec(std::int32_t route) const noexcept { return inner_->specs[static_cast<std::size_t>(route)]; }

Matched Table::match(const Request& request, Arena& arena) const noexcept {
  Matched out;
  Search first(request, arena, false);
  const Compiled* found = inner_->search(request, first);
  if (found == nullptr) {
    Search methods(request, arena, true);
    inner_->search(request, methods);
    for (const std::string_view m : methods.methods()) out.allow = out.allow.empty() ? m : arena.concat(out.allow, ", ", m);
    return out;
  }
  out.route = found->index;
  if (found->parameters.empty()) return out;
  const auto parameters = arena.array<Parameter>(found->parameters.size());
  std::string_view wanted = found->spec->match.path, rest = request.path;
  std::size_t n = 0;
  while (!wanted.empty() && !rest.empty()) {
    const std::string_view want = next_segment(wanted), have = next_segment(rest);
    if (want.starts_with("{")) {
      parameters[n] = {found->parameters[n], have};
      ++n;
    }
  }
  out.parameters = parameters;
  return out;
}

bool Table::matches(const Request& request, Arena& arena) const noexcept {
  Search search(request, arena, false);
  return inner_->search(request, search) != nullptr;
}

namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& t : texts) out.append(out.empty() ? "" : ", ").append(t);
  return out;
}

}  // namespace

std::vector<Rejected> Table::explain(const Request& request, std::int32_t winner) const {
  std::vector<Rejected> out;
  Arena arena;
  for (const Compiled& route : inner_->routes) {
    if (route.index == winner) continue;
    const Match& match = route.spec->match;
    Rejected r{route.index, {}, {}};
    if (!host_fits(match, request.host)) {
      std::vector<std::string> hosts;
      for (const auto& h : match.hosts) hosts.push_back(h.value);
      r.criterion = "host";
      r.detail = joined(hosts) + " ≠ " + (request.host.empty() ? "(none)" : std::string(request.host));
    } else if (!path_fits(route, request.path)) {
      r.criterion = "path";
      r.detail = match.path + (match.path_kind == PathKind::Prefix ? "/*" : "") + " ≠ " + std::string(request.path);
    } else if (!method_fits(match, request.method)) {
      r.criterion = "method";
      r.detail = joined(match.methods) + " ≠ " + std::string(request.method);
    } else {
      for (const CompiledCondition& c : route.headers)
        if (r.criterion.empty() && !header_fits(c, request.fields)) r.criterion = "header " + c.condition->name;
      for (const CompiledCondition& c : route.query)
        if (r.criterion.empty() && !query_fits(c, request.query, arena)) r.criterion = "query " + c.condition->name;
      if (r.criterion.empty() && winner >= 0) r.criterion = "less specific than " + spec(winner).name;
    }
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace gatelab::route
