// SPDX-License-Identifier: Apache-2.0
#include "policy/validate/body_check.h"

#include <algorithm>
#include <utility>

#include "policy/validate/texts.h"
#include "policy/whole_body.h"

namespace gatelab::policy {

void BodyCheck::refuse(const observe::Reason& why, std::string what) {
  reason = &why;
  detail = std::move(what);
}

void BodyCheck::run() {
  std::string_view text = body;
  Decoded decoded;
  if (coding) {
    decoded = decode_whole(*coding, body, rules.size);
    text = decoded.octets;
    if (decoded.failure != nullptr) return refuse(*decoded.failure, {});
  }
  if (as == As::Form) {
    if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) >= rules.limits.values) return refuse(observe::reason::kJsonTooMany, "there are too many values");
    Arena arena;
    return look_at(query_object(text, *set, schema, arena));
  }
  const auto document = json::Document::parse(text, rules.limits);
  if (document) return look_at(*document);
  const json::Fault& fault = document.error();
  using Kind = json::Fault::Kind;
  refuse(fault.kind == Kind::TooDeep ? observe::reason::kJsonTooDeep : fault.kind == Kind::TooMany ? observe::reason::kJsonTooMany : observe::reason::kJsonMalformed,
         std::string(fault.what) + ", at octet " + std::to_string(fault.at + 1));
}

void BodyCheck::look_at(const json::Document& document) {
  schema::Verdict verdict = schema::validate(*set, schema, document, document.root(), rules.effort);
  gave_up = verdict.gave_up;
  if (verdict.gave_up) return refuse(observe::reason::kJsonTooMany, "to look at all of it would take too long");
  if (verdict.valid) return;
  for (schema::Failure& failure : verdict.failures) failures.push_back({"body", std::move(failure)});
  refuse(observe::reason::kInvalidBody, first_of(failures));
}

Step BodyCheck::judge(Input& in) const noexcept {
  if (reason == nullptr) return Step::go_on();
  if (failures.empty()) return deny_told(in, *reason, in.arena.copy(detail));
  return refuse_invalid(in, *reason, failures);
}

BodyCheck::Rules parse_body_rules(config::Reader& r) {
  BodyCheck::Rules out;
  const BodyBounds bounds = parse_body_bounds(r);
  out.size = bounds.size;
  out.limits = bounds.limits;
  out.effort.failures = static_cast<std::size_t>(r.integer("max_errors", 10, 1, 100));
  return out;
}

BodyMemo& BodyMemo::make(Input& in) noexcept {
  auto* memo = new (in.arena.allocate(sizeof(BodyMemo), alignof(BodyMemo))) BodyMemo{};
  in.scratch.keep(memo);
  return *memo;
}

void BodyMemo::drop(Input& in) noexcept {
  auto* memo = in.scratch.memo<BodyMemo>();
  if (memo == nullptr) return;
  std::destroy_at(memo);
  in.scratch.keep(nullptr);
}

Step BodyMemo::run(Input& in) noexcept {
  if (check->body.size() <= kLargeBody && !check->coding) {
    const std::size_t steps = std::exchange(check->rules.effort.steps, std::min(check->rules.effort.steps, kStepsOnLoop));
    check->run();
    check->rules.effort.steps = steps;
    if (!check->gave_up) return check->judge(in);
    check->reason = nullptr;
    check->gave_up = false;
  }
  effect = ComputeJob{[job = check] { job->run(); }};
  Step step;
  step.verdict = Verdict::Need;
  step.effect = &effect;
  return step;
}

}  // namespace gatelab::policy
