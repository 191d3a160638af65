// SPDX-License-Identifier: Apache-2.0
// gatelab record import FILE…: what browsers, servers, curl and Postman have written of traffic becomes a recording, without its
// secrets.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "harness/replay/import.h"
#include "harness/replay/redact.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string out;
};

// Known to nobody, and gone with this process.
std::string fresh_salt() {
  std::random_device dice;
  std::string out;
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t word = dice();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return out;
}

int import(const Options& options) {
  const harness::Redactor redactor(fresh_salt());
  harness::RecordingWriter writer;
  std::string text = harness::RecordingWriter::first_line();
  std::size_t exchanges = 0;
  diag::Sink sink;
  for (const std::string& file : options.files) {
    const diag::SourcePtr source = read_source(file);
    if (!source) return kEnvironment;
    for (harness::RecordedExchange& exchange : harness::import_traffic(source, sink)) {
      exchange.id = fmt::format("import-{}", ++exchanges);
      redactor.apply(exchange);
      text += writer.lines(exchange);
    }
  }
  if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
  if (sink.has_errors()) {
    complain(fmt::format("nothing was written: {}", counted(sink.told_errors(), "error")));
    return kInvalid;
  }
  if (options.out.empty()) return print(text) ? kOk : kEnvironment;
  if (const Status written = io::DiskFiles().write(options.out, text); !written) {
    complain(fmt::format("can't write `{}`: {}", options.out, written.error().message));
    return kEnvironment;
  }
  complain(fmt::format("{} in `{}`", counted(exchanges, "exchange"), options.out));
  return kOk;
}

}  // namespace

void add_record(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("record", "recordings of traffic, without its secrets");
  command->require_subcommand(1);
  CLI::App* importing = command->add_subcommand("import", "make a recording of a HAR, an access log, curl commands or a Postman collection");
  importing->add_option("FILE", options->files, "what to import; its content says what it is")->required();
  importing->add_option("--out", options->out, "the recording; default: stdout");
  importing->callback([options, &chosen] { chosen = [options] { return import(*options); }; });
}

}  // namespace gatelab::cli
