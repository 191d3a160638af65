// SPDX-License-Identifier: Apache-2.0
// htpasswd files, and what a client sends as user and password: reading never crashes, every user that is taken has a hash that is
// worth a check, and a file with a wrong line is never taken in silence.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "crypto/password.h"
#include "policy/basic/htpasswd.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  diag::Sink sink;
  const policy::Users users = policy::parse_htpasswd(text, "users", {}, sink);
  for (const auto& [user, hash] : users.hashes)
    if (user.empty() || user.find(':') != std::string::npos || !crypto::is_password_hash(hash)) __builtin_trap();
  if (users.hashes.empty() != users.slowest.empty()) __builtin_trap();
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (users.hashes.size() > lines) __builtin_trap();
  if (!sink.has_errors() && users.hashes.empty() && text.find_first_not_of("\r\n\t #") != std::string_view::npos && text.find('#') == std::string_view::npos) __builtin_trap();
  return 0;
}
