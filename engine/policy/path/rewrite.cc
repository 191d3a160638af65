// SPDX-License-Identifier: Apache-2.0
#include "policy/path/rewrite.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "http/rule.h"
#include "http/uri.h"

namespace gatelab::policy {
namespace {

// "//host/x" would be read as another host by whoever makes a URL of it.
std::string one_slash(std::string_view path, bool everywhere) {
  std::string out;
  for (const char c : path)
    if (c != '/' || !out.ends_with('/') || (!everywhere && out.size() > 1)) out += c;
  return out;
}

bool is_canonical(const std::string& path) {
  Arena arena;
  const http::CanonicalPath canonical = http::canonical_path(path, {}, arena);
  return canonical.rule == http::Rule::Ok && canonical.path == path && path.find("//") == std::string::npos;
}

// The number of a group by what stands for it, digits or a name; -1: there is none.
int group_of(std::string_view name, const re2::RE2& pattern) {
  std::uint64_t number = 0;
  if (parse_decimal(name, number)) return number <= static_cast<std::uint64_t>(pattern.NumberOfCapturingGroups()) ? static_cast<int>(number) : -1;
  const auto found = pattern.NamedCapturingGroups().find(std::string(name));
  return found == pattern.NamedCapturingGroups().end() ? -1 : found->second;
}

}  // namespace

bool Rewrite::add_text(std::string_view text, const diag::Span& span, diag::Sink& sink) {
  if (text.empty()) return true;
  auto parsed = Template::parse(text, span, sink);
  if (parsed) pieces_.push_back({std::move(*parsed), -1});
  return parsed.has_value();
}

// `rest` begins behind the backslash: 1, or g<name>.
bool Rewrite::add_group(std::string_view& rest, const re2::RE2& pattern, const diag::Span& span, diag::Sink& sink) {
  std::string_view name = rest.substr(0, 1);
  std::size_t used = name.size();
  if (rest.starts_with("g<")) {
    const std::size_t end = rest.find('>');
    name = end == std::string_view::npos ? std::string_view() : rest.substr(2, end - 2);
    used = end == std::string_view::npos ? rest.size() : end + 1;
  }
  const int group = name.empty() ? -1 : group_of(name, pattern);
  if (group < 0) {
    sink.error("bad-template", span, "`\\" + std::string(rest.substr(0, used)) + "` is no group of the regular expression", "\\1 is its first group, \\g<name> the one that is written (?P<name>…), \\0 all that matches");
    return false;
  }
  pieces_.push_back({{}, group});
  rest.remove_prefix(used);
  return true;
}

std::optional<Rewrite> Rewrite::parse(const config::Node& node, const re2::RE2* pattern, diag::Sink& sink) {
  Rewrite out;
  for (std::string_view rest = node.text; !rest.empty();) {
    const std::size_t at = pattern == nullptr ? std::string_view::npos : rest.find('\\');
    if (!out.add_text(rest.substr(0, at), node.span, sink)) return std::nullopt;
    if (at == std::string_view::npos) break;
    rest.remove_prefix(at + 1);
    if (!out.add_group(rest, *pattern, node.span, sink)) return std::nullopt;
  }
  const std::string sample = out.sample();
  // Of a part it is not known what stands around it.
  if (is_canonical(pattern == nullptr ? sample : "/x" + sample + "x")) return out;
  sink.error("bad-path", node.span, "`" + node.text + "` makes no canonical path", std::string(pattern == nullptr ? "it begins with /, and " : "") + "it has no dot segments, no //, no ? or #, and no %XX of plain letters");
  return std::nullopt;
}

std::string Rewrite::sample() const {
  std::string out;
  for (const Piece& piece : pieces_) out += piece.group >= 0 ? "x" : piece.text.sample();
  return out;
}

bool Rewrite::append(std::string& out, const Input& in, std::span<const re2::StringPiece> groups, std::string_view rest, std::string_view& why) const noexcept {
  // Groups that took no part in the match, and where they would stand.
  std::vector<std::pair<int, std::size_t>> absent;
  for (const Piece& piece : pieces_) {
    if (piece.group >= 0) {
      const re2::StringPiece& group = groups[static_cast<std::size_t>(piece.group)];
      if (group.data() == nullptr) absent.emplace_back(piece.group, out.size());
      else out.append(group.data(), group.size());
    } else if (!piece.text.append_to_path(out, in, why)) {
      return false;
    }
  }
  for (const auto& [group, at] : absent) {
    const bool ends = at < out.size() ? out[at] == '/' : rest.empty() || rest.front() == '/';
    if (at == 0 || out[at - 1] != '/' || !ends) continue;
    why = in.arena.concat("a segment is empty: `\\", std::to_string(group), "` took no part in the match");
    return false;
  }
  return true;
}

RewrittenPath checked_path(std::string_view path, const Input& in) noexcept {
  const http::PathOptions options = in.path_options != nullptr ? *in.path_options : http::PathOptions{};
  const std::string_view written = in.arena.copy(one_slash(path, options.duplicate_slash == http::DuplicateSlash::Merge));
  if (written.size() > Template::kMost) return {{}, "it is longer than 8KiB"};
  const http::CanonicalPath canonical = http::canonical_path(written, options, in.arena);
  if (canonical.rule != http::Rule::Ok) return {{}, http::info(canonical.rule).word};
  if (canonical.path != written) return {{}, "a dot segment or an encoded letter has come about"};
  return {written, {}};
}

}  // namespace gatelab::policy
