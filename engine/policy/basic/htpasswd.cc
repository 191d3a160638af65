// SPDX-License-Identifier: Apache-2.0
#include "policy/basic/htpasswd.h"

#include "base/text.h"
#include "crypto/password.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kShown = 3;  // wrong lines that are told one by one

// The work that a hash asks for, so that kinds and costs can be compared roughly.
unsigned long work_of(std::string_view hash) {
  if (hash.starts_with("$2")) return 40'000UL << (static_cast<unsigned long>(hash[4] - '0') * 10 + static_cast<unsigned long>(hash[5] - '0')) >> 5;
  constexpr std::string_view kRounds = "rounds=";
  if (!hash.substr(3).starts_with(kRounds)) return 5000;  // elsewhere it is part of the salt
  unsigned long n = 0;
  for (std::size_t i = 3 + kRounds.size(); i < hash.size() && hash[i] >= '0' && hash[i] <= '9'; ++i) n = n * 10 + static_cast<unsigned long>(hash[i] - '0');
  return n;
}

}  // namespace

Users parse_htpasswd(std::string_view text, const std::string& name, const diag::Span& span, diag::Sink& sink) {
  Users out;
  std::size_t line = 0, wrong = 0;
  const auto refuse = [&](const std::string& what, const char* hint = "") {
    if (++wrong <= kShown) sink.error("bad-htpasswd", span, what, hint);
  };
  unsigned long most = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (trim_ows(row).empty() || row.starts_with('#')) continue;
    const std::string where = "`" + name + "`, line " + std::to_string(line) + ": ";
    const std::size_t colon = row.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      refuse(where + "not user:hash", "htpasswd -B -c FILE USER writes such a file");
      continue;
    }
    const std::string user(row.substr(0, colon)), hash(row.substr(colon + 1));
    if (!crypto::is_password_hash(hash)) {
      refuse(where + "the hash of `" + user + "` is not bcrypt, SHA-256 or SHA-512 crypt, or costs too much", "htpasswd -B FILE USER writes it anew, with bcrypt");
      continue;
    }
    if (!out.hashes.emplace(user, hash).second) refuse(where + "`" + user + "` stands there twice");
    if (work_of(hash) <= most) continue;
    most = work_of(hash);
    out.slowest = hash;
  }
  if (wrong > kShown) sink.error("bad-htpasswd", span, "`" + name + "`: " + std::to_string(wrong - kShown) + " more lines are wrong");
  return out;
}

}  // namespace gatelab::policy
