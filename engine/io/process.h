// SPDX-License-Identifier: Apache-2.0
// A program of somebody else's that runs beside us for a while, and what it needs: a directory and a port of its own. The
// real world only; one thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace gatelab::io {

// Made under the system's place for temporary files, for this user only; gone with all that is in it when this is destroyed.
class PrivateDirectory {
 public:
  static Result<std::unique_ptr<PrivateDirectory>> make();
  ~PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  const std::string& path() const noexcept { return path_; }  // without a slash at its end

 private:
  explicit PrivateDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A loopback port that nobody else is given while this lives, and that a server can bind all the same if it sets
// SO_REUSEADDR, as servers do.
class HeldPort {
 public:
  static Result<std::unique_ptr<HeldPort>> take();
  ~HeldPort();
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;
  std::uint16_t port() const noexcept { return port_; }

 private:
  HeldPort(int fd, std::uint16_t port) : fd_(fd), port_(port) {}
  int fd_;
  std::uint16_t port_;
};

struct ProcessOptions {
  std::vector<std::string> arguments;                              // the program first; searched in PATH without a slash
  std::vector<std::pair<std::string, std::string>> environment;    // beside ours
  std::string directory;                                           // to run in; empty: ours
};

// Runs in a process group of its own, without a shell, with no descriptor of ours but its output. The group ends with
// stop(), with this object, and with this program, however that ends.
class Process {
 public:
  static constexpr std::size_t kOutput = 64 * 1024;  // the last of it is kept
  static Result<std::unique_ptr<Process>> start(const ProcessOptions& options);
  ~Process();  // kills what still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept;
  // True once it has ended by itself or was stopped.
  bool ended();
  // "with status 1", "by signal 11"; after ended().
  std::string how() const;
  void terminate() noexcept;  // SIGTERM to it
  void kill() noexcept;       // SIGKILL to all of its group, and waits for it
  std::string output() const;

 private:
  struct Inner;
  explicit Process(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

}  // namespace gatelab::io
