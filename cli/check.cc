// SPDX-License-Identifier: Apache-2.0
// gatelab check [FILE…]: everything that `run` would refuse, and warnings. As text the diagnostics go to stderr; with
// --format json they are the data, and go to stdout as one array per file, one line each; with --format sarif as one log.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/sarif.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> files{"gateway.yaml"};
  std::string format = "text";
  bool deny_warnings = false;
};

class Check {
 public:
  explicit Check(const Options& options) : options_(options) {}

  int run() {
    int worst = kOk;
    for (const std::string& file : options_.files) worst = std::max<int>(worst, one(file));
    if (options_.format == "sarif" && !print(render_sarif(all_))) return kEnvironment;
    return worst;
  }

 private:
  int one(const std::string& path) {
    const diag::SourcePtr source = read_source(path);
    if (!source) return kEnvironment;
    diag::Sink sink;
    policy::StateStore states;
    const auto model = checked_model(source, states, Random{1}, {}, sink);
    const bool denied = options_.deny_warnings && sink.warnings() > 0;
    const int exit = model && !denied ? kOk : kInvalid;
    if (options_.format == "sarif") {
      all_.insert(all_.end(), sink.all().begin(), sink.all().end());
      return exit;
    }
    if (options_.format == "json") return print(diag::render_json(sink) + "\n") ? exit : kEnvironment;
    if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
    return tell(path, model.get(), sink, denied) ? exit : kEnvironment;
  }

  static bool tell(const std::string& path, const gateway::Model* model, const diag::Sink& sink, bool denied) {
    const std::string warnings = sink.warnings() == 0 ? "" : ", " + counted(sink.warnings(), "warning");
    if (model == nullptr) return complain(fmt::format("`{}` has {}{}", path, counted(sink.told_errors(), "error"), warnings)), true;
    if (denied) return complain(fmt::format("`{}` has {}, which --deny warnings does not take", path, counted(sink.warnings(), "warning"))), true;
    return print(fmt::format("{}: ok ({}, {}{})\n", path, counted(model->routes.size(), "route"), counted(model->upstreams.size(), "upstream"), warnings));
  }

  const Options& options_;
  std::vector<diag::Diagnostic> all_;
};

}  // namespace

void add_check(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "say everything that is wrong with configurations");
  command->add_option("FILE", options->files, "configuration files")->capture_default_str();
  command->add_option("--format", options->format, "text, json or sarif")->check(CLI::IsMember({"text", "json", "sarif"}));
  auto denied = std::make_shared<std::string>();
  command->add_option("--deny", *denied, "`warnings`: they are errors too")->check(CLI::IsMember({"warnings"}));
  command->callback([options, denied, &chosen] {
    options->deny_warnings = !denied->empty();
    chosen = [options] { return Check(*options).run(); };
  });
}

}  // namespace gatelab::cli
