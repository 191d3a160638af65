// SPDX-License-Identifier: Apache-2.0
#include "cli/private_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "io/disk.h"

namespace gatelab::cli {
namespace {

Failure<Error> failure(const std::string& path) { return fail("private-file", path + ": " + std::strerror(errno)); }

// Every directory on the way, the last one for this user only.
Status make_directories(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) return failure(path.substr(0, at));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure(path);
  return success();
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return fsync(fd) == 0;
}

// Made under a name of its own and then linked: of two processes one wins, and neither ever reads half a file.
Status write_once(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new" + std::to_string(getpid());
  unlink(temporary.c_str());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failure(temporary);
  const bool written = write_all(fd, text);
  close(fd);
  const bool linked = written && (link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const Status done = linked ? success() : failure(path);
  unlink(temporary.c_str());
  return done;
}

}  // namespace

std::string data_directory() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/gatelab";  // relative ones are to be ignored
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? std::string() : std::string(home) + "/.local/share/gatelab";
}

Result<std::string> private_file(const std::string& name, const std::function<Result<std::string>()>& make) {
  const std::string directory = data_directory();
  if (directory.empty()) return fail("private-file", "neither XDG_DATA_HOME nor HOME says where to keep it");
  if (const Status made = make_directories(directory); !made) return Failure<Error>{made.error()};
  const std::string path = directory + "/" + name;
  if (access(path.c_str(), F_OK) != 0) {
    const auto fresh = make();
    if (!fresh) return fresh;
    if (const Status written = write_once(path, *fresh); !written) return Failure<Error>{written.error()};
  }
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return failure(path);
  if ((about.st_mode & 077) != 0) return fail("private-file", path + " can be read by others: chmod 600 it, or delete it to get a new one");
  return io::DiskFiles().read(path);
}

}  // namespace gatelab::cli
