// SPDX-License-Identifier: Apache-2.0
// A path that is put together for a target: text, values of the request, groups of a regular expression. Read once; immutable;
// any thread.
#pragma once

#include <re2/re2.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "policy/template.h"

namespace gatelab::policy {

// What came of it: nothing that may be forwarded if `path` is empty; `why`, for people. Both live in the arena or the configuration.
struct RewrittenPath {
  std::string_view path, why;
};

class Rewrite {
 public:
  // `pattern` null: a whole path. Else what takes the place of the part that matches, with \1, \g<name> and \0 for groups of the
  // match. Reports (bad-path, bad-template) and gives nullopt where its text can't be part of a canonical path.
  static std::optional<Rewrite> parse(const config::Node& node, const re2::RE2* pattern, diag::Sink& sink);

  // Appends what is to stand in a path. A value keeps to its place: it is a segment, or a part of one, whatever octets it has.
  // False: a value is not there, or all of it is too long; `why` says so. `groups` are parts of a canonical path; one that took no
  // part in the match is nothing, and a value that is not there where it would be a whole segment. `rest` is what follows.
  bool append(std::string& out, const Input& in, std::span<const re2::StringPiece> groups, std::string_view rest, std::string_view& why) const noexcept;

 private:
  struct Piece {
    Template text;
    int group = -1;  // instead of the text
  };
  bool add_text(std::string_view text, const diag::Span& span, diag::Sink& sink);
  bool add_group(std::string_view& rest, const re2::RE2& pattern, const diag::Span& span, diag::Sink& sink);
  std::string sample() const;
  std::vector<Piece> pieces_;
};

// The path as the listener would let it in, and not another one than was written: what would have to be resolved or decoded
// first could have got there only by what a client has sent.
RewrittenPath checked_path(std::string_view path, const Input& in) noexcept;

}  // namespace gatelab::policy
