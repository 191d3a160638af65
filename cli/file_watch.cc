// SPDX-License-Identifier: Apache-2.0
#include "cli/file_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

namespace gatelab::cli {
namespace {

constexpr int kQuiet = 50;  // milliseconds

}  // namespace

FileWatch::FileWatch() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}
FileWatch::~FileWatch() {
  if (fd_ >= 0) ::close(fd_);
}

int FileWatch::add(const std::string& directory) {
  constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE;
  const int id = ::inotify_add_watch(fd_, directory.empty() ? "." : directory.c_str(), kEvents);
  if (id < 0) return id;
  const std::lock_guard lock(mutex_);
  directories_[id].insert(directory);
  return id;
}

// What its directory's events name is put together again with the directory as it was named.
void FileWatch::file(const std::string& path) { add(path.substr(0, path.rfind('/') + 1)); }
void FileWatch::missing(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  // The nearest directory that is there, at last that of the program.
  while (add(path.substr(0, path.rfind('/') + 1)) < 0 && path.find('/') != std::string::npos) path.resize(path.rfind('/'));
}
void FileWatch::directory(const std::string& path) { add(path == "." || path == "./" ? "" : path.ends_with('/') ? path : path + "/"); }

FileWatch::Changes FileWatch::wait(int stop) {
  Changes changes;
  for (;;) {
    pollfd both[2] = {{fd_, POLLIN, 0}, {stop, POLLIN, 0}};
    const int n = ::poll(both, 2, changes.files.empty() ? -1 : kQuiet);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || both[1].revents != 0) {
      changes.ended = true;
      return changes;
    }
    if (n == 0) return changes;
    read(changes);
  }
}

void FileWatch::read(Changes& changes) {
  alignas(inotify_event) char block[16 * 1024];
  const ssize_t n = ::read(fd_, block, sizeof block);
  const std::lock_guard lock(mutex_);
  for (ssize_t at = 0; at < n;) {
    const auto& event = *reinterpret_cast<const inotify_event*>(block + at);
    at += static_cast<ssize_t>(sizeof event + event.len);
    const auto known = directories_.find(event.wd);
    if (known == directories_.end() || event.len == 0) continue;
    // A file that is made has nothing in it yet: that it is closed tells of it.
    if ((event.mask & IN_CREATE) != 0 && (event.mask & IN_ISDIR) == 0) continue;
    for (const std::string& directory : known->second) changes.files.insert(directory + event.name);
  }
}

}  // namespace gatelab::cli
