// SPDX-License-Identifier: Apache-2.0
// Programs that run beside us, and what they leave behind.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <future>
#include <string>

#include "io/process.h"

namespace gatelab::io {
namespace {

using namespace std::chrono_literals;

ProcessOptions shell(const std::string& directory, const std::string& script) { return {{"sh", "-c", script}, {}, directory}; }

// Waits for it; nothing of it is taken away by that.
bool ends(Process& process) {
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(process.pid()), &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  return process.ended();
}

TEST(Process, WhatWasSaidBeforeTheEndIsKept) {
  auto directory = PrivateDirectory::make();
  ASSERT_TRUE(directory);
  auto process = Process::start(shell((*directory)->path(), "head -c 50000 /dev/zero | tr '\\0' x; echo; echo last words"));
  ASSERT_TRUE(process);
  ASSERT_TRUE(ends(**process));
  (*process)->kill();
  EXPECT_EQ((*process)->output(), std::string(50'000, 'x') + "\nlast words\n");
}

// It has left the program's group, so nothing ends it before its output is closed.
TEST(Process, ADescendantThatGoesOnWritingKeepsNobodyFromItsEnd) {
  auto directory = PrivateDirectory::make();
  ASSERT_TRUE(directory);
  auto process = Process::start(shell((*directory)->path(), "setsid sh -c 'echo $$ >pid; exec yes' & until [ -s pid ]; do :; done"));
  ASSERT_TRUE(process);
  ASSERT_TRUE(ends(**process));
  pid_t writer = 0;
  std::ifstream((*directory)->path() + "/pid") >> writer;
  ASSERT_GT(writer, 0);
  auto killing = std::async(std::launch::async, [&process] { (*process)->kill(); });
  const bool ended = killing.wait_for(10s) == std::future_status::ready;
  EXPECT_TRUE(ended);
  if (!ended) ::kill(writer, SIGKILL);
  killing.get();
  EXPECT_LE((*process)->output().size(), Process::kOutput);
}

}  // namespace
}  // namespace gatelab::io
