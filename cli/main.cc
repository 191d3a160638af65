// SPDX-License-Identifier: Apache-2.0
// gatelab's entry: parses the command line and hands over to one command. No logic of its own.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace {

// The parser would only say that something was not expected.
bool is_unknown_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* above = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::vector<std::string> names;
    for (const CLI::App* command : above->get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
    if (names.empty() || word.starts_with('-')) return false;
    if (std::find(names.begin(), names.end(), word) != names.end()) {
      above = above->get_subcommand(word);
      continue;
    }
    // It takes other words too, which are its own to judge.
    const auto options = above->get_options([](const CLI::Option* option) { return option->get_positional(); });
    if (!options.empty()) return false;
    const std::string_view near = gatelab::diag::nearest(word, {names.begin(), names.end()});
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string of = above == &app ? "" : "`" + above->get_name() + "` has ";
    gatelab::cli::complain((of.empty() ? "there is no command `" : of + "no `") + word + "`" + (near.empty() ? "; the commands are " : "; did you mean `" + std::string(near) + "`? The commands are ") + all);
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gatelab::cli;
  // `gatelab help load` is `gatelab load --help`.
  std::vector<char*> words;
  std::string flag = "--help";
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.assign(argv, argv + argc);
    words.erase(words.begin() + 1);
    words.push_back(flag.data());
    argc = static_cast<int>(words.size());
    argv = words.data();
  }
  // A reader that goes away (`gatelab check … | head`) is an error of write(2), not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more (ulimit -f).
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App app{"gatelab: a local API gateway and its test bench", "gatelab"};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.set_version_flag("--version", std::string("gatelab ") + GATELAB_VERSION);
  app.footer("exit codes: 0 ok, 1 an expectation failed, 2 wrong usage, 3 invalid configuration or scenario,\n"
             "4 environment (port taken, file unreadable), 5 a load or a diff that proves nothing, 130 interrupted");
  Chosen chosen;
  add_run(app, chosen);
  add_test(app, chosen);
  add_check(app, chosen);
  add_explain(app, chosen);
  add_mint(app, chosen);
  add_record(app, chosen);
  add_diff(app, chosen);
  add_load(app, chosen);
  add_replay(app, chosen);
  add_top(app, chosen);
  add_version(app, chosen);
  if (is_unknown_command(app, argc, argv)) return kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error);
    return asked ? ended(kOk) : kUsage;
  }
  return ended(chosen());
}
