// SPDX-License-Identifier: Apache-2.0
// The form of a state file, line by line; names and keys are percent-encoded:
//   gatelab-state 1
//   counts ID SHAPE HOW-MANY
//   UNTIL COUNT KEY
//   sha256 DIGEST-OF-ALL-ABOVE
#include "policy/kept.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/text.h"
#include "crypto/digest.h"

namespace gatelab::policy {
namespace {

constexpr std::string_view kMagic = "gatelab-state ";
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kDigest = "sha256 ";
constexpr std::size_t kDigestLine = kDigest.size() + 64 + 1;
constexpr std::size_t kMaxName = 4096;  // octets of a name or key, encoded

bool is_plain(char c) noexcept { return c > 0x20 && c < 0x7f && c != '%'; }

void append_encoded(std::string& out, std::string_view text) { append_percent_encoded(out, text, is_plain); }

int digit(char c) noexcept { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// Only what append_encoded() writes: one text has one form.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      out += text[i];
      continue;
    }
    if (text[i] != '%' || i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]), low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    const auto c = static_cast<char>(high * 16 + low);
    if (is_plain(c)) return std::nullopt;
    out += c;
    i += 2;
  }
  return out;
}

std::string digest_line(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out(kDigest);
  for (const std::uint8_t octet : crypto::sha256(text)) out += {kHex[octet >> 4], kHex[octet & 15]};
  return out + "\n";
}

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool more() const noexcept { return !rest_.empty(); }
  std::size_t number() const noexcept { return number_; }
  // Begins the next line; false where there is none that ends.
  bool next() noexcept {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return false;
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++number_;
    return true;
  }
  // The next word of the line. Words stand one space apart.
  std::string_view word() noexcept {
    const std::size_t end = std::min(line_.find(' '), line_.size());
    const std::string_view out = line_.substr(0, end);
    line_.remove_prefix(std::min(end + 1, line_.size()));
    return out;
  }
  template <class T>
  std::optional<T> number_word() noexcept {
    const std::string_view text = word();
    T value{};
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
    return value;
  }
  std::optional<std::string> name() {
    const std::string_view text = word();
    if (text.empty() || text.size() > kMaxName) return std::nullopt;
    return decode(text);
  }
  bool at_end() const noexcept { return line_.empty(); }

 private:
  std::string_view rest_, line_;
  std::size_t number_ = 0;
};

Failure<Error> corrupt(const Lines& lines, const std::string& what) { return fail("corrupt", "line " + std::to_string(lines.number()) + ": " + what); }

Result<KeptSection> read_section(Lines& lines) {
  KeptSection out;
  if (lines.word() != "counts") return corrupt(lines, "no line of a state file begins so");
  auto id = lines.name(), shape = lines.name();
  const auto how_many = lines.number_word<std::uint64_t>();
  if (!id || !shape || !how_many || !lines.at_end()) return corrupt(lines, "not `counts ID SHAPE HOW-MANY`");
  out.id = std::move(*id);
  out.shape = std::move(*shape);
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < *how_many; ++i) {
    if (!lines.next()) return corrupt(lines, "lines are missing behind it");
    const auto until = lines.number_word<std::int64_t>();
    const auto count = lines.number_word<std::uint64_t>();
    auto key = lines.name();
    if (!until || !count || !key || !lines.at_end()) return corrupt(lines, "not `UNTIL COUNT KEY`");
    if (*until < 0 || *until > Instant::max().seconds()) return corrupt(lines, "no such time");
    if (!keys.insert(*key).second) return corrupt(lines, "a key stands there twice");
    out.counts.push_back({std::move(*key), Instant::from_seconds(*until), *count});
  }
  return out;
}

}  // namespace

std::string write_kept(const std::vector<KeptSection>& sections, std::size_t& left_out) {
  std::string out(kMagic);
  out += std::to_string(kVersion) + "\n";
  left_out = 0;
  std::string lines;
  for (const KeptSection& section : sections) {
    lines.clear();
    std::size_t how_many = 0;
    for (const KeptCount& one : section.counts) {
      const std::size_t before = lines.size();
      lines += std::to_string(one.until.seconds()) + " " + std::to_string(one.count) + " ";
      append_encoded(lines, one.key);
      lines += '\n';
      if (out.size() + lines.size() + 2 * kMaxName + kDigestLine <= kMaxKeptOctets) {
        ++how_many;
        continue;
      }
      lines.resize(before);
      left_out += section.counts.size() - how_many;
      break;
    }
    out += "counts ";
    append_encoded(out, section.id);
    out += ' ';
    append_encoded(out, section.shape);
    out += ' ' + std::to_string(how_many) + '\n' + lines;
  }
  return out + digest_line(out);
}

Result<std::vector<KeptSection>> read_kept(std::string_view text) {
  Lines lines(text);
  if (!text.starts_with(kMagic) || !lines.next()) return fail("corrupt", "line 1: it does not begin as a state file does");
  lines.word();
  const auto version = lines.number_word<std::uint64_t>();
  if (!version || *version == 0 || !lines.at_end()) return corrupt(lines, "it does not begin as a state file does");
  if (*version > kVersion) return fail("newer", "its version is " + std::to_string(*version) + ", and this gatelab knows " + std::to_string(kVersion));
  if (text.size() < kDigestLine) return corrupt(lines, "the end is missing");
  const std::string_view body = text.substr(0, text.size() - kDigestLine);
  if (!body.ends_with('\n') || text.substr(body.size()) != digest_line(body)) return corrupt(lines, "the digest at its end is not that of what stands above: it was cut off or changed");
  std::vector<KeptSection> out;
  Lines inner(body);
  inner.next();
  std::set<std::pair<std::string, std::string>> ids;
  while (inner.more()) {
    inner.next();
    auto section = read_section(inner);
    if (!section) return Failure<Error>{section.error()};
    if (!ids.emplace(section->id, section->shape).second) return corrupt(inner, "a state stands there twice");
    out.push_back(std::move(*section));
  }
  return out;
}

}  // namespace gatelab::policy
