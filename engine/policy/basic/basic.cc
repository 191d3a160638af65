// SPDX-License-Identifier: Apache-2.0
#include "policy/basic/basic.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/password.h"
#include "policy/basic/htpasswd.h"
#include "policy/consumers.h"
#include "policy/credential.h"

namespace gatelab::policy {
namespace {

constexpr std::size_t kMaxCredentials = 1024;  // octets, decoded
constexpr std::size_t kRemembered = 10'000;

// Digests of credentials that were right. A digest holds the hash that they were checked against, so that a password that was
// changed is a new one; and a secret of this process, so that it is of no use elsewhere.
class Verified final : public State {
 public:
  explicit Verified(std::uint64_t a, std::uint64_t b) : salt_(std::to_string(a) + ":" + std::to_string(b)) {}
  crypto::Sha256 digest(std::string_view user, std::string_view password, std::string_view hash) const {
    std::string all = salt_;
    for (const std::string_view part : {user, password, hash}) all.append(1, ':').append(std::to_string(part.size())).append(1, ':').append(part);
    return crypto::sha256(all);
  }
  bool has(const crypto::Sha256& digest) const noexcept {
    const std::lock_guard lock(mutex_);
    return known_.count(digest) > 0;
  }
  void add(const crypto::Sha256& digest) {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(digest).second) return;
    order_.push_back(digest);
    if (order_.size() <= kRemembered) return;
    known_.erase(order_.front());
    order_.pop_front();
  }

 private:
  struct Hash {
    std::size_t operator()(const crypto::Sha256& d) const noexcept {
      std::size_t h = 0;
      for (std::size_t i = 0; i < sizeof h; ++i) h = h << 8 | d[i];
      return h;
    }
  };
  const std::string salt_;
  mutable std::mutex mutex_;
  std::unordered_set<crypto::Sha256, Hash> known_;
  std::deque<crypto::Sha256> order_;
};

// A check that is under way; the job may outlive the request.
struct Check {
  std::string user, password, hash;
  bool known = false, matches = false;
  ~Check() { std::fill(password.begin(), password.end(), '\0'); }
};
struct Memo {
  std::shared_ptr<Check> check;
  Effect effect;  // owns the job until somebody takes it
};

class Basic final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "basic"; }
  Phase phase() const noexcept override { return Phase::Authenticate; }
  bool authenticates() const noexcept override { return true; }
  bool admits(const Consumer& consumer) const noexcept override { return groups.empty() || consumer.in_any_of(groups); }
  void untell(Input& in) const noexcept override {
    if (!forward_credentials) strip_credential(place, in);
  }

  Step step(Input& in) const noexcept override {
    if (const Memo* memo = in.scratch.memo<Memo>()) return judge(in, *memo->check);
    const FoundCredential found = find_credential(place, in);
    if (found.count == 0) return challenge(in, observe::reason::kMissingCredentials, {});
    if (found.count > 1 || found.other_scheme) return challenge(in, observe::reason::kMalformedCredentials, "more than one Authorization");
    const auto pair = base64_decode(found.value);
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos || pair->size() > kMaxCredentials) return challenge(in, observe::reason::kMalformedCredentials, "not the base64 of user:password");
    auto check = std::make_shared<Check>();
    check->user = pair->substr(0, colon);
    check->password = pair->substr(colon + 1);
    const auto user = users.hashes.find(check->user);
    check->known = user != users.hashes.end();
    check->hash = check->known ? user->second : users.slowest;
    if (check->known && verified->has(verified->digest(check->user, check->password, check->hash))) return pass(in, check->user);
    return off_the_loop(in, std::move(check));
  }

  void on_end(Input& in, const observe::Record&) const noexcept override {
    Memo* memo = in.scratch.memo<Memo>();
    if (memo == nullptr) return;
    std::destroy_at(memo);
    in.scratch.keep(nullptr);
  }

  CredentialPlace place{CredentialPlace::Where::Header, "Authorization", "Basic"};
  Users users;
  std::string realm;
  std::vector<std::string> groups;
  bool must_be_consumer = false, forward_credentials = false;
  const Consumers* consumers = nullptr;
  std::shared_ptr<Verified> verified;

 private:
  // A user who is not there costs what one who is does.
  static Step off_the_loop(Input& in, std::shared_ptr<Check> check) noexcept {
    auto* memo = new (in.arena.allocate(sizeof(Memo), alignof(Memo))) Memo{check, ComputeJob{[check] { check->matches = crypto::password_matches(check->password, check->hash); }}};
    in.scratch.keep(memo);
    Step step;
    step.verdict = Verdict::Need;
    step.effect = &memo->effect;
    return step;
  }

  Step judge(Input& in, const Check& check) const noexcept {
    if (!in.effect_done) return unavailable(in, observe::reason::kBusy, in.detailed ? "too many passwords are being checked" : "");
    if (!check.known) return challenge(in, observe::reason::kWrongCredentials, "no such user");
    if (!check.matches) return challenge(in, observe::reason::kWrongCredentials, "wrong password");
    verified->add(verified->digest(check.user, check.password, check.hash));
    return pass(in, check.user);
  }

  Step pass(Input& in, const std::string& user) const noexcept {
    const Consumer* consumer = consumers->find(user);
    if (consumer == nullptr && must_be_consumer) return deny(in, observe::reason::kUnknownConsumer, in.detailed ? in.arena.concat("user ", user, " is no consumer") : std::string_view());
    if (!groups.empty() && (consumer == nullptr || !consumer->in_any_of(groups)))
      return deny(in, observe::reason::kNotInGroup, misses_groups(in, "user", user, groups));
    in.consumer = consumer;
    in.principal_by = kind();
    in.principal = in.arena.copy(user);
    if (!forward_credentials) strip_credential(place, in);
    return Step::go_on(in.detailed ? in.arena.concat("user ", user) : std::string_view());
  }

  Step challenge(Input& in, const observe::Reason& reason, std::string_view detail) const noexcept {
    Step step = deny(in, reason, in.detailed ? detail : std::string_view());
    step.answer->fields.add(http::FieldId::WwwAuthenticate, "WWW-Authenticate", realm);
    return step;
  }
};

}  // namespace

std::unique_ptr<Policy> parse_basic(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `basic`");
  auto policy = std::make_unique<Basic>();
  const config::Node* file = r.require("htpasswd");
  const std::string realm = r.text("realm", "gatelab");
  if (realm.find_first_of("\"\\") != std::string::npos || !http::is_field_value(realm)) context.sink.error("bad-header-value", r.span_of("realm"), "`realm` can't hold quotes, backslashes or control characters");
  policy->realm = "Basic realm=\"" + realm + "\", charset=\"UTF-8\"";
  policy->groups = parse_groups(r, context);
  policy->must_be_consumer = r.boolean("consumer_required", false);
  policy->forward_credentials = r.boolean("forward_credentials", false);
  policy->consumers = &context.consumers;
  r.elsewhere("users", "they stand in a file: htpasswd: users.htpasswd");
  r.finish();
  if (!r.valid() || file == nullptr) return nullptr;
  const auto text = context.read(*file, "`htpasswd` of policy `basic`");
  if (!text) return nullptr;
  policy->users = parse_htpasswd(*text, file->text, file->span, context.sink);
  if (policy->users.hashes.empty() && !context.sink.has_errors()) context.sink.error("bad-htpasswd", file->span, "`" + file->text + "` names no user");
  Dice salt = context.random.fork("basic");
  const std::uint64_t a = salt.next(), b = salt.next();
  policy->verified = context.states.obtain<Verified>("basic/" + context.default_id, "", [a, b] { return new Verified(a, b); });
  return policy;
}

}  // namespace gatelab::policy
