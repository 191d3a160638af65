// SPDX-License-Identifier: Apache-2.0
#include "policy/size_limit/size_limit.h"

#include <optional>

#include "base/units.h"

namespace gatelab::policy {
namespace {

// As HTTP/1.1 writes them: "name: value" and the end of the line.
std::uint64_t octets_of(const http::Fields& fields) noexcept {
  std::uint64_t octets = 0;
  for (const http::Field& f : fields) octets += f.name.size() + f.value.size() + 4;
  return octets;
}

class SizeLimit final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "size-limit"; }
  Phase phase() const noexcept override { return Phase::Access; }

  Step step(Input& in) const noexcept override {
    const http::RequestHead& head = in.request;
    if (query && head.query.size() > query->bytes) return refuse(in, observe::reason::kQueryTooLong, head.query.size(), format(*query));
    if (fields && head.fields.size() > *fields) return refuse(in, observe::reason::kFieldsTooLarge, head.fields.size(), std::to_string(*fields) + " fields");
    if (fields_size) {
      const std::uint64_t octets = octets_of(head.fields);
      if (octets > fields_size->bytes) return refuse(in, observe::reason::kFieldsTooLarge, octets, format(*fields_size));
    }
    if (!body || head.body.kind == http::Framing::None) return Step::go_on();
    if (head.body.kind == http::Framing::Length) {
      if (head.body.length > body->bytes) return refuse(in, observe::reason::kBodyTooLarge, head.body.length, format(*body));
      return Step::go_on(in.detailed ? in.arena.concat("a body of ", std::to_string(head.body.length), ", at most ", format(*body)) : std::string_view());
    }
    BodyLimit* limit = in.arena.make<BodyLimit>();
    *limit = {body->bytes, this, in.body_limits};
    in.body_limits = limit;
    return Step::go_on(in.detailed ? in.arena.concat("the body is counted, at most ", format(*body)) : std::string_view());
  }

  std::optional<ByteSize> body, query, fields_size;
  std::optional<std::uint64_t> fields;

 private:
  // The limit is no secret: whoever sends too much has to know how much is not.
  static Step refuse(Input& in, const observe::Reason& reason, std::uint64_t found, const std::string& most) noexcept {
    Step step = deny(in, reason, in.detailed ? in.arena.concat(std::to_string(found), ", at most ", most) : std::string_view());
    step.answer->detail = in.arena.concat("at most ", most);
    return step;
  }
};

std::optional<ByteSize> size(config::Reader& r, std::string_view key) {
  const config::Node* node = r.get(key);
  return node == nullptr ? std::nullopt : config::as_size(*node, r.sink(), "`" + std::string(key) + "` of " + r.what());
}

}  // namespace

std::unique_ptr<Policy> parse_size_limit(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `size-limit`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<SizeLimit>();
  policy->body = size(r, "max_body");
  policy->query = size(r, "max_query");
  policy->fields_size = size(r, "max_fields_size");
  if (r.get("max_fields") != nullptr) policy->fields = static_cast<std::uint64_t>(r.integer("max_fields", 1, 1, 10'000));
  if (r.valid() && node.entries.empty())
    context.sink.error("no-limit", r.span(), "policy `size-limit` limits nothing", "give it `max_body: 1MiB`, or max_query, max_fields, max_fields_size");
  for (const std::string_view key : {"body", "size", "max_size"}) r.elsewhere(key, "write max_body: 1MiB");
  r.elsewhere("max_head", "a listener limits it; here it is max_fields and max_fields_size");
  r.elsewhere("headers", "write max_fields: 50, or max_fields_size: 8KiB");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  return policy;
}

}  // namespace gatelab::policy
