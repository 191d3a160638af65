// SPDX-License-Identifier: Apache-2.0
// `log:` of a configuration.
#include "gateway/model_parts.h"

namespace gatelab::gateway {

LogConfig parse_log(const config::Node& node, diag::Sink& sink) {
  LogConfig out;
  config::Reader r(node, sink, "`log`");
  if (const config::Node* access = r.get("access")) {
    const std::string to = access->kind == config::Kind::Bool ? (access->boolean ? "stdout" : "off") : config::as_text(*access, sink, "`access` of `log`").value_or("off");
    out.to = to == "stdout" ? LogConfig::To::Stdout : to == "stderr" ? LogConfig::To::Stderr : to == "off" ? LogConfig::To::Off : LogConfig::To::File;
    if (out.to == LogConfig::To::File) out.path = to;
    const std::string_view near = out.to == LogConfig::To::File ? diag::nearest(to, {"stdout", "stderr", "off"}) : std::string_view();
    if (!near.empty()) {
      diag::Diagnostic d;
      d.id = "bad-choice";
      d.message = "`access` of `log` can't be `" + (access->secret ? "<redacted>" : to) + "`";
      d.span = access->span;
      d.note = "did you mean `" + std::string(near) + "`?";
      d.hint = "stdout, stderr, off, or the path of a file: one that is really called so is ./" + (access->secret ? "…" : to);
      sink.report(std::move(d));
    }
    if (to.empty()) sink.error("bad-choice", access->span, "`access` of `log` is empty", "stdout, stderr, off, or the path of a file");
  }
  out.format = static_cast<observe::LogFormat>(r.choice("format", 0, {"json", "logfmt", "combined", "pretty"}));
  for (const std::string_view key : {"sample", "fields", "level"}) r.not_supported(key, "every exchange is one line");
  r.finish();
  return out;
}

}  // namespace gatelab::gateway
