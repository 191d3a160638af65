// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/bodies.h"

#include <set>
#include <utility>

#include "harness/scenario/beside.h"

namespace gatelab::harness {

Result<std::string> read_body(const Send& send, const io::Files& files, const std::string& directory) {
  auto text = read_beside(files, directory, send.body_file);
  if (!text) return Failure<Error>{text.error()};
  if (text->size() > kMaxBody) return fail("out-of-range", "`" + send.body_file + "` is too large: a body of a scenario has at most 64MiB");
  return send.coding ? coding::encode(*send.coding, *text) : std::move(*text);
}

void check_bodies(const File& file, const io::Files& files, diag::Sink& sink) {
  const std::string directory = directory_of(file.path);
  // A case with rows has its steps once for each of them.
  std::set<std::pair<std::uint32_t, std::string>> told;
  for (const Case& c : file.cases)
    for (const Step& step : c.steps) {
      if (step.late || step.send.body_file.empty() || !told.emplace(step.send.body_span.begin, step.send.body_file).second) continue;
      if (const auto body = read_body(step.send, files, directory); !body) sink.error(body.error().id, step.send.body_span, body.error().message, "the path is relative to the scenario's directory");
    }
}

}  // namespace gatelab::harness
