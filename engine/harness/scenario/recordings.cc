// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/recordings.h"

#include <algorithm>

#include "harness/replay/import.h"
#include "harness/scenario/beside.h"

namespace gatelab::harness {

std::shared_ptr<const Recording> Recordings::read(const std::string& path, const diag::Span& span, diag::Sink& sink) {
  const auto [at, fresh] = read_.try_emplace(path);
  if (!fresh) return at->second;
  auto text = files_.read(path);
  if (!text) {
    sink.error("no-recording", span, text.error().message, "the path is relative to the scenario's directory");
    return nullptr;
  }
  const std::size_t before = sink.errors();
  auto recording = std::make_shared<Recording>();
  recording->exchanges = import_traffic(std::make_shared<diag::SourceFile>(diag::SourceFile{path, std::move(*text)}), sink);
  if (sink.errors() == before) at->second = std::move(recording);
  return at->second;
}

void Recordings::load(const File& file, Replay& replay, diag::Sink& sink) {
  const std::string path = replay.from.starts_with("/") ? replay.from : directory_of(file.path) + replay.from;
  replay.recording = read(path, replay.from_span, sink);
  if (!replay.recording) return;
  const auto chosen = selected(replay);
  if (chosen.empty()) return sink.error("nothing-replayed", replay.from_span, replay.recording->exchanges.empty() ? "there is nothing in the recording" : "`only` leaves none of the recording's " + std::to_string(replay.recording->exchanges.size()) + (replay.recording->exchanges.size() == 1 ? " exchange" : " exchanges"), "nothing would be proved");
  if (replay.upstreams == Replay::Upstreams::Recorded && !replay.recording->has_upstreams())
    sink.error("client-side-only", replay.upstreams_span, "the recording has only what clients saw: upstreams can't answer from it", "give them `mocks` (--upstreams mocks), or record through gatelab: gatelab record --gateway gateway.yaml --out traffic.gtl");
  const bool answers = std::any_of(chosen.begin(), chosen.end(), [](const RecordedExchange* e) { return e->answer.status != 0; });
  if (replay.compare && replay.compare->gateway.empty() && !answers)
    sink.error("no-answers", replay.compare->span, "there are no answers in the recording to compare with", "compare with another configuration: with: { gateway: old.yaml } (--against old.yaml)");
}

void Recordings::set_start(Case& of) {
  const auto first = std::find_if(of.steps.begin(), of.steps.end(), [](const Step& step) { return step.replay != nullptr; });
  if (!of.world.recorded_start || first == of.steps.end()) return;
  const auto chosen = selected(*first->replay);
  if (!chosen.empty()) of.world.start = chosen.front()->began;
}

void Recordings::load(File& file, diag::Sink& sink) {
  for (Case& c : file.cases) {
    bool replays = false;
    for (Step& step : c.steps) {
      if (!step.replay || step.replay->from.empty()) continue;
      load(file, *step.replay, sink);
      replays = true;
    }
    set_start(c);
    if (c.world.recorded_start && !replays) sink.error("nothing-replayed", c.world.recorded_start, "the case `" + c.name + "` replays nothing: there is no recorded time", "a `replay` step, or an instant such as \"2026-01-01T00:00:00Z\"");
  }
}

}  // namespace gatelab::harness
