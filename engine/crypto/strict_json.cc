// SPDX-License-Identifier: Apache-2.0
#include "crypto/strict_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace gatelab::crypto {

// What nlohmann's parser calls. Returning false ends it.
class JsonReader {
 public:
  JsonReader(JsonDocument& out, const JsonLimits& limits) : out_(out), limits_(limits) {}
  std::string_view fault() const noexcept { return fault_.empty() ? "is not JSON" : fault_; }

  bool null() { return scalar(JsonKind::Null, "null"); }
  bool boolean(bool truth) {
    if (!scalar(JsonKind::Bool, truth ? "true" : "false")) return false;
    out_.nodes_.back().truth = truth;
    return true;
  }
  bool number_integer(std::int64_t value) { return whole(value); }
  bool number_unsigned(std::uint64_t value) { return whole(value); }
  bool number_float(double value, const std::string& text) {
    if (!std::isfinite(value)) return refuse("has a number that is too large");
    return number(value, text);
  }
  bool string(const std::string& text) { return scalar(JsonKind::Text, text); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // of other formats than JSON
  bool start_object(std::size_t) { return open(JsonKind::Object); }
  bool start_array(std::size_t) { return open(JsonKind::List); }
  bool end_array() { return close(); }
  bool key(const std::string& name) {
    name_at_ = keep(name);
    name_size_ = static_cast<std::uint32_t>(name.size());
    return true;
  }
  bool end_object() {
    if (has_duplicates(open_.back())) return refuse("has a member twice");
    return close();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool refuse(std::string_view why) {
    fault_ = why;
    return false;
  }
  std::uint32_t keep(std::string_view text) {
    out_.pool_ += text;
    return static_cast<std::uint32_t>(out_.pool_.size() - text.size());
  }
  bool add(JsonKind kind) {
    if (out_.nodes_.size() >= limits_.values) return refuse("has too many values");
    JsonDocument::Node node;
    node.kind = kind;
    if (!open_.empty()) {
      JsonDocument::Node& parent = out_.nodes_[open_.back()];
      node.parent = open_.back();
      ++parent.count;
      if (parent.kind == JsonKind::Object) node.name_at = name_at_, node.name_size = name_size_;
    }
    node.end = static_cast<std::uint32_t>(out_.nodes_.size() + 1);
    out_.nodes_.push_back(node);
    return true;
  }
  bool scalar(JsonKind kind, std::string_view text) {
    if (!add(kind)) return false;
    out_.nodes_.back().text_at = keep(text);
    out_.nodes_.back().text_size = static_cast<std::uint32_t>(text.size());
    return true;
  }
  bool number(double value, std::string_view text) {
    if (!scalar(JsonKind::Number, text)) return false;
    out_.nodes_.back().number = value;
    return true;
  }
  template <class Whole>
  bool whole(Whole value) {
    std::array<char, 24> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return number(static_cast<double>(value), {text.data(), static_cast<std::size_t>(end - text.data())});
  }
  bool open(JsonKind kind) {
    if (open_.size() >= limits_.depth) return refuse("is too deep");
    if (!add(kind)) return false;
    open_.push_back(static_cast<std::uint32_t>(out_.nodes_.size() - 1));
    return true;
  }
  bool close() {
    out_.nodes_[open_.back()].end = static_cast<std::uint32_t>(out_.nodes_.size());
    open_.pop_back();
    return true;
  }
  // Sorted where there are many: strangers choose the number.
  bool has_duplicates(std::uint32_t object) const {
    std::vector<std::string_view> names;
    names.reserve(out_.nodes_[object].count);
    for (std::uint32_t at = object + 1; at < out_.nodes_.size(); at = out_.nodes_[at].end)
      names.push_back(out_.pooled(out_.nodes_[at].name_at, out_.nodes_[at].name_size));
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
  }

  JsonDocument& out_;
  const JsonLimits& limits_;
  std::string_view fault_;
  std::vector<std::uint32_t> open_;
  std::uint32_t name_at_ = 0, name_size_ = 0;
};

Result<JsonDocument, std::string_view> JsonDocument::parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.size) return Failure<std::string_view>{"is too large"};
  // The parser would take a NUL for the end, and pass over a byte order mark.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf")) return Failure<std::string_view>{"is not JSON"};
  JsonDocument out;
  out.nodes_.reserve(16);
  out.pool_.reserve(text.size());
  JsonReader reader(out, limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) return Failure<std::string_view>{reader.fault()};
  return out;
}

JsonKind JsonValue::kind() const noexcept { return document_->nodes_[at_].kind; }

std::optional<bool> JsonValue::as_bool() const noexcept {
  if (!is(JsonKind::Bool)) return std::nullopt;
  return document_->nodes_[at_].truth;
}

std::optional<double> JsonValue::as_number() const noexcept {
  if (!is(JsonKind::Number)) return std::nullopt;
  return document_->nodes_[at_].number;
}

std::optional<std::string_view> JsonValue::as_text() const noexcept {
  if (!is(JsonKind::Text)) return std::nullopt;
  return scalar();
}

std::string_view JsonValue::scalar() const noexcept { return document_->pooled(document_->nodes_[at_].text_at, document_->nodes_[at_].text_size); }
std::size_t JsonValue::size() const noexcept { return document_->nodes_[at_].count; }
std::string_view JsonValue::name() const noexcept { return document_->pooled(document_->nodes_[at_].name_at, document_->nodes_[at_].name_size); }

std::optional<JsonValue> JsonValue::first() const noexcept {
  if (size() == 0) return std::nullopt;
  return JsonValue(*document_, at_ + 1);
}

std::optional<JsonValue> JsonValue::next() const noexcept {
  if (at_ == 0) return std::nullopt;
  const std::uint32_t behind = document_->nodes_[at_].end;
  if (behind >= document_->nodes_[document_->nodes_[at_].parent].end) return std::nullopt;
  return JsonValue(*document_, behind);
}

std::optional<JsonValue> JsonValue::member(std::string_view wanted) const noexcept {
  if (!is(JsonKind::Object)) return std::nullopt;
  for (auto one = first(); one; one = one->next())
    if (one->name() == wanted) return one;
  return std::nullopt;
}

}  // namespace gatelab::crypto
