// SPDX-License-Identifier: Apache-2.0
#include "policy/forward_auth/forward_auth.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

// Fields of the service's refusal that are the client's business.
constexpr std::array kTold{http::FieldId::WwwAuthenticate, http::FieldId::Location, http::FieldId::SetCookie, http::FieldId::ContentType, http::FieldId::RetryAfter};

struct Memo {
  explicit Memo(Arena& arena) noexcept : fields(arena), answer(arena) {}
  http::Fields fields;
  CallAnswer answer;
};

class ForwardAuth final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "forward-auth"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  void untell(Input& in) const noexcept override {
    for (const std::string& field : forward) in.request.fields.remove(field);
  }

  Step step(Input& in) const noexcept override {
    if (const Memo* memo = in.scratch.memo<Memo>()) return judge(in, *memo);
    untell(in);
    return ask(in);
  }

  std::int32_t upstream = -1;
  std::string method = "GET", path, query;
  std::vector<std::string> send, forward;  // request fields that the service sees; its answer's that the upstream sees
  std::string consumer_field;
  Duration timeout = std::chrono::seconds(2);
  bool open = false;  // a failure lets pass
  const Consumers* consumers = nullptr;

 private:
  Step ask(Input& in) const noexcept {
    auto* memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo(in.arena);
    in.scratch.keep(memo);
    for (const http::Field& f : in.request.fields)
      if (std::any_of(send.begin(), send.end(), [&f](const std::string& name) { return iequals(f.name, name); })) memo->fields.add(f.id, f.name, f.value);
    Call call;
    call.upstream = upstream;
    call.method = method;
    call.path = path;
    call.query = query;
    call.fields = &memo->fields;
    call.asked_method = in.request.method_text;
    call.asked_uri = in.request.has_query ? in.arena.concat(in.path, "?", in.request.query) : in.path;
    call.timeout = timeout;
    call.max_octets = kMaxAnswer;
    call.answer = &memo->answer;
    Step step;
    step.verdict = Verdict::Need;
    step.effect = new (in.arena.allocate(sizeof(Effect), alignof(Effect))) Effect(call);
    return step;
  }

  Step judge(Input& in, const Memo& memo) const noexcept {
    const CallAnswer& answer = memo.answer;
    if (!in.effect_done || !answer.failure.empty()) return failed(in, answer.failure.empty() ? std::string_view("not asked") : answer.failure);
    if (answer.status >= 200 && answer.status < 300) return pass(in, answer);
    const bool refusal = answer.status == 401 || answer.status == 403 || (answer.status >= 300 && answer.status < 400) || answer.status == 429;
    return refusal ? refuse(in, answer) : failed(in, in.detailed ? in.arena.concat("status ", number(in, answer.status)) : std::string_view());
  }

  static std::string_view number(Input& in, std::uint16_t n) noexcept { return in.arena.copy(std::to_string(n)); }

  Step pass(Input& in, const CallAnswer& answer) const noexcept {
    const http::Field* named = consumer_field.empty() ? nullptr : answer.fields.find(consumer_field);
    in.consumer = named == nullptr ? nullptr : consumers->find(named->value);
    in.principal = named == nullptr ? std::string_view() : named->value;
    in.principal_by = kind();
    for (const http::Field& f : answer.fields)
      if (std::any_of(forward.begin(), forward.end(), [&f](const std::string& name) { return iequals(f.name, name); })) in.request.fields.add(f.id, f.name, f.value);
    return Step::go_on(in.detailed ? in.arena.concat("the service said ", number(in, answer.status)) : std::string_view());
  }

  // The client hears what the service says, not more than its fields for clients.
  Step refuse(Input& in, const CallAnswer& answer) const noexcept {
    Step step = deny(in, observe::reason::kRefusedByService, in.detailed ? in.arena.concat("the service said ", number(in, answer.status)) : std::string_view());
    step.answer->status = answer.status;
    for (const http::Field& f : answer.fields)
      if (std::find(kTold.begin(), kTold.end(), f.id) != kTold.end() && f.id != http::FieldId::ContentType) step.answer->fields.add(f.id, f.name, f.value);
    const http::Field* type = answer.fields.find(http::FieldId::ContentType);
    if (answer.body.empty() || type == nullptr) return step;
    step.answer->body = answer.body;
    step.answer->content_type = type->value;
    return step;
  }

  Step failed(Input& in, std::string_view why) const noexcept {
    if (open) {
      in.principal_by = kind();
      return Step::go_on(in.detailed ? in.arena.concat("let pass: the service failed: ", why) : std::string_view());
    }
    return unavailable(in, observe::reason::kServiceUnavailable, in.detailed ? why : std::string_view());
  }
};

std::vector<std::string> field_names(config::Reader& r, std::string_view key, std::vector<std::string> fallback) {
  if (r.get(key) == nullptr) return fallback;
  std::vector<std::string> out;
  for (auto& name : r.texts(key)) {
    const http::FieldId id = http::field_id(name.value);
    const bool framing = id == http::FieldId::Host || id == http::FieldId::ContentLength || id == http::FieldId::TransferEncoding || id == http::FieldId::Connection;
    if (!http::is_token(name.value) || framing) r.sink().error("bad-header", name.span, "`" + name.value + "` can't be a header here");
    out.push_back(std::move(name.value));
  }
  return out;
}

}  // namespace

std::unique_ptr<Policy> parse_forward_auth(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `forward-auth`");
  auto policy = std::make_unique<ForwardAuth>();
  r.require("upstream");
  const auto name = r.text("upstream");
  policy->method = r.text("method", "GET");
  if (!http::is_token(policy->method)) context.sink.error("bad-method", r.span_of("method"), "`" + policy->method + "` is not a method");
  const std::string target = r.text("path", "/");
  const std::size_t mark = target.find('?');
  policy->path = target.substr(0, mark);
  if (mark != std::string::npos) policy->query = target.substr(mark + 1);
  if (!policy->path.starts_with("/") || target.find_first_of(" \t\r\n#") != std::string::npos) context.sink.error("bad-path", r.span_of("path"), "`" + target + "` is not a path", "path: /authorize");
  policy->send = field_names(r, "send", {"Authorization", "Cookie"});
  policy->forward = field_names(r, "forward", {});
  policy->consumer_field = r.text("consumer", "");
  policy->timeout = r.duration("timeout", policy->timeout);
  policy->open = r.choice("on_failure", 0, {"deny", "allow"}) == 1;
  if (policy->open) context.sink.warning("fails-open", r.span_of("on_failure"), "when the service can't be asked everyone passes", "on_failure: deny");
  policy->consumers = &context.consumers;
  r.elsewhere("url", "the service is an upstream: upstreams: { auth: { url: … } }");
  r.finish();
  if (!r.valid() || !name) return nullptr;
  const auto upstream = context.upstream(*name, r.span_of("upstream"));
  if (!upstream) return nullptr;
  policy->upstream = *upstream;
  return policy;
}

}  // namespace gatelab::policy
