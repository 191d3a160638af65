// SPDX-License-Identifier: Apache-2.0
#include "harness/match/matcher.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/units.h"
#include "config/json.h"
#include "harness/match/schema_check.h"

namespace gatelab::harness {
namespace {

enum class Op : std::uint8_t { Equals, Includes, Ne, Lt, Le, Gt, Ge, Between, OneOf, Contains, Matches, Present, All, Any, Not, Count, Each, Schema };
constexpr std::string_view kOps[] = {"equals", "includes", "ne", "lt", "le", "gt", "ge", "between", "one_of", "contains", "matches", "present", "all", "any", "not", "count", "each", "schema"};

std::string as_text(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// Everything of `part` is in `whole`: members of maps, elements of lists, recursively.
bool includes(const nlohmann::json& whole, const nlohmann::json& part) {
  if (part.is_object() && whole.is_object())
    return std::all_of(part.items().begin(), part.items().end(), [&whole](const auto& item) {
      const auto found = whole.find(item.key());
      return found != whole.end() && includes(*found, item.value());
    });
  if (part.is_array() && whole.is_array())
    return std::all_of(part.begin(), part.end(), [&whole](const auto& wanted) { return std::any_of(whole.begin(), whole.end(), [&wanted](const auto& have) { return includes(have, wanted); }); });
  if (whole.is_array()) return std::any_of(whole.begin(), whole.end(), [&part](const auto& have) { return includes(have, part); });
  return whole == part;
}

}  // namespace

struct Matcher::Predicate {
  Op op = Op::Equals;
  nlohmann::json operand;
  std::vector<MatcherPtr> inner;
  std::shared_ptr<re2::RE2> regex;
  std::shared_ptr<const SchemaCheck> schema;
  bool flag = true;
  diag::Span span;
};

namespace {

// A scalar of the file in the matcher's dimension; reports what has no meaning there.
std::optional<nlohmann::json> operand(const config::Node& node, Dimension dimension, diag::Sink& sink, const std::string& what) {
  if (dimension == Dimension::Json) return to_json_value(node);
  if (dimension == Dimension::Duration) {
    const auto d = config::as_duration(node, sink, what);
    return d ? std::optional(nlohmann::json(d->count())) : std::nullopt;
  }
  if (node.kind == config::Kind::List) {
    nlohmann::json list = nlohmann::json::array();
    for (const config::Node& item : node.items) list.push_back(item.text);
    return list;
  }
  if (node.kind == config::Kind::Map) return to_json_value(node);
  return nlohmann::json(node.kind == config::Kind::Null && node.text.empty() ? "" : node.text);
}

// Text that looks like a number compares as one: Age: { ge: 30 }.
bool ordered(const nlohmann::json& have, const nlohmann::json& want, int& sign) {
  const auto number = [](const nlohmann::json& v, double& out) {
    if (v.is_number()) return out = v.get<double>(), true;
    if (!v.is_string()) return false;
    const std::string& text = v.get_ref<const std::string&>();
    const auto parsed = nlohmann::json::parse(text, nullptr, false);
    if (!parsed.is_number()) return false;
    out = parsed.get<double>();
    return true;
  };
  double a = 0, b = 0;
  if (number(have, a) && number(want, b)) {
    sign = a < b ? -1 : a > b ? 1 : 0;
    return true;
  }
  if (!have.is_string() || !want.is_string()) return false;
  sign = have < want ? -1 : want < have ? 1 : 0;
  return true;
}

bool equal(const nlohmann::json& have, const nlohmann::json& want, Dimension dimension) {
  if (dimension == Dimension::Text && !want.is_structured() && !have.is_structured()) return as_text(have) == as_text(want);
  // One field is a list of one.
  if (dimension == Dimension::Text && want.is_array() && want.size() == 1 && have.is_string()) return have == want.front();
  return have == want;
}

}  // namespace

nlohmann::json to_json_value(const config::Node& node) {
  auto value = nlohmann::json::parse(config::to_json(node), nullptr, false);
  return value.is_discarded() ? nlohmann::json(node.text) : value;
}

std::string shown(const Value& value, Dimension dimension) {
  if (!value) return "nothing";
  std::string text;
  if (dimension == Dimension::Duration && value->is_number_integer()) text = format(Duration{value->get<std::int64_t>()});
  else if (dimension == Dimension::Text && value->is_string()) text = value->get<std::string>();
  else text = value->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  if (text.empty()) return "an empty text";
  if (text.size() <= 200) return text;
  std::size_t end = 200;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

namespace {

std::shared_ptr<Matcher::Predicate> parse_predicate(Op op, const config::Node& node, Dimension dimension, diag::Sink& sink, const std::string& what) {
  auto p = std::make_shared<Matcher::Predicate>();
  p->op = op;
  p->span = node.span;
  const auto inner = [&](const config::Node& n, Dimension d) {
    if (auto m = Matcher::parse(n, d, sink, what)) p->inner.push_back(std::move(m));
  };
  switch (op) {
    case Op::Present: p->flag = config::as_bool(node, sink, "`present` of " + what).value_or(true); return p;
    case Op::Not:
    case Op::Each: inner(node, dimension); return p;
    case Op::Count: inner(node, Dimension::Json); return p;
    case Op::Schema: return p->schema = SchemaCheck::parse(node, sink, what), p->schema ? p : nullptr;
    case Op::All:
    case Op::Any:
    case Op::OneOf:
    case Op::Between:
      if (node.kind != config::Kind::List || node.items.empty() || (op == Op::Between && node.items.size() != 2)) {
        sink.error("bad-matcher", node.span, "`" + std::string(kOps[static_cast<int>(op)]) + "` of " + what + " takes a list" + (op == Op::Between ? " of two: [from, to]" : ""));
        return nullptr;
      }
      if (op == Op::All || op == Op::Any)
        for (const config::Node& item : node.items) inner(item, dimension);
      else
        for (const config::Node& item : node.items)
          if (auto v = operand(item, dimension, sink, what)) p->operand.push_back(std::move(*v));
      return p;
    case Op::Matches: {
      const auto pattern = config::as_text(node, sink, "`matches` of " + what);
      if (!pattern) return nullptr;
      re2::RE2::Options options;
      options.set_log_errors(false);
      p->regex = std::make_shared<re2::RE2>(*pattern, options);
      if (pattern->empty()) sink.error("bad-matcher", node.span, "`matches` of " + what + " takes every text", "a regular expression, or { present: true }");
      if (!p->regex->ok()) sink.error("bad-regex", node.span, "`" + *pattern + "` is not a regular expression: " + p->regex->error());
      p->operand = *pattern;
      return p;
    }
    default: break;
  }
  const bool structured = node.kind == config::Kind::List || node.kind == config::Kind::Map;
  if (op == Op::Includes && structured && node.items.empty() && node.entries.empty()) {
    sink.error("bad-matcher", node.span, "`includes` of " + what + " names nothing that must be there", "name it, or write { present: true }");
    return nullptr;
  }
  auto v = operand(node, dimension, sink, what);
  if (!v) return nullptr;
  if (op == Op::Contains && v->is_string() && v->get_ref<const std::string&>().empty()) return sink.error("bad-matcher", node.span, "`contains` of " + what + " is in every text", "what must be in it, or { present: true }"), nullptr;
  p->operand = std::move(*v);
  return p;
}

}  // namespace

MatcherPtr Matcher::parse(const config::Node& node, Dimension dimension, diag::Sink& sink, const std::string& what) {
  auto out = std::make_shared<Matcher>();
  out->dimension_ = dimension;
  out->span_ = node.span;
  if (node.kind != config::Kind::Map) {
    auto p = parse_predicate(Op::Equals, node, dimension, sink, what);
    if (!p) return nullptr;
    out->all_.push_back(std::move(p));
    return out;
  }
  if (node.entries.empty()) {
    sink.error("bad-matcher", node.span, what + " has no predicate: it would match anything", "write, for example, { present: true }");
    return nullptr;
  }
  const std::vector<std::string_view> names(std::begin(kOps), std::end(kOps));
  for (const config::Entry& entry : node.entries) {
    const auto known = std::find(names.begin(), names.end(), entry.key);
    if (known == names.end()) {
      diag::Diagnostic d;
      d.id = "unknown-key";
      d.message = "unknown predicate `" + entry.key + "` in " + what;
      d.span = entry.key_span;
      const std::string_view near = diag::nearest(entry.key, names);
      if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
      d.hint = "a map means predicates; to compare with a map write equals: { … } or includes: { … }";
      sink.report(std::move(d));
      continue;
    }
    if (auto p = parse_predicate(static_cast<Op>(known - names.begin()), *entry.value, dimension, sink, what)) out->all_.push_back(std::move(p));
  }
  return out;
}

namespace {

// `whole` says what the list is.
std::optional<Mismatch> failed_each(const Matcher::Predicate& p, const nlohmann::json& value, std::optional<Mismatch> whole) {
  whole->undecided = true;
  if (!value.is_array()) return whole->got += ", which is not a list", whole;
  if (value.empty()) return whole->got += ", and `each` of nothing proves nothing: where it may be empty write any: [ { count: 0 }, { each: … } ]", whole;
  whole->undecided = false;
  for (std::size_t i = 0; i < value.size(); ++i)
    for (const MatcherPtr& m : p.inner)
      if (auto mismatch = m->match(value[i])) return mismatch->got = "element " + std::to_string(i) + ": " + mismatch->got, mismatch;
  return std::nullopt;
}

// What is wrong with it; the span is the caller's to say.
std::optional<Mismatch> failed(const Matcher::Predicate& p, const Value& value, Dimension dimension) {
  const auto got = [&](const std::string& more = {}) { return std::optional(Mismatch{"got " + shown(value, dimension) + more, {}}); };
  const auto absent = std::optional(Mismatch{"it is absent", {}, p.op == Op::Each});
  if (p.op == Op::Present) return value.has_value() == p.flag ? std::nullopt : p.flag ? absent : got();
  if (p.op == Op::Not) {
    for (const MatcherPtr& m : p.inner) {
      auto mismatch = m->match(value);
      if (!mismatch) return got();
      if (mismatch->undecided) return mismatch;
    }
    return std::nullopt;
  }
  if (p.op == Op::Any) {
    bool undecided = false;
    for (const MatcherPtr& m : p.inner) {
      const auto mismatch = m->match(value);
      if (!mismatch) return std::nullopt;
      undecided = undecided || mismatch->undecided;
    }
    auto out = got(", which none of these match");
    out->undecided = undecided;
    return out;
  }
  if (p.op == Op::All) {
    for (const MatcherPtr& m : p.inner)
      if (auto mismatch = m->match(value)) return mismatch;
    return std::nullopt;
  }
  if (!value) return p.op == Op::Ne ? std::nullopt : absent;
  const auto require = [&](bool fine) { return fine ? std::nullopt : got(); };
  int sign = 0;
  switch (p.op) {
    case Op::Equals: return require(equal(*value, p.operand, dimension));
    case Op::Ne: return require(!equal(*value, p.operand, dimension));
    case Op::Includes: return require(includes(*value, p.operand));
    case Op::Lt: return require(ordered(*value, p.operand, sign) && sign < 0);
    case Op::Le: return require(ordered(*value, p.operand, sign) && sign <= 0);
    case Op::Gt: return require(ordered(*value, p.operand, sign) && sign > 0);
    case Op::Ge: return require(ordered(*value, p.operand, sign) && sign >= 0);
    case Op::Between: return require(ordered(*value, p.operand[0], sign) && sign >= 0 && ordered(*value, p.operand[1], sign) && sign <= 0);
    case Op::OneOf: return require(std::any_of(p.operand.begin(), p.operand.end(), [&](const auto& o) { return equal(*value, o, dimension); }));
    case Op::Contains:
      if (value->is_array()) return require(std::any_of(value->begin(), value->end(), [&](const auto& v) { return equal(v, p.operand, dimension); }));
      return require(!value->is_object() && as_text(*value).find(as_text(p.operand)) != std::string::npos);
    case Op::Matches: return require(!value->is_structured() && re2::RE2::PartialMatch(as_text(*value), *p.regex));
    case Op::Count: {
      if (!value->is_structured()) return got(", which has no elements to count");
      for (const MatcherPtr& m : p.inner)
        if (m->match(nlohmann::json(value->size()))) return Mismatch{"got " + std::to_string(value->size()) + " elements", {}};
      return std::nullopt;
    }
    case Op::Each: return failed_each(p, *value, got());
    case Op::Schema: {
      const SchemaCheck::Problems problems = p.schema->problems(*value);
      if (problems.text.empty()) return std::nullopt;
      auto out = got(", which is not as `schema` has it: " + problems.text);
      out->undecided = problems.undecided;
      return out;
    }
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Mismatch> Matcher::match(const Value& value) const {
  for (const auto& p : all_)
    if (auto mismatch = failed(*p, value, dimension_)) {
      mismatch->span = p->span;
      return mismatch;
    }
  return std::nullopt;
}

JsonExpectation parse_json_expectation(const config::Node& node, diag::Sink& sink, const std::string& what) {
  JsonExpectation out;
  if (node.kind != config::Kind::Map || node.entries.empty()) {
    sink.error("wrong-type", node.span, what + " must be a map of JSONPaths to what they select", "json: { $.id: 1 }");
    return out;
  }
  for (const config::Entry& entry : node.entries) {
    auto path = JsonPath::compile(entry.key);
    if (!path) {
      sink.error(path.error().id, entry.key_span, path.error().message);
      continue;
    }
    if (auto matcher = Matcher::parse(*entry.value, Dimension::Json, sink, "`" + entry.key + "` of " + what))
      out.lines.push_back({entry.key, std::move(*path), entry.key_span, std::move(matcher)});
  }
  return out;
}

std::optional<Mismatch> match_json(const JsonExpectation& expected, const nlohmann::json& body) {
  for (const JsonExpectation::Line& line : expected.lines) {
    const auto nodes = line.path.select(body);
    Value value;
    if (line.path.singular()) {
      if (!nodes.empty()) value = *nodes.front();
    } else {
      value = nlohmann::json::array();
      for (const nlohmann::json* node : nodes) value->push_back(*node);
    }
    if (auto mismatch = line.matcher->match(value)) {
      mismatch->got = line.text + ": " + mismatch->got;
      return mismatch;
    }
  }
  return std::nullopt;
}

}  // namespace gatelab::harness
