// SPDX-License-Identifier: Apache-2.0
// The borders of content codings: what answers may come in, and what requests may be sent in.
#include <algorithm>

#include "base/units.h"
#include "config/node.h"
#include "harness/diff/explore.h"

namespace gatelab::harness::diff {
namespace {

// Up to here a ratio is not looked at (docs/policies/compress.md); beyond, a body of one letter is stopped by that instead of its size.
constexpr std::uint64_t kFree = 64 * 1024;

// In the way of a body that the route takes.
Request with_body(const View& view, std::string body) {
  const auto bodiless = [](const std::string& method) { return method == "GET" || method == "HEAD"; };
  Request out = view.base;
  const std::vector<std::string>& taken = view.match->methods;
  const auto other = std::find_if_not(taken.begin(), taken.end(), bodiless);
  if (bodiless(out.method) && (taken.empty() || other != taken.end())) out.method = taken.empty() ? "POST" : *other;
  out.has_body = true;
  out.body = std::move(body);
  return out;
}

// `said`: in Content-Encoding. `coding`: what the body is in.
void send(const View& view, const std::string& about, std::string body, const std::string& said, const std::string& coding, Probes& probes) {
  Request request = with_body(view, std::move(body));
  set_header(request, "Content-Encoding", said);
  request.coding = coding;
  add(probes, view, about).send(std::move(request));
}

void answers(const View& view, const config::Node& policy, Probes& probes) {
  std::vector<std::string> offered{"br", "zstd", "gzip"};
  if (policy.find("codings") != nullptr) offered = texts_of(policy.find("codings"));
  const auto ask = [&](const std::string& accepted) {
    Request request = view.base;
    set_header(request, "Accept-Encoding", accepted);
    add(probes, view, "Accept-Encoding: " + accepted).send(std::move(request));
  };
  std::string all;
  for (const std::string& coding : offered) {
    ask(coding);
    ask(coding + ", identity;q=0");  // a short answer too
    all += coding + ", ";
  }
  // Of those that are liked equally, one is chosen.
  ask(all + "identity;q=0");
  ask("*, identity;q=0");
  ask("lzma");
}

void requests(const View& view, const config::Node& policy, Probes& probes, std::set<std::string>& notes) {
  const std::string lamp = "a lamp, a lamp, a lamp";
  for (const char* coding : {"gzip", "deflate", "br", "zstd"}) send(view, std::string("a body in ") + coding, lamp, coding, coding, probes);
  send(view, "a body in a coding that nobody knows", lamp, "lzma", "", probes);
  send(view, "a body in two codings", lamp, "gzip, gzip", "gzip", probes);
  send(view, "a body that is not in the coding that it claims", lamp, "gzip", "", probes);
  send(view, "a body that grows by much", std::string(2 * kFree, 'x'), "gzip", "gzip", probes);
  const config::Node* given = policy.find("max_size");
  const auto limit = given == nullptr ? Result<ByteSize>(ByteSize{}) : parse_size(given->text);
  if (given == nullptr || !limit) return;
  if (limit->bytes > kFree) {
    notes.insert("`max_size: " + given->text + "` of a decompressed request is larger than 64KiB: nothing is sent that is as large");
    return;
  }
  for (const std::uint64_t octets : {limit->bytes > 0 ? limit->bytes - 1 : 0, limit->bytes, limit->bytes + 1}) send(view, "a body in gzip of " + std::to_string(octets) + " octets", std::string(octets, 'x'), "gzip", "gzip", probes);
}

}  // namespace

void probe_codings(const View& view, Probes& probes, std::set<std::string>& notes) {
  for (const PolicyNode& policy : view.policies) {
    if (policy.kind != "compress") continue;
    answers(view, *policy.node, probes);
    if (policy.node->find("decompress") != nullptr) requests(view, *policy.node, probes, notes);
  }
}

}  // namespace gatelab::harness::diff
