// SPDX-License-Identifier: Apache-2.0
#include "io/disk_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "io/descriptor.h"
#include "io/disk.h"

namespace gatelab::io {
namespace {

Failure<Error> failure(const std::string& path, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR, denied = error == EACCES || error == EPERM || error == EROFS;
  return fail(absent ? "not-found" : denied ? "denied" : error == EEXIST ? "exists" : "io", path + ": " + std::strerror(error));
}

class DiskHold final : public StateFiles::Hold {
 public:
  explicit DiskHold(Descriptor lock) noexcept : lock_(std::move(lock)) {}

 private:
  Descriptor lock_;  // closing it lets it go
};

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// A file's new name is on the disk when its directory is.
bool sync_directory(const std::string& path) noexcept {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.get() >= 0 && ::fsync(directory.get()) == 0;
}

// 0: written. Else errno, and nothing is left behind.
int write_whole(const std::string& path, std::string_view text) noexcept {
  ::unlink(path.c_str());  // of a run that was cut off
  int error = 0;
  {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() < 0) return errno;
    if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) error = errno;
  }
  if (error != 0) ::unlink(path.c_str());
  return error;
}

}  // namespace

Result<std::string> DiskStateFiles::read(const std::string& path) const { return DiskFiles().read(path); }

Status DiskStateFiles::write(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  if (const int error = write_whole(temporary, text); error != 0) return failure(temporary, error);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return failure(path, error);
  }
  if (!sync_directory(path)) return failure(directory_of(path), errno);
  return success();
}

Status DiskStateFiles::rename(const std::string& path, const std::string& to) {
  // Unlike rename(), link() never replaces.
  if (::link(path.c_str(), to.c_str()) != 0) return failure(to, errno);
  if (::unlink(path.c_str()) != 0) return failure(path, errno);
  if (!sync_directory(path)) return failure(directory_of(path), errno);
  return success();
}

Result<std::unique_ptr<StateFiles::Hold>> DiskStateFiles::hold(const std::string& path) {
  const std::string name = path + ".lock";
  Descriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock.get() < 0) return failure(name, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure(name, errno);
    char holder[16];
    const ssize_t n = ::pread(lock.get(), holder, sizeof holder, 0);
    return fail("held", path + ": another gatelab has it" + (n > 0 ? " (pid " + std::string(holder, static_cast<std::size_t>(n)) + ")" : ""));
  }
  // For people, and for the message above; the lock itself needs no content.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) return failure(name, errno);
  return std::unique_ptr<Hold>(std::make_unique<DiskHold>(std::move(lock)));
}

}  // namespace gatelab::io
