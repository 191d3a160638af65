// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/redact.h"

#include <re2/re2.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/base64.h"
#include "base/text.h"
#include "harness/match/json_text.h"
#include "harness/replay/content.h"
#include "harness/replay/secret_names.h"
#include "http/uri.h"

namespace gatelab::harness {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kHashDigits = 12;
constexpr std::string_view kHeaderKept[] = {"alg", "kid", "typ"};
constexpr std::string_view kClaimsKept[] = {"iss", "sub", "aud", "exp", "nbf", "iat", "scope", "scp", "roles", "groups", "azp", "client_id"};

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

// Every match of `what` becomes what `with` gives for its groups (0: all of it), and what stands between what `between` gives.
template <class With, class Between>
std::string replaced(std::string_view text, const RE2& what, const With& with, const Between& between) {
  std::string out;
  re2::StringPiece groups[4];
  const re2::StringPiece all(text.data(), text.size());
  std::size_t at = 0;
  while (at < text.size() && what.Match(all, at, all.size(), RE2::UNANCHORED, groups, 1 + std::min(3, what.NumberOfCapturingGroups()))) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    if (groups[0].empty()) break;
    out += between(text.substr(at, begin - at));
    out += with(groups);
    at = begin + groups[0].size();
  }
  out += between(text.substr(at));
  return out;
}

RE2::Options latin() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

const RE2& jwt() {
  static const RE2 pattern("eyJ[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]{2,}\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]*){0,2}", latin());
  return pattern;
}

template <std::size_t N>
std::string kept_part(std::string_view part, const std::string_view (&kept)[N]) {
  const auto text = base64url_decode(part);
  const Json json = text ? parse_json_text<Json>(*text) : Json();
  Json out = Json::object();
  if (json.is_object())
    for (const std::string_view name : kept)
      if (const auto found = json.find(std::string(name)); found != json.end()) out[std::string(name)] = *found;
  return base64url_encode(out.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text, [](char c) { return c > ' ' && c < 0x7f && std::string_view("<>&=+%#\"").find(c) == std::string_view::npos; });
  return out;
}

std::string_view header_of(const RecordedHeaders& headers, std::string_view name) {
  for (const auto& [n, v] : headers)
    if (iequals(n, name)) return v;
  return {};
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (n == 0 || lead == 0 || i + n > text.size()) return false;
    for (std::size_t k = 1; k < n; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    i += n;
  }
  return true;
}

// Nobody keeps keys in pictures.
bool is_picture(std::string_view type) { return type.starts_with("image/") || type.starts_with("font/") || type.starts_with("audio/") || type.starts_with("video/"); }

}  // namespace

std::string Redactor::hidden(std::string_view secret) const {
  if (secret.empty() || secret.find("<redacted:") != std::string_view::npos) return std::string(secret);  // twice is once
  if (taken_ != nullptr) taken_->emplace_back(secret);
  std::string salted = salt_;
  salted += '\0';
  salted += secret;
  return "<redacted:" + body_digest(salted).substr(7, kHashDigits) + ">";
}

void Redactor::know(const KnownSecrets& known) {
  known_ = known;
  for (const std::string& value : known.values) values_.add(value, hidden(value));
}

std::string Redactor::token(std::string_view whole) const {
  const std::size_t first = whole.find('.'), second = whole.find('.', first + 1);
  // Five parts are an encrypted token, of which nothing can be kept.
  if (whole.find('.', second + 1) != std::string_view::npos) return hidden(whole);
  return kept_part(whole.substr(0, first), kHeaderKept) + "." + kept_part(whole.substr(first + 1, second - first - 1), kClaimsKept) + "." + hidden(whole);
}

std::string Redactor::secret(std::string_view value) const {
  static const RE2 whole("^(?:" + jwt().pattern() + ")$", latin());
  if (value.find("<redacted:") != std::string_view::npos) return std::string(value);
  return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), whole) ? token(value) : hidden(value);
}

// What is known by its looks.
std::string Redactor::words(std::string_view text) const {
  const std::string without = values_.empty() ? std::string() : values_.in(text);
  if (!values_.empty()) text = without;
  static const RE2 known(
      "(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
      "|\\b(?:gh[pousr]_|github_pat_|glpat-|sk_live_|sk_test_|rk_live_|pk_live_|whsec_|xox[abeprs]-|AKIA|ASIA|AIza|ya29\\.|npm_|pypi-|SG\\.|hf_|dop_v1_|shpat_|sk-)[A-Za-z0-9_.\\-]{8,}",
      latin());
  static const RE2 user("(://)([^\\s/@:\"'<>]*:[^\\s/@\"'<>]+)(@)", latin());
  static const RE2 word("[A-Za-z0-9_\\-]{20,}", latin());
  const auto same = [](std::string_view t) { return std::string(t); };
  const auto random = [this, &same](std::string_view t) {
    return replaced(t, word, [this](const re2::StringPiece* g) { return is_random(view(g[0])) ? hidden(view(g[0])) : std::string(view(g[0])); }, same);
  };
  const auto users = [this, &random](std::string_view t) {
    return replaced(t, user, [this](const re2::StringPiece* g) { return std::string(view(g[1])) + hidden(view(g[2])) + std::string(view(g[3])); }, random);
  };
  const auto prefixed = [this, &users](std::string_view t) {
    return replaced(t, known, [this](const re2::StringPiece* g) { return hidden(view(g[0])); }, users);
  };
  return replaced(text, jwt(), [this](const re2::StringPiece* g) { return token(view(g[0])); }, prefixed);
}

std::string Redactor::value(std::string_view text) const {
  // Base64 has + and / too, which otherwise end a word.
  static const RE2 base64("[A-Za-z0-9+/]{20,}={0,2}", latin());
  const bool slashes = text.find('/') != std::string_view::npos || text.find('+') != std::string_view::npos || text.ends_with('=');
  if (slashes && !text.starts_with('/') && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), base64) && is_random(text)) return hidden(text);
  return this->text(text);
}

namespace {

// What stands behind the name of a secret, as far as it can reach: to the quote that ends it, in XML to the next tag, in a query to
// the next parameter, else to the line's end. `between`: what stands between name and value.
std::string_view value_behind(std::string_view between, std::string_view rest) noexcept {
  const char last = between.empty() ? ' ' : between.back();
  if (last == '"' || last == '\'') {
    const bool escaped = between.size() > 1 && between[between.size() - 2] == '\\';  // in a text of JSON
    std::size_t at = 0;
    for (; at < rest.size() && rest[at] != '\n'; ++at) {
      if (rest[at] == '\\' && !(escaped && at + 1 < rest.size() && rest[at + 1] == last)) ++at;
      else if (rest[at] == last || (escaped && rest[at] == '\\')) break;
    }
    return rest.substr(0, at);
  }
  std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
  if (const std::size_t tag = rest.find('<'); tag != std::string_view::npos && between.find('>') != std::string_view::npos) return rest.substr(0, tag);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  if (const std::size_t next = word.find('&'); next != std::string_view::npos) return word.substr(0, next);
  return trim_ows(line);
}

}  // namespace

std::string Redactor::text(std::string_view text) const {
  static const RE2 named("([A-Za-z0-9_.\\-]{2,64})(\\\\?[\"']?\\s*[:=>]\\s*\\\\?[\"']?)", latin());
  static const RE2 scheme("(?i)\\b(bearer|basic|digest|negotiate)(\\s+)([A-Za-z0-9._~+/\\-]{8,}=*)", latin());
  const auto rest = [this](std::string_view t) { return words(t); };
  const auto schemes = [this, &rest](std::string_view t) {
    return replaced(t, scheme, [this](const re2::StringPiece* g) { return std::string(view(g[1])) + std::string(view(g[2])) + secret(view(g[3])); }, rest);
  };
  // A name that is none leaves its value to the other rules: both go on together.
  std::string out, pending;
  re2::StringPiece g[3];
  const re2::StringPiece all(text.data(), text.size());
  std::size_t at = 0;
  while (at < text.size() && named.Match(all, at, all.size(), RE2::UNANCHORED, g, 3)) {
    const auto name_end = static_cast<std::size_t>(g[1].data() + g[1].size() - text.data());
    const auto value_at = static_cast<std::size_t>(g[2].data() + g[2].size() - text.data());
    const std::string_view found = is_secret_name(view(g[1])) ? value_behind(view(g[2]), text.substr(value_at)) : std::string_view();
    const std::string_view first = found.substr(0, found.find(' '));
    const bool is_scheme = iequals(first, "bearer") || iequals(first, "basic") || iequals(first, "digest") || iequals(first, "negotiate");
    if (found.empty() || is_scheme || found.starts_with("//") || found.starts_with("{") || found.starts_with("[")) {
      pending += text.substr(at, name_end - at);
      at = name_end;
      continue;
    }
    const auto found_at = static_cast<std::size_t>(found.data() - text.data());
    pending += text.substr(at, found_at - at);
    out += schemes(pending);
    pending.clear();
    out += secret(found);
    at = found_at + found.size();
  }
  pending += text.substr(at);
  return out + schemes(pending);
}

std::string Redactor::pairs(std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  for (bool more = true; more;) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string_view pair = text.substr(at, end - at);
    const std::size_t equals = pair.find('=');
    Arena arena;
    if (equals == std::string_view::npos) {
      const std::string shown = value(pair);
      out += shown == pair ? shown : percent_encoded(shown);
    } else {
      const std::string name(http::decode_query(pair.substr(0, equals), arena)), plain(http::decode_query(pair.substr(equals + 1), arena));
      const std::string shown = is_secret_name(name) || known_.parameters.count(name) > 0 ? secret(plain) : value(plain);
      out += pair.substr(0, equals + 1);
      out += shown == plain ? std::string(pair.substr(equals + 1)) : percent_encoded(shown);
    }
    more = end < text.size();
    if (more) out += '&';
    at = end + 1;
  }
  return out;
}

std::string Redactor::target(std::string_view target) const {
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  std::string out;
  for (const char c : words(path)) {  // a path has no < and >: they are ours
    if (c == '<') out += "%3C";
    else if (c == '>') out += "%3E";
    else out += c;
  }
  if (mark == std::string_view::npos) return out;
  return out + "?" + pairs(target.substr(mark + 1));
}

std::string Redactor::cookies(std::string_view text, bool only_first) const {
  std::string out;
  std::size_t at = 0;
  for (bool first = true; at <= text.size(); first = false) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    const std::size_t equals = part.find('=');
    if (!first) out += ';';
    if (only_first && !first) out += part;
    else if (equals == std::string_view::npos) out += hidden(trim_ows(part));
    else out += std::string(part.substr(0, equals + 1)) + secret(trim_ows(part.substr(equals + 1)));
    at = end + 1;
  }
  return out;
}

std::string Redactor::header(std::string_view name, std::string_view v) const {
  if (iequals(name, "cookie")) return cookies(v, false);
  if (iequals(name, "set-cookie")) return cookies(v, true);
  if (iequals(name, "authorization") || iequals(name, "proxy-authorization")) {
    const std::size_t space = v.find(' ');
    if (space == std::string_view::npos) return secret(v);
    return std::string(v.substr(0, space + 1)) + secret(trim_ows(v.substr(space + 1)));
  }
  if (iequals(name, "referer") || iequals(name, "location") || iequals(name, "content-location") || iequals(name, "x-original-url") || iequals(name, "x-forwarded-uri")) return target(v);
  if (is_secret_header(name) || (!known_.headers.empty() && known_.headers.count(to_lower(name)) > 0)) return secret(v);
  return is_plain_header(name) ? std::string(v) : value(v);
}

namespace {

template <class Secret, class Plain>
bool walk_json(Json& json, bool under_secret, const Secret& secret, const Plain& plain, int depth) {
  constexpr int kDeep = 64;
  bool changed = false;
  if (json.is_object() || json.is_array()) {
    if (depth > kDeep) {
      json = secret("deep");
      return true;
    }
    if (json.is_object()) {
      Json named = Json::object();
      for (auto& [name, value] : json.items()) {
        changed = walk_json(value, under_secret || is_secret_name(name), secret, plain, depth + 1) || changed;
        const std::string shown = plain(name);
        changed = changed || shown != name;
        named[shown] = std::move(value);
      }
      json = std::move(named);
    } else {
      for (Json& value : json) changed = walk_json(value, under_secret, secret, plain, depth + 1) || changed;
    }
    return changed;
  }
  if (json.is_string()) {
    const auto text = json.get<std::string>();
    std::string shown = under_secret ? secret(text) : plain(text);
    changed = shown != text;
    if (changed) json = std::move(shown);
  } else if (json.is_number() && under_secret) {
    json = secret(json.dump());
    changed = true;
  }
  return changed;
}

}  // namespace

namespace {

// Of two members of one name a reader sees one, and the file would have both.
bool has_twins(std::string_view text) {
  std::vector<std::set<std::string>> open;
  bool twins = false;
  const Json read = Json::parse(text, [&open, &twins](int, Json::parse_event_t event, Json& json) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    else if (event == Json::parse_event_t::object_end) open.pop_back();
    else if (event == Json::parse_event_t::key) twins = !open.back().insert(json.get<std::string>()).second || twins;
    return true;
  }, false);
  return twins && !read.is_discarded();
}

}  // namespace

std::string Redactor::json(std::string_view text) const {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return lines(text);
  const bool changed = walk_json(json, false, [this](const std::string& s) { return secret(s); }, [this](const std::string& s) { return value(s); }, 0);
  return changed || has_twins(text) ? json.dump(-1, ' ', false, Json::error_handler_t::replace) : std::string(text);
}

std::string Redactor::multipart(std::string_view text) const {
  static const RE2 part("(?is)(content-disposition:[^\\r\\n]*\\bname=\"?)([^\";\\r\\n]+)", latin());
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t next = std::min(text.find("\r\n--", at + 1), text.size());
    const std::string_view piece = text.substr(at, next - at);
    const std::size_t blank = piece.find("\r\n\r\n");
    re2::StringPiece before, name;
    const bool named = blank != std::string_view::npos && RE2::PartialMatch(re2::StringPiece(piece.data(), blank), part, &before, &name);
    if (named && is_secret_name(view(name))) out += std::string(piece.substr(0, blank + 4)) + secret(piece.substr(blank + 4));
    else out += this->text(piece);
    at = next;
  }
  return out;
}

namespace {

void leave_out(RecordedBody& body) {
  body.size = body.octets->size();
  body.octets = nullptr;
  body.left_out = "opaque";
}

}  // namespace

void Redactor::body(const RecordedHeaders& headers, RecordedBody& body, bool keep_coding) const {
  if (!body.octets || body.octets->empty()) return;
  const std::string_view encoding = trim_ows(header_of(headers, "content-encoding"));
  const std::string type = to_lower(header_of(headers, "content-type"));
  if (encoding.empty() || iequals(encoding, "identity")) return content(type, body);
  auto plain = uncoded(headers, *body.octets);
  if (!plain) return leave_out(body);
  RecordedBody inside;
  inside.octets = std::make_shared<const std::string>(std::move(*plain));
  const auto before = inside.octets;
  content(type, inside);
  if (inside.octets == before) return;
  if (!inside.octets || !keep_coding) return leave_out(body);
  auto coded = std::make_shared<const std::string>(coding::encode(*coding_of(headers), *inside.octets));
  body.size = coded->size();
  body.octets = std::move(coded);
}

void Redactor::content(const std::string& type, RecordedBody& body) const {
  const std::string& octets = *body.octets;
  if (octets.empty() || is_picture(type)) return;
  if (!is_utf8(octets)) return leave_out(body);
  std::string shown;
  if (type.starts_with("application/x-www-form-urlencoded")) shown = pairs(octets);
  else if (type.starts_with("multipart/")) shown = multipart(octets);
  else if (type.starts_with("text/event-stream") || octets.starts_with("data:") || octets.starts_with("event:")) shown = events(octets);
  else if (type.find("json") != std::string::npos || octets.front() == '{' || octets.front() == '[') shown = json(octets);
  else shown = text(octets);
  if (shown == octets) return;
  body.size = shown.size();
  body.octets = std::make_shared<const std::string>(std::move(shown));
}

namespace {

void fit_length(RecordedHeaders& headers, const RecordedBody& body) {
  if (!body.octets) return;
  for (auto& [name, value] : headers)
    if (iequals(name, "content-length")) value = std::to_string(body.octets->size());
}

}  // namespace

void Redactor::apply(RecordedRequest& request) const {
  request.target = target(request.target);
  const auto before = request.body.octets;
  // Marks that are to be put back, and bodies that are compared octet by octet, can't be in a coding.
  body(request.headers, request.body, false);
  for (auto& [name, v] : request.headers) v = header(name, v);
  if (before != request.body.octets) fit_length(request.headers, request.body);
}

void Redactor::apply(RecordedAnswer& answer) const {
  const auto before = answer.body.octets;
  body(answer.headers, answer.body);
  for (auto& [name, v] : answer.headers) v = header(name, v);
  if (before != answer.body.octets) fit_length(answer.headers, answer.body);
}

void Redactor::apply(RecordedExchange& exchange) const {
  apply(exchange.request);
  apply(exchange.answer);
  for (RecordedAttempt& attempt : exchange.attempts) {
    apply(attempt.request);
    apply(attempt.answer);
  }
}

}  // namespace gatelab::harness
