// SPDX-License-Identifier: Apache-2.0
// JSONPath: compiling never crashes, selecting always ends, and selects as much of either kind of tree.
#include <cstdint>
#include <string_view>

#include "harness/match/json_path.h"
#include "json/path_evaluate.h"
#include "json/tree.h"

using namespace gatelab;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::string_view kText =
      R"({"a":[1,2.5,"x",null,true,{"b":{"c":[3,4]}}],"k":"v","o":{"j":1,"l":[]},"":0,"☺":"ß"})";
  static const nlohmann::json root = nlohmann::json::parse(kText);
  static const json::Document document = *json::Document::parse(kText, {});
  const auto path = harness::JsonPath::compile({reinterpret_cast<const char*>(data), size});
  if (!path) return 0;
  const auto nodes = path->select(root);
  if (path->singular() && nodes.size() > 1) __builtin_trap();
  // A document of ours has the members in their own order, and the same ones.
  const json::DocumentTree tree(document);
  json::Evaluation<json::DocumentTree> evaluation(tree, document.root());
  if (evaluation.select(*json::Path::compile({reinterpret_cast<const char*>(data), size})).size() != nodes.size()) __builtin_trap();
  return 0;
}
