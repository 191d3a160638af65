// SPDX-License-Identifier: Apache-2.0
#include "gateway/state_keeper.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/units.h"
#include "policy/kept.h"

namespace gatelab::gateway {
namespace {

constexpr Duration kWriteEvery = std::chrono::seconds(1);
constexpr std::size_t kOctetsPerSecond = 2 * 1024 * 1024;  // on average: who keeps millions of counts still wants his disk
constexpr int kNames = 100;

// gateway-state.corrupt-20260101T000000Z
std::string stamp(Instant now) {
  std::string text = format(Instant::from_seconds(now.seconds())).substr(0, 19);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '-' || c == ':'; }), text.end());
  return text + "Z";
}

}  // namespace

struct StateKeeper::Inner {
  Inner(io::StateFiles& f, const Clock& c, policy::StateStore& s, std::function<void(std::string_view)> t) : files(f), clock(c), states(s), tell_people(std::move(t)) {}

  void tell(const std::string& text) const {
    if (tell_people) tell_people(text);
  }

  // What the file holds; a file that makes no sense goes out of the way.
  Status read();
  Status set_aside(const Error& why);
  Status write();

  io::StateFiles& files;
  const Clock& clock;
  policy::StateStore& states;  // not to be touched once `closed`
  const std::function<void(std::string_view)> tell_people;
  std::string path;
  std::mutex mutex;  // one write at a time
  bool closed = true;
  bool failing = false, told_of_size = false;
  // What the file says of states that no configuration has had yet: they stay in it until they are over.
  std::vector<policy::KeptSection> strangers;
  std::unique_ptr<io::StateFiles::Hold> hold;
  std::atomic<std::size_t> octets{0};
  std::atomic<std::uint64_t> writes{0}, failures{0}, set_asides{0};
};

Status StateKeeper::Inner::read() {
  const auto text = files.read(path);
  if (!text) return text.error().id == "not-found" ? success() : Status(Failure<Error>{text.error()});
  auto sections = policy::read_kept(*text);
  if (!sections) return set_aside(sections.error());
  strangers = std::move(*sections);
  return success();
}

Status StateKeeper::Inner::set_aside(const Error& why) {
  const std::string wanted = path + (why.id == "newer" ? ".newer-" : ".corrupt-") + stamp(clock.policy_now());
  for (int i = 1; i <= kNames; ++i) {
    const std::string to = i == 1 ? wanted : wanted + "-" + std::to_string(i);
    const Status renamed = files.rename(path, to);
    if (!renamed && renamed.error().id == "exists") continue;
    if (!renamed) return renamed;
    set_asides.fetch_add(1, std::memory_order_relaxed);
    const std::string what = why.id == "newer" ? "was written by a newer gatelab (" + why.message + ")" : "is not whole (" + why.message + ")";
    tell("the state file " + path + " " + what + ": it is now called " + to + ", and all quotas begin at zero; to go on with its counts, stop gatelab and put back " +
         (why.id == "newer" ? "the file and the newer gatelab" : "a copy that is whole"));
    return success();
  }
  return fail("exists", wanted + ": there are " + std::to_string(kNames) + " files of that name");
}

Status StateKeeper::Inner::write() {
  std::lock_guard lock(mutex);
  if (closed) return success();
  states.changed()->take();
  const Instant now = clock.policy_now();
  std::vector<policy::KeptSection> sections;
  for (const auto& [name, state] : states.living<policy::KeptState>()) {
    std::erase_if(strangers, [&](const policy::KeptSection& s) {
      const bool known = s.id == name.first && s.shape == name.second;
      const std::size_t lost = known ? state->restore(s.counts, now) : 0;
      if (lost > 0) tell("`" + s.id + "` has no room for " + std::to_string(lost) + " counts of the state file " + path + ": they begin at zero; give it more `entries`");
      return known;
    });
    sections.push_back({name.first, name.second, state->save(now)});
  }
  for (policy::KeptSection& s : strangers) {
    std::erase_if(s.counts, [now](const policy::KeptCount& c) { return c.until <= now; });
    if (!s.counts.empty()) sections.push_back(s);
  }
  std::size_t left_out = 0;
  const std::string text = policy::write_kept(sections, left_out);
  if (left_out > 0 && !std::exchange(told_of_size, true))
    tell("the state file " + path + " has no room for " + std::to_string(left_out) + " counts: they begin at zero when gatelab starts again; fewer `entries` fit");
  Status written = files.write(path, text);
  (written ? writes : failures).fetch_add(1, std::memory_order_relaxed);
  if (written) octets.store(text.size(), std::memory_order_relaxed);
  // It is tried again, and said once.
  if (!written) states.changed()->set();
  if (!written && !std::exchange(failing, true)) tell("the state file can't be written: " + written.error().message + "; quotas are counted on, and lost if gatelab ends before it can");
  if (written && std::exchange(failing, false)) tell("the state file " + path + " is written again");
  return written;
}

StateKeeper::StateKeeper(io::Environment& environment, policy::StateStore& states, std::function<void(std::string_view)> tell)
    : environment_(environment), loop_(*environment.loops.front()), inner_(std::make_shared<Inner>(environment.state_files, environment.clock, states, std::move(tell))),
      background_(loop_), control_(loop_) {}

StateKeeper::~StateKeeper() { inner_->states.changed()->when_set(nullptr); }

Status StateKeeper::start(std::string path, const std::string& place) {
  inner_->path = std::move(path);
  const auto refused = [&place](const Error& e) {
    const std::string hint = e.id == "held" ? "; give each gatelab a state file of its own" : "; may this user write there?";
    return fail(e.id, "`state` (" + place + "): " + e.message + hint);
  };
  auto hold = inner_->files.hold(inner_->path);
  if (!hold) return refused(hold.error());
  inner_->hold = std::move(*hold);
  if (const Status taken = inner_->read(); !taken) return refused(taken.error());
  inner_->closed = false;
  if (const Status written = inner_->write(); !written) {
    inner_->closed = true;
    return refused(written.error());
  }
  inner_->states.changed()->when_set([this] { loop_.post_remote([this] { changed_.signal(); }); });
  background_.spawn(write_later());
  return success();
}

void StateKeeper::write() { (void)inner_->write(); }

// Without changes there is no timer: a world in which nothing happens stands still.
io::Task<void> StateKeeper::write_later() {
  io::Wait idle;
  idle.cancel = &background_.token();
  idle.what = "change of a quota";
  idle.background = true;
  while (!background_.token().cancelled()) {
    if (!inner_->states.changed()->is_set()) {
      co_await changed_.wait(loop_, idle);
      continue;
    }
    io::Wait next = idle;
    next.deadline = loop_.now() + std::max<Duration>(kWriteEvery, std::chrono::seconds(inner_->octets.load(std::memory_order_relaxed) / kOctetsPerSecond));
    next.what = "writing the state file";
    co_await io::sleep_until(loop_, next);
    if (background_.token().cancelled()) break;
    std::function<void()> job = [inner = inner_] { (void)inner->write(); };
    io::Task<io::Code> writing = environment_.compute.run(loop_, std::move(job), idle);
    co_await writing;
  }
}

void StateKeeper::finish(bool last, std::function<void()> done) { control_.spawn(end(last, std::move(done))); }

io::Task<void> StateKeeper::end(bool last, std::function<void()> done) {
  background_.cancel();
  io::Wait wait;
  wait.what = "the state file's last write";
  io::Task<io::Code> joining = background_.join(wait);
  co_await joining;
  inner_->states.changed()->when_set(nullptr);
  if (last) (void)inner_->write();
  {
    std::lock_guard lock(inner_->mutex);
    inner_->closed = true;
    inner_->hold.reset();
  }
  // Behind this task's own end: who is told may destroy the keeper at once, from another thread.
  loop_.post_remote(std::move(done));
}

void StateKeeper::add_metrics(observe::MetricsText& metrics) const {
  const auto value = [](const auto& counter) { return static_cast<double>(counter.load(std::memory_order_relaxed)); };
  metrics.gauge("gatelab_state_file_writes", "Times that the state file was written.", value(inner_->writes));
  metrics.gauge("gatelab_state_file_failed_writes", "Times that it could not be written.", value(inner_->failures));
  metrics.gauge("gatelab_state_file_set_aside", "Files that were not understood at the start.", value(inner_->set_asides));
  metrics.gauge("gatelab_state_file_octets", "How large it is.", value(inner_->octets));
}

}  // namespace gatelab::gateway
