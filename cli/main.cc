// SPDX-License-Identifier: Apache-2.0
// gatelab's entry: parses the command line and hands over to one command. No logic of its own.
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <string>

#include "cli/cli.h"

int main(int argc, char** argv) {
  using namespace gatelab::cli;
  // A reader that goes away (`gatelab check … | head`) is an error of write(2), not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app{"gatelab: a local API gateway and its test bench", "gatelab"};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.set_version_flag("--version", std::string("gatelab ") + GATELAB_VERSION);
  app.footer("exit codes: 0 ok, 1 an expectation failed, 2 wrong usage, 3 invalid configuration or scenario,\n"
             "4 environment (port taken, file unreadable), 130 interrupted");
  Chosen chosen;
  add_run(app, chosen);
  add_test(app, chosen);
  add_check(app, chosen);
  add_explain(app, chosen);
  add_mint(app, chosen);
  add_version(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error);
    return asked ? kOk : kUsage;
  }
  return chosen();
}
