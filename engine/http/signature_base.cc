// SPDX-License-Identifier: Apache-2.0
#include "http/signature_base.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "base/text.h"
#include "http/chars.h"
#include "http/uri.h"

namespace gatelab::http {
namespace {

using Fault = SignatureBase::Fault;

constexpr std::string_view kDerived[] = {"@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param"};

bool is_derived(std::string_view name) noexcept { return std::find(std::begin(kDerived), std::end(kDerived), name) != std::end(kDerived); }

bool is_field_name(std::string_view name) noexcept {
  return is_token(name) && std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// The target as it was received, in parts. What policies have taken out of the head (a key in the query) is still signed.
struct Target {
  std::string_view path, query;
  bool has_query = false;

  explicit Target(const RequestHead& head) noexcept {
    std::string_view rest = head.target;
    if (head.form == TargetForm::Absolute) {
      rest.remove_prefix(rest.find("://") + 3);
      rest.remove_prefix(std::min(rest.size(), rest.find_first_of("/?")));
    }
    const std::size_t mark = rest.find('?');
    path = rest.substr(0, mark);
    has_query = mark != std::string_view::npos;
    if (has_query) query = rest.substr(mark + 1);
    if (path.empty()) path = "/";
  }
};

std::string_view lower(std::string_view text, Arena& arena) noexcept {
  char* out = arena.room<char>(text.size() + 1);
  std::transform(text.begin(), text.end(), out, ascii_lower);
  return {out, text.size()};
}

// RFC 9110 §4.2.3: small letters, without the scheme's own port.
std::string_view authority_of(const RequestHead& head, std::string_view scheme, Arena& arena) noexcept {
  const auto parsed = parse_authority(head.authority);
  if (!parsed) return {};
  const std::string_view host = lower(parsed->host, arena);
  if (!parsed->port || *parsed->port == (scheme == "https" ? 443 : 80)) return host;
  return arena.concat(host, ":", std::to_string(*parsed->port));
}

// As forms are encoded (§2.2.8): a space is %20, and nothing but letters, digits and *-._ stands for itself.
std::string_view form_encoded(std::string_view plain, Arena& arena) noexcept {
  constexpr char kHex[] = "0123456789ABCDEF";
  ArenaText out(arena, 3 * plain.size() + 1);
  for (const char c : plain) {
    const bool itself = (is(c, kUnreserved) && c != '~') || c == '*';
    if (itself) out.add(c);
    else out.add('%').add(kHex[static_cast<unsigned char>(c) >> 4]).add(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return out.view();
}

// Of the query, with the name as forms are encoded.
struct QueryPair {
  std::string_view name, value;
};

class Base {
 public:
  Base(const RequestHead& head, std::string_view scheme, const structured::Member& input, Arena& arena) noexcept
      : head_(head), scheme_(scheme), input_(input), arena_(arena), target_(head), out_(arena, 1024) {}

  SignatureBase make() noexcept {
    for (const structured::Item& item : input_.items) {
      ArenaText identifier(arena_, 64);
      structured::write(identifier, item);
      for (const std::string_view* other = seen_; other != seen_ + count_; ++other)
        if (*other == identifier.view()) return {Fault::Malformed, {}, identifier.view()};
      seen_[count_++] = identifier.view();
      std::string_view value;
      const Fault fault = value_of(item, value);
      if (fault != Fault::None) return {fault, {}, identifier.view()};
      out_.add(identifier.view()).add(": ").add(value).add('\n');
    }
    out_.add("\"@signature-params\": ");
    structured::write(out_, input_);
    return {Fault::None, out_.view(), {}};
  }

 private:
  Fault value_of(const structured::Item& item, std::string_view& out) noexcept {
    if (item.value.kind != structured::Kind::String) return Fault::Malformed;
    const std::string_view name = item.value.text;
    if (name == "@query-param") return query_param(item, out);
    // sf, key and bs need to know or to armour the field's structure; tr is of trailers, req of answers.
    if (!item.parameters.empty()) return Fault::Unsupported;
    if (name.starts_with('@')) return derived(name, out);
    if (!is_field_name(name)) return Fault::Malformed;
    bool found = false;
    out = combined_field(head_.fields, name, arena_, found);
    return found ? Fault::None : Fault::Absent;
  }

  Fault query_param(const structured::Item& item, std::string_view& out) noexcept {
    const structured::Value* name = structured::find(item.parameters, "name");
    if (name == nullptr || name->kind != structured::Kind::String) return Fault::Malformed;
    if (item.parameters.size() != 1) return Fault::Unsupported;
    const QueryPair* found = nullptr;
    for (const QueryPair& one : query_pairs()) {
      if (one.name != name->text) continue;
      if (found != nullptr) return Fault::Absent;  // §2.2.8: which of the two is not to be guessed
      found = &one;
    }
    if (found == nullptr) return Fault::Absent;
    out = form_encoded(decode_query(found->value, arena_), arena_);
    return Fault::None;
  }

  // Read once: a signature may name many parameters of a long query.
  std::span<const QueryPair> query_pairs() noexcept {
    if (pairs_.empty()) {
      std::size_t count = 0;
      std::string_view rest = target_.query, name, value;
      while (next_query_pair(rest, name, value)) ++count;
      pairs_ = arena_.array<QueryPair>(count);
      rest = target_.query;
      for (QueryPair& one : pairs_) {
        next_query_pair(rest, name, value);
        one = {form_encoded(decode_query(name, arena_), arena_), value};
      }
    }
    return pairs_;
  }

  Fault derived(std::string_view name, std::string_view& out) noexcept {
    if (!is_derived(name)) return Fault::Unsupported;
    const std::string_view authority = head_.authority;
    if (name == "@method") out = head_.method_text;
    else if (name == "@authority") out = authority_of(head_, scheme_, arena_);
    else if (name == "@scheme") out = scheme_;
    else if (name == "@request-target") out = head_.target;
    else if (name == "@path") out = target_.path;
    else if (name == "@query") out = arena_.concat("?", target_.query);
    else out = authority.empty() ? std::string_view() : arena_.concat(scheme_, "://", authority, target_.path, target_.has_query ? "?" : "", target_.query);
    return out.empty() ? Fault::Absent : Fault::None;
  }

  const RequestHead& head_;
  const std::string_view scheme_;
  const structured::Member& input_;
  Arena& arena_;
  const Target target_;
  ArenaText out_;
  std::string_view seen_[structured::kMaxItems];
  std::size_t count_ = 0;
  std::span<QueryPair> pairs_{};
};

}  // namespace

SignatureBase signature_base(const RequestHead& head, std::string_view scheme, const structured::Member& input, Arena& arena) noexcept {
  if (!input.is_list) return {Fault::Malformed, {}, {}};
  return Base(head, scheme, input, arena).make();
}

std::string_view combined_field(const Fields& fields, std::string_view name, Arena& arena, bool& found) noexcept {
  std::string_view first;
  std::optional<ArenaText> all;  // of more than one line
  found = false;
  for (const Field& field : fields) {
    if (!iequals(field.name, name)) continue;
    const std::string_view value = trim_ows(field.value);
    if (!found) {
      first = value;
    } else {
      if (!all) all.emplace(arena).add(first);
      all->add(", ").add(value);
    }
    found = true;
  }
  return all ? all->view() : first;
}

bool is_component(std::string_view name) noexcept { return name.starts_with('@') ? is_derived(name) && name != "@query-param" : is_field_name(name); }

}  // namespace gatelab::http
