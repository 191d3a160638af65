// SPDX-License-Identifier: Apache-2.0
#include "policy/path/path.h"

#include <memory>
#include <utility>

#include "policy/path/rewrite.h"
#include "policy/when.h"

namespace gatelab::policy {
namespace {

std::string_view view(const re2::StringPiece& piece) noexcept { return {piece.data(), piece.size()}; }

class Path final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "path"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  bool rewrites_path() const noexcept override { return true; }

  Step step(Input& in) const noexcept override {
    const std::string_view from = in.forwarded.empty() ? in.path : in.forwarded;
    if (in.route == "(none)" || !from.starts_with('/')) return Step::skip("nothing is forwarded");
    if (!when.fits(in)) return Step::skip("`when` does not speak of it");
    RewrittenPath made;
    if (!(pattern ? replace_part(in, from, made) : replace_whole(in, made))) return Step::skip("`regex` does not match");
    if (made.path.empty()) return deny(in, observe::reason::kRewrittenPath, made.why);
    Step step = Step::go_on(in.detailed ? in.arena.concat("to ", made.path) : std::string_view());
    if (mode == Mode::Observe) step.outcome = Outcome::Observe;
    else in.forwarded = made.path;
    return step;
  }

  When when;
  std::unique_ptr<const re2::RE2> pattern;  // null: the whole path is written anew
  Rewrite rewrite;

 private:
  bool replace_whole(const Input& in, RewrittenPath& made) const noexcept {
    std::string path;
    if (rewrite.append(path, in, {}, {}, made.why)) made = checked_path(path, in);
    return true;
  }

  // The first part that matches. False: none does.
  bool replace_part(const Input& in, std::string_view from, RewrittenPath& made) const noexcept {
    const auto groups = in.arena.array<re2::StringPiece>(static_cast<std::size_t>(pattern->NumberOfCapturingGroups()) + 1);
    if (!pattern->Match({from.data(), from.size()}, 0, from.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) return false;
    const std::string_view whole = view(groups[0]);
    const auto at = static_cast<std::size_t>(whole.data() - from.data());
    std::string path(from.substr(0, at));
    const std::string_view rest = from.substr(at + whole.size());
    if (!rewrite.append(path, in, groups, rest, made.why)) return true;
    path += rest;
    made = checked_path(path, in);
    return true;
  }
};

std::unique_ptr<const re2::RE2> parse_pattern(const config::Node& node, diag::Sink& sink) {
  const auto text = config::as_text(node, sink, "`regex` of policy `path`");
  if (!text) return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto pattern = std::make_unique<const re2::RE2>(*text, options);
  if (pattern->ok()) return pattern;
  sink.error("bad-regex", node.span, "`" + *text + "` is not a regular expression: " + pattern->error(), "RE2's syntax: no back references, no look-around");
  return nullptr;
}

}  // namespace

std::unique_ptr<Policy> parse_path(const config::Node& node, Context& context) {
  diag::Sink& sink = context.sink;
  config::Reader r(node, sink, "policy `path`");
  const std::size_t before = sink.errors();
  auto policy = std::make_unique<Path>();
  policy->when = When::parse(r.get("when"), "path", sink);
  const config::Node* to = r.get("to");
  const config::Node* regex = r.get("regex");
  const config::Node* replace = r.get("replace");
  for (const std::string_view key : {"strip_prefix", "rewrite_prefix"}) r.elsewhere(key, "it stands beside the route's `match`");
  r.elsewhere("add_prefix", "write to: /v2${request.path}");
  for (const std::string_view key : {"rewrite", "set", "template"}) r.elsewhere(key, "write to: /v2/${path.id}");
  r.finish();
  if (!r.valid() || sink.errors() != before) return nullptr;
  if (to != nullptr && (regex != nullptr || replace != nullptr)) sink.error("two-places", to->span, "policy `path` has `to` and `" + std::string(regex != nullptr ? "regex" : "replace") + "`", "`to` is the whole path; `replace` takes the place of what `regex` matches");
  else if (to == nullptr && regex == nullptr && replace == nullptr) sink.error("missing-key", r.span(), "policy `path` does not say what becomes of the path", "to: /v2/${path.id}, or regex and replace");
  else if ((regex == nullptr) != (replace == nullptr)) sink.error("missing-key", r.span(), "policy `path` has `" + std::string(regex != nullptr ? "regex` and no `replace`" : "replace` and no `regex`"), "regex: ^/v1/, replace: /v2/");
  if (sink.errors() != before) return nullptr;
  if (regex != nullptr && (policy->pattern = parse_pattern(*regex, sink)) == nullptr) return nullptr;
  const config::Node& text = to != nullptr ? *to : *replace;
  if (!config::as_text(text, sink, std::string(to != nullptr ? "`to`" : "`replace`") + " of policy `path`")) return nullptr;
  auto rewrite = Rewrite::parse(text, policy->pattern.get(), sink);
  if (!rewrite) return nullptr;
  policy->rewrite = std::move(*rewrite);
  return policy;
}

}  // namespace gatelab::policy
