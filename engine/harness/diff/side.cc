// SPDX-License-Identifier: Apache-2.0
#include "harness/diff/side.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "config/copy.h"
#include "config/node.h"
#include "harness/mock/mock.h"
#include "harness/scenario/driver.h"
#include "harness/scenario/record_book.h"
#include "harness/scenario/tls.h"
#include "harness/scenario/values.h"
#include "io/scope.h"

namespace gatelab::harness::diff {
namespace {

// Digests can't be sent: whoever has that key has the same stand-in in both configurations.
void stand_in(config::Node& tree, const std::map<std::string, std::string>& stand_ins) {
  for (config::Entry& top : tree.entries) {
    if (top.key != "consumers") continue;
    for (config::Node& consumer : top.value->items)
      for (config::Entry& keys : consumer.entries)
        for (config::Node& key : keys.value->items)
          for (config::Entry& entry : key.entries) {
            const auto known = entry.key == "sha256" ? stand_ins.find(to_lower(entry.value->text)) : stand_ins.end();
            if (known == stand_ins.end()) continue;
            entry.key = "value";
            entry.value->text = known->second;
          }
  }
}

class Side {
 public:
  Side(const Common& common, const Probe& probe)
      : common_(common), probe_(probe), driver_(make_simulated(common.seed, probe.start.value_or(common.start), 1)),
        mocks_(driver_->environment().network, driver_->outside(), true, driver_->environment().random),
        scope_(driver_->outside()), client_(driver_->environment().network, driver_->outside(), scope_.token()), gateway_(driver_->environment(), options()) {}

  Status set_up(const Configuration& configuration) {
    diag::Sink sink;
    model_ = configuration.build(gateway_.states(), sink);
    if (!model_) return fail("bad-gateway", diag::render_all(sink, diag::Colour::Off));
    for (const upstream::Config& upstream : model_->upstreams)
      if (const Status added = add_mocks(upstream); !added) return added;
    if (const Status started = mocks_.start(); !started) return started;
    if (const Status started = gateway_.start(model_); !started) return started;
    serving_ = true;
    driver_->start();
    return success();
  }

  std::vector<Observed> play() {
    std::vector<Observed> out;
    for (const Step& step : probe_.steps) {
      switch (step.kind) {
        case Step::Kind::Send: send(step, out); break;
        case Step::Kind::Advance: driver_->advance(step.advance); break;
        // A target that this side has not can't suffer.
        case Step::Kind::Fault: (void)gateway_.fault(step.target, step.fault); break;
        case Step::Kind::Clear: (void)gateway_.clear_faults(step.target, {}); break;
      }
      if (step.kind != Step::Kind::Send) driver_->run_until([] { return true; }, std::chrono::seconds(1));
    }
    return out;
  }

  void tear_down() {
    scope_.cancel();
    client_.close();
    if (serving_) {
      bool done = false;
      gateway_.drain(Duration{}, [&done] { done = true; });
      driver_->run_until([&done] { return done; }, std::chrono::minutes(1));
    }
    mocks_.stop();
    driver_->run_until([this] { return mocks_.stopped() && scope_.running() == 0; }, std::chrono::minutes(1));
  }

 private:
  gateway::Options options() {
    gateway::Options out;
    out.hermetic = true;
    out.keep_state = false;
    out.locate = [this](const std::string& target) -> std::optional<Address> {
      const auto known = mocks_.addresses().find(target);
      return known == mocks_.addresses().end() ? std::nullopt : std::optional(known->second);
    };
    out.on_record = [this](const observe::Record& record) { records_.add(record); };
    return out;
  }

  // Says who was asked what. Long enough to be cut in two, always the same.
  std::shared_ptr<const Reply> echo(const SeenRequest& request) const {
    if (common_.answers)
      if (auto said = common_.answers(request)) return said;
    auto reply = std::make_shared<Reply>();
    reply->headers = common_.reply_headers;
    reply->headers.emplace_back("Content-Type", "application/json");
    reply->body = nlohmann::ordered_json{{"upstream", request.upstream}, {"target", request.target}, {"method", request.method}, {"path", request.path}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    return reply;
  }

  Status add_mocks(const upstream::Config& upstream) {
    if (upstream.mock != nullptr) {
      diag::Sink ignored;
      mocks_.add(upstream.name, upstream.name, parse_stubs(*upstream.mock, ignored, upstream.name));
      return success();
    }
    const bool of_issuer = std::string_view(upstream.name).starts_with(gateway::kIssuerUpstream);
    const auto issuer = of_issuer ? common_.issuers.find(upstream.name.substr(gateway::kIssuerUpstream.size())) : common_.issuers.end();
    for (const upstream::TargetConfig& target : upstream.targets) {
      std::shared_ptr<const crypto::TlsContext> tls;
      if (upstream.tls) {
        auto made = mock_context({}, target.server_name, *common_.authority, common_.start);
        if (!made) return fail(made.error().id, "upstream `" + upstream.name + "`: " + made.error().message);
        tls = std::move(*made);
      }
      if (issuer != common_.issuers.end()) {
        mocks_.provide(upstream.name, {stub_of(issuer->second, {})}, std::move(tls));
        break;
      }
      places_[upstream.name + "/" + target.name] = upstream::place_of(target);
      mocks_.add(upstream.name, target.name, stubs(upstream.name, target.name), std::move(tls));
    }
    return success();
  }

  std::vector<Stub> stubs(const std::string& upstream, const std::string& target) {
    std::vector<Stub> out;
    if (probe_.mocks)
      if (const auto given = probe_.mocks->find(upstream); given != probe_.mocks->end())
        for (const Stub& stub : given->second)
          if (stub.target.empty() || stub.target == target) out.push_back(stub);
    Stub& rest = out.emplace_back();
    rest.reply.make = [this](const SeenRequest& request) { return echo(request); };
    return out;
  }

  struct Batch {
    std::vector<Answer> answers;
    std::string octets, method;
    Dial dial;
    std::uint32_t next = 0, lanes = 0;
  };

  io::Task<void> run_lane(std::shared_ptr<Batch> batch) {
    while (batch->next < batch->answers.size() && !scope_.token().cancelled()) {
      const std::uint32_t i = batch->next++;
      io::Task<void> sending = client_.send(batch->dial, batch->octets, batch->method, kPatience, batch->answers[i]);
      co_await sending;
    }
    --batch->lanes;
  }

  bool dial(const Request& request, Dial& out, std::string& problem) {
    const std::vector<gateway::Bound> bound = gateway_.listeners();
    const auto to = std::find_if(bound.begin(), bound.end(), [&request](const gateway::Bound& b) { return request.listener.empty() || b.name == request.listener; });
    if (to == bound.end()) return problem = "there is no listener `" + request.listener + "`", false;
    out = {to->address, to->path, request.from, {}, request.connection, {}};
    if (!to->tls) return true;
    auto context = client_context({}, nullptr, *common_.authority, *common_.files, {});
    if (!context) return problem = context.error().message, false;
    out.tls.context = std::move(*context);
    for (const auto& [name, value] : request.headers)
      if (iequals(name, "host")) out.tls.name = value.substr(0, value.find(':'));
    return true;
  }

  void send(const Step& step, std::vector<Observed>& out) {
    auto batch = std::make_shared<Batch>();
    batch->answers.resize(step.count);
    std::string problem;
    if (!dial(step.request, batch->dial, problem)) {
      for (std::uint32_t i = 0; i < step.count; ++i) unsent(out.emplace_back(), problem);
      return;
    }
    harness::Send plain;
    plain.method = batch->method = step.request.method;
    plain.target = step.request.target;
    plain.headers = step.request.headers;
    plain.body = body_octets(step.request);
    plain.has_body = step.request.has_body;
    batch->octets = octets_of(plain, nullptr, batch->dial.to);
    const std::size_t first_record = records_.size(), first_seen = mocks_.seen_count();
    for (std::uint32_t lane = 0; lane < std::min(step.concurrency, step.count); ++lane) {
      ++batch->lanes;
      scope_.spawn(run_lane(batch));
    }
    problem = driver_->run_until([batch] { return batch->lanes == 0; }, kPatience);
    observe(*batch, first_record, first_seen, problem, out);
  }

  static void unsent(Observed& one, const std::string& why) {
    one.problem = why;
    one.sent = false;
  }

  void observe(const Batch& batch, std::size_t first_record, std::size_t first_seen, const std::string& problem, std::vector<Observed>& out) {
    const std::vector<SeenRequest> seen = mocks_.seen(first_seen);
    std::unordered_map<std::string_view, std::vector<const SeenRequest*>> seen_of;
    for (const SeenRequest& one : seen) seen_of[batch.answers.size() > 1 ? std::string_view(one.request_id) : std::string_view()].push_back(&one);
    std::vector<const RecordBook::Entry*> logged;
    std::unordered_map<std::string_view, const RecordBook::Entry*> by_id;
    for (const RecordBook::Entry* entry : records_.since(first_record)) {
      if (!entry->record.parent.empty()) continue;
      logged.push_back(entry);
      by_id.try_emplace(entry->record.request_id, entry);
    }
    for (std::size_t n = 0; n < batch.answers.size(); ++n) {
      Observed& one = out.emplace_back();
      one.answer = batch.answers[n];
      one.problem = problem;
      const auto known = one.answer.request_id.empty() ? by_id.end() : by_id.find(one.answer.request_id);
      const RecordBook::Entry* entry = known != by_id.end() ? known->second : logged.size() == batch.answers.size() ? logged[n] : nullptr;
      if (entry == nullptr && one.answer.error == "refused") unsent(one, "the connection was refused");
      if (entry != nullptr) {
        one.logged = true;
        one.record = entry->record;
      }
      if (batch.answers.size() > 1 && entry == nullptr) continue;
      const auto its = seen_of.find(batch.answers.size() > 1 ? std::string_view(entry->record.request_id) : std::string_view());
      if (its == seen_of.end()) continue;
      for (const SeenRequest* request : its->second) {
        one.upstream.push_back(*request);
        const auto place = places_.find(request->upstream + "/" + request->target);
        one.places.push_back(place == places_.end() ? std::string("mock") : place->second);
      }
    }
    if (out.empty()) return;
    for (const gateway::TargetReport& t : gateway_.targets())
      out.back().states.emplace_back("target " + t.upstream + "/" + t.target, "breaker " + std::string(balance::name(t.view.breaker)) + ", health " + std::string(balance::name(t.view.health)) + (t.view.ejected ? ", ejected" : ""));
    out.back().states.emplace_back("open connections", std::to_string(gateway_.connections()));
  }

  const Common& common_;
  const Probe& probe_;
  std::unique_ptr<Driver> driver_;
  MockServers mocks_;
  io::Scope scope_;
  Client client_;
  RecordBook records_;
  std::map<std::string, std::string> places_;  // of targets, by "upstream/target"
  gateway::Gateway gateway_;
  std::shared_ptr<const gateway::Model> model_;
  bool serving_ = false;
};

}  // namespace

std::shared_ptr<const gateway::Model> Configuration::build(policy::StateStore& states, diag::Sink& sink) const {
  gateway::ModelInput input;
  input.source = source_;
  input.env = common_.env;
  input.states = &states;
  input.random = Random(common_.seed);
  input.files = common_.files;
  input.now = common_.start;
  input.local = [this] { return Result<std::shared_ptr<crypto::LocalAuthority>>(common_.authority); };
  input.also_trusted = common_.authority->pem();
  input.issuer_keys = &common_.issuer_keys;
  std::unique_ptr<config::Node> tree;
  {
    const std::lock_guard lock(mutex_);
    if (!tree_) tree_ = config::parse(source_, {common_.env, true}, sink);
    if (!tree_ || sink.has_errors()) return nullptr;
    tree = std::make_unique<config::Node>(config::copy_of(*tree_));
  }
  stand_in(*tree, common_.stand_ins);
  if (const config::Node* upstreams = tree->find("upstreams"))
    for (const config::Entry& entry : upstreams->entries)
      if (const config::Node* mock = entry.value->find("mock")) parse_stubs(*mock, sink, entry.key);
  auto model = gateway::build_model(input, std::move(tree), sink);
  return sink.has_errors() ? nullptr : model;
}

Result<std::vector<Observed>> play(const Configuration& configuration, const Common& common, const Probe& probe) {
  Side side(common, probe);
  const Status up = side.set_up(configuration);
  std::vector<Observed> out;
  if (up) out = side.play();
  side.tear_down();
  if (!up) return Failure<Error>{up.error()};
  return out;
}

}  // namespace gatelab::harness::diff
