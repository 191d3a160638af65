// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/node.h"
#include "crypto/digest.h"
#include "harness/diff/sources.h"

namespace gatelab::harness::diff {
namespace {

using Tree = std::unique_ptr<config::Node>;

std::string hex(const crypto::Sha256& digest) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : digest) out += {kHex[octet >> 4], kHex[octet & 15]};
  return out;
}

template <class F>
void each_key(const config::Node& tree, F&& f) {
  const config::Node* consumers = tree.find("consumers");
  if (consumers == nullptr) return;
  for (const config::Node& consumer : consumers->items)
    if (const config::Node* keys = consumer.find("keys"))
      for (const config::Node& key : keys->items) f(key);
}

void find_stand_ins(const std::vector<const config::Node*>& trees, Common& common) {
  std::set<std::string> known, digests;
  for (const config::Node* tree : trees)
    each_key(*tree, [&](const config::Node& key) {
      if (const config::Node* value = key.find("value")) known.insert(hex(crypto::sha256(value->text)));
      if (const config::Node* digest = key.find("sha256")) digests.insert(to_lower(digest->text));
    });
  // Of some of them the key is in the environment.
  for (const References::Known& one : common.references.all())
    if (const std::string digest = hex(crypto::sha256(one.value)); digests.count(digest) > 0 && known.insert(digest).second) common.stand_ins[digest] = one.value;
  for (const std::string& digest : digests)
    if (known.count(digest) == 0) common.stand_ins[digest] = "stand-in-for-" + digest.substr(0, 12);
}

// Fields that a `response` edits: the mocks say them, so that what becomes of them shows.
void find_reply_headers(const config::Node& node, std::set<std::string>& names) {
  if (const config::Node* headers = node.find("headers"))
    if (const config::Node* response = headers->find("response"))
      for (const std::string_view how : {"remove", "set", "add"}) {
        const config::Node* given = response->find(how);
        if (given == nullptr) continue;
        if (given->kind == config::Kind::Text) names.insert(to_lower(given->text));
        for (const config::Node& item : given->items) names.insert(to_lower(item.text));
        for (const config::Entry& entry : given->entries) names.insert(to_lower(entry.key));
      }
  for (const config::Node& item : node.items) find_reply_headers(item, names);
  for (const config::Entry& entry : node.entries) find_reply_headers(*entry.value, names);
}

// What a mock says by itself, and what would be no answer any more.
bool may_say(const std::string& name) {
  constexpr std::string_view kOwn[] = {"content-length", "transfer-encoding", "connection", "content-type", "content-encoding", "date", "upgrade", "trailer", "te", "keep-alive"};
  return std::find(std::begin(kOwn), std::end(kOwn), name) == std::end(kOwn);
}

crypto::Algorithm algorithm_of(const std::vector<const policy::Issuer*>& issuers) {
  using crypto::Algorithm;
  // Cheap ones first. One that both take, else one that the first takes.
  constexpr Algorithm kAll[] = {Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256, Algorithm::ES384, Algorithm::ES512, Algorithm::RS384, Algorithm::RS512, Algorithm::PS384, Algorithm::PS512, Algorithm::HS256, Algorithm::HS384, Algorithm::HS512};
  const auto takes = [](const policy::Issuer& issuer, Algorithm one) { return issuer.algorithms.empty() || issuer.algorithms.contains(one); };
  for (const Algorithm one : kAll)
    if (std::all_of(issuers.begin(), issuers.end(), [&](const auto* issuer) { return takes(*issuer, one); })) return one;
  for (const Algorithm one : kAll)
    if (takes(*issuers.front(), one)) return one;
  return Algorithm::ES256;
}

const config::Node* keys_of(const config::Node& tree, const std::string& issuer) {
  const config::Node* issuers = tree.find("issuers");
  const config::Node* one = issuers == nullptr ? nullptr : issuers->find(issuer);
  return one == nullptr ? nullptr : one->find("keys");
}

bool same(const config::Node* a, const config::Node* b) {
  if (a == nullptr || b == nullptr) return a == b;
  if (a->kind != b->kind || a->text != b->text || a->items.size() != b->items.size() || a->entries.size() != b->entries.size()) return false;
  for (std::size_t i = 0; i < a->items.size(); ++i)
    if (!same(&a->items[i], &b->items[i])) return false;
  return std::all_of(a->entries.begin(), a->entries.end(), [b](const config::Entry& e) { return same(e.value.get(), b->find(e.key)); });
}

bool make_issuers(const Pair& pair, Common& common, std::vector<std::string>& notes) {
  std::map<std::string, std::vector<const policy::Issuer*>> issuers;
  for (const gateway::Model* model : {pair.a.get(), pair.b.get()})
    for (const auto& issuer : model->issuers.all) issuers[issuer->name].push_back(issuer.get());
  for (const auto& [name, all] : issuers) {
    IssuerSpec spec;
    spec.keys.push_back({"diff", algorithm_of(all)});
    spec.published.push_back("diff");
    auto made = TestIssuer::make(name, spec);
    if (!made) return false;
    (*made)->set_url(all.front()->url);
    common.issuers[name] = *made;
    common.issuer_keys[name] = (*made)->keys();
    if (all.size() == 2 && !same(keys_of(*pair.a->tree, name), keys_of(*pair.b->tree, name)))
      notes.push_back("`keys` of issuer `" + name + "` are not the same in both: tokens are signed by a stand-in for the issuer, so that this is not compared");
  }
  return true;
}

}  // namespace

std::optional<Pair> get_ready(const Configuration& a, const Configuration& b, Common& common, diag::Sink& of_a, diag::Sink& of_b, std::vector<std::string>& notes) {
  // Looked at as they are written; what is wrong with them is told when they are built.
  diag::Sink ignored;
  const Tree left = config::parse(a.source(), {common.env, true}, ignored), right = config::parse(b.source(), {common.env, true}, ignored);
  if (left && right) {
    common.references.find(*left, a.source()->text, common.env);
    common.references.find(*right, b.source()->text, common.env);
    find_stand_ins({left.get(), right.get()}, common);
    std::set<std::string> names;
    find_reply_headers(*left, names);
    find_reply_headers(*right, names);
    for (const std::string& name : names)
      if (may_say(name)) common.reply_headers.emplace_back(name, "of-the-mock");
    // Files with keys need not be there: every issuer has a stand-in.
    for (const config::Node* tree : {left.get(), right.get()})
      if (const config::Node* issuers = tree->find("issuers"))
        for (const config::Entry& entry : issuers->entries) common.issuer_keys[entry.key] = {};
  }
  Pair pair{std::make_unique<policy::StateStore>(), std::make_unique<policy::StateStore>(), nullptr, nullptr};
  pair.a = a.build(*pair.states_a, of_a);
  pair.b = b.build(*pair.states_b, of_b);
  if (!pair.a || !pair.b || !make_issuers(pair, common, notes)) return std::nullopt;
  return pair;
}

}  // namespace gatelab::harness::diff
