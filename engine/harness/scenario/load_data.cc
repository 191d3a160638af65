// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/load_data.h"

#include <algorithm>
#include <set>
#include <utility>

#include "harness/scenario/beside.h"
#include "harness/scenario/client.h"

namespace gatelab::harness {
namespace {

void check_load(const LoadSpec& spec, const io::Files& files, const std::string& directory, diag::Sink& sink) {
  const auto data = read_load_data(spec, files, directory);
  if (!data) return sink.error(data.error().id, spec.data_span, data.error().message, data.error().id == "bad-data" ? "" : "the path is relative to the scenario's directory");
  for (const LoadFlow& flow : spec.flows) {
    std::vector<std::string> saved;
    for (const LoadRequest& r : flow.requests)
      if (const auto made = template_of(octets_of(r.send, nullptr, {}), r.send, *data, saved); !made) sink.error(made.error().id, r.span, made.error().message);
  }
}

}  // namespace

Result<load::Data> read_load_data(const LoadSpec& spec, const io::Files& files, const std::string& directory) {
  if (spec.data.empty()) return load::Data{};
  auto text = read_beside(files, directory, spec.data);
  if (!text) return Failure<Error>{text.error()};
  return load::read_data(spec.data, *text);
}

Result<load::Template> template_of(std::string octets, const Send& send, const load::Data& data, std::vector<std::string>& saved) {
  auto made = load::Template::make(std::move(octets), data, saved);
  const auto keep = [&saved](const std::string& name) {
    if (std::find(saved.begin(), saved.end(), name) == saved.end()) saved.push_back(name);
  };
  for (const auto& [name, path] : send.save_json) keep(name);
  for (const auto& [name, header] : send.save_headers) keep(name);
  return made;
}

void check_loads(const File& file, const io::Files& files, diag::Sink& sink) {
  const std::string directory = directory_of(file.path);
  // A case with rows has its steps once for each of them.
  std::set<std::pair<std::uint32_t, std::string>> told;
  for (const Case& c : file.cases)
    for (const Step& step : c.steps)
      if (step.load && !step.late && told.emplace(step.span.begin, step.load->data).second) check_load(*step.load, files, directory, sink);
}

}  // namespace gatelab::harness
