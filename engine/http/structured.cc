// SPDX-License-Identifier: Apache-2.0
#include "http/structured.h"

#include <array>
#include <optional>

#include "base/utf8.h"
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
  std::span<T> all() noexcept { return all_.first(size_); }

 private:
  Arena& arena_;
  std::span<T> all_{};
  std::size_t size_ = 0;
};

// dictionary = entry *( OWS "," OWS entry )        entry = name [ "=" ( inner / value ) ] parameters
// list = member *( OWS "," OWS member )            member = ( inner / value ) parameters
// inner = "(" *SP [ item *( 1*SP item ) *SP ] ")"  item = value parameters   parameters = *( ";" *SP name [ "=" value ] )
class Parser {
 public:
  Parser(std::string_view text, Arena& arena, Reading reading) noexcept : text_(text), arena_(arena), reading_(reading), bounds_(bounds_of(reading)) {}

  Result<Dictionary, Fault> dictionary() noexcept {
    const std::span<const Member> all = members([this](Growing<Member>& into) {
      Member one;
      entry(one);
      add(into, one, "a name stands there twice");
    });
    if (fault_) return Failure<Fault>{*fault_};
    return Dictionary{all};
  }

  Result<List, Fault> list() noexcept {
    const std::span<const Member> all = members([this](Growing<Member>& into) {
      Member one;
      member(one);
      into.add(one);
    });
    if (fault_) return Failure<Fault>{*fault_};
    return List{all};
  }

  Result<Item, Fault> item() noexcept {
    if (text_.size() > bounds_.text) wrong("too long");
    skip(" ");
    Item out;
    if (!fault_) out.value = value();
    out.parameters = parameters();
    skip(" ");
    if (!at_end()) wrong("something behind the item");
    if (fault_) return Failure<Fault>{*fault_};
    return out;
  }

 private:
  template <class Add>
  std::span<const Member> members(Add add_one) noexcept {
    Growing<Member> all(arena_);
    if (text_.size() > bounds_.text) wrong("too long");
    skip(" ");
    while (!at_end() && !fault_) {
      add_one(all);
      if (all.all().size() > bounds_.members) wrong("too many members");
      skip(" \t");
      if (at_end()) break;
      if (!take(',')) wrong("no comma between two members");
      skip(" \t");
      if (at_end()) wrong("a comma at the end");
    }
    return all.all();
  }

  // Names are unique: Strict refuses the second one, RFC 9651 lets it take the place of the first.
  template <class T>
  void add(Growing<T>& all, const T& one, std::string_view twice) noexcept {
    for (T& other : all.all()) {
      if (other.name != one.name) continue;
      if (reading_ == Reading::Strict) wrong(twice);
      other = one;
      return;
    }
    all.add(one);
  }

  void entry(Member& out) noexcept {
    out.name = name();
    out.item.value.boolean = true;
    if (take('=')) return member(out);
    out.item.parameters = parameters();
  }

  void member(Member& out) noexcept {
    out.is_list = !at_end() && text_[at_] == '(';
    if (out.is_list) out.items = inner();
    else out.item.value = value();
    out.item.parameters = parameters();
  }

  std::span<const Item> inner() noexcept {
    Growing<Item> items(arena_);
    take('(');
    while (!fault_) {
      skip(" ");
      if (take(')')) return items.all();
      if (at_end()) break;
      if (items.all().size() == bounds_.items) wrong("too many items");
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
      add(all, one, "a parameter stands there twice");
      if (all.all().size() > bounds_.parameters) wrong("too many parameters");
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
    if (c == '@' && reading_ == Reading::Rfc9651) return date();
    if (c == '%' && reading_ == Reading::Rfc9651) return display_string();
    return wrong("no value where one belongs"), Value{};
  }

  Value number() noexcept {
    Value out{.kind = Kind::Integer};
    const bool negative = take('-');
    const std::size_t whole = digits(out.number, 15);
    std::size_t fraction = 0;
    if (take('.')) {
      out.kind = Kind::Decimal;
      fraction = digits(out.number, 3);
      if (fraction == 0 || fraction > 3) wrong("a number with no digit or too many behind its point");
      for (std::size_t i = fraction; i < 3; ++i) out.number *= 10;
    }
    if (whole == 0 || whole > (out.kind == Kind::Decimal ? 12U : 15U)) wrong("a number with no digit or too many");
    if (negative) out.number = -out.number;
    return out;
  }

  // How many there were; more than `most` are not read into it.
  std::size_t digits(std::int64_t& into, std::size_t most) noexcept {
    std::size_t count = 0;
    for (; !at_end() && is_digit(text_[at_]); ++at_, ++count)
      if (count < most) into = into * 10 + (text_[at_] - '0');
    return count;
  }

  Value date() noexcept {
    take('@');
    Value out = number();
    if (out.kind != Kind::Integer) wrong("a date with a fraction");
    out.kind = Kind::Date;
    return out;
  }

  // DQUOTE *( unescaped / "%" 2 lower-case hexadecimal digits ) DQUOTE behind the "%", UTF-8 once decoded (§4.2.10).
  Value display_string() noexcept {
    take('%');
    if (!take('"')) return wrong("a display string without its quote"), Value{};
    ArenaText out(arena_, 32);
    while (!at_end() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (c < 0x20 || c > 0x7e) return wrong("a display string with something else than visible ASCII"), Value{};
      if (c != '%') {
        out.add(c);
        continue;
      }
      const int high = lower_hex(), low = lower_hex();
      if (high < 0 || low < 0) return wrong("a % without two hexadecimal digits in small letters"), Value{};
      out.add(static_cast<char>(high << 4 | low));
    }
    if (!take('"')) wrong("a string without its end");
    if (!is_utf8(out.view())) wrong("a display string that is no UTF-8");
    return {.kind = Kind::DisplayString, .text = out.view()};
  }

  int lower_hex() noexcept {
    if (at_end()) return -1;
    const char c = text_[at_++];
    return c >= 'A' && c <= 'F' ? -1 : hex_value(c);
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
    const bool strict = reading_ == Reading::Strict;
    if (strict && text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    // What padding there is has to be right (RFC 4648 §3.2).
    if ((padding != 0 && text.size() % 4 != 0) || (text.size() - padding) % 4 == 1) return std::nullopt;
    char* out = arena_.room<char>(text.size() / 4 * 3 + 3);
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
    if (strict && (bits & ((1U << known) - 1)) != 0) return std::nullopt;
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
  const Reading reading_;
  const Bounds bounds_;
  std::size_t at_ = 0;
  std::optional<Fault> fault_;  // the first one
};

}  // namespace

const Member* Dictionary::find(std::string_view name) const noexcept {
  for (const Member& one : members)
    if (one.name == name) return &one;
  return nullptr;
}

Result<Dictionary, Fault> parse_dictionary(std::string_view text, Arena& arena, Reading reading) noexcept { return Parser(text, arena, reading).dictionary(); }
Result<List, Fault> parse_list(std::string_view text, Arena& arena, Reading reading) noexcept { return Parser(text, arena, reading).list(); }
Result<Item, Fault> parse_item(std::string_view text, Arena& arena, Reading reading) noexcept { return Parser(text, arena, reading).item(); }

const Value* find(std::span<const Parameter> parameters, std::string_view name) noexcept {
  for (const Parameter& one : parameters)
    if (one.name == name) return &one.value;
  return nullptr;
}

}  // namespace gatelab::http::structured
