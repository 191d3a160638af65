// SPDX-License-Identifier: Apache-2.0
// State files on the real disk.
#pragma once

#include "io/environment.h"

namespace gatelab::io {

class DiskStateFiles final : public StateFiles {
 public:
  Result<std::string> read(const std::string& path) const override;
  Status write(const std::string& path, std::string_view text) override;
  Status rename(const std::string& path, const std::string& to) override;
  // By a lock on `path`.lock, a file that stays: to remove it would let two processes lock two files of the same name.
  Result<std::unique_ptr<Hold>> hold(const std::string& path) override;
};

}  // namespace gatelab::io
