// SPDX-License-Identifier: Apache-2.0
// What a JSONPath selects (RFC 9535 §2.3 to §2.5), of whatever tree somebody has: a document of ours, or one of another library.
// Bounded in depth, in what it visits and in what a regular expression may cost.
//
// A tree says what its nodes are:
//   using Node = …;                                       a pointer or index, cheap to copy
//   Kind kind(Node) const;
//   std::string text(Node) const;                         of a string without escapes, of a number as written
//   bool truth(Node) const;                               of a boolean
//   std::size_t size(Node) const;                         of an array or object
//   template <class F> void each(Node, F) const;          children in order, until F(Node) is false
//   std::optional<Node> member(Node, std::string_view) const;
//   template <class F> void each_member(Node, F) const;   the same of an object, with their names: F(std::string_view, Node)
#pragma once

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>

#include "json/path_ast.h"
#include "json/text.h"

namespace gatelab::json {

template <class Tree>
class Evaluation {
 public:
  using Node = typename Tree::Node;
  using Nodes = std::vector<Node>;

  static constexpr std::size_t kMostVisited = 1'000'000;
  static constexpr int kMostDepth = 512;
  // Of a pattern that stands in the document: it is compiled each time.
  static constexpr std::size_t kPatternCost = 5'000, kMostPattern = 500;

  Evaluation(const Tree& tree, Node root, std::size_t most_visited = kMostVisited) noexcept : tree_(tree), root_(root), most_(most_visited) {}

  // In the order of RFC 9535. Not all of them if is_complete() is false then.
  Nodes select(const Path& path) { return run(path.query(), root_); }
  bool is_complete() const noexcept { return !cut_; }

 private:
  bool visit(std::size_t count = 1) noexcept {
    visited_ += count;
    if (visited_ > most_) cut_ = true;
    return !cut_;
  }
  bool is(Node node, Kind kind) const { return tree_.kind(node) == kind; }
  bool is_structured(Node node) const { return tree_.kind(node) >= Kind::Array; }

  Nodes run(const Path::Query& query, Node from) {
    Nodes now{from};
    for (const path::Segment& segment : query.segments) {
      Nodes next;
      for (const Node node : now) {
        if (segment.descendant) descend(segment, node, next, 0);
        else apply(segment, node, next);
      }
      now = std::move(next);
    }
    return now;
  }

  void descend(const path::Segment& segment, Node node, Nodes& out, int depth) {
    if (depth > kMostDepth) cut_ = true;
    if (!visit()) return;
    apply(segment, node, out);
    if (!is_structured(node)) return;
    tree_.each(node, [&](Node child) {
      descend(segment, child, out, depth + 1);
      return !cut_;
    });
  }

  void apply(const path::Segment& segment, Node node, Nodes& out) {
    for (const path::Selector& selector : segment.selectors) select(selector, node, out);
  }

  void select(const path::Selector& selector, Node node, Nodes& out) {
    if (!visit()) return;
    if (const auto* name = std::get_if<path::Name>(&selector)) {
      // A member is looked for one by one, and a filter may do that at each node.
      if (!is(node, Kind::Object) || !visit(tree_.size(node) / 16)) return;
      if (const auto found = tree_.member(node, name->name)) out.push_back(*found);
    } else if (const auto* index = std::get_if<path::Index>(&selector)) {
      if (is(node, Kind::Array)) slice(at(index->index, tree_.size(node)), node, out);
    } else if (const auto* slice_of = std::get_if<path::Slice>(&selector)) {
      if (is(node, Kind::Array)) slice(*slice_of, node, out);
    } else {
      const auto* filter = std::get_if<path::Filter>(&selector);
      if (!is_structured(node)) return;
      tree_.each(node, [&](Node child) {
        if (!visit()) return false;
        if (filter == nullptr || truth(*filter->condition, child)) out.push_back(child);
        return true;
      });
    }
  }

  static path::Slice at(std::int64_t index, std::size_t size) {
    const std::int64_t begin = index < 0 ? index + static_cast<std::int64_t>(size) : index;
    if (begin < 0) return {0, 0, 1};
    return {begin, begin + 1, 1};
  }

  // RFC 9535 §2.3.4.2.2.
  void slice(const path::Slice& s, Node node, Nodes& out) {
    Nodes items;
    items.reserve(tree_.size(node));
    if (!visit(tree_.size(node) / 16)) return;
    tree_.each(node, [&items](Node child) {
      items.push_back(child);
      return true;
    });
    const auto size = static_cast<std::int64_t>(items.size());
    if (s.step == 0) return;
    const auto normal = [size](std::int64_t i) { return i >= 0 ? i : size + i; };
    if (s.step > 0) {
      const std::int64_t lower = std::clamp<std::int64_t>(normal(s.start.value_or(0)), 0, size);
      const std::int64_t upper = std::clamp<std::int64_t>(normal(s.end.value_or(size)), 0, size);
      for (std::int64_t i = lower; i < upper && visit(); i += s.step) out.push_back(items[static_cast<std::size_t>(i)]);
      return;
    }
    const std::int64_t upper = std::clamp<std::int64_t>(s.start ? normal(*s.start) : size - 1, -1, size - 1);
    const std::int64_t lower = std::clamp<std::int64_t>(s.end ? normal(*s.end) : -1, -1, size - 1);
    for (std::int64_t i = upper; i > lower && visit(); i += s.step) out.push_back(items[static_cast<std::size_t>(i)]);
  }

  bool truth(const path::Expression& e, Node current) {
    if (const auto* all = std::get_if<path::And>(&e.node))
      return std::all_of(all->all.begin(), all->all.end(), [&](const auto& part) { return truth(*part, current); });
    if (const auto* any = std::get_if<path::Or>(&e.node))
      return std::any_of(any->any.begin(), any->any.end(), [&](const auto& part) { return truth(*part, current); });
    if (const auto* no = std::get_if<path::Not>(&e.node)) return !truth(*no->what, current);
    if (const auto* sub = std::get_if<path::SubQuery>(&e.node)) return !run(*sub->query, sub->relative ? current : root_).empty();
    if (const auto* comparison = std::get_if<path::Compare>(&e.node)) return compare(comparison->op, value(*comparison->left, current), value(*comparison->right, current));
    if (const auto* call = std::get_if<path::Call>(&e.node)) return matches(*call, current);
    return false;
  }

  // A value, or nothing: one of the tree's, a literal, or a number of our own.
  struct Operand {
    std::optional<Node> node;
    std::optional<path::Literal> own;
    bool is_nothing() const noexcept { return !node && !own; }
  };

  Operand value(const path::Expression& e, Node current) {
    if (const auto* literal = std::get_if<path::Literal>(&e.node)) return {std::nullopt, *literal};
    if (const auto* sub = std::get_if<path::SubQuery>(&e.node)) return only(run(*sub->query, sub->relative ? current : root_));
    const auto* call = std::get_if<path::Call>(&e.node);
    if (call == nullptr) return {};
    if (call->function == path::Function::Length) return length(value(*call->arguments[0], current));
    const auto& sub = std::get<path::SubQuery>(call->arguments[0]->node);
    const Nodes nodes = run(*sub.query, sub.relative ? current : root_);
    return call->function == path::Function::Count ? number(nodes.size()) : only(nodes);
  }
  static Operand only(const Nodes& nodes) { return nodes.size() == 1 ? Operand{nodes.front(), std::nullopt} : Operand{}; }
  static Operand number(std::size_t value) { return {std::nullopt, path::Literal{Kind::Number, std::to_string(value)}}; }

  Operand length(const Operand& operand) {
    if (operand.node && is_structured(*operand.node)) return number(tree_.size(*operand.node));
    const auto text = scalar(operand);
    if (!text || text->kind != Kind::String) return {};
    return number(static_cast<std::size_t>(std::count_if(text->text.begin(), text->text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; })));
  }

  std::optional<Kind> kind_of(const Operand& operand) const {
    if (operand.own) return operand.own->kind;
    return operand.node ? std::optional(tree_.kind(*operand.node)) : std::nullopt;
  }

  std::optional<path::Literal> scalar(const Operand& operand) {
    if (operand.own) return operand.own;
    if (!operand.node || is_structured(*operand.node)) return std::nullopt;
    const Kind kind = tree_.kind(*operand.node);
    if (kind == Kind::Bool) return path::Literal{kind, tree_.truth(*operand.node) ? "true" : "false"};
    path::Literal out{kind, kind == Kind::Null ? std::string() : tree_.text(*operand.node)};
    visit(out.text.size() / 64);  // it was copied
    return out;
  }

  bool matches(const path::Call& call, Node current) {
    const auto text = scalar(value(*call.arguments[0], current));
    if (!text || text->kind != Kind::String) return false;
    std::shared_ptr<re2::RE2> regex = call.regex;
    if (!regex) {
      const auto pattern = scalar(value(*call.arguments[1], current));
      // To compile one costs more than a visit, and a document may hold another one at each node.
      if (!pattern || pattern->kind != Kind::String || pattern->text.size() > kMostPattern || !visit(kPatternCost)) return false;
      regex = path::compile_regex(pattern->text, call.function == path::Function::Match, path::From::Document);
    }
    return regex && visit(text->text.size() / 64) && re2::RE2::PartialMatch(text->text, *regex);
  }

  // RFC 9535 §2.3.5.2.2: only numbers and strings are ordered.
  bool less(const Operand& a, const Operand& b) {
    if (kind_of(a) != kind_of(b)) return false;
    const auto left = scalar(a), right = scalar(b);
    if (!left || !right || left->kind != right->kind) return false;
    if (left->kind == Kind::Number) return compare_numbers(left->text, right->text) < 0;
    return left->kind == Kind::String && left->text < right->text;
  }

  // Every part that is compared counts as visited: a filter may compare the whole document with itself at each node.
  bool equal(const Operand& a, const Operand& b, int depth = 0) {
    if (a.is_nothing() || b.is_nothing()) return a.is_nothing() && b.is_nothing();
    if (kind_of(a) != kind_of(b)) return false;
    const auto left = scalar(a), right = scalar(b);
    if (left && right) {
      return left->kind == Kind::Number ? compare_numbers(left->text, right->text) == 0 : left->text == right->text;
    }
    if (left || right || tree_.kind(*a.node) != tree_.kind(*b.node) || tree_.size(*a.node) != tree_.size(*b.node) || depth > kMostDepth) return false;
    return is(*a.node, Kind::Array) ? equal_items(*a.node, *b.node, depth) : equal_members(*a.node, *b.node, depth);
  }

  bool equal_items(Node a, Node b, int depth) {
    Nodes items;
    tree_.each(b, [&items](Node child) {
      items.push_back(child);
      return true;
    });
    bool same = true;
    std::size_t at = 0;
    tree_.each(a, [&](Node child) { return same = visit() && equal({child, std::nullopt}, {items[at++], std::nullopt}, depth + 1); });
    return same;
  }

  bool equal_members(Node a, Node b, int depth) {
    bool same = true;
    tree_.each_member(a, [&](std::string_view name, Node child) {
      const auto there = visit(1 + tree_.size(b) / 16) ? tree_.member(b, name) : std::nullopt;
      return same = there && equal({child, std::nullopt}, {*there, std::nullopt}, depth + 1);
    });
    return same;
  }

  bool compare(path::Operator op, const Operand& a, const Operand& b) {
    switch (op) {
      case path::Operator::Equal: return equal(a, b);
      case path::Operator::NotEqual: return !equal(a, b);
      case path::Operator::Less: return less(a, b);
      case path::Operator::LessEqual: return less(a, b) || equal(a, b);
      case path::Operator::Greater: return less(b, a);
      case path::Operator::GreaterEqual: return less(b, a) || equal(a, b);
    }
    return false;
  }

  const Tree& tree_;
  const Node root_;
  const std::size_t most_;
  std::size_t visited_ = 0;
  bool cut_ = false;
};

}  // namespace gatelab::json
