// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <charconv>
#include <memory>
#include <new>

namespace gatelab::crypto {
namespace {

constexpr int kMaxBcrypt = 15, kMaxRounds = 500'000;
constexpr std::string_view kDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool is_bcrypt(std::string_view text) noexcept {
  if (text.size() != 60 || text[3] != '$' || text[6] != '$' || text.substr(7).find_first_not_of(kDigits) != std::string_view::npos) return false;
  int cost = 0;
  const auto [end, error] = std::from_chars(text.data() + 4, text.data() + 6, cost);
  return error == std::errc() && end == text.data() + 6 && cost >= 4 && cost <= kMaxBcrypt;
}

// $5$salt$hash, $6$rounds=N$salt$hash.
bool is_sha_crypt(std::string_view text, std::size_t digits) noexcept {
  std::string_view rest = text.substr(3);
  constexpr std::string_view kRounds = "rounds=";
  if (rest.starts_with(kRounds)) {
    int rounds = 0;
    const std::size_t end = rest.find('$');
    if (end == std::string_view::npos) return false;
    const auto [at, error] = std::from_chars(rest.data() + kRounds.size(), rest.data() + end, rounds);
    if (error != std::errc() || at != rest.data() + end || rounds < 1000 || rounds > kMaxRounds) return false;
    rest.remove_prefix(end + 1);
  }
  const std::size_t dollar = rest.find('$');
  if (dollar == std::string_view::npos || dollar > 16) return false;
  const std::string_view hash = rest.substr(dollar + 1);
  return hash.size() == digits && hash.find_first_not_of(kDigits) == std::string_view::npos;
}

}  // namespace

bool is_password_hash(std::string_view text) noexcept {
  for (const std::string_view kind : {"$2a$", "$2b$", "$2y$"})
    if (text.starts_with(kind)) return is_bcrypt(text);
  return (text.starts_with("$5$") && is_sha_crypt(text, 43)) || (text.starts_with("$6$") && is_sha_crypt(text, 86));
}

bool password_matches(const std::string& password, const std::string& hash) noexcept {
  if (password.find('\0') != std::string::npos) return false;
  const std::unique_ptr<crypt_data> data(new (std::nothrow) crypt_data{});
  const char* made = data ? crypt_r(password.c_str(), hash.c_str(), data.get()) : nullptr;
  const bool same = made != nullptr && made[0] != '*' && hash.size() == std::string_view(made).size() && CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  if (data) OPENSSL_cleanse(data.get(), sizeof *data);
  return same;
}

}  // namespace gatelab::crypto
