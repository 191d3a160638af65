// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/cli.h"

namespace gatelab::cli {

void add_version(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("version", "print the version")->callback([&chosen] {
    chosen = [] { return print("gatelab " GATELAB_VERSION "\n") ? kOk : kEnvironment; };
  });
}

}  // namespace gatelab::cli
