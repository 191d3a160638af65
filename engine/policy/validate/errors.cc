// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/errors.h"

#include "base/text.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMost = 200;  // octets of a place or a sentence

// Not within a character.
std::string_view cut(std::string_view text) noexcept {
  if (text.size() <= kMost) return text;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

void member(std::string& out, std::string_view name, std::string_view value) {
  out.append(out.ends_with('{') ? "\"" : ",\"").append(name).append("\":\"");
  append_json_escaped(out, cut(value));
  out += '"';
}

}  // namespace

std::string first_of(const std::vector<InvalidPart>& failures) {
  const InvalidPart& first = failures.front();
  return std::string(first.in) + std::string(cut(first.failure.pointer)) + " " + std::string(cut(first.failure.detail));
}

Step refuse_invalid(Input& in, const observe::Reason& reason, const std::vector<InvalidPart>& failures) noexcept {
  Step step = deny_told(in, reason, in.arena.copy(first_of(failures)));
  std::string errors = "\"errors\":[";
  for (const InvalidPart& one : failures) {
    errors += errors.ends_with('[') ? "{" : ",{";
    member(errors, "in", one.in);
    member(errors, "pointer", one.failure.pointer);
    member(errors, "keyword", one.failure.keyword);
    member(errors, "detail", one.failure.detail);
    errors += '}';
  }
  step.answer->members = in.arena.copy(errors + "]");
  return step;
}

}  // namespace gatelab::policy
