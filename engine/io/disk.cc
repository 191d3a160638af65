// SPDX-License-Identifier: Apache-2.0
#include "io/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "io/descriptor.h"

namespace gatelab::io {
namespace {

constexpr std::size_t kMaxOctets = 64 * 1024 * 1024;

Failure<Error> failure(const std::string& path, int error) {
  const char* id = error == ENOENT || error == ENOTDIR ? "not-found" : error == EACCES || error == EPERM ? "denied" : "io";
  return fail(id, path + ": " + std::strerror(error));
}

}  // namespace

Result<std::string> DiskFiles::read(const std::string& path) const {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failure(path, errno);
  std::string text;
  char block[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure(path, errno);
    if (n == 0) return text;
    text.append(block, static_cast<std::size_t>(n));
    if (text.size() > kMaxOctets) return fail("too-large", path + ": larger than 64 MiB");
  }
}

// Whoever reads a file meanwhile has the old one or the new one whole. What is no plain file (a pipe, /dev/stdout) can't be
// replaced, so it is written to; behind a link the file is replaced and not the link; a file keeps its mode.
Status DiskFiles::write(const std::string& path, std::string_view text) {
  struct stat there {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode)) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file.get() >= 0 && write_all(file.get(), text) ? success() : Status(failure(path, errno));
  }
  const std::unique_ptr<char, decltype(&std::free)> real(exists ? ::realpath(path.c_str(), nullptr) : nullptr, &std::free);
  return replace(real ? real.get() : path, exists ? there.st_mode & 07777 : 0, text);
}

Status DiskFiles::can_write(const std::string& path) const {
  struct stat there {};
  const bool exists = ::stat(path.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) return failure(path, EISDIR);
  if (exists && !S_ISREG(there.st_mode)) return ::access(path.c_str(), W_OK) == 0 ? success() : Status(failure(path, errno));
  const std::unique_ptr<char, decltype(&std::free)> real(exists ? ::realpath(path.c_str(), nullptr) : nullptr, &std::free);
  const std::string temporary = std::string(real ? real.get() : path) + ".try" + std::to_string(::getpid());
  const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return failure(path, errno);
  ::unlink(temporary.c_str());
  return success();
}

// `mode` 0: what is usual.
Status DiskFiles::replace(const std::string& path, unsigned mode, std::string_view text) {
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  ::unlink(temporary.c_str());  // of one who had this number before
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode == 0 ? 0666 : 0600));
    if (file.get() < 0) return failure(temporary, errno);
    if ((mode != 0 && ::fchmod(file.get(), mode) != 0) || !write_all(file.get(), text)) {
      const int error = errno;
      ::unlink(temporary.c_str());
      return failure(temporary, error);
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return success();
  const int error = errno;
  ::unlink(temporary.c_str());
  return failure(path, error);
}

Status DiskFiles::append(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.get() < 0 || !write_all(file.get(), text)) return failure(path, errno);
  return success();
}

}  // namespace gatelab::io
