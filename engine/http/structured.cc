// SPDX-License-Identifier: Apache-2.0
#include "http/structured.h"

#include <array>
#include <charconv>
#include <optional>

#include "http/chars.h"

namespace gatelab::http::structured {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;
constexpr auto kDigitValue = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) out[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return out;
}();

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) noexcept { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool may_begin_name(char c) noexcept { return is_lower(c) || c == '*'; }
bool is_of_name(char c) noexcept { return may_begin_name(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

// A list of which nobody knows how long it becomes.
template <class T>
class Growing {
 public:
  explicit Growing(Arena& arena) noexcept : arena_(arena) {}
  void add(const T& one) noexcept {
    if (size_ == all_.size()) {
      const std::span<T> bigger = arena_.array<T>(all_.empty() ? 4 : 2 * all_.size());
      for (std::size_t i = 0; i < size_; ++i) bigger[i] = all_[i];
      all_ = bigger;
    }
    all_[size_++] = one;
  }
  std::span<const T> all() const noexcept { return all_.first(size_); }

 private:
  Arena& arena_;
  std::span<T> all_{};
  std::size_t size_ = 0;
};

// dictionary = member *( OWS "," OWS member )      member = name [ "=" ( list / item ) ] parameters
// list = "(" *SP [ item *( 1*SP item ) *SP ] ")"   item = value parameters   parameters = *( ";" *SP name [ "=" value ] )
class Parser {
 public:
  Parser(std::string_view text, Arena& arena) noexcept : text_(text), arena_(arena) {}

  Result<Dictionary, Fault> dictionary() noexcept {
    if (text_.size() > kMaxText) return Failure<Fault>{{"too long", kMaxText}};
    Growing<Member> members(arena_);
    skip(" ");
    while (!at_end() && !fault_) {
      Member one;
      member(one);
      for (const Member& other : members.all())
        if (other.name == one.name) wrong("a name stands there twice");
      if (members.all().size() == kMaxMembers) wrong("too many members");
      members.add(one);
      skip(" \t");
      if (at_end()) break;
      if (!take(',')) wrong("no comma between two members");
      skip(" \t");
      if (at_end()) wrong("a comma at the end");
    }
    if (fault_) return Failure<Fault>{*fault_};
    return Dictionary{members.all()};
  }

 private:
  void member(Member& out) noexcept {
    out.name = name();
    out.item.value.boolean = true;
    if (take('=')) {
      out.is_list = !at_end() && text_[at_] == '(';
      if (out.is_list) out.items = list();
      else out.item.value = value();
    }
    out.item.parameters = parameters();
  }

  std::span<const Item> list() noexcept {
    Growing<Item> items(arena_);
    take('(');
    while (!fault_) {
      skip(" ");
      if (take(')')) return items.all();
      if (at_end()) break;
      if (items.all().size() == kMaxItems) wrong("too many items");
      const Value first = value();
      items.add({first, parameters()});
      if (!at_end() && text_[at_] != ' ' && text_[at_] != ')') wrong("no space between two items");
    }
    wrong("a list without its end");
    return {};
  }

  std::span<const Parameter> parameters() noexcept {
    Growing<Parameter> all(arena_);
    while (!fault_ && take(';')) {
      skip(" ");
      Parameter one;
      one.name = name();
      one.value.boolean = true;
      if (take('=')) one.value = value();
      if (find(all.all(), one.name) != nullptr) wrong("a parameter stands there twice");
      if (all.all().size() == kMaxParameters) wrong("too many parameters");
      all.add(one);
    }
    return all.all();
  }

  std::string_view name() noexcept {
    const std::size_t from = at_;
    if (at_end() || !may_begin_name(text_[at_])) wrong("no name where one belongs");
    while (!at_end() && is_of_name(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }

  Value value() noexcept {
    if (at_end()) return wrong("no value where one belongs"), Value{};
    const char c = text_[at_];
    if (c == '-' || is_digit(c)) return number();
    if (c == '"') return string();
    if (c == ':') return bytes();
    if (c == '?') return boolean();
    if (c == '*' || is_alpha(c)) return token();
    return wrong("no value where one belongs"), Value{};
  }

  Value number() noexcept {
    Value out{.kind = Kind::Integer};
    const bool negative = take('-');
    const std::size_t whole = digits(out.number);
    std::size_t fraction = 0;
    if (take('.')) {
      out.kind = Kind::Decimal;
      fraction = digits(out.number);
      if (fraction == 0 || fraction > 3) wrong("a number with no digit or too many behind its point");
      for (std::size_t i = fraction; i < 3; ++i) out.number *= 10;
    }
    if (whole == 0 || whole > (out.kind == Kind::Decimal ? 12U : 15U)) wrong("a number with no digit or too many");
    if (negative) out.number = -out.number;
    return out;
  }

  // How many there were; more than the longest number has are not read into it.
  std::size_t digits(std::int64_t& into) noexcept {
    std::size_t count = 0;
    for (; !at_end() && is_digit(text_[at_]); ++at_, ++count)
      if (count < 15) into = into * 10 + (text_[at_] - '0');
    return count;
  }

  Value string() noexcept {
    take('"');
    const std::size_t from = at_;
    std::size_t escapes = 0;
    for (; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_, ++escapes;
        if (at_end() || (text_[at_] != '"' && text_[at_] != '\\')) return wrong("a backslash before something else than a quote or a backslash"), Value{};
      } else if (text_[at_] < 0x20 || text_[at_] > 0x7e) {
        return wrong("a string with something else than visible ASCII"), Value{};
      }
    }
    const std::string_view inside = text_.substr(from, at_ - from);
    if (!take('"')) wrong("a string without its end");
    return {.kind = Kind::String, .text = escapes == 0 ? inside : without_backslashes(inside)};
  }

  std::string_view without_backslashes(std::string_view inside) noexcept {
    char* out = arena_.room<char>(inside.size());
    std::size_t n = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
      out[n++] = inside[i];
    }
    return {out, n};
  }

  Value token() noexcept {
    const std::size_t from = at_;
    while (!at_end() && (is(text_[at_], kToken) || text_[at_] == ':' || text_[at_] == '/')) ++at_;
    return {.kind = Kind::Token, .text = text_.substr(from, at_ - from)};
  }

  Value bytes() noexcept {
    take(':');
    const std::size_t end = text_.find(':', at_);
    if (end == std::string_view::npos) return wrong("a byte sequence without its end"), Value{};
    const auto octets = decoded(text_.substr(at_, end - at_));
    if (!octets) return wrong("a byte sequence that is no strict Base64"), Value{};
    at_ = end + 1;
    return {.kind = Kind::Bytes, .text = *octets};
  }

  std::optional<std::string_view> decoded(std::string_view text) noexcept {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    char* out = arena_.room<char>(text.size() / 4 * 3 + 1);
    std::size_t n = 0;
    std::uint32_t bits = 0, known = 0;
    for (const char c : text.substr(0, text.size() - padding)) {
      const std::uint8_t digit = kDigitValue[static_cast<unsigned char>(c)];
      if (digit == kNoDigit) return std::nullopt;
      bits = (bits << 6 | digit) & 0xffffff;
      known += 6;
      if (known < 8) continue;
      known -= 8;
      out[n++] = static_cast<char>(bits >> known);
    }
    if ((bits & ((1U << known) - 1)) != 0) return std::nullopt;
    return std::string_view(out, n);
  }

  Value boolean() noexcept {
    take('?');
    Value out{.kind = Kind::Boolean, .boolean = take('1')};
    if (!out.boolean && !take('0')) wrong("a boolean that is neither ?0 nor ?1");
    return out;
  }

  bool at_end() const noexcept { return at_ >= text_.size(); }
  bool take(char c) noexcept {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip(std::string_view blanks) noexcept {
    while (!at_end() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  void wrong(std::string_view detail) noexcept {
    if (!fault_) fault_ = Fault{detail, at_};
  }

  const std::string_view text_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::optional<Fault> fault_;  // the first one
};

void write_number(ArenaText& out, std::int64_t number) noexcept {
  char digits[24];
  out.add({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)});
}

void write_decimal(ArenaText& out, std::int64_t thousandths) noexcept {
  if (thousandths < 0) out.add('-');
  const std::int64_t size = thousandths < 0 ? -thousandths : thousandths, rest = size % 1000;
  write_number(out, size / 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10), static_cast<char>('0' + rest % 10)};
  out.add({digits, rest % 10 != 0 ? 4U : rest % 100 != 0 ? 3U : 2U});
}

void write_bytes(ArenaText& out, std::string_view octets) noexcept {
  const auto octet = [octets](std::size_t i) -> std::uint32_t { return i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0U; };
  out.add(':');
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t bits = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    for (std::size_t k = 0; k < 4; ++k) out.add(i + k <= octets.size() ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=');
  }
  out.add(':');
}

}  // namespace

const Member* Dictionary::find(std::string_view name) const noexcept {
  for (const Member& one : members)
    if (one.name == name) return &one;
  return nullptr;
}

Result<Dictionary, Fault> parse_dictionary(std::string_view text, Arena& arena) noexcept { return Parser(text, arena).dictionary(); }

const Value* find(std::span<const Parameter> parameters, std::string_view name) noexcept {
  for (const Parameter& one : parameters)
    if (one.name == name) return &one.value;
  return nullptr;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void write(ArenaText& out, const Value& value) noexcept {
  switch (value.kind) {
    case Kind::Integer: return write_number(out, value.number);
    case Kind::Decimal: return write_decimal(out, value.number);
    case Kind::Token: out.add(value.text); return;
    case Kind::Bytes: return write_bytes(out, value.text);
    case Kind::Boolean: out.add(value.boolean ? "?1" : "?0"); return;
    case Kind::String: break;
  }
  out.add('"');
  for (const char c : value.text) {
    if (c == '"' || c == '\\') out.add('\\');
    out.add(c);
  }
  out.add('"');
}

void write(ArenaText& out, std::span<const Parameter> parameters) noexcept {
  for (const Parameter& one : parameters) {
    out.add(';').add(one.name);
    if (one.value.kind == Kind::Boolean && one.value.boolean) continue;
    out.add('=');
    write(out, one.value);
  }
}

void write(ArenaText& out, const Item& item) noexcept {
  write(out, item.value);
  write(out, item.parameters);
}

void write(ArenaText& out, const Member& member) noexcept {
  if (!member.is_list) return write(out, member.item);
  out.add('(');
  for (std::size_t i = 0; i < member.items.size(); ++i) {
    if (i != 0) out.add(' ');
    write(out, member.items[i]);
  }
  out.add(')');
  write(out, member.item.parameters);
}

}  // namespace gatelab::http::structured
