// SPDX-License-Identifier: Apache-2.0
#include "policy/condition.h"

#include <utility>

namespace gatelab::policy {
namespace {

constexpr std::string_view kWho[] = {"consumers", "groups", "scopes", "claims"};

// Until a request has been authenticated nobody knows whose it is.
bool ask_in_time(config::Reader& r, const config::Node& node, std::string_view kind, Phase phase) {
  bool asks = false;
  for (const std::string_view key : kWho) {
    const config::Entry* entry = node.entry(key);
    if (entry == nullptr) continue;
    asks = true;
    if (phase <= Phase::Authenticate)
      r.sink().error("not-known-yet", entry->key_span, "`" + std::string(kind) + "` runs in phase " + std::string(observe::name(phase)) + ": nobody knows the request's " + std::string(key) + " by then",
                     "ask for hosts, path, methods, headers, query or addresses; what runs behind `authenticate` may ask who calls");
  }
  return asks;
}

}  // namespace

bool Condition::holds(const Input& in) const noexcept { return when_.fits(in) && who_.misfit(in) == nullptr && (!not_ || !not_->holds(in)); }

std::string_view Condition::misfit(const Input& in) const {
  if (!when_.fits(in)) return in.arena.concat("`if` asks for another ", when_.misfit(in));
  if (const char* const who = who_.misfit(in)) return in.arena.concat("`if` asks for another ", who);
  return "`not` of its `if` excepts it";
}

std::shared_ptr<const Condition> Condition::parse(const config::Node& node, std::string_view kind, Phase phase, const Context& context) {
  const std::size_t before = context.sink.errors();
  const std::optional<config::Node> map = node.kind == config::Kind::Text ? When::spelt_out(node, context.sink) : std::nullopt;
  if (node.kind == config::Kind::Text && !map) return nullptr;
  if (node.kind != config::Kind::Text && node.kind != config::Kind::Map) {
    context.sink.error("wrong-type", node.span, "`if` of policy `" + std::string(kind) + "` must be a map or a short form, not " + std::string(config::kind_name(node.kind)), "if: POST /orders/*, or if: { methods: [POST], path: /orders/* }");
    return nullptr;
  }
  const config::Node& read = map ? *map : node;
  config::Reader r(read, context.sink, "`if` of policy `" + std::string(kind) + "`");
  auto condition = std::make_shared<Condition>();
  condition->when_ = When::parse(r);
  condition->who_.read_who(r, context);
  condition->asks_who_ = ask_in_time(r, read, kind, phase);
  if (const config::Node* inner = r.get("not")) {
    condition->not_ = parse(*inner, kind, phase, context);
    condition->asks_who_ = condition->asks_who_ || (condition->not_ && condition->not_->asks_who());
  }
  r.finish();
  for (const config::Entry& entry : read.entries)
    if ((entry.value->kind == config::Kind::List && entry.value->items.empty()) || (entry.value->kind == config::Kind::Map && entry.value->entries.empty()))
      context.sink.error("missing-key", entry.value->span, "`" + entry.key + "` of `if` names nothing: it always holds", "name some, or leave it out");
  if (r.valid() && read.entries.empty()) context.sink.error("missing-key", node.span, "`if` asks for nothing: it always holds", "hosts, path, methods, headers, query, addresses, consumers, groups, scopes, claims, not; or leave it out");
  if (context.sink.errors() != before) return nullptr;
  return condition;
}

}  // namespace gatelab::policy
