// SPDX-License-Identifier: Apache-2.0
// Canonical paths: idempotent, rooted, without dot segments, in every combination of options.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/uri.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  for (const auto encoded : {http::EncodedSlash::Reject, http::EncodedSlash::Keep}) {
    for (const auto duplicate : {http::DuplicateSlash::Keep, http::DuplicateSlash::Merge, http::DuplicateSlash::Reject}) {
      Arena arena;
      const http::PathOptions options{encoded, duplicate};
      const http::CanonicalPath once = http::canonical_path(raw, options, arena);
      if (once.rule != http::Rule::Ok) continue;
      const std::string path(once.path);
      if (path.empty() || path[0] != '/') std::abort();
      if ((path + "/").find("/../") != std::string::npos || (path + "/").find("/./") != std::string::npos) std::abort();
      for (const char c : path)
        if (static_cast<unsigned char>(c) <= 0x20 || c == '\\' || c == 0x7f || c == '?' || c == '#') std::abort();
      if (duplicate == http::DuplicateSlash::Merge && path.find("//") != std::string::npos) std::abort();
      const http::CanonicalPath twice = http::canonical_path(path, options, arena);
      if (twice.rule != http::Rule::Ok || twice.path != path) std::abort();
    }
  }
  Arena arena;
  std::string_view rest = raw, name, value;
  while (http::next_query_pair(rest, name, value)) http::decode_query(value, arena);
  http::parse_authority(raw);
  return 0;
}
