// SPDX-License-Identifier: Apache-2.0
// Files on the real disk, for both worlds: a scenario reads its configuration from there too.
#pragma once

#include "io/environment.h"

namespace gatelab::io {

class DiskFiles final : public Files {
 public:
  Result<std::string> read(const std::string& path) const override;
  Status write(const std::string& path, std::string_view text) override;
  Status append(const std::string& path, std::string_view text) override;
  // Whether write() could, as far as can be said without doing it: nothing is left behind.
  Status can_write(const std::string& path) const;

 private:
  static Status replace(const std::string& path, unsigned mode, std::string_view text);
};

}  // namespace gatelab::io
