// SPDX-License-Identifier: Apache-2.0
#include "io/disk_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gatelab::io {
namespace {

namespace fs = std::filesystem;

// A directory of the test's own.
class DiskState : public ::testing::Test {
 protected:
  DiskState() {
    std::string made = (fs::temp_directory_path() / "gatelab-state-XXXXXX").string();
    directory = ::mkdtemp(made.data());
    path = directory + "/state";
  }
  ~DiskState() override { fs::remove_all(directory); }

  std::string directory, path;
  DiskStateFiles files;
};

TEST_F(DiskState, WritesForThisUserAloneAndLeavesNothingBeside) {
  ASSERT_TRUE(files.write(path, "one"));
  ASSERT_TRUE(files.write(path, "two"));
  EXPECT_EQ(*files.read(path), "two");
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), fs::directory_iterator()), 1);
}

TEST_F(DiskState, TakesNothingThatSomebodyHasLaidInItsWay) {
  std::ofstream(directory + "/victim") << "precious";
  fs::create_symlink(directory + "/victim", path + ".new");
  ASSERT_TRUE(files.write(path, "state"));
  EXPECT_EQ(*files.read(directory + "/victim"), "precious");
  fs::create_symlink(directory + "/victim", path + ".lock");
  EXPECT_FALSE(files.hold(path));
  EXPECT_EQ(*files.read(directory + "/victim"), "precious");
}

TEST_F(DiskState, KeepsWhatWasThereWhenItCanNotWrite) {
  ASSERT_TRUE(files.write(path, "good"));
  fs::create_directories(path + ".new/in-the-way");
  EXPECT_FALSE(files.write(path, "better"));
  EXPECT_EQ(*files.read(path), "good");
  const Status nowhere = files.write(directory + "/missing/state", "x");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().id, "not-found");
}

TEST_F(DiskState, RenamesOverNothing) {
  ASSERT_TRUE(files.write(path, "one"));
  ASSERT_TRUE(files.write(path + ".aside", "older"));
  const Status refused = files.rename(path, path + ".aside");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "exists");
  EXPECT_EQ(*files.read(path + ".aside"), "older");
  EXPECT_TRUE(files.rename(path, path + ".other"));
  EXPECT_EQ(files.read(path).error().id, "not-found");
  EXPECT_EQ(*files.read(path + ".other"), "one");
}

TEST_F(DiskState, IsHeldByOneAtATime) {
  auto first = files.hold(path);
  ASSERT_TRUE(first);
  const auto second = files.hold(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "held");
  EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos) << second.error().message;
  first->reset();
  EXPECT_TRUE(files.hold(path));
}

}  // namespace
}  // namespace gatelab::io
