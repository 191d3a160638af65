// SPDX-License-Identifier: Apache-2.0
// JSONPath: compiling never crashes, selecting always ends.
#include <cstdint>
#include <string_view>

#include "harness/match/json_path.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nlohmann::json root = nlohmann::json::parse(
      R"({"a":[1,2.5,"x",null,true,{"b":{"c":[3,4]}}],"k":"v","o":{"j":1,"l":[]},"":0,"☺":"ß"})");
  const auto path = harness::JsonPath::compile({reinterpret_cast<const char*>(data), size});
  if (!path) return 0;
  const auto nodes = path->select(root);
  if (path->singular() && nodes.size() > 1) __builtin_trap();
  return 0;
}
