// SPDX-License-Identifier: Apache-2.0
#include "policy/cors/origins.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "http/cors.h"

namespace gatelab::policy {
namespace {

bool matches(const re2::RE2& pattern, std::string_view text) noexcept { return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern); }

// What the text was meant to be, if that can be told; else empty.
std::string meant(const std::string& text) {
  std::string out = to_lower(text);
  if (out.find("://") == std::string::npos) out = "https://" + out;
  const std::size_t authority = out.find("://") + 3;
  if (const std::size_t path = out.find_first_of("/?#", authority); path != std::string::npos) out.resize(path);
  for (const std::string_view scheme : {"http://", "https://"}) {
    const std::string_view port = scheme == "http://" ? ":80" : ":443";
    if (out.starts_with(scheme) && out.ends_with(port)) out.resize(out.size() - port.size());
  }
  return http::is_origin(out) ? out : "";
}

void any_origin(const diag::Span& span, const std::string& what, bool credentials, diag::Sink& sink) {
  if (credentials)
    return sink.error("any-origin", span, what + " lets any site there is act for a user who is logged in", "with `credentials: true`, name the origins that may");
  sink.warning("any-origin", span, what + " matches any origin", "write origins: \"*\" if that is meant");
}

// Patterns that say more than their author is likely to have meant. Scanned as text: an atom that may be anything must not
// touch a name.
void lint(const std::string& pattern, const diag::Span& span, diag::Sink& sink) {
  const auto is_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const auto loose = [&](std::string message, std::string hint) { sink.warning("loose-pattern", span, "`" + pattern + "`: " + std::move(message), std::move(hint)); };
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (c == '\\') ++i;
    else if (c == '[') in_class = true;
    else if (c == ']') in_class = false;
    else if (in_class) continue;
    else if ((c == '*' || c == '+') && is_name(next)) {
      const auto end = std::find_if_not(pattern.begin() + static_cast<std::ptrdiff_t>(i) + 1, pattern.end(), is_name);
      const std::string name(pattern.begin() + static_cast<std::ptrdiff_t>(i) + 1, end);
      return loose("what may vary touches `" + name + "`, so that `evil" + name + "` matches too", "end what may vary with a dot: [a-z0-9-]+\\.");
    } else if (c == '.' && (next == '*' || next == '+') && i + 2 >= pattern.size()) return loose("its end is open, so that another domain may follow", "end the pattern with the host, or with a port: (:[0-9]+)?");
    else if (c == '.' && next != '*' && next != '+' && next != '?' && next != '{') return loose("a `.` stands for any octet", "write \\. for a dot");
  }
}

}  // namespace

Origins::Verdict Origins::judge(std::string_view origin) const noexcept {
  if (any_) return {true, "*"};
  if (origin == "null") return {null_, null_ ? std::string_view("null") : std::string_view()};
  const auto exact = std::lower_bound(exact_.begin(), exact_.end(), origin, std::less<>());
  if (exact != exact_.end() && *exact == origin) return {true, *exact};
  // A pattern is asked only for what a browser could have sent.
  if (patterns_.empty() || !http::is_origin(origin)) return {};
  for (const auto& pattern : patterns_)
    if (matches(*pattern, origin)) return {true, pattern->pattern()};
  return {};
}

Origins Origins::parse(const config::Node& node, bool credentials, diag::Sink& sink) {
  Origins out;
  const auto one = [&](const config::Node& n, bool alone) {
    if (n.kind == config::Kind::Map) return out.add_pattern(n, credentials, sink);
    if (n.kind == config::Kind::Null) return sink.error("bad-origin", n.span, "an empty value is no origin", "the origin of sandboxed frames is written in quotes: \"null\"");
    if (const auto text = config::as_text(n, sink, "`origins` of policy `cors`")) out.add_text(*text, n.span, alone, credentials, sink);
  };
  if (node.kind != config::Kind::List) {
    one(node, true);
  } else {
    if (node.items.empty()) sink.error("no-origins", node.span, "`origins` of policy `cors` names nobody", "name the sites that may call: https://app.example");
    for (const config::Node& item : node.items) one(item, node.items.size() == 1);
  }
  std::sort(out.exact_.begin(), out.exact_.end());
  return out;
}

void Origins::add_text(const std::string& text, const diag::Span& span, bool alone, bool credentials, diag::Sink& sink) {
  if (text == "*") {
    if (credentials) any_origin(span, "`*`", true, sink);
    else if (!alone) sink.error("bad-origin", span, "`*` stands beside other origins, and is all of them", "write origins: \"*\" alone, or leave it out");
    any_ = true;
    return;
  }
  if (text == "null") {
    if (credentials) sink.warning("null-origin", span, "with `credentials: true`, `null` lets every sandboxed frame act for a user who is logged in", "any site can make one: give the callers an origin of their own");
    null_ = true;
    return;
  }
  if (!http::is_origin(text)) {
    const bool star = text.find('*') != std::string::npos;
    const std::string better = star ? "" : meant(text);
    return sink.error("bad-origin", span, "`" + text + "` is not an origin as browsers send it",
                      star ? R"(write a pattern: { regex: "https://[a-z0-9-]+\\.example\\.com" })" : better.empty() ? "an origin is scheme://host, with a port unless it is the scheme's own" : "write " + better);
  }
  if (std::find(exact_.begin(), exact_.end(), text) != exact_.end()) sink.warning("no-effect", span, "the origin `" + text + "` stands there twice");
  else exact_.push_back(text);
}

void Origins::add_pattern(const config::Node& node, bool credentials, diag::Sink& sink) {
  config::Reader r(node, sink, "`origins` of policy `cors`");
  r.require("regex");
  const auto text = r.text("regex");
  for (const std::string_view key : {"pattern", "match"}) r.elsewhere(key, "write regex: …");
  r.finish();
  if (!text) return;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto pattern = std::make_shared<re2::RE2>(*text, options);
  const diag::Span span = r.span_of("regex");
  if (!pattern->ok()) return sink.error("bad-regex", span, "`" + *text + "` is not a regular expression: " + pattern->error(), "the syntax is RE2's: no look-around, no back-references");
  constexpr std::string_view kNobodys[] = {"https://gatelab-probe.invalid", "http://gatelab-probe.invalid", "https://gatelab-probe.invalid:8443", "https://a.gatelab-probe.invalid"};
  if (std::any_of(std::begin(kNobodys), std::end(kNobodys), [&pattern](std::string_view origin) { return matches(*pattern, origin); })) any_origin(span, "`" + *text + "`", credentials, sink);
  else lint(*text, span, sink);
  patterns_.push_back(std::move(pattern));
}

}  // namespace gatelab::policy
