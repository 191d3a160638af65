// SPDX-License-Identifier: Apache-2.0
#include "policy/consumers.h"

#include <cstring>

namespace gatelab::policy {
namespace {

void parse_key(const config::Node& node, const Consumer& consumer, KeyStore& keys, diag::Sink& sink) {
  config::Reader r(node, sink, "key of consumer `" + consumer.name + "`");
  const auto value = r.secret("value");
  const auto digest = r.text("sha256");
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
  if (!keys.add(*hashed, consumer, owner))
    sink.error("duplicate-api-key", node.span, "consumer `" + owner->name + "` has this key already", "a key tells consumers apart: give each its own");
}

}  // namespace

std::size_t KeyStore::Hash::operator()(const crypto::Sha256& d) const noexcept {
  std::size_t h = 0;
  std::memcpy(&h, d.data(), sizeof h);
  return h;
}

const Consumer* KeyStore::find(std::string_view key) const noexcept {
  const auto found = keys_.find(crypto::sha256(key));
  return found == keys_.end() ? nullptr : found->second;
}

bool KeyStore::add(const crypto::Sha256& digest, const Consumer& consumer, const Consumer*& owner) {
  const auto [at, fresh] = keys_.emplace(digest, &consumer);
  owner = at->second;
  return fresh;
}

const Consumer* Consumers::find(std::string_view name) const noexcept {
  for (const auto& consumer : all)
    if (consumer->name == name) return consumer.get();
  return nullptr;
}

Consumers parse_consumers(const config::Node* list, diag::Sink& sink) {
  Consumers out;
  auto keys = std::make_shared<KeyStore>();
  if (list != nullptr && list->kind != config::Kind::List)
    sink.error("wrong-type", list->span, "`consumers` must be a list, not " + std::string(config::kind_name(list->kind)));
  else if (list != nullptr)
    for (const config::Node& node : list->items) {
      config::Reader r(node, sink, "consumer");
      r.require("name");
      auto consumer = std::make_unique<Consumer>();
      consumer->name = r.text("name", "");
      if (r.valid() && node.find("name") != nullptr && consumer->name.empty()) sink.error("bad-name", r.span_of("name"), "a consumer's name is not empty");
      if (!consumer->name.empty() && out.find(consumer->name) != nullptr)
        sink.error("duplicate-name", r.span_of("name"), "there is a consumer `" + consumer->name + "` already");
      for (auto& group : r.texts("groups")) consumer->groups.push_back(std::move(group.value));
      if (const config::Node* given = r.get("keys")) {
        if (given->kind != config::Kind::List) sink.error("wrong-type", given->span, "`keys` must be a list, not " + std::string(config::kind_name(given->kind)));
        for (const config::Node& key : given->items) parse_key(key, *consumer, *keys, sink);
      }
      r.not_supported("basic", "this build knows API keys");
      r.finish();
      out.all.push_back(std::move(consumer));
    }
  out.keys = std::move(keys);
  return out;
}

}  // namespace gatelab::policy
