// SPDX-License-Identifier: Apache-2.0
// What policies want of the request's body, looked at piece by piece before a piece goes up: how long it may be, and what it
// has to hash to.
#include <utility>

#include "base/units.h"
#include "proxy/exchange.h"

namespace gatelab::proxy {

void Exchange::note(const policy::Policy& by, const observe::Reason& reason, observe::Outcome outcome, std::string_view detail) noexcept {
  observe::Decision decision;
  decision.policy = by.kind();
  decision.id = by.id;
  decision.place = by.place;
  decision.reason = reason.word;
  decision.detail = detail;
  decision.phase = by.phase();
  decision.outcome = outcome;
  record_.decisions.add(decision);
}

void Exchange::refuse_body(const policy::Policy& by, const observe::Reason& reason, std::string_view detail) noexcept {
  Refusal refusal = refusal_of(reason);
  refusal.by = by.kind();
  refusal.id = by.id;
  refusal.detail = detail;
  note(by, reason, observe::Outcome::Deny, detail);
  abort(refusal);
}

// The smallest of the policies' limits that the body has passed; null: none. Where a policy only observes, that is written
// down once.
const policy::BodyLimit* Exchange::passed_limit() noexcept {
  const policy::BodyLimit* smallest = nullptr;
  for (policy::BodyLimit* limit = input_.body_limits; limit != nullptr; limit = limit->next) {
    if (inbound_.body_octets() <= limit->octets) continue;
    if (limit->by->mode == policy::Policy::Mode::Observe) {
      note(*limit->by, observe::reason::kBodyTooLarge, observe::Outcome::Observe, {});
      limit->octets = UINT64_MAX;
    } else if (smallest == nullptr || limit->octets < smallest->octets) {
      smallest = limit;
    }
  }
  return smallest;
}

// Hashes the piece. True if the body ends with it and is another one than was promised: by then nothing of the piece has gone
// up, so that neither a length is complete nor a last chunk sent.
bool Exchange::digest_failed(const BodyPiece& piece) noexcept {
  if (piece.kind != BodyPiece::Kind::Data && piece.kind != BodyPiece::Kind::Done) return false;
  for (policy::BodyDigest* one = input_.body_digests; one != nullptr; one = one->next) one->digest.add(piece.data);
  const bool whole = piece.kind == BodyPiece::Kind::Done || (head_.body.kind == http::Framing::Length && inbound_.body_octets() == head_.body.length);
  if (!whole) return false;
  // Behind the last octet of a known length comes one more piece, without any.
  for (policy::BodyDigest* one = std::exchange(input_.body_digests, nullptr); one != nullptr; one = one->next) {
    if (one->digest.matches(one->expected)) continue;
    if (one->by->mode == policy::Policy::Mode::Observe) {
      note(*one->by, observe::reason::kDigestMismatch, observe::Outcome::Observe, {});
      continue;
    }
    refuse_body(*one->by, observe::reason::kDigestMismatch, {});
    return true;
  }
  return false;
}

// True if the request's body can't be gone on with: the client is told why, if it is still there.
bool Exchange::body_failed(const BodyPiece& piece) noexcept {
  const policy::BodyLimit* passed = input_.body_limits == nullptr ? nullptr : passed_limit();
  if (passed != nullptr && (piece.kind != BodyPiece::Kind::TooLarge || passed->octets <= listener_.max_body)) {
    refuse_body(*passed->by, observe::reason::kBodyTooLarge, arena_.concat("at most ", format(ByteSize{passed->octets})));
    return true;
  }
  if (input_.body_digests != nullptr && digest_failed(piece)) return true;
  Refusal refusal;
  switch (piece.kind) {
    case BodyPiece::Kind::Broken: refusal = refusal_of(piece.rule); break;
    case BodyPiece::Kind::TooLarge: refusal = refusal_of(observe::reason::kBodyTooLarge); break;
    case BodyPiece::Kind::Gone: refusal = refusal_of(observe::reason::kClientGone); break;
    default: return false;
  }
  abort(refusal);
  return true;
}

}  // namespace gatelab::proxy
