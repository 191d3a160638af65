// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_tests.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

#include "cli/cli.h"
#include "cli/file_watch.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

std::string extension(const std::string& path) { return std::filesystem::path(path).extension().string(); }

class Watching {
 public:
  Watching(const harness::TestOptions& options, int (*exit_of)(const harness::TestSummary&)) : options_(options), exit_of_(exit_of) {
    options_.reads = [this](const std::string& scenario, const std::string& path) { reads(scenario, path); };
  }

  int run(int stop) {
    once();
    for (;;) {
      complain("waiting for a change; ctrl-C ends");
      const FileWatch::Changes changes = next_change(stop);
      if (changes.ended) return exit_;
      tell(changes.files);
      once();
    }
  }

 private:
  void reads(const std::string& scenario, const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (readers_[path].insert(scenario).second) watch_.file(path);
  }

  // Every time: what was missing may have come, and what was there may have been made anew. Watched before it is looked for.
  void watch_paths() {
    missing_.clear();
    for (const std::string& path : options_.paths) {
      std::error_code ignored;
      if (std::filesystem::is_directory(path, ignored)) watch_.directory(path);
      else watch_.missing(path);
      if (!std::filesystem::exists(path, ignored)) missing_.insert(path);
    }
    for (const std::string& path : missing_) complain("`" + path + "` is not there; it runs when it comes");
  }
  // Of `path`, which has changed: it is missing, or a directory on the way to what is.
  bool leads_to_missing(const std::string& path) const {
    return std::any_of(missing_.begin(), missing_.end(), [&path](const std::string& m) { return m == path || m.starts_with(path + "/"); });
  }

  void once() {
    watch_paths();
    if (missing_.size() == options_.paths.size()) {
      exit_ = kEnvironment;
      return;
    }
    // Nothing of a refused run counts as done: its files are due until they have run.
    options_.wanted = nullptr;
    if (!due_.empty()) options_.wanted = [this](const std::string& path) { return due_.count(path) > 0 || !known(path); };
    io::DiskFiles files;
    harness::TestOptions present = options_;
    std::erase_if(present.paths, [this](const std::string& path) { return missing_.count(path) > 0; });
    const harness::TestSummary summary = harness::run_tests(present, files, std::cout, std::cerr);
    std::cout.flush();
    if (summary.unwanted) return due_.clear();
    if (!summary.interrupted) exit_ = exit_of_(summary);
    if (exit_ == kOk && !missing_.empty()) exit_ = kEnvironment;
    if (!summary.invalid && summary.environment_error.empty()) return due_.clear();
    // What is wrong may be put right in any of them.
    if (due_.empty()) all_due();
  }

  bool known(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return readers_.count(path) > 0;
  }
  void all_due() {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, scenarios] : readers_) due_.insert(scenarios.begin(), scenarios.end());
  }

  // The first change that touches something. Editors leave other files beside those that they write.
  FileWatch::Changes next_change(int stop) {
    for (;;) {
      FileWatch::Changes changes = watch_.wait(stop);
      if (changes.ended) return changes;
      std::set<std::string> touching;
      const std::lock_guard lock(mutex_);
      for (const std::string& path : changes.files) {
        const auto readers = readers_.find(path);
        // A new file among scenarios may be one.
        const bool wanted = leads_to_missing(path);
        if (!wanted && readers == readers_.end() && extension(path) != ".yaml" && extension(path) != ".yml") continue;
        touching.insert(path);
        if (readers != readers_.end()) due_.insert(readers->second.begin(), readers->second.end());
        else due_.insert(path);
      }
      if (touching.empty()) continue;
      changes.files = std::move(touching);
      return changes;
    }
  }

  static void tell(const std::set<std::string>& files) {
    complain((files.size() == 1 ? *files.begin() : std::to_string(files.size()) + " files") + " changed");
  }

  harness::TestOptions options_;
  int (*exit_of_)(const harness::TestSummary&);
  FileWatch watch_;
  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> readers_;  // scenarios, by what they read
  std::set<std::string> due_;
  std::set<std::string> missing_;  // of the paths
  int exit_ = kInterrupted;
};

}  // namespace

int watch_tests(const harness::TestOptions& options, int stop, int (*exit_of)(const harness::TestSummary&)) { return Watching(options, exit_of).run(stop); }

}  // namespace gatelab::cli
