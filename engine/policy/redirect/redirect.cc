// SPDX-License-Identifier: Apache-2.0
#include "policy/redirect/redirect.h"

#include <algorithm>

#include "base/text.h"

namespace gatelab::policy {
namespace {

class Redirect final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "redirect"; }
  Phase phase() const noexcept override { return Phase::Access; }
  Step step(Input& in) const noexcept override {
    Step step;
    step.verdict = Verdict::Respond;
    step.outcome = Outcome::Respond;
    step.reason = observe::reason::kRedirected.word;
    step.answer = in.arena.make<Answer>(in.arena);
    step.answer->status = status;
    const std::string_view path = keep_path ? in.path : std::string_view();
    const bool query = keep_query && in.request.has_query;
    // A query that stands in `to` already is gone on with.
    const std::string_view mark = !query ? "" : to.find('?') == std::string::npos ? "?" : "&";
    step.answer->fields.add(http::FieldId::Location, "Location", in.arena.concat(to, path, mark, query ? in.request.query : std::string_view()));
    return step;
  }

  std::string to;
  std::uint16_t status = 308;
  bool keep_path = false;
  bool keep_query = true;
};

}  // namespace

std::unique_ptr<Policy> parse_redirect(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `redirect`");
  auto policy = std::make_unique<Redirect>();
  r.require("to");
  policy->to = r.text("to", "");
  constexpr std::int64_t kStatuses[] = {301, 302, 303, 307, 308};
  const std::int64_t status = r.integer("status", 308, 300, 399);
  if (std::find(std::begin(kStatuses), std::end(kStatuses), status) == std::end(kStatuses))
    context.sink.error("bad-status", r.span_of("status"), std::to_string(status) + " does not redirect", "one of 301, 302, 303, 307, 308");
  policy->status = static_cast<std::uint16_t>(status);
  policy->keep_path = r.boolean("keep_path", false);
  policy->keep_query = r.boolean("keep_query", true);
  r.finish();
  if (!r.valid() || node.find("to") == nullptr) return nullptr;
  const std::string& to = policy->to;
  const bool absolute = to.starts_with("http://") || to.starts_with("https://");
  const bool printable = std::all_of(to.begin(), to.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\'; });
  if (!printable || (!absolute && !(to.starts_with("/") && !to.starts_with("//"))))
    context.sink.error("bad-url", r.span_of("to"), "`" + to + "` is nowhere to redirect to", "write https://host/path or a path that begins with /");
  if (policy->keep_path && (to.ends_with("/") || to.find_first_of("?#") != std::string::npos))
    context.sink.error("bad-url", r.span_of("to"), "the path can't be kept behind `" + to + "`", "with keep_path, `to` ends before the slash of the path");
  return policy;
}

}  // namespace gatelab::policy
