// SPDX-License-Identifier: Apache-2.0
#include "policy/consumers.h"

#include <cstring>

#include "base/text.h"
#include "base/units.h"

namespace gatelab::policy {

std::string_view misses_groups(Input& in, std::string_view what, std::string_view who, const std::vector<std::string>& groups) noexcept {
  if (!in.detailed) return {};
  std::string_view names;
  for (const std::string& group : groups) names = in.arena.concat(names, names.empty() ? "" : " or ", group);
  return in.arena.concat(what, " ", who, "; would pass in group ", names);
}
namespace {

void parse_key(const config::Node& node, const Consumer& consumer, KeyStore& keys, diag::Sink& sink) {
  config::Reader r(node, sink, "key of consumer `" + consumer.name + "`");
  const auto value = r.secret("value");
  const auto digest = r.text("sha256");
  OwnedKey owned{&consumer, r.text("id", ""), {}};
  if (const auto until = r.text("expires")) {
    const auto instant = parse_instant(*until);
    if (instant) owned.expires = *instant;
    else sink.error(instant.error().id, r.span_of("expires"), instant.error().message);
  }
  r.finish();
  if (!r.valid()) return;
  if (value.has_value() == digest.has_value()) {
    if (node.find("value") == nullptr || node.find("sha256") != nullptr)
      sink.error("bad-api-key", node.span, "a key is either a `value` or a `sha256`", "printf %s THE-KEY | sha256sum gives the digest");
    return;
  }
  std::optional<crypto::Sha256> hashed;
  if (value) {
    if (value->empty()) return sink.error("bad-api-key", r.span_of("value"), "the key of consumer `" + consumer.name + "` is empty");
    hashed = crypto::sha256(value->reveal());
  } else {
    hashed = crypto::parse_sha256(*digest);
    if (!hashed) return sink.error("bad-api-key", r.span_of("sha256"), "a SHA-256 digest has 64 hexadecimal digits, not " + std::to_string(digest->size()), "printf %s THE-KEY | sha256sum gives it");
  }
  const Consumer* owner = nullptr;
  if (!keys.add(*hashed, std::move(owned), owner))
    sink.error("duplicate-api-key", node.span, "consumer `" + owner->name + "` has this key already", "a key tells consumers apart: give each its own");
}

// { subject }, { san }, { spiffe } or { fingerprint }.
void parse_certificate(const config::Node& node, const Consumer& consumer, CertificateStore& store, diag::Sink& sink) {
  using By = CertificateStore::By;
  config::Reader r(node, sink, "certificate of consumer `" + consumer.name + "`");
  int kinds = 0;
  for (const auto& [key, by] : {std::pair{"subject", By::Subject}, {"san", By::San}, {"spiffe", By::San}, {"fingerprint", By::Fingerprint}}) {
    auto value = r.text(key);
    if (!value) continue;
    ++kinds;
    if (by == By::Fingerprint) {
      std::erase(*value, ':');
      *value = to_lower(*value);
    }
    const bool fine = !value->empty() && (std::string_view(key) != "spiffe" || value->starts_with("spiffe://")) && (by != By::Fingerprint || crypto::parse_sha256(*value));
    if (!fine) sink.error("bad-certificate-match", r.span_of(key), "`" + *value + "` can't be the " + key + " of a certificate", "subject: CN=…, as the log's tls_client shows it; san: a name or an address; spiffe: spiffe://domain/path, or …/*; fingerprint: 64 hexadecimal digits");
    else if (!store.add(by, std::move(*value), consumer)) sink.error("duplicate-certificate", r.span_of(key), "another consumer has this certificate already", "a certificate tells consumers apart");
  }
  r.finish();
  if (r.valid() && kinds != 1) sink.error("bad-certificate-match", node.span, "a certificate is known by one of subject, san, spiffe and fingerprint");
}

}  // namespace

std::size_t KeyStore::Hash::operator()(const crypto::Sha256& d) const noexcept {
  std::size_t h = 0;
  std::memcpy(&h, d.data(), sizeof h);
  return h;
}

const OwnedKey* KeyStore::find(std::string_view key) const noexcept {
  const auto found = keys_.find(crypto::sha256(key));
  return found == keys_.end() ? nullptr : &found->second;
}

bool KeyStore::add(const crypto::Sha256& digest, OwnedKey key, const Consumer*& owner) {
  const auto [at, fresh] = keys_.try_emplace(digest, std::move(key));
  owner = at->second.consumer;
  return fresh;
}

const Consumer* CertificateStore::find(const crypto::TlsFacts& facts) const noexcept {
  const auto is_san = [&facts](std::string_view wanted) {
    const bool below = wanted.ends_with("/*");
    if (below) wanted.remove_suffix(1);
    for (const std::string& name : facts.peer_identities)
      if (below ? std::string_view(name).starts_with(wanted) && name.size() > wanted.size() : name == wanted) return true;
    return false;
  };
  for (const Entry& e : entries_) {
    const bool fits = e.by == By::Subject ? facts.peer_subject == e.value : e.by == By::San ? is_san(e.value) : facts.peer_fingerprint == e.value;
    if (fits) return e.consumer;
  }
  return nullptr;
}

bool CertificateStore::add(By by, std::string value, const Consumer& consumer) {
  for (const Entry& e : entries_)
    if (e.by == by && e.value == value) return false;
  entries_.push_back({by, std::move(value), &consumer});
  return true;
}

std::vector<std::string> parse_groups(config::Reader& r, const Context& context) {
  std::vector<std::string> out;
  for (auto& group : r.texts("groups")) {
    bool known = false;
    for (const auto& consumer : context.consumers.all) known = known || consumer->in_group(group.value);
    if (!known) context.sink.error("unknown-group", group.span, "no consumer is in a group `" + group.value + "`", "groups are given to consumers under `consumers`");
    out.push_back(std::move(group.value));
  }
  return out;
}

const Consumer* Consumers::find(std::string_view name) const noexcept {
  for (const auto& consumer : all)
    if (consumer->name == name) return consumer.get();
  return nullptr;
}

Consumers parse_consumers(const config::Node* list, diag::Sink& sink) {
  Consumers out;
  auto keys = std::make_shared<KeyStore>();
  auto certificates = std::make_shared<CertificateStore>();
  if (list != nullptr && list->kind != config::Kind::List)
    sink.error("wrong-type", list->span, "`consumers` must be a list, not " + std::string(config::kind_name(list->kind)));
  else if (list != nullptr)
    for (const config::Node& node : list->items) {
      config::Reader r(node, sink, "consumer");
      r.require("name");
      auto consumer = std::make_unique<Consumer>();
      consumer->name = r.text("name", "");
      consumer->span = r.span_of("name");
      consumer->index = static_cast<std::int32_t>(out.all.size());
      consumer->has_credential = r.get("keys") != nullptr || r.get("certificates") != nullptr;
      if (r.valid() && node.find("name") != nullptr && consumer->name.empty()) sink.error("bad-name", r.span_of("name"), "a consumer's name is not empty");
      if (!consumer->name.empty() && out.find(consumer->name) != nullptr)
        sink.error("duplicate-name", r.span_of("name"), "there is a consumer `" + consumer->name + "` already");
      for (auto& group : r.texts("groups")) consumer->groups.push_back(std::move(group.value));
      if (const config::Node* given = r.get("keys")) {
        if (given->kind != config::Kind::List) sink.error("wrong-type", given->span, "`keys` must be a list, not " + std::string(config::kind_name(given->kind)));
        for (const config::Node& key : given->items) parse_key(key, *consumer, *keys, sink);
      }
      if (const config::Node* given = r.get("certificates")) {
        if (given->kind != config::Kind::List) sink.error("wrong-type", given->span, "`certificates` must be a list, not " + std::string(config::kind_name(given->kind)));
        for (const config::Node& one : given->items) parse_certificate(one, *consumer, *certificates, sink);
      }
      r.elsewhere("basic", "passwords are in the file of the policy `basic`; its users are consumers by name");
      r.finish();
      out.all.push_back(std::move(consumer));
    }
  out.keys = std::move(keys);
  out.certificates = std::move(certificates);
  return out;
}

}  // namespace gatelab::policy
