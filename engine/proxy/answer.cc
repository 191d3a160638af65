// SPDX-License-Identifier: Apache-2.0
// Answers that the gateway makes itself: problem documents (RFC 9457) and policies' own.
#include "base/text.h"
#include "http/date.h"
#include "http/hop.h"
#include "proxy/exchange.h"
#include "proxy/filtered.h"
#include "proxy/head_writer.h"

namespace gatelab::proxy {
namespace {

void member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":\"";
  append_json_escaped(out, value);
  out += '"';
}

}  // namespace

std::string_view Exchange::problem(std::uint16_t status, std::string_view word, std::string_view title, std::string_view detail, std::string_view members) noexcept {
  std::string out = "{\"status\":" + std::to_string(status);
  member(out, "title", title);
  member(out, "reason", word);
  if (!detail.empty()) member(out, "detail", detail);
  member(out, "request_id", record_.request_id);
  if (!members.empty()) out.append(1, ',').append(members);
  out += "}\n";
  return arena_.copy(out);
}

void Exchange::add_date(http::Fields& fields) noexcept {
  if (fields.find(http::FieldId::Date) != nullptr) return;
  char* text = static_cast<char*>(arena_.allocate(http::kDateOctets, 1));
  http::write_date(services_.loop.clock().policy_now(), text);
  fields.add(http::FieldId::Date, "Date", {text, http::kDateOctets});
}

// Phase TransformResponse, the same for forwarded and local answers; framing never comes from a policy.
void Exchange::finish_fields(std::uint16_t& status, http::Fields& fields, bool local, http::BodyFraming& body) noexcept {
  // It may take the place of an answer whose body a filter has refused.
  held_ = nullptr;
  input_.answer_body = nullptr;
  answer_filtering_ = nullptr;
  if (walk_ && walk_->has_on_response()) {
    input_.now = services_.loop.clock().policy_now();
    policy::ResponseInput response{status, fields, local, input_, body};
    walk_->on_response(response);
    http::strip_hop_by_hop(fields);
  }
  const std::string& name = listener_.request_id_name;
  if (fields.find(name) != nullptr) fields.remove(name);
  fields.add(name, record_.request_id);
  add_date(fields);
}

// A filter that may still refuse the body keeps the head back: until then another answer can take its place.
void Exchange::send_head(const AnswerHead& head) noexcept {
  if (input_.answer_body && input_.answer_body->holds_head()) {
    held_ = arena_.make<AnswerHead>(head);
    return;
  }
  committed_ = true;
  mark(answered_);
  inbound_.write_head(head);
}

io::Task<void> Exchange::refuse(Refusal refusal) {
  end(refusal.by, refusal.id, refusal.word, refusal.phase);
  if (refusal.status == 0) co_return inbound_.reset();
  policy::Answer own(arena_);
  own.status = refusal.status;
  own.detail = refusal.detail;
  if (refusal.status >= 400) {
    own.body = problem(refusal.status, refusal.word, refusal.title, refusal.detail);
    own.content_type = "application/problem+json";
  }
  if (!refusal.allow.empty()) own.fields.add("Allow", refusal.allow);
  if (refusal.retry_after > Duration{}) own.fields.add("Retry-After", arena_.copy(std::to_string(std::chrono::ceil<std::chrono::seconds>(refusal.retry_after).count())));
  if (refusal.word == observe::reason::kWebsocketVersion.word) {
    // RFC 6455 §4.4 says which version, RFC 9110 §15.5.22 which protocol.
    own.fields.add("Sec-WebSocket-Version", "13");
    own.fields.add("Upgrade", "websocket");
    own.fields.add("Connection", "Upgrade");
  }
  co_await answer(own);
}

io::Task<void> Exchange::answer(policy::Answer& own) {
  if (own.body.empty() && own.status >= 400 && own.content_type.empty()) {
    const observe::Reason* reason = observe::find_reason(record_.ended.reason);
    const std::string_view title = reason != nullptr && reason->status == own.status ? reason->title : http::default_reason_phrase(own.status);
    own.body = problem(own.status, record_.ended.reason, title, own.detail, own.members);
    own.content_type = "application/problem+json";
  }
  if (!own.content_type.empty()) own.fields.set("Content-Type", own.content_type);
  inbound_.skip_body();
  AnswerHead out;
  out.framing = {http::Framing::Length, own.body.size()};
  finish_fields(own.status, own.fields, true, out.framing);
  out.status = own.status;
  out.fields = &own.fields;
  out.bodiless = head_.method == http::Method::Head || own.status == 204 || own.status == 304;
  if (own.status == 204 || own.status == 304) out.framing = {};
  record_.status = own.status;
  send_head(out);
  io::Code code = write_body(own.body, true, nullptr);
  if (code == io::Code::WouldBlock) code = co_await written();
  if (code == io::Code::Ok) {
    record_.response_octets = out.bodiless ? 0 : own.body.size();
    co_return;
  }
  record_.truncated = true;
  inbound_.reset();
}

}  // namespace gatelab::proxy
