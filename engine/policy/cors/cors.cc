// SPDX-License-Identifier: Apache-2.0
#include "policy/cors/cors.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "http/cors.h"
#include "policy/cors/origins.h"

namespace gatelab::policy {
namespace {

constexpr std::string_view kRequestHeaders = "Access-Control-Request-Headers", kRequestPrivateNetwork = "Access-Control-Request-Private-Network";
constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin", kAllowCredentials = "Access-Control-Allow-Credentials";
constexpr std::string_view kPrefix = "Access-Control-";
constexpr std::string_view kPreflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";
// Of what a preflight asks for: beyond that nothing is echoed.
constexpr std::size_t kMaxNames = 64, kMaxNamesOctets = 4096;

// A list from the configuration, or: whatever is asked for.
struct Allowed {
  bool echo = false;
  std::vector<std::string> names;
  std::string text;  // joined
};

enum class UpstreamFields : std::uint8_t { Remove, Keep };

// From step() to on_response().
struct Memo {
  std::string_view origin;  // allowed; empty: none, or none that is
  bool preflight = false;   // answered here, fields and all
};

class Cors final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "cors"; }
  Phase phase() const noexcept override { return Phase::Access; }
  bool answers_preflight() const noexcept override { return mode == Mode::Enforce; }
  bool has_on_response() const noexcept override { return mode == Mode::Enforce; }

  Step step(Input& in) const noexcept override {
    Memo* memo = in.arena.make<Memo>();
    in.scratch.keep(memo);
    const http::Field* field = in.request.fields.find(http::FieldId::Origin);
    if (field == nullptr) return Step::go_on(in.detailed ? std::string_view("no Origin") : std::string_view());
    const std::string_view origin = in.request.fields.count(http::FieldId::Origin) == 1 ? field->value : std::string_view();
    const Origins::Verdict verdict = origins.judge(origin);
    const std::string_view detail = !in.detailed ? std::string_view() : verdict.allowed ? in.arena.concat(origin, " is allowed by ", verdict.by) : in.arena.concat(field->value.substr(0, 200), " is not allowed");
    if (http::is_preflight(in.request)) {
      memo->preflight = true;
      return verdict.allowed ? preflight(in, origin, detail) : refuse(in, observe::reason::kOriginNotAllowed, detail);
    }
    if (verdict.allowed) memo->origin = origin;
    else if (strict) return refuse(in, observe::reason::kOriginNotAllowed, detail);
    return Step::go_on(detail);
  }

  // Also on answers of the gateway's own: a script must be able to read that it got a 401 or a 429.
  void on_response(ResponseInput& in) const noexcept override {
    const Memo* memo = in.request.scratch.memo<Memo>();
    if (memo == nullptr || memo->preflight) return;
    http::Fields& fields = in.fields;
    if (upstream_fields == UpstreamFields::Keep && !in.local && fields.find(kAllowOrigin) != nullptr) return;
    remove_all(fields);
    if (!origins.any() && !fields.lists(http::FieldId::Vary, "Origin") && !fields.lists(http::FieldId::Vary, "*")) fields.add(http::FieldId::Vary, "Vary", "Origin");
    if (!origins.any() && memo->origin.empty()) return;
    allow_origin(fields, memo->origin);
    if (!expose.empty()) fields.add("Access-Control-Expose-Headers", expose);
  }

  Origins origins;
  Allowed methods, headers;
  std::string expose, max_age;  // empty: not said
  bool credentials = false;
  bool private_network = false;
  bool strict = false;
  UpstreamFields upstream_fields = UpstreamFields::Remove;

 private:
  void allow_origin(http::Fields& fields, std::string_view origin) const noexcept {
    fields.add(kAllowOrigin, origins.any() ? std::string_view("*") : origin);
    if (credentials) fields.add(kAllowCredentials, "true");
  }

  static void remove_all(http::Fields& fields) noexcept {
    const auto ours = [](const http::Field& f) { return f.id == http::FieldId::Other && f.name.size() > kPrefix.size() && iequals(f.name.substr(0, kPrefix.size()), kPrefix); };
    for (const http::Field* f = std::find_if(fields.begin(), fields.end(), ours); f != fields.end(); f = std::find_if(fields.begin(), fields.end(), ours)) fields.remove(f->name);
  }

  static Step refuse(Input& in, const observe::Reason& reason, std::string_view detail) noexcept {
    Step step = deny(in, reason, detail);
    step.answer->fields.add(http::FieldId::Vary, "Vary", http::is_preflight(in.request) ? kPreflightVary : std::string_view("Origin"));
    return step;
  }

  bool allows(std::string_view method) const noexcept {
    if (methods.echo) return true;
    const auto has = [this](std::string_view m) { return std::find(methods.names.begin(), methods.names.end(), m) != methods.names.end(); };
    return has(method) || (method == "HEAD" && has("GET"));
  }

  // The names that the preflight asks for, joined; none if one of them is not allowed, or no name, or there are too many.
  std::optional<std::string_view> asked_headers(Input& in) const noexcept {
    std::string_view out;
    std::size_t count = 0;
    for (const http::Field& f : in.request.fields) {
      if (f.id != http::FieldId::Other || !iequals(f.name, kRequestHeaders)) continue;
      std::string_view rest = f.value, name;
      while (next_list_element(rest, name)) {
        const bool listed = headers.echo || std::any_of(headers.names.begin(), headers.names.end(), [name](const std::string& n) { return iequals(n, name); });
        if (!listed || !http::is_token(name) || ++count > kMaxNames || out.size() + name.size() > kMaxNamesOctets) return std::nullopt;
        out = out.empty() ? name : in.arena.concat(out, ", ", name);
      }
    }
    return out;
  }

  Step preflight(Input& in, std::string_view origin, std::string_view detail) const noexcept {
    const std::string_view method = http::preflight_method(in.request);
    if (method.empty() || !allows(method)) return refuse(in, observe::reason::kCorsMethod, in.detailed ? in.arena.concat(detail, "; the method ", method, " is not") : std::string_view());
    const std::optional<std::string_view> asked = asked_headers(in);
    if (!asked) return refuse(in, observe::reason::kCorsHeader, in.detailed ? in.arena.concat(detail, "; a field of ", headers_of(in.request).substr(0, 200), " is not") : std::string_view());
    Step step;
    step.verdict = Verdict::Respond;
    step.outcome = Outcome::Respond;
    step.reason = observe::reason::kPreflight.word;
    step.detail = detail;
    step.answer = in.arena.make<Answer>(in.arena);
    step.answer->status = observe::reason::kPreflight.status;
    http::Fields& fields = step.answer->fields;
    allow_origin(fields, origin);
    fields.add("Access-Control-Allow-Methods", methods.echo ? method : std::string_view(methods.text));
    if (const std::string_view list = headers.echo ? *asked : std::string_view(headers.text); !list.empty()) fields.add("Access-Control-Allow-Headers", list);
    const http::Field* wish = in.request.fields.find(kRequestPrivateNetwork);
    if (private_network && wish != nullptr && wish->value == "true") fields.add("Access-Control-Allow-Private-Network", "true");
    if (!max_age.empty()) fields.add("Access-Control-Max-Age", max_age);
    fields.add(http::FieldId::Vary, "Vary", kPreflightVary);
    return step;
  }

  static std::string_view headers_of(const http::RequestHead& head) noexcept {
    const http::Field* f = head.fields.find(kRequestHeaders);
    return f == nullptr ? std::string_view() : f->value;
  }
};

void join(Allowed& allowed) {
  for (const std::string& name : allowed.names) allowed.text.append(allowed.text.empty() ? "" : ", ").append(name);
}

// A list of names, or the word `echo`. `check` says what is wrong with a name, if something is.
template <class Check>
Allowed parse_allowed(config::Reader& r, std::string_view key, std::vector<std::string> fallback, Check check) {
  Allowed out;
  const config::Node* node = r.get(key);
  if (node == nullptr) {
    out.names = std::move(fallback);
  } else if (node->kind == config::Kind::Text && node->text == "echo") {
    out.echo = true;
  } else {
    for (auto& text : r.texts(key)) {
      check(text);
      out.names.push_back(std::move(text.value));
    }
  }
  join(out);
  return out;
}

void check_method(const config::Located<std::string>& method, diag::Sink& sink) {
  std::string upper = method.value;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (method.value == "*") return sink.error("bad-method", method.span, "`*` is no method here", "write methods: echo to allow whatever is asked for and the route takes");
  if (!http::is_token(method.value)) return sink.error("bad-method", method.span, "`" + method.value + "` is not a method");
  if (upper != method.value && http::method_of(upper) != http::Method::Other) sink.error("bad-method", method.span, "`" + method.value + "` is not a method", "methods are case-sensitive: write " + upper);
}

void check_header(const config::Located<std::string>& name, diag::Sink& sink) {
  if (name.value == "*") return sink.error("bad-header", name.span, "`*` is no name of a header here", "write headers: echo to allow whatever is asked for; `*` would leave Authorization out");
  if (!http::is_token(name.value)) sink.error("bad-header", name.span, "`" + name.value + "` is not a header name");
}

std::string parse_expose(config::Reader& r, bool credentials) {
  Allowed out;
  for (auto& name : r.texts("expose_headers")) {
    if (name.value == "*" && credentials) r.sink().error("bad-header", name.span, "with `credentials: true`, `*` is taken for a header of that name", "name the headers");
    else if (!http::is_token(name.value)) r.sink().error("bad-header", name.span, "`" + name.value + "` is not a header name");
    out.names.push_back(std::move(name.value));
  }
  join(out);
  return out.text;
}

std::string parse_max_age(config::Reader& r) {
  const config::Node* node = r.get("max_age");
  if (node == nullptr) return {};
  const auto age = config::as_duration(*node, r.sink(), "`max_age` of policy `cors`");
  if (!age) return {};
  if (*age > std::chrono::hours(24)) r.sink().error("out-of-range", node->span, "`max_age` of policy `cors` is longer than a day, and no browser remembers a preflight that long");
  return std::to_string(age->count() / 1'000'000'000);
}

}  // namespace

std::unique_ptr<Policy> parse_cors(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `cors`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Cors>();
  policy->credentials = r.boolean("credentials", false);
  if (const config::Node* origins = r.require("origins")) policy->origins = Origins::parse(*origins, policy->credentials, context.sink);
  policy->methods = parse_allowed(r, "methods", {"GET", "HEAD", "POST"}, [&](const auto& name) { check_method(name, context.sink); });
  policy->headers = parse_allowed(r, "headers", {}, [&](const auto& name) { check_header(name, context.sink); });
  policy->expose = parse_expose(r, policy->credentials);
  policy->max_age = parse_max_age(r);
  policy->private_network = r.boolean("private_network", false);
  policy->strict = r.boolean("strict", false);
  policy->upstream_fields = static_cast<UpstreamFields>(r.choice("upstream_fields", 0, {"remove", "keep"}));
  for (const std::string_view key : {"allow_origins", "allowed_origins", "allow_origin", "origin"}) r.elsewhere(key, "write origins: [ https://app.example ]");
  for (const std::string_view key : {"allow_methods", "allowed_methods"}) r.elsewhere(key, "write methods: [ GET, PUT ], or methods: echo");
  for (const std::string_view key : {"allow_headers", "allowed_headers"}) r.elsewhere(key, "write headers: [ Content-Type ], or headers: echo");
  for (const std::string_view key : {"exposed_headers", "expose"}) r.elsewhere(key, "write expose_headers: [ X-Request-Id ]");
  r.elsewhere("allow_credentials", "write credentials: true");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  if (policy->strict && policy->origins.any()) context.sink.warning("no-effect", r.key_span("strict"), "any origin is allowed: `strict` refuses nobody");
  return policy;
}

}  // namespace gatelab::policy
