// SPDX-License-Identifier: Apache-2.0
// `log:` of a configuration.
#include "crypto/digest.h"
#include "gateway/model_parts.h"
#include "observe/log_fields.h"

namespace gatelab::gateway {
namespace {

using observe::LogFormat;

SipKey key_of(Dice dice) noexcept {
  const std::uint64_t low = dice.next();
  return {low, dice.next()};
}

SipKey key_of(const Secret& secret) noexcept {
  const crypto::Sha256 digest = crypto::sha256(secret.reveal());
  SipKey key;
  for (std::size_t i = 0; i < 8; ++i) {
    key.low = key.low << 8 | static_cast<unsigned char>(digest[i]);
    key.high = key.high << 8 | static_cast<unsigned char>(digest[i + 8]);
  }
  return key;
}

// Where to.
void parse_access(LogConfig& out, const config::Node& access, diag::Sink& sink) {
  const std::string to = access.kind == config::Kind::Bool ? (access.boolean ? "stdout" : "off") : config::as_text(access, sink, "`access` of `log`").value_or("off");
  out.to = to == "stdout" ? LogConfig::To::Stdout : to == "stderr" ? LogConfig::To::Stderr : to == "off" ? LogConfig::To::Off : LogConfig::To::File;
  if (out.to == LogConfig::To::File) out.path = to;
  const std::string_view near = out.to == LogConfig::To::File ? diag::nearest(to, {"stdout", "stderr", "off"}) : std::string_view();
  if (!near.empty()) {
    diag::Diagnostic d;
    d.id = "bad-choice";
    d.message = "`access` of `log` can't be `" + (access.secret ? "<redacted>" : to) + "`";
    d.span = access.span;
    d.note = "did you mean `" + std::string(near) + "`?";
    d.hint = "stdout, stderr, off, or the path of a file: one that is really called so is ./" + (access.secret ? "…" : to);
    sink.report(std::move(d));
  }
  if (to.empty()) sink.error("bad-choice", access.span, "`access` of `log` is empty", "stdout, stderr, off, or the path of a file");
}

void parse_format(observe::LogShape& shape, config::Reader& r, diag::Sink& sink) {
  const config::Node* node = r.get("format");
  if (node != nullptr && node->kind == config::Kind::Text && node->text.find("${") != std::string::npos) {
    shape.format = LogFormat::Template;
    if (node->text.find_first_of("\r\n") != std::string::npos) sink.error("bad-template", node->span, "a line of the access log is one line: this template has several");
    shape.line = observe::LogTemplate::parse(node->text, node->span, sink);
    return;
  }
  if (node == nullptr) return;
  const std::vector<std::string_view> words{"json", "logfmt", "combined", "pretty"};
  const auto text = config::as_text(*node, sink, "`format` of `log`");
  if (!text) return;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == *text) return void(shape.format = static_cast<LogFormat>(i));
  diag::Diagnostic d;
  d.id = "bad-choice";
  d.message = "`format` of `log` can't be `" + *text + "`";
  d.span = node->span;
  const std::string_view near = diag::nearest(*text, words);
  if (!near.empty()) d.note = "did you mean `" + std::string(near) + "`?";
  d.hint = "json, logfmt, combined, pretty, or a template: '${time} ${method} ${target} ${status}'";
  sink.report(std::move(d));
}

// A share, or a map with one.
void parse_sample(observe::Sampling& sampling, const config::Node& node, diag::Sink& sink) {
  if (node.kind != config::Kind::Map) {
    sampling.share = config::as_share(node, sink, "`sample` of `log`").value_or(sampling.share);
    return;
  }
  config::Reader r(node, sink, "`sample` of `log`");
  if (const config::Node* share = r.require("share")) sampling.share = config::as_share(*share, sink, "`share` of `sample`").value_or(sampling.share);
  sampling.keep = static_cast<observe::Sampling::Keep>(r.choice("keep", 0, {"server-errors", "errors", "nothing"}));
  sampling.slower_than = r.duration("slower_than").value_or(Duration{});
  r.finish();
}

const observe::LogFieldInfo* field_of(const config::Located<std::string>& name, diag::Sink& sink) {
  const observe::LogFieldInfo* field = observe::find_log_field(name.value);
  if (field != nullptr) return field;
  std::vector<std::string_view> names;
  for (const observe::LogFieldInfo& one : observe::log_fields()) names.push_back(one.name);
  sink.no_such("field", name.value, name.span, names);
  return nullptr;
}

void parse_redact(LogConfig& out, observe::LogShape& shape, const config::Node& node, Random random, diag::Sink& sink) {
  using Kind = observe::LogFieldInfo::Kind;
  config::Reader r(node, sink, "`redact` of `log`");
  const auto fits = [&](const observe::LogFieldInfo& field, const diag::Span& span) {
    if (observe::can_be_redacted(shape.format, field.field)) return true;
    sink.error("bad-field", span, "a line of this format has its fixed shape: `" + std::string(field.name) + "` can't be taken out of it", "client, consumer, target, user_agent, referer; or take format: json, logfmt or a template");
    return false;
  };
  for (const auto& name : r.texts("drop")) {
    const observe::LogFieldInfo* field = field_of(name, sink);
    if (field != nullptr && fits(*field, name.span)) shape.redaction.dropped.set(static_cast<std::size_t>(field->field));
  }
  for (const auto& name : r.texts("hash")) {
    const observe::LogFieldInfo* field = field_of(name, sink);
    if (field == nullptr || !fits(*field, name.span)) continue;
    const auto index = static_cast<std::size_t>(field->field);
    if (field->kind != Kind::Text && field->kind != Kind::Address) sink.error("bad-field", name.span, "`" + name.value + "` is no text: its hash would tell nothing", "drop: [ " + name.value + " ]");
    else if (shape.redaction.dropped[index]) sink.error("bad-field", name.span, "`" + name.value + "` is dropped already");
    else shape.redaction.hashed.set(index);
  }
  for (auto& name : r.texts("query")) {
    if (name.value.empty()) sink.error("bad-field", name.span, "a query parameter's name is not empty", "query: [ token ], or query: \"*\" for the values of all");
    out.secret_query.push_back(std::move(name.value));
  }
  const auto key = r.secret("key");
  if (key && key->reveal().size() < 16) sink.error("bad-key", r.span_of("key"), "the key of the log's hashes is shorter than 16 octets: all addresses could be tried", "openssl rand -hex 16 makes one");
  shape.redaction.key = key ? key_of(*key) : key_of(random.fork("log-hash"));
  if (r.valid() && key && shape.redaction.hashed.none() && node.find("hash") == nullptr) sink.warning("no-effect", r.key_span("key"), "nothing is hashed: the key has no effect", "hash: [ client ]");
  r.finish();
}

}  // namespace

LogConfig parse_log(const config::Node& node, Random random, diag::Sink& sink) {
  LogConfig out;
  auto shape = std::make_shared<observe::LogShape>();
  config::Reader r(node, sink, "`log`");
  out.to = LogConfig::To::Stdout;  // whoever says how, wants one
  if (const config::Node* access = r.get("access")) parse_access(out, *access, sink);
  parse_format(*shape, r, sink);
  if (const config::Node* sample = r.get("sample")) parse_sample(shape->sampling, *sample, sink);
  shape->sampling.key = key_of(random.fork("log-sample"));
  if (const config::Node* redact = r.get("redact")) parse_redact(out, *shape, *redact, random, sink);
  r.elsewhere("fields", "a format of one's own names them, '${time} ${status}'; `redact` takes some away");
  r.not_supported("level", "an exchange's line has none");
  r.finish();
  out.shape = std::move(shape);
  return out;
}

}  // namespace gatelab::gateway
