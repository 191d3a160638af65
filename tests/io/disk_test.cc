// SPDX-License-Identifier: Apache-2.0
// Files that are written: whole or not at all, and never another thing in their place.
#include "io/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "io/process.h"

namespace gatelab::io {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 ? there.st_mode : 0;
}

TEST(DiskFiles, ReplaceAFileWholeAndKeepItsMode) {
  const auto directory = PrivateDirectory::make();
  ASSERT_TRUE(directory);
  const std::string path = (*directory)->path() + "/file";
  DiskFiles files;
  ASSERT_TRUE(files.write(path, "first and long"));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(files.write(path, "second"));
  EXPECT_EQ(*files.read(path), "second");
  EXPECT_EQ(mode_of(path) & 07777, 0600U);
}

TEST(DiskFiles, WriteBehindALinkAndLeaveTheLink) {
  const auto directory = PrivateDirectory::make();
  ASSERT_TRUE(directory);
  const std::string path = (*directory)->path() + "/file", link = (*directory)->path() + "/link";
  DiskFiles files;
  ASSERT_TRUE(files.write(path, "first"));
  ASSERT_EQ(::symlink("file", link.c_str()), 0);
  ASSERT_TRUE(files.write(link, "second"));
  EXPECT_TRUE(S_ISLNK(mode_of(link)));
  EXPECT_EQ(*files.read(path), "second");
}

TEST(DiskFiles, WriteToAPipeAndLeaveItOne) {
  const auto directory = PrivateDirectory::make();
  ASSERT_TRUE(directory);
  const std::string path = (*directory)->path() + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char block[64];
    for (ssize_t n = 0; (n = ::read(fd, block, sizeof block)) > 0;) got.append(block, static_cast<std::size_t>(n));
    ::close(fd);
  });
  const Status written = DiskFiles().write(path, "through");
  // Where the pipe was replaced nobody would ever open it.
  const int fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  reader.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(got, "through");
  EXPECT_TRUE(S_ISFIFO(mode_of(path)));
}

}  // namespace
}  // namespace gatelab::io
