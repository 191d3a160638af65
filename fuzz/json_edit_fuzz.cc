// SPDX-License-Identifier: Apache-2.0
// JSON bodies that are edited: the first octet chooses the edits, the rest is the body. Whatever comes: what is read is written
// again as the same, nothing that was not edited changes, and what comes out of an edit is JSON within its bounds.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "policy/json/program.h"

using namespace gatelab;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view kEdits[] = {
    "{ remove: [ /a, '$..b', '$[-1]' ] }",
    "{ pick: [ /a/0, '$..c', '$[?@.a]' ] }",
    "{ move: { /a: /b/c, $.d: '' } }",
    "{ rename: { '$..a': b, /c: d } }",
    "{ set: { /a/b/-: 1e400, '$..c': { x: [ 1.0, { y: null } ] }, '$[*]': t } }",
    "{ wrap: /x/y }",
    "{ pick: [ $.a ], remove: [ '$..*' ], set: { /z: [] }, wrap: a }",
    "{ move: { '': /a/b/c }, rename: { '$[\"a\"]': e } }",
    "{ remove: [ '$..[?@.a == $.b]', '$..[?length(@) > 2]', '$..[?count(@..*) > 3]', '$..[1:3]' ] }",
};

std::vector<policy::JsonProgram> compiled() {
  std::vector<policy::JsonProgram> out;
  for (const std::string_view text : kEdits) {
    auto source = std::make_shared<diag::SourceFile>();
    source->name = "fuzz.yaml";
    source->text = text;
    diag::Sink sink;
    const auto node = config::parse(source, {}, sink);
    check(node != nullptr);
    auto edit = policy::JsonEdit::parse(*node, policy::JsonEdit::Side::Request, sink);
    check(edit.has_value());
    out.emplace_back().add(std::move(*edit));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<policy::JsonProgram> programs = compiled();
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const policy::JsonBounds bounds{64 * 1024, {32, 4'000}};
  const auto read = json::Document::parse(body, bounds.limits);
  if (read) {
    std::string once, twice;
    check(read->write(once, body.size()));  // never longer than what came
    const auto again = json::Document::parse(once, bounds.limits);
    check(again.ok() && again->values() == read->values() && again->write(twice, body.size()) && once == twice);
  }
  const policy::JsonEdited edited = programs[data[0] % programs.size()].run(body, 0, {}, bounds);
  if (!read) check(edited.end != policy::JsonEdited::End::Same && edited.end != policy::JsonEdited::End::Changed);
  if (edited.end != policy::JsonEdited::End::Changed) return 0;
  check(edited.text.size() <= bounds.size);
  check(json::Document::parse(edited.text, {200, 100'000}).ok());
  return 0;
}
