// SPDX-License-Identifier: Apache-2.0
#include "io/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
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

Status DiskFiles::write(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.get() < 0) return failure(temporary, errno);
    if (!write_all(file.get(), text)) {
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
