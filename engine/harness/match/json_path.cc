// SPDX-License-Identifier: Apache-2.0
// Evaluation (RFC 9535 §2.3 to §2.5).
#include "harness/match/json_path.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>

#include "harness/match/json_path_ast.h"

namespace gatelab::harness {
namespace {

using namespace path;
using Nodes = std::vector<const nlohmann::json*>;

constexpr std::size_t kMaxVisited = 1'000'000;
constexpr int kMaxDepth = 512;

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

class Evaluation {
 public:
  explicit Evaluation(const nlohmann::json& root) noexcept : root_(root) {}

  Nodes run(const JsonPath::Query& query, const nlohmann::json& from) {
    Nodes now{&from};
    for (const Segment& segment : query.segments) {
      Nodes next;
      for (const nlohmann::json* node : now) {
        if (segment.descendant) descend(segment, *node, next, 0);
        else apply(segment, *node, next);
      }
      now = std::move(next);
    }
    return now;
  }

 private:
  bool visit() noexcept { return ++visited_ <= kMaxVisited; }

  void descend(const Segment& segment, const nlohmann::json& node, Nodes& out, int depth) {
    if (!visit() || depth > kMaxDepth) return;
    apply(segment, node, out);
    if (!node.is_structured()) return;
    for (const auto& child : node) descend(segment, child, out, depth + 1);
  }

  void apply(const Segment& segment, const nlohmann::json& node, Nodes& out) {
    for (const Selector& selector : segment.selectors) select(selector, node, out);
  }

  void select(const Selector& selector, const nlohmann::json& node, Nodes& out) {
    if (!visit()) return;
    if (const auto* name = std::get_if<Name>(&selector)) {
      if (!node.is_object()) return;
      const auto found = node.find(name->name);
      if (found != node.end()) out.push_back(&*found);
    } else if (const auto* index = std::get_if<Index>(&selector)) {
      if (!node.is_array()) return;
      const auto size = static_cast<std::int64_t>(node.size());
      const std::int64_t at = index->index < 0 ? size + index->index : index->index;
      if (at >= 0 && at < size) out.push_back(&node[static_cast<std::size_t>(at)]);
    } else if (const auto* slice_of = std::get_if<Slice>(&selector)) {
      if (node.is_array()) slice(*slice_of, node, out);
    } else {
      const auto* filter = std::get_if<Filter>(&selector);
      if (!node.is_structured()) return;
      for (const auto& child : node)
        if (visit() && (filter == nullptr || truth(*filter->condition, child))) out.push_back(&child);
    }
  }

  // RFC 9535 §2.3.4.2.2.
  void slice(const Slice& s, const nlohmann::json& node, Nodes& out) {
    const auto size = static_cast<std::int64_t>(node.size());
    if (s.step == 0) return;
    const auto normal = [size](std::int64_t i) { return i >= 0 ? i : size + i; };
    if (s.step > 0) {
      const std::int64_t lower = std::clamp<std::int64_t>(normal(s.start.value_or(0)), 0, size);
      const std::int64_t upper = std::clamp<std::int64_t>(normal(s.end.value_or(size)), 0, size);
      for (std::int64_t i = lower; i < upper && visit(); i += s.step) out.push_back(&node[static_cast<std::size_t>(i)]);
      return;
    }
    const std::int64_t upper = std::clamp<std::int64_t>(s.start ? normal(*s.start) : size - 1, -1, size - 1);
    const std::int64_t lower = std::clamp<std::int64_t>(s.end ? normal(*s.end) : -1, -1, size - 1);
    for (std::int64_t i = upper; i > lower && visit(); i += s.step) out.push_back(&node[static_cast<std::size_t>(i)]);
  }

  bool truth(const Expression& e, const nlohmann::json& current) {
    if (const auto* all = std::get_if<And>(&e.node)) {
      for (const auto& part : all->all)
        if (!truth(*part, current)) return false;
      return true;
    }
    if (const auto* any = std::get_if<Or>(&e.node)) {
      for (const auto& part : any->any)
        if (truth(*part, current)) return true;
      return false;
    }
    if (const auto* no = std::get_if<Not>(&e.node)) return !truth(*no->what, current);
    if (const auto* sub = std::get_if<SubQuery>(&e.node)) return !run(*sub->query, sub->relative ? current : root_).empty();
    if (const auto* comparison = std::get_if<Compare>(&e.node)) {
      const Operand left = value(*comparison->left, current), right = value(*comparison->right, current);
      return compare(comparison->op, left.get(), right.get());
    }
    if (const auto* call = std::get_if<Call>(&e.node)) return matches(*call, current);
    return false;
  }

  // A value, or nothing: one of the document's, pointed to, or one of our own.
  struct Operand {
    const nlohmann::json* at = nullptr;
    nlohmann::json own;
    bool made = false;
    Operand() = default;
    explicit Operand(const nlohmann::json* node) noexcept : at(node) {}
    explicit Operand(std::size_t number) : own(number), made(true) {}
    const nlohmann::json* get() const noexcept { return made ? &own : at; }
  };

  Operand value(const Expression& e, const nlohmann::json& current) {
    if (const auto* literal = std::get_if<Literal>(&e.node)) return Operand(&literal->value);
    if (const auto* sub = std::get_if<SubQuery>(&e.node)) return only(run(*sub->query, sub->relative ? current : root_));
    const auto* call = std::get_if<Call>(&e.node);
    if (call == nullptr) return {};
    if (call->function == Function::Length) return length(value(*call->arguments[0], current));
    const auto& sub = std::get<SubQuery>(call->arguments[0]->node);
    const Nodes nodes = run(*sub.query, sub.relative ? current : root_);
    return call->function == Function::Count ? Operand(nodes.size()) : only(nodes);
  }
  static Operand only(const Nodes& nodes) { return nodes.size() == 1 ? Operand(nodes.front()) : Operand(); }

  static Operand length(const Operand& operand) {
    const nlohmann::json* v = operand.get();
    if (v != nullptr && v->is_string()) return Operand(code_points(v->get_ref<const std::string&>()));
    if (v != nullptr && v->is_structured()) return Operand(v->size());
    return {};
  }

  bool matches(const Call& call, const nlohmann::json& current) {
    const Operand text = value(*call.arguments[0], current);
    if (text.get() == nullptr || !text.get()->is_string()) return false;
    std::shared_ptr<re2::RE2> regex = call.regex;
    if (!regex) {
      const Operand pattern = value(*call.arguments[1], current);
      if (pattern.get() == nullptr || !pattern.get()->is_string()) return false;
      regex = compile_regex(pattern.get()->get<std::string>(), call.function == Function::Match);
    }
    return regex && re2::RE2::PartialMatch(text.get()->get_ref<const std::string&>(), *regex);
  }

  // RFC 9535 §2.3.5.2.2: only numbers and strings are ordered.
  static bool less(const nlohmann::json* a, const nlohmann::json* b) {
    if (a == nullptr || b == nullptr) return false;
    return ((a->is_number() && b->is_number()) || (a->is_string() && b->is_string())) && *a < *b;
  }

  // Every part that is compared counts as visited: a filter may compare the whole document with itself at each node.
  bool equal(const nlohmann::json* a, const nlohmann::json* b, int depth = 0) {
    if (a == nullptr || b == nullptr) return a == b;
    if (!a->is_structured() || !b->is_structured()) return *a == *b;
    if (a->type() != b->type() || a->size() != b->size() || depth > kMaxDepth) return false;
    for (auto left = a->begin(), right = b->begin(); left != a->end(); ++left, ++right) {
      if (!visit()) return false;
      if (a->is_object() && left.key() != right.key()) return false;  // members are sorted
      if (!equal(&*left, &*right, depth + 1)) return false;
    }
    return true;
  }

  bool compare(Operator op, const nlohmann::json* a, const nlohmann::json* b) {
    switch (op) {
      case Operator::Equal: return equal(a, b);
      case Operator::NotEqual: return !equal(a, b);
      case Operator::Less: return less(a, b);
      case Operator::LessEqual: return less(a, b) || equal(a, b);
      case Operator::Greater: return less(b, a);
      case Operator::GreaterEqual: return less(b, a) || equal(a, b);
    }
    return false;
  }

  const nlohmann::json& root_;
  std::size_t visited_ = 0;
};

}  // namespace

std::vector<const nlohmann::json*> JsonPath::select(const nlohmann::json& root) const { return Evaluation(root).run(*query_, root); }

}  // namespace gatelab::harness
