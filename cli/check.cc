// SPDX-License-Identifier: Apache-2.0
// gatelab check FILE…: everything that `run` would refuse, and warnings. As text the diagnostics go to stderr; with
// --format json they are the data, and go to stdout as one array per file, one line each.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string format = "text";
};

int check_file(const std::string& path, bool json) {
  const diag::SourcePtr source = read_source(path);
  if (!source) return kEnvironment;
  diag::Sink sink;
  policy::StateStore states;
  const auto model = checked_model(source, states, Random{1}, {}, sink);
  if (json) {
    if (!print(diag::render_json(sink) + "\n")) return kEnvironment;
    return model ? kOk : kInvalid;
  }
  if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
  const std::string warnings = sink.warnings() == 0 ? "" : ", " + counted(sink.warnings(), "warning");
  if (!model) {
    complain(fmt::format("`{}` has {}{}", path, counted(sink.errors(), "error"), warnings));
    return kInvalid;
  }
  return print(fmt::format("{}: ok ({}, {}{})\n", path, counted(model->routes.size(), "route"),
                           counted(model->upstreams.size(), "upstream"), warnings))
             ? kOk : kEnvironment;
}

}  // namespace

void add_check(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "say everything that is wrong with configurations");
  command->add_option("FILE", options->files, "configuration files")->required();
  command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->callback([options, &chosen] {
    chosen = [options] {
      int worst = kOk;
      for (const std::string& file : options->files) worst = std::max<int>(worst, check_file(file, options->format == "json"));
      return worst;
    };
  });
}

}  // namespace gatelab::cli
