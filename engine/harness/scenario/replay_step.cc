// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/replay_step.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "harness/replay/content.h"
#include "harness/replay/hiding.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/request.h"

namespace gatelab::harness {
namespace {

// Each gatelab has a name of its own there (docs/forwarding.md).
void forget_instance(RecordedHeaders& headers) {
  static const RE2 pattern("gatelab-[0-9a-f]{8}");
  for (auto& [name, value] : headers)
    if (iequals(name, "via")) RE2::GlobalReplace(&value, pattern, "gatelab");
}

// What answers are compared by, if they are learnt from: a page, whatever its parameters.
std::string kind_of(const RecordedExchange& exchange) {
  const std::string& target = exchange.request.target;
  return exchange.request.method + " " + target.substr(0, target.find('?'));
}

// Of a file that is no recording of ours, as those in what the gateway says of it.
std::string line_of(const RecordedExchange& exchange) { return exchange.request.method + " " + shown_target(exchange.request.target); }

std::vector<std::string> without_secrets(std::vector<std::string> trace, RecordedRequest request, const std::vector<Replay::Secret>& secrets) {
  Hiding hiding;
  std::vector<bool> used;
  put_back(request, secrets, used);
  for (const Replay::Secret& secret : secrets) hiding.take(secret.text);
  std::string body = request.body.octets ? *request.body.octets : std::string();
  hiding.take(request.headers, request.target, body);
  for (std::string& line : trace) hiding.hide(line);
  return trace;
}

ComparedAnswer unmarked(ComparedAnswer answer) {
  forget_instance(answer.headers);
  for (auto& [name, value] : answer.headers) value = without_marks(value);
  if (!answer.body.octets) return answer;
  auto text = std::make_shared<const std::string>(without_marks(*answer.body.octets));
  answer.body.size = text->size();
  answer.body.octets = std::move(text);
  return answer;
}

}  // namespace

void ReplayStep::run(const Step& step) {
  const Replay& replay = *step.replay;
  if (world_.foreign() != nullptr && replay.upstreams == Replay::Upstreams::Recorded) return world_.fail(replay.upstreams_span, "a gateway that is not ours does not call what is recorded", "give it `mocks` with addresses, or what it has itself: `live`");
  std::vector<const RecordedExchange*> exchanges;
  if (!playable(replay, exchanges)) return;
  const auto player = std::make_shared<Player>(world_, replay);
  std::vector<Played> played;
  const std::string problem = player->play(exchanges, played);
  if (!problem.empty()) return world_.fail(replay.span, problem);
  for (const Played& one : played) trace(one.answer);
  world_.result().replayed += played.size();
  player->unmatched();
  vacuous(replay, *player);
  if (replay.compare) compare(replay, exchanges, played);
  if (!world_.result().ok()) tell_marks(replay, exchanges);
}

// Whoever reads of refusals wants to know that the credentials were not those of then.
void ReplayStep::tell_marks(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges) {
  std::size_t n = 0;
  std::string mark;
  std::vector<bool> used;
  for (const RecordedExchange* e : exchanges) {
    RecordedRequest request = e->request;
    put_back(request, replay.secrets, used);
    if (!replay.remint.empty()) remint(request, [](const RecordedToken&) { return std::string(); });
    const std::string left = first_mark(request);
    n += !left.empty();
    if (mark.empty()) mark = left;
  }
  if (n > 0) world_.result().notes.push_back(std::to_string(n) + (n == 1 ? " request has" : " requests have") + " lost a secret to the recording, and are sent with its mark: --secret " + mark + "=VARIABLE puts one back");
}

bool ReplayStep::playable(const Replay& replay, std::vector<const RecordedExchange*>& out) {
  std::size_t left_out = 0;
  std::string first;
  for (const RecordedExchange* e : selected(replay)) {
    const std::string why = unplayable(replay, *e);
    if (why.empty()) out.push_back(e);
    else if (left_out++ == 0) first = line_of(*e) + " (" + diag::place(e->span) + "): " + why;
  }
  if (left_out > 0) world_.result().left_out.push_back(std::to_string(left_out) + " left out, such as " + first);
  if (left_out > 0 && !replay.skip_left_out) world_.fail(replay.from_span, std::to_string(left_out) + " can't be replayed, such as " + first, "leave them out with `only`, or all of them: left_out: skip");
  else if (out.empty()) world_.fail(replay.from_span, "nothing of the recording can be replayed");
  return world_.go_on();
}

// Sent, and held against nothing: that is told, and fails unless it is to be left out.
void ReplayStep::unanswered(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges) {
  std::size_t n = 0;
  std::string first;
  for (const RecordedExchange* e : exchanges)
    if (e->answer.status == 0 && n++ == 0) first = line_of(*e) + " (" + diag::place(e->span) + ")";
  if (n == 0) return;
  const std::string what = std::to_string(n) + " not compared, as the recording has no answer to " + (n == 1 ? "it: " : "them, such as ") + first;
  world_.result().left_out.push_back(what);
  if (!replay.skip_left_out) world_.fail(replay.from_span, what, "leave them out with `only`, or all of them: left_out: skip (--skip-left-out)");
}

// What is written for nothing is stale.
void ReplayStep::vacuous(const Replay& replay, const Player& player) {
  if (!replay.remint.empty() && player.minted() == 0) world_.fail(replay.remint_span, "no request has a token that could be minted again", "leave `remint` out");
  for (std::size_t i = 0; i < replay.secrets.size(); ++i)
    if (i < player.used_secrets().size() && !player.used_secrets()[i]) world_.fail(replay.secrets[i].span, "no request has the mark <redacted:" + replay.secrets[i].mark + ">", "remove it; each recording has marks of its own");
}

bool ReplayStep::elsewhere(const Replay& replay, const std::string& gateway, std::uint64_t seed, const std::vector<const RecordedExchange*>& exchanges, std::vector<Played>& out) {
  Case other;
  other.name = world_.of().name;
  other.span = world_.of().span;
  other.world = world_.of().world;
  if (!gateway.empty()) {
    other.world.gateway = gateway;
    other.world.gateway_span = replay.compare->gateway_span;
  }
  Step step;
  step.verb = Step::Verb::Replay;
  step.replay = std::make_shared<Replay>(replay);
  other.steps.push_back(std::move(step));
  CaseResult result;
  result.seed = seed;
  {
    CaseWorld world(world_.file(), other, world_.options(), world_.files(), result);
    if (world.set_up()) {
      const auto player = std::make_shared<Player>(world, replay);
      const std::string problem = player->play(exchanges, out);
      if (!problem.empty()) world.fail(replay.compare->span, problem);
      else player->unmatched();
    }
    world.tear_down();
  }
  world_.result().used_stubs.insert(result.used_stubs.begin(), result.used_stubs.end());
  for (Failure& failure : result.failures) {
    if (!gateway.empty()) failure.message = "behind `" + gateway + "`: " + failure.message;
    world_.result().failures.push_back(std::move(failure));
  }
  world_.result().interrupted = world_.result().interrupted || result.interrupted;
  return result.failures.empty();
}

ComparedAnswer ReplayStep::recorded(const RecordedExchange& exchange) const {
  // What other programs wrote has its secrets still; in a recording of ours this changes nothing.
  RecordedAnswer said = exchange.answer;
  redactor_.apply(said);
  ComparedAnswer out;
  out.status = said.status;
  out.has_headers = !said.headers.empty();
  out.headers = std::move(said.headers);
  out.body = std::move(said.body);
  // How long a compressed one is says nothing: it depends on where it was cut into pieces.
  const bool length_only = !out.body.octets && out.body.size > 0 && coding_of(out.headers);
  out.has_body = out.body.left_out != "not-recorded" && !length_only && (out.has_headers || out.body.size > 0);
  out.body = content_of(out.headers, std::move(out.body));
  return unmarked(std::move(out));
}

// As it would have been recorded, so that no secret gets into a report.
ComparedAnswer ReplayStep::seen(const Answer& answer, bool marks) const {
  RecordedAnswer said;
  said.status = static_cast<std::uint16_t>(answer.status);
  said.headers = answer.headers;
  said.body = body_from(answer.body);
  redactor_.apply(said);
  ComparedAnswer out;
  out.status = said.status;
  out.error = answer.error;
  // Octets that can't be looked into can be compared all the same, if both sides have them.
  out.body = marks && !said.body.octets && !answer.body.empty() ? body_from(body_digest(answer.body)) : content_of(said.headers, std::move(said.body));
  out.headers = std::move(said.headers);
  if (!marks) return unmarked(std::move(out));
  forget_instance(out.headers);
  return out;
}

void ReplayStep::compare(const Replay& replay, const std::vector<const RecordedExchange*>& exchanges, const std::vector<Played>& now) {
  const bool against_recording = replay.compare->gateway.empty();
  Comparison comparison(replay.compare->masks);
  std::vector<Played> before, again;
  const std::uint64_t seed = world_.result().seed;
  if (!against_recording && !elsewhere(replay, replay.compare->gateway, seed, exchanges, before)) return;
  const std::vector<Played>& base = against_recording ? now : before;
  for (std::uint32_t i = 1; i <= replay.compare->learn; ++i) {
    if (!elsewhere(replay, replay.compare->gateway, seed + i, exchanges, again)) return;
    for (std::size_t k = 0; k < exchanges.size(); ++k) comparison.learn(kind_of(*exchanges[k]), seen(base[k].answer, !against_recording), seen(again[k].answer, !against_recording));
  }
  if (against_recording) unanswered(replay, exchanges);
  std::vector<DifferentExchange> different;
  std::size_t compared = 0, by_status = 0, without_body = 0;
  for (std::size_t k = 0; k < exchanges.size(); ++k) {
    if (against_recording && exchanges[k]->answer.status == 0) continue;
    ++compared;
    const ComparedAnswer old = against_recording ? recorded(*exchanges[k]) : seen(before[k].answer, true);
    by_status += !old.has_headers && !old.has_body ? 1 : 0;
    without_body += old.has_headers && !old.has_body ? 1 : 0;
    auto differences = comparison.compare(kind_of(*exchanges[k]), old, seen(now[k].answer, !against_recording));
    if (!differences.empty()) different.push_back({exchanges[k], std::move(differences), without_secrets(now[k].trace, exchanges[k]->request, replay.secrets), line_of(*exchanges[k])});
  }
  // Logs say no more, HARs may lack bodies: who reads "0 different" must know of what.
  const auto less = [this](std::size_t n, const char* how, const char* lacks) {
    if (n > 0) world_.result().left_out.push_back(std::to_string(n) + (n == 1 ? " answer was" : " answers were") + " compared " + how + ": the recording has no " + lacks + " of " + (n == 1 ? "it" : "them"));
  };
  less(by_status, "by status alone", "headers and no body");
  less(without_body, "without the body", "body");
  judge(replay, comparison, different, compared);
}

void ReplayStep::judge(const Replay& replay, const Comparison& comparison, const std::vector<DifferentExchange>& different, std::size_t compared) {
  const auto check = [this](const MatcherPtr& matcher, std::size_t value, const std::string& what, const std::string& more) {
    ++world_.result().expectations;
    if (const auto bad = matcher->match(nlohmann::json(value))) world_.fail(bad->span, what + bad->got + more);
  };
  CaseResult& result = world_.result();
  for (const DifferentExchange& one : different) result.differences.push_back({one.exchange->id, signature(one)});
  std::string note = std::to_string(compared) + (compared == 1 ? " exchange" : " exchanges") + " compared, " + std::to_string(different.size()) + " different";
  if (comparison.noise() > 0) note += ", " + std::to_string(comparison.noise()) + " differences were noise";
  result.notes.push_back(note);
  for (const auto& [place, kinds] : comparison.learnt()) result.notes.push_back("noise learnt: " + place + (kinds == 1 ? "" : " of " + std::to_string(kinds) + " kinds of request"));
  if (compared == 0) world_.fail(replay.compare->span, "nothing was compared", "the recording has no answers to these requests");
  if (replay.compared) check(replay.compared, compared, "compared: ", "");
  const std::string hint = hint_of_fresh(different);
  if (!hint.empty()) result.notes.push_back(hint);
  const std::string text = different.empty() ? "" : "\n" + difference_text(different, compared);
  ++result.expectations;
  if (replay.different) check(replay.different, different.size(), "different: ", text);
  else if (!different.empty()) world_.fail(replay.compare->span, "answers differ" + text);
  const bool strict = replay.compare->masks.unused == Masks::Unused::Strict;
  for (const Comparison::Unused& mask : comparison.unused()) world_.fail(mask.span, "this mask hides nothing: " + (strict ? "nowhere does " + mask.what + " differ" : "no answer has " + mask.what), "remove it, or unused_masks: allow");
}

void ReplayStep::trace(const Answer& answer) {
  const ComparedAnswer plain = seen(answer, false);
  plaintext_ = mix64(plaintext_ ^ plain.status ^ static_cast<std::uint64_t>(answer.latency.count()) << 10);
  for (const auto& [name, value] : plain.headers) plaintext_ = hash64(value, hash64(name, plaintext_));
  if (plain.body.octets) plaintext_ = hash64(*plain.body.octets, plaintext_);
}

}  // namespace gatelab::harness
