// SPDX-License-Identifier: Apache-2.0
#include "harness/runner.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/units.h"
#include "harness/report/report.h"
#include "harness/scenario/bodies.h"
#include "harness/scenario/gateway_file.h"
#include "harness/scenario/load_data.h"
#include "harness/scenario/recordings.h"
#include "harness/select.h"

namespace gatelab::harness {
namespace {

// Files that tell which of them a scenario reads.
class ReadFiles final : public io::Files {
 public:
  ReadFiles(io::Files& files, const std::function<void(const std::string&, const std::string&)>& reads, const std::string& scenario) : files_(files), reads_(reads), scenario_(scenario) {}
  Result<std::string> read(const std::string& path) const override {
    if (reads_) reads_(scenario_, path);
    read_.insert(path);
    return files_.read(path);
  }
  const std::set<std::string>& read_so_far() const noexcept { return read_; }
  Status write(const std::string& path, std::string_view text) override { return files_.write(path, text); }
  Status append(const std::string& path, std::string_view text) override { return files_.append(path, text); }

 private:
  io::Files& files_;
  const std::function<void(const std::string&, const std::string&)>& reads_;
  const std::string& scenario_;
  mutable std::set<std::string> read_;  // one thread has each of these
};

class Run {
 public:
  Run(const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err)
      : options_(options), files_(files), data_(out), out_(has_report_on_out(options) ? err : out), err_(err), checked_(files, options.reads, checking_), gateways_(options.env, checked_), recordings_(checked_) {
    report_.version = options.version;
    report_.real = options.real;
    if (options.shards > 1) report_.shard = std::to_string(options.shard) + "/" + std::to_string(options.shards);
  }

  TestSummary run() {
    const bool fine = load();
    if (summary_.unwanted) return summary_;
    if (summary_.misuse = overwritten(); !summary_.misuse.empty()) return summary_;
    // Who reads only the report must not find that of an earlier run, or one without a failure.
    if (!fine) return refused(), write_reports(true), summary_;
    choose();
    if (report_.cases.empty() && options_.wanted) return summary_.unwanted = true, summary_;
    if (report_.cases.empty()) nothing_selected();
    else execute();
    if (summary_.interrupted) report_.problems.push_back({{}, "the run was interrupted; cases that did not run: " + std::to_string(report_.left_out), {}});
    for (const CaseReport& c : report_.cases) ++(c.result.ok() ? summary_.passed : summary_.failed);
    summary_.cases = report_.cases.size();
    if (chosen_by_nobody() && report_.left_out == 0) unused();
    totals();
    slowest();
    write_reports();
    return summary_;
  }

 private:
  // Every file is checked before anything runs.
  bool load() {
    std::string problem;
    bool any = false;
    for (const Found& found : find_files(options_.paths, problem)) {
      if (options_.wanted && !options_.wanted(found.path)) continue;
      any = true;
      if (options_.reads) options_.reads(found.path, found.path);
      looked_at_.insert(found.path);
      auto text = files_.read(found.path);
      if (!text) return summary_.environment_error = text.error().message, false;
      auto source = std::make_shared<diag::SourceFile>();
      source->name = found.path;
      source->text = std::move(*text);
      // In a directory stand other YAML files too: configurations, fixtures that are wrong on purpose.
      if (!found.named && !may_be_scenario(source->text)) continue;
      parse(found, std::move(source));
    }
    if (!problem.empty()) return summary_.environment_error = problem, false;
    if (!any && options_.wanted) return summary_.unwanted = true, false;
    if (sink_.all().empty()) return true;
    err_ << diag::render_all(sink_, options_.colour) << std::endl;
    if (!sink_.has_errors()) return true;
    err_ << sink_.told_errors() << (sink_.told_errors() == 1 ? " error" : " errors") << "; nothing was run" << std::endl;
    summary_.invalid = true;
    return false;
  }

  void refused() {
    if (!summary_.environment_error.empty()) report_.problems.push_back({{}, summary_.environment_error, {}});
    for (const diag::Diagnostic& d : sink_.all())
      if (d.severity == diag::Severity::Error) report_.problems.push_back({d.span, d.message, d.hint});
  }

  // A report over one of the files that are read; empty: none is.
  std::string overwritten() const {
    for (const auto& [kind, path] : options_.reports) {
      if (path == "-" || !options_.same_file) continue;
      std::set<std::string> all = checked_.read_so_far();
      all.insert(looked_at_.begin(), looked_at_.end());
      for (const std::string& one : all)
        if (options_.same_file(path, one)) return "--report " + kind + "=" + path + " would be written over `" + one + "`, which is read: take another name";
    }
    return {};
  }

  // A file that is only misspelt must not be taken for none: `gateway` is a key of scenarios and of nothing else here.
  static bool may_be_scenario(std::string_view text) {
    for (const std::string_view key : {"cases:", "gateway:"})
      if (text.starts_with(key) || text.find("\n" + std::string(key)) != std::string_view::npos) return true;
    return false;
  }
  static bool is_scenario(const config::Node& tree) { return tree.find("cases") != nullptr || tree.find("gateway") != nullptr; }

  void parse(const Found& found, diag::SourcePtr source) {
    config::ParseOptions parse;
    parse.substitute_env = false;
    diag::Sink own;
    auto tree = config::parse(source, parse, own);
    if (tree && !found.named && !is_scenario(*tree)) return;
    std::unique_ptr<File> file;
    if (tree) file = parse_file(found.path, source, std::move(tree), options_.env, own);
    checking_ = found.path;
    if (file) recordings_.load(*file, own);
    if (file) gateways_.check(*file, own);
    if (file) check_loads(*file, checked_, own);
    if (file) check_bodies(*file, checked_, own);
    for (const diag::Diagnostic& d : own.all()) sink_.report(d);
    if (!file) return;
    ++summary_.files;
    parsed_.push_back(std::move(file));
  }

  bool selected(const Case& c) const {
    if (options_.real ? !c.world.real : !c.world.sim) return false;
    if (!options_.filter.empty() && !glob(options_.filter, c.name)) return false;
    const auto has = [&c](const std::vector<std::string>& tags) { return std::any_of(c.tags.begin(), c.tags.end(), [&tags](const std::string& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); }); };
    return !has(options_.skip_tags) && (options_.tags.empty() || has(options_.tags));
  }
  bool chosen_by_nobody() const { return options_.filter.empty() && options_.tags.empty() && options_.skip_tags.empty(); }
  // A shard may have some cases of a file only; on sockets those are judged that run nowhere else.
  bool whole(const File& file) const {
    const auto mine = [this, &file](const Case& c) { return c.world.sim != options_.real && shard_of(file.path, c.name, c.row, options_.shards) == options_.shard; };
    return std::all_of(file.cases.begin(), file.cases.end(), mine);
  }

  void choose() {
    for (const auto& file : parsed_)
      for (const Case& c : file->cases) {
        if (!selected(c)) continue;
        if (shard_of(file->path, c.name, c.row, options_.shards) != options_.shard) {
          summary_.empty_shard = true;
          continue;
        }
        for (std::uint32_t i = 0; i < options_.repeat; ++i) {
          CaseReport one;
          one.file = file.get();
          one.of = &c;
          one.real = options_.real;
          // A given seed is kept: repeats then show that nothing else has a say.
          one.result.seed = options_.seed ? *options_.seed : c.world.seed + i;
          report_.cases.push_back(std::move(one));
        }
      }
    summary_.empty_shard = summary_.empty_shard && report_.cases.empty();
  }

  void nothing_selected() {
    if (summary_.empty_shard) {
      // Which is as it should be where shards are many: no problem of this one.
      err_ << "shard " << report_.shard << " has none of the cases: a case's file, name and row say which shard it is in" << std::endl;
      return;
    }
    const auto real_only = [](const Case& c) { return !c.world.sim; };
    const bool only_real = !options_.real && std::any_of(parsed_.begin(), parsed_.end(), [&](const auto& file) { return std::any_of(file->cases.begin(), file->cases.end(), real_only); });
    const std::string why = (only_real ? "no case was selected: a gateway that is not ours is tested with --real" : parsed_.empty() ? "no scenario was found: a scenario is a YAML file with `cases`" : options_.real ? "no case was selected: with --real only files whose modes list real are run" : "no case was selected: is the filter right?");
    err_ << why << std::endl;
    report_.problems.push_back({{}, why, {}});
  }

  // Cases run beside each other; results are told in file order. Behind the first failure nothing is told with fail_fast,
  // whatever has run by then: the same files give the same report.
  void execute() {
    std::atomic<std::size_t> next{0};
    const std::size_t all = report_.cases.size();
    std::atomic<std::size_t> last{all};  // nothing behind it is begun
    std::mutex mutex;
    std::condition_variable finished;
    std::vector<char> done(all, 0);
    const auto work = [&] {
      for (;;) {
        const std::size_t i = next.fetch_add(1);
        if (i >= all) return;
        CaseReport& c = report_.cases[i];
        const bool stop = i > last.load() || (options_.interrupted && options_.interrupted());
        if (!stop) run_one(c);
        {
          std::lock_guard lock(mutex);
          done[i] = stop || c.result.interrupted ? 2 : 1;
          if (options_.fail_fast && done[i] == 1 && !c.result.ok()) last = std::min(last.load(), i);
        }
        finished.notify_all();
      }
    };
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < std::max(1U, options_.jobs); ++i) threads.emplace_back(work);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all && i <= last.load(); ++i) {
      std::unique_lock lock(mutex);
      finished.wait(lock, [&] { return done[i] != 0; });
      if (done[i] == 2) {
        summary_.interrupted = true;
        break;
      }
      ++kept;
      lock.unlock();
      tell(report_.cases[i], kept);
    }
    for (std::thread& t : threads) t.join();
    report_.left_out = all - kept;
    report_.cases.resize(kept);
    erase_progress();
  }

  void run_one(CaseReport& c) {
    const Duration began = options_.elapsed ? options_.elapsed() : Duration{};
    ReadFiles files(files_, options_.reads, c.file->path);
    // What runs already is one for all cases.
    std::unique_lock<std::mutex> alone;
    if (c.of->world.foreign && c.of->world.foreign->run.empty()) alone = std::unique_lock(one_at_a_time_);
    c.result = run_case(*c.file, *c.of, c.result.seed, options_, files);
    if (options_.elapsed) c.elapsed = options_.elapsed() - began;
  }

  void tell(const CaseReport& c, std::size_t told) {
    failed_ += c.result.ok() ? 0 : 1;
    if (!c.result.ok() || options_.verbose || !c.result.left_out.empty()) {
      erase_progress();
      if (!c.result.ok()) out_ << failure_text(c, options_.colour) << std::endl;
      else out_ << "ok   " << c.file->path << " › " << title_of(c) << (options_.repeat > 1 ? " (seed " + std::to_string(c.result.seed) + ")" : "") << std::endl;
      for (const std::string& what : c.result.left_out) out_ << "     " << what << std::endl;
      if (options_.verbose)
        for (const std::string& note : c.result.notes) out_ << "     " << note << std::endl;
    }
    if (!options_.progress) return;
    // A terminal can't be read faster than this, and should not cost more than the cases.
    const std::size_t all = report_.cases.size();
    if (drawn_ && told != all && told * 100 / all == (told - 1) * 100 / all) return;
    err_ << "\r\x1b[K" << told << " of " << all << (failed_ > 0 ? ", " + std::to_string(failed_) + " failed" : "") << std::flush;
    drawn_ = true;
  }

  void erase_progress() {
    if (std::exchange(drawn_, false)) err_ << "\r\x1b[K" << std::flush;
  }

  // Stubs and credentials that no case of a file has used prove nothing: they are mistakes or left over.
  void unused() {
    for (const auto& file : parsed_) {
      if (!whole(*file)) continue;
      std::set<std::uint32_t> used_stubs;
      std::set<std::string> used_credentials;
      std::map<std::uint32_t, diag::Span> stubs;
      std::map<std::string, diag::Span> credentials;
      bool failed = false;
      for (const CaseReport& c : report_.cases) {
        if (c.file != file.get()) continue;
        failed = failed || !c.result.ok();
        used_stubs.insert(c.result.used_stubs.begin(), c.result.used_stubs.end());
        used_credentials.insert(c.result.used_credentials.begin(), c.result.used_credentials.end());
        for (const auto& [upstream, list] : c.of->world.mocks)
          for (const Stub& stub : list) stubs.emplace(stub.span.begin, stub.span);
        for (const auto& [name, credential] : c.of->world.credentials) credentials.emplace(name, credential.span);
      }
      // A failed case may not have come to its stubs.
      if (failed) continue;
      for (const auto& [at, span] : stubs)
        if (used_stubs.count(at) == 0) vacuous(span, "no case has used this stub");
      for (const auto& [name, span] : credentials)
        if (used_credentials.count(name) == 0) vacuous(span, "no case has used the credential `" + name + "`");
    }
  }

  void vacuous(const diag::Span& span, const std::string& what) {
    ++summary_.failed;
    diag::Diagnostic d;
    d.id = "unused";
    d.message = what;
    d.span = span;
    d.hint = "remove it, or add the case that it was meant for";
    out_ << diag::render(d, options_.colour) << std::endl;
    report_.problems.push_back({d.span, d.message, d.hint});
  }

  void totals() {
    const auto of = [](std::size_t n, const char* what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); };
    if (summary_.cases == 0) return;
    out_ << of(summary_.cases, "case") << " in " << of(summary_.files, "file") << ": " << summary_.passed << " passed";
    if (summary_.failed > 0) out_ << ", " << summary_.failed << " failed";
    out_ << (options_.real ? " (on sockets)" : "") << (report_.shard.empty() ? "" : " (shard " + report_.shard + ")") << (summary_.interrupted ? ", then interrupted" : "");
    if (report_.left_out > 0 && !summary_.interrupted) out_ << "; " << of(report_.left_out, "case") << " left out behind the first failure";
    out_ << std::endl;
  }

  void slowest() {
    if (options_.slowest == 0 || report_.cases.empty()) return;
    std::vector<const CaseReport*> all;
    for (const CaseReport& c : report_.cases) all.push_back(&c);
    std::stable_sort(all.begin(), all.end(), [](const CaseReport* a, const CaseReport* b) { return a->elapsed > b->elapsed; });
    all.resize(std::min<std::size_t>(all.size(), options_.slowest));
    out_ << "slowest:\n";
    for (const CaseReport* c : all) {
      const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(c->elapsed);
      out_ << "  " << format(Duration(micros)) << "  " << c->file->path << " › " << title_of(*c);
      if (!options_.real) out_ << " (" << format(c->result.virtual_time) << " of virtual time)";
      out_ << "\n";
    }
    out_ << std::flush;
  }

  std::string text_of(const std::string& kind, const RunReport& report) const {
    return kind == "json" ? to_json(report) : kind == "junit" ? to_junit(report) : kind == "tap" ? to_tap(report) : kind == "html" ? to_html(report) : to_github(report);
  }

  // What an earlier run has written: its first octets are always the same.
  bool is_report(const std::string& kind, const std::string& text) const {
    constexpr std::size_t kSame = 14;
    const std::string fresh = kind == "github" ? "::error " : text_of(kind, {}).substr(0, kSame);
    return text.empty() || text.starts_with(fresh);
  }

  // `careful`: not all that would have been read is known, so nothing that may be no report is written over.
  void write_reports(bool careful = false) {
    for (const auto& [kind, path] : options_.reports) {
      const auto there = careful && path != "-" ? files_.read(path) : Result<std::string>(std::string());
      if (there && !is_report(kind, *there)) {
        err_ << "`" << path << "` is no " << kind << " report of an earlier run: it is left as it is" << std::endl;
        continue;
      }
      const std::string text = text_of(kind, report_);
      if (path == "-") {
        data_ << text << std::flush;
        continue;
      }
      const Status written = files_.write(path, text);
      if (!written) summary_.environment_error = written.error().message;
    }
  }

  const TestOptions& options_;
  io::Files& files_;
  std::ostream& data_;
  std::ostream& out_;
  std::ostream& err_;
  diag::Sink sink_;
  std::string checking_;  // the scenario whose gateway is looked at
  ReadFiles checked_;
  std::set<std::string> looked_at_;  // scenarios, and what else was found where they are
  GatewayCheck gateways_;
  Recordings recordings_;
  std::vector<std::unique_ptr<File>> parsed_;
  RunReport report_;
  TestSummary summary_;
  std::mutex one_at_a_time_;
  std::size_t failed_ = 0;  // of those that were told
  bool drawn_ = false;      // the progress stands on the terminal's line
};

}  // namespace

bool has_report_on_out(const TestOptions& options) {
  return std::any_of(options.reports.begin(), options.reports.end(), [](const auto& r) { return r.second == "-" && r.first != "github"; });
}

TestSummary run_tests(const TestOptions& options, io::Files& files, std::ostream& out, std::ostream& err) { return Run(options, files, out, err).run(); }

}  // namespace gatelab::harness
