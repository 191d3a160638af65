// SPDX-License-Identifier: Apache-2.0
// What is forwarded, made canonical again, is the path that matched; prefixes are taken off whole segments and nothing
// leaves the new one.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proxy/forwarding.h"
#include "http/uri.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  const proxy::PrefixRewrite rewrites[] = {{true, "/api", ""}, {true, "/api", "/v2"}, {true, "", "/v2"}};
  for (const auto encoded : {http::EncodedSlash::Reject, http::EncodedSlash::Keep}) {
    for (const auto duplicate : {http::DuplicateSlash::Keep, http::DuplicateSlash::Merge, http::DuplicateSlash::Reject}) {
      Arena arena;
      const http::PathOptions options{encoded, duplicate, {}};
      const http::CanonicalPath canonical = http::canonical_path(raw, options, arena);
      if (canonical.rule != http::Rule::Ok) continue;
      for (const proxy::PrefixRewrite& rewrite : rewrites) {
        const std::string_view sent = proxy::rewrite_path(canonical.path, rewrite, arena);
        const http::CanonicalPath again = http::canonical_path(sent, options, arena);
        if (again.rule != http::Rule::Ok || again.path != sent) std::abort();
        const bool taken = proxy::has_prefix(canonical.path, rewrite.from);
        if (taken ? !proxy::has_prefix(sent, rewrite.to) : sent != canonical.path) std::abort();
        if (taken && rewrite.to.empty() && sent.starts_with("//")) std::abort();
      }
    }
  }
  return 0;
}
