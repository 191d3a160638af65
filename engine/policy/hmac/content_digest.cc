// SPDX-License-Identifier: Apache-2.0
#include "policy/hmac/content_digest.h"

#include "http/signature_base.h"
#include "http/structured.h"
#include "policy/whole_body.h"

namespace gatelab::policy {

const observe::Reason* expect_digests(Input& in, const Policy& by, bool& found) noexcept {
  const std::string_view text = http::combined_field(in.request.fields, "content-digest", in.arena, found);
  if (!found) return nullptr;
  const auto parsed = http::structured::parse_dictionary(text, in.arena);
  if (!parsed) return &observe::reason::kMalformedDigest;
  const bool streams = has_body(in.request);
  bool known = false;
  BodyDigest* all = in.body_digests;
  for (const http::structured::Member& one : parsed->members) {
    if (one.is_list || one.item.value.kind != http::structured::Kind::Bytes) return &observe::reason::kMalformedDigest;
    const auto kind = crypto::parse_digest_kind(one.name);
    if (!kind) continue;  // md5, adler and the like protect nothing; those that are not known may yet be
    const std::string_view expected = one.item.value.text;
    if (expected.size() != crypto::digest_size(*kind)) return &observe::reason::kMalformedDigest;
    known = true;
    all = in.arena.make<BodyDigest>(crypto::RunningDigest(*kind), expected, &by, all);
    if (!streams && !all->digest.matches(expected)) return &observe::reason::kDigestMismatch;
  }
  if (!known) return &observe::reason::kUnsupportedDigest;
  if (streams) in.body_digests = all;
  return nullptr;
}

}  // namespace gatelab::policy
