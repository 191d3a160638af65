// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/words.h"

#include <functional>
#include <utility>

#include "http/rule.h"
#include "observe/reason.h"

namespace gatelab::harness {
namespace {

// Every scalar that the value is compared with as a whole: patterns and pieces of text may be anything.
void each_whole(const config::Node& node, const std::function<void(const config::Node&)>& look) {
  for (const config::Node& item : node.items) each_whole(item, look);
  for (const config::Entry& e : node.entries)
    if (e.key != "matches" && e.key != "contains" && e.key != "includes") each_whole(*e.value, look);
  if (node.kind != config::Kind::List && node.kind != config::Kind::Map) look(node);
}

bool is_class(std::string_view text) { return text.size() == 3 && text[0] >= '1' && text[0] <= '5' && (text.substr(1) == "xx" || text.substr(1) == "XX"); }

bool is_code(std::string_view text) {
  if (text.size() != 3) return false;
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  return text.front() != '0';
}

std::string instead_of(std::string_view text) {
  std::string out = "write ";
  const std::string_view first = text.substr(0, 1);
  if (is_class(text)) out.append("{ between: [").append(first).append("00, ").append(first).append("99] }");
  else if (is_code(text)) out.append(text).append(" without quotes");
  else out.append("a number such as 200");
  return out;
}

std::vector<std::string_view> all_words() {
  std::vector<std::string_view> out;
  for (const observe::Reason& reason : observe::all_reasons()) out.push_back(reason.word);
  for (const http::RuleInfo& rule : http::all_rules()) out.push_back(rule.word);
  return out;
}

}  // namespace

void check_status(const config::Node& node, diag::Sink& sink) {
  each_whole(node, [&sink](const config::Node& scalar) {
    if (scalar.kind != config::Kind::Text) return;
    std::string message = "`";
    message.append(scalar.text).append("` is no status: nothing could match it");
    sink.error("bad-status", scalar.span, std::move(message), instead_of(scalar.text));
  });
}

void check_status_counts(const config::Node& node, diag::Sink& sink) {
  for (const config::Entry& e : node.entries)
    if (!is_code(e.key)) sink.error("bad-status", e.key_span, "`" + e.key + "` is no status that answers could be counted by", is_class(e.key) ? "`totals` counts each status by itself: 200, 201" : "write a number such as 200");
}

void check_reason(const config::Node& node, diag::Sink& sink) {
  static const std::vector<std::string_view> kWords = all_words();
  each_whole(node, [&sink](const config::Node& scalar) {
    if (scalar.kind != config::Kind::Text || scalar.text.empty()) return;
    for (const std::string_view word : kWords)
      if (word == scalar.text) return;
    diag::Diagnostic d;
    d.id = "unknown-reason";
    d.message = "there is no reason `" + scalar.text + "`";
    d.span = scalar.span;
    const std::string_view near = diag::nearest(scalar.text, kWords);
    if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
    d.hint = "docs/errors.md lists all of them";
    sink.report(std::move(d));
  });
}

}  // namespace gatelab::harness
