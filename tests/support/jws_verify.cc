// SPDX-License-Identifier: Apache-2.0
// jws_verify: the engine's verifier for other programs' vectors. Reads lines `JWK<TAB>compact token`, prints for each `valid`
// or `invalid REASON`. Claims are not looked at; the key says which algorithms it is for. Exit status 0 at the end of input.
#include <iostream>
#include <string>
#include <string_view>

#include "crypto/jws.h"

namespace {

using namespace gatelab::crypto;

std::string_view verdict(std::string_view line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return word(JoseReason::Malformed);
  const auto key = parse_jwk(line.substr(0, tab));
  if (!key) return word(key.error().reason);
  const auto token = parse_compact(line.substr(tab + 1));
  if (!token) return word(token.error().reason);
  const auto valid = verify(*token, **key);
  return valid ? std::string_view() : word(valid.error().reason);
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const std::string_view reason = verdict(line);
    if (reason.empty()) std::cout << "valid\n";
    else std::cout << "invalid " << reason << '\n';
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();  // whoever asks line by line is not kept waiting
  }
  return 0;
}
