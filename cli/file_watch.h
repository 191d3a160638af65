// SPDX-License-Identifier: Apache-2.0
// Which of the files that a run has read have changed since. Nothing is missed: a file is watched from before it is read.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace gatelab::cli {

class FileWatch {
 public:
  FileWatch();
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Any thread. The file need not be there; its directory must.
  void file(const std::string& path);
  // What is not there: a change is that it comes, or a directory on the way to it.
  void missing(std::string path);
  // New files of a directory, too.
  void directory(const std::string& path);

  struct Changes {
    bool ended = false;              // `stop` became readable
    std::set<std::string> files;     // as they were named
  };
  // Blocks until something has changed and nothing more has for a moment: an editor writes a file in several strokes.
  Changes wait(int stop);

 private:
  int add(const std::string& directory);
  void read(Changes& changes);

  int fd_ = -1;
  std::mutex mutex_;
  std::map<int, std::set<std::string>> directories_;  // by inotify's number: each name that the directory goes by, with its slash
};

}  // namespace gatelab::cli
