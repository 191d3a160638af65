// SPDX-License-Identifier: Apache-2.0
#include "config/scalar.h"

#include <algorithm>

namespace gatelab::config {
namespace {

bool digits(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool in(std::string_view s, std::initializer_list<std::string_view> words) noexcept {
  return std::find(words.begin(), words.end(), s) != words.end();
}

bool is_integer(std::string_view s) noexcept {
  if (s.starts_with("0x")) return s.size() > 2 && s.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  if (s.starts_with("0o")) return s.size() > 2 && s.find_first_not_of("01234567", 2) == std::string_view::npos;
  if (!s.empty() && (s.front() == '-' || s.front() == '+')) s.remove_prefix(1);
  return digits(s);
}

bool is_float(std::string_view s) noexcept {
  if (!s.empty() && (s.front() == '-' || s.front() == '+')) s.remove_prefix(1);
  if (in(s, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})) return true;
  const std::size_t e = s.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = s.substr(e + 1);
    if (!exponent.empty() && (exponent.front() == '-' || exponent.front() == '+')) exponent.remove_prefix(1);
    if (!digits(exponent)) return false;
    s = s.substr(0, e);
  }
  const std::size_t point = s.find('.');
  if (point == std::string_view::npos) return digits(s);
  const std::string_view whole = s.substr(0, point), fraction = s.substr(point + 1);
  return (digits(whole) || whole.empty()) && (digits(fraction) || (fraction.empty() && !whole.empty()));
}

std::size_t line_end(std::string_view text, std::size_t at) noexcept {
  std::size_t end = text.find('\n', at);
  if (end == std::string_view::npos) end = text.size();
  while (end > at && (text[end - 1] == ' ' || text[end - 1] == '\r' || text[end - 1] == '\t')) --end;
  return end;
}

bool is_name(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Kind plain_kind(std::string_view text) noexcept {
  if (in(text, {"", "~", "null", "Null", "NULL"})) return Kind::Null;
  if (in(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) return Kind::Bool;
  if (is_integer(text)) return Kind::Integer;
  if (is_float(text)) return Kind::Float;
  return Kind::Text;
}

std::size_t skip_properties(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    while (at < text.size() && text[at] != ' ' && text[at] != '\n') ++at;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
  }
  return at;
}

std::size_t scalar_end(std::string_view text, std::size_t at, std::string_view value) noexcept {
  if (at >= text.size()) return text.size();
  const char first = text[at];
  if (first == '|' || first == '>') return line_end(text, at);
  if (first == '"' || first == '\'') {
    for (std::size_t i = at + 1; i < text.size(); ++i) {
      if (first == '"' && text[i] == '\\') ++i;
      else if (text[i] == first && first == '\'' && i + 1 < text.size() && text[i + 1] == '\'') ++i;
      else if (text[i] == first) return i + 1;
    }
    return std::string_view::npos;
  }
  if (text.substr(at, value.size()) == value) return at + value.size();
  return line_end(text, at);
}

Substituted substitute_env(Node& node, const EnvSource& env, diag::Sink& sink) {
  std::string out;
  std::string_view rest = node.text;
  bool changed = false;
  for (;;) {
    const std::size_t at = rest.find("$(");
    if (at == std::string_view::npos) break;
    changed = true;
    if (at > 0 && rest[at - 1] == '$') {
      out.append(rest.substr(0, at - 1)).append("$(");
      rest.remove_prefix(at + 2);
      continue;
    }
    out.append(rest.substr(0, at));
    rest.remove_prefix(at);
    const std::size_t close = rest.find(')');
    const std::string_view inside = close == std::string_view::npos ? rest : rest.substr(2, close - 2);
    const std::string_view variable = inside.substr(0, inside.find(':'));
    if (close == std::string_view::npos || !variable.starts_with("env.") || !is_name(variable.substr(4))) {
      sink.error("bad-substitution", node.span, "`" + std::string(rest.substr(0, close == std::string_view::npos ? rest.size() : close + 1)) + "` is not a substitution",
                 "write $(env.NAME) or $(env.NAME:default); $$( stands for a literal $(");
      return Substituted::Refused;
    }
    const std::string_view name = variable.substr(4);
    const std::string* value = env.lookup == nullptr ? nullptr : env.lookup(env.context, name);
    if (value != nullptr) {
      out += *value;
      sink.conceal(*value);
      node.from_environment = true;
    } else if (variable.size() < inside.size()) {
      out.append(inside.substr(variable.size() + 1));
    } else {
      sink.error("unset-variable", node.span, "the environment variable `" + std::string(name) + "` is not set",
                 "set it, or give a default: $(env." + std::string(name) + ":default)");
      return Substituted::Unset;
    }
    node.secret = true;
    rest.remove_prefix(close + 1);
  }
  if (!changed) return Substituted::No;
  out.append(rest);
  node.text = std::move(out);
  return Substituted::Yes;
}

}  // namespace gatelab::config
