// SPDX-License-Identifier: Apache-2.0
#include "policy/mtls/mtls.h"

#include "policy/consumers.h"

namespace gatelab::policy {
namespace {

class Mtls final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "mtls"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  bool admits(const Consumer& consumer) const noexcept override { return groups.empty() || consumer.in_any_of(groups); }

  Step step(Input& in) const noexcept override {
    if (in.tls == nullptr || in.tls->peer_subject.empty()) return deny(in, observe::reason::kMissingCertificate, in.tls == nullptr ? "the connection is plain; would pass over TLS with a client certificate" : "the client showed no certificate; would pass with a consumer's");
    const Consumer* consumer = certificates->find(*in.tls);
    const std::string_view who = in.tls->peer_subject;
    if (consumer == nullptr && must_be_consumer) return deny(in, observe::reason::kUnknownConsumer, in.detailed ? in.arena.concat("no consumer has the certificate ", who) : std::string_view());
    if (consumer != nullptr && !groups.empty() && !consumer->in_any_of(groups))
      return deny(in, observe::reason::kNotInGroup, misses_groups(in, "consumer", consumer->name, groups));
    in.consumer = consumer;
    in.principal_by = kind();
    in.principal = spiffe_of(*in.tls);
    if (in.principal.empty()) in.principal = who;
    if (!in.detailed) return Step::go_on();
    return Step::go_on(consumer != nullptr ? in.arena.concat("consumer ", consumer->name, ", ", in.principal) : in.principal);
  }

  bool must_be_consumer = true;
  std::vector<std::string> groups;
  std::shared_ptr<const CertificateStore> certificates;

 private:
  static std::string_view spiffe_of(const crypto::TlsFacts& facts) noexcept {
    for (const std::string& name : facts.peer_identities)
      if (name.starts_with("spiffe://")) return name;
    return {};
  }
};

}  // namespace

std::unique_ptr<Policy> parse_mtls(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `mtls`");
  auto policy = std::make_unique<Mtls>();
  policy->must_be_consumer = r.boolean("consumer_required", true);
  policy->groups = parse_groups(r, context);
  policy->certificates = context.consumers.certificates;
  r.elsewhere("ca", "the listener verifies: tls: { client_ca: … }");
  r.elsewhere("client_ca", "the listener verifies: tls: { client_ca: … }");
  r.finish();
  if (!r.valid()) return nullptr;
  if (policy->must_be_consumer && policy->certificates->empty())
    context.sink.warning("no-certificates", r.span(), "no consumer has `certificates`: every request will be refused", "consumers: [ { name: shop, certificates: [ { subject: CN=shop } ] } ], or consumer_required: false");
  return policy;
}

}  // namespace gatelab::policy
