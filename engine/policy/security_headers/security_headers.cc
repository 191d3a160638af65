// SPDX-License-Identifier: Apache-2.0
#include "policy/security_headers/security_headers.h"

#include <array>
#include <optional>

#include "policy/field_name.h"

namespace gatelab::policy {
namespace {

// What one key of the policy sends, and what it is unless the file says otherwise. An empty text: is not sent.
struct Header {
  std::string_view key, name, standard;
};
constexpr std::array kHeaders{
    Header{"content_type_options", "X-Content-Type-Options", "nosniff"},
    Header{"frame_options", "X-Frame-Options", "DENY"},
    Header{"referrer_policy", "Referrer-Policy", "strict-origin-when-cross-origin"},
    Header{"content_security_policy", "Content-Security-Policy", ""},
    Header{"permissions_policy", "Permissions-Policy", ""},
    Header{"cross_origin_opener_policy", "Cross-Origin-Opener-Policy", "same-origin"},
    Header{"cross_origin_embedder_policy", "Cross-Origin-Embedder-Policy", ""},
    Header{"cross_origin_resource_policy", "Cross-Origin-Resource-Policy", "same-origin"},
};

class SecurityHeaders final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "security-headers"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  Step step(Input& in) const noexcept override {
    return in.scheme == "https" || transport.empty() ? Step::go_on() : Step::go_on("no Strict-Transport-Security, as the client came over http");
  }
  bool has_on_response() const noexcept override { return true; }

  void on_response(ResponseInput& in) const noexcept override {
    for (std::size_t i = 0; i < kHeaders.size(); ++i) {
      if (values[i].empty() || (!replace && in.fields.find(kHeaders[i].name) != nullptr)) continue;
      in.fields.set(kHeaders[i].name, values[i]);
    }
    // RFC 6797 §7.2: never over a connection that is not secure.
    if (!transport.empty() && in.request.scheme == "https" && (replace || in.fields.find("Strict-Transport-Security") == nullptr))
      in.fields.set("Strict-Transport-Security", transport);
    for (const std::string& name : hide) in.fields.remove(name);
  }

  std::array<std::string, kHeaders.size()> values;
  std::string transport;
  std::vector<std::string> hide;
  bool replace = false;
};

std::string parse_transport(const config::Node* node, diag::Sink& sink) {
  if (node != nullptr && node->text == "off") return {};
  if (node != nullptr && node->kind != config::Kind::Map) return config::as_bool(*node, sink, "`hsts` of policy `security-headers`").value_or(true) ? "max-age=31536000; includeSubDomains" : "";
  if (node == nullptr) return "max-age=31536000; includeSubDomains";
  config::Reader r(*node, sink, "`hsts` of policy `security-headers`");
  const Duration age = r.duration("max_age", std::chrono::hours(24 * 365));
  const bool subdomains = r.boolean("subdomains", true), preload = r.boolean("preload", false);
  r.finish();
  if (preload && (!subdomains || age < std::chrono::hours(24 * 365)))
    sink.error("bad-choice", r.key_span("preload"), "browsers' lists take a host only with `max_age` of a year and its subdomains", "hsts: { max_age: 365d, subdomains: true, preload: true }");
  return "max-age=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + (subdomains ? "; includeSubDomains" : "") + (preload ? "; preload" : "");
}

// A text, or `off`.
std::string parse_value(const Header& header, config::Reader& r) {
  const config::Node* node = r.get(header.key);
  if (node == nullptr) return std::string(header.standard);
  if (node->kind == config::Kind::Bool) return config::as_bool(*node, r.sink(), "`" + std::string(header.key) + "`").value_or(false) ? std::string(header.standard) : std::string();
  auto text = r.text(header.key);
  if (!text || *text == "off") return {};
  if (!http::is_field_value(*text)) r.sink().error("bad-header-value", r.span_of(header.key), "the value of `" + std::string(header.name) + "` can't be sent: controls, or white space at its ends");
  return std::move(*text);
}

}  // namespace

std::unique_ptr<Policy> parse_security_headers(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `security-headers`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<SecurityHeaders>();
  for (std::size_t i = 0; i < kHeaders.size(); ++i) policy->values[i] = parse_value(kHeaders[i], r);
  policy->transport = parse_transport(r.get("hsts"), context.sink);
  policy->replace = r.boolean("replace", false);
  policy->hide = {"Server", "X-Powered-By"};
  if (r.get("hide") != nullptr) {
    policy->hide.clear();
    for (auto& name : r.texts("hide"))
      if (check_field_name(name.value, name.span, context.sink)) policy->hide.push_back(std::move(name.value));
  }
  for (const std::string_view key : {"csp", "content-security-policy"}) r.elsewhere(key, "write content_security_policy: \"default-src 'self'\"");
  r.elsewhere("xss_protection", "browsers have removed what it switched, and it could be misused: there is nothing to say");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
