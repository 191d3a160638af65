// SPDX-License-Identifier: Apache-2.0
// gatelab replay FILE --gateway G: a recording sent again, in virtual time or on sockets, and its answers held against the
// recorded ones or those of another configuration. A scenario made of flags: what needs more is written as one.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/marked_secret.h"
#include "cli/same_file.h"
#include "cli/test_world.h"
#include "harness/replay_command.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

struct Options {
  harness::ReplayOptions replay;
  std::vector<std::string> secrets;
  std::uint64_t seed = 0;
  bool seeded = false, real = false;
  std::string save;
};

// For a shell, should somebody want to run it again.
std::string word(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+") == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_of(const Options& o) {
  const harness::ReplayOptions& r = o.replay;
  std::string out = "gatelab replay " + word(r.from) + (r.url.empty() ? " --gateway " + word(r.gateway) : " --url " + word(r.url));
  const auto add = [&out](const char* flag, const std::string& value) {
    if (!value.empty()) out += std::string(" ") + flag + " " + word(value);
  };
  const auto add_all = [&add](const char* flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(flag, value);
  };
  add("--against", r.against);
  add("--path", r.path);
  add("--method", r.method);
  add_all("--exchange", r.exchanges);
  if (r.pace != "recorded") add("--pace", r.pace);
  add("--upstreams", r.upstreams);
  add("--remint", r.remint);
  add_all("--secret", o.secrets);
  add_all("--ignore-header", r.ignore_headers);
  add_all("--ignore-json", r.ignore_json);
  add_all("--unordered", r.unordered);
  if (r.learn > 0) add("--learn-noise", std::to_string(r.learn));
  if (r.skip_left_out) out += " --skip-left-out";
  if (o.real) out += " --real";
  return out;
}

// Whoever reads the scenario looks for what it names beside it.
std::string beside(const std::string& file, const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty() || path.starts_with('/')) return path;
  std::error_code failed;
  // Through links as the system goes through them: `..` leads to where a link points, not to where it stands.
  const fs::path from = fs::weakly_canonical(fs::absolute(file, failed).parent_path(), failed), to(path);
  const fs::path directory = fs::weakly_canonical(fs::absolute(to, failed).parent_path(), failed);
  return failed ? path : (directory / to.filename()).lexically_relative(from).string();
}

int save(const Options& o, io::Files& files) {
  harness::ReplayOptions saved = harness::said_in_full(o.replay, files);
  for (std::string* path : {&saved.from, &saved.gateway, &saved.against}) *path = beside(o.save, *path);
  if (const Status written = files.write(o.save, harness::scenario_of(saved)); !written) {
    complain(fmt::format("can't write `{}`: {}", o.save, written.error().message));
    return kEnvironment;
  }
  complain(fmt::format("`{}` is a scenario now; paths in it are relative to its directory", o.save));
  return kOk;
}

bool readable(const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return true;
  complain(fmt::format("can't read `{}`: {}", path, std::strerror(errno)));
  return false;
}

// Flags that can't be meant together; empty: they can.
std::string at_odds(const Options& o) {
  const harness::ReplayOptions& r = o.replay;
  if (r.gateway.empty() == r.url.empty()) return "replay to what? --gateway gateway.yaml, or --url http://127.0.0.1:8080";
  if (r.upstreams == "live" && !o.real && r.url.empty()) return "--upstreams live: what runs elsewhere is called on sockets: add --real";
  if (r.url.empty()) return {};
  if (!r.upstreams.empty() && r.upstreams != "live") return "--upstreams " + r.upstreams + ": a gateway that runs already calls what it calls; leave it out";
  if (!r.against.empty()) return "--against: what runs at --url can't be started again with another configuration; replay to each and compare with the recording";
  if (!r.remint.empty()) return "--remint: whoever issues tokens for the gateway at --url has its own keys; give it tokens by --secret";
  return {};
}

int replay(Options options) {
  for (const std::string& secret : options.secrets) {
    auto marked = parse_marked_secret(secret);
    if (!marked) return kUsage;
    options.replay.secrets.push_back(std::move(*marked));
  }
  if (const std::string why = at_odds(options); !why.empty()) {
    complain(why);
    return kUsage;
  }
  options.real = options.real || !options.replay.url.empty();
  options.replay.rerun = command_of(options);
  for (const std::string* path : {&options.replay.from, &options.replay.gateway, &options.replay.against})
    if (!readable(*path)) return kEnvironment;
  if (!each_of_its_own({{"--save", options.save}}, {{"the recording", options.replay.from}, {"--gateway", options.replay.gateway}, {"--against", options.replay.against}})) return kUsage;
  io::DiskFiles files;
  if (!options.save.empty())
    if (const int exit = save(options, files); exit != kOk) return exit;
  harness::TestOptions run = test_options();
  run.real = options.real;
  if (options.seeded) run.seed = options.seed;
  run.colour = colour_of(options.replay.shrink ? Stream::Err : Stream::Out);
  const harness::TestSummary summary = harness::run_replay(options.replay, run, files, std::cout, std::cerr);
  std::cout.flush();
  return exit_of(summary);
}

}  // namespace

void add_replay(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  harness::ReplayOptions& r = options->replay;
  CLI::App* command = app.add_subcommand("replay", "send a recording again and compare the answers");
  command->add_option("FILE", r.from, "a recording, or whatever `record import` reads")->required();
  CLI::Option* gateway = command->add_option("--gateway", r.gateway, "the configuration that answers now");
  command->add_option("--url", r.url, "instead: whatever answers there, gatelab or not")->excludes(gateway);
  command->add_option("--against", r.against, "another configuration to compare with; default: the recorded answers");
  command->add_option("--path", r.path, "only requests whose path matches this regular expression");
  command->add_option("--method", r.method, "only this method");
  command->add_option("--exchange", r.exchanges, "only the exchange of this id; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--pace", r.pace, "recorded, fast (one after another), or 4x: four times as fast as recorded")->capture_default_str();
  command->add_option("--upstreams", r.upstreams, "recorded, mocks: those of the configuration, or live: where it says they are (with --real); default: recorded if they were")->check(CLI::IsMember({"recorded", "mocks", "live"}));
  command->add_option("--remint", r.remint, "make the recorded tokens again, signed by a stand-in for this issuer of the configuration");
  command->add_option("--secret", options->secrets, "MARK=VARIABLE: a secret from the environment in the place of its mark; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--ignore-header", r.ignore_headers, "a header that may differ; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--ignore-json", r.ignore_json, "a JSONPath of what may differ; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--unordered", r.unordered, "a JSONPath of lists whose order does not matter; may be repeated")->take_all()->allow_extra_args(false);
  command->add_option("--learn-noise", r.learn, "runs more, from which is learnt what always differs")->check(CLI::Range(0, 20));
  command->add_flag("--skip-left-out", r.skip_left_out, "leave out what can't be replayed instead of failing");
  command->add_flag("--shrink", r.shrink, "look for the smallest list of exchanges that still differs, and print it as a scenario");
  command->add_flag("--real", options->real, "on loopback sockets instead of in virtual time");
  command->add_option("--save", options->save, "also write the scenario that these flags make");
  CLI::Option* seed = command->add_option("--seed", options->seed, "of the dice");
  command->callback([options, seed, &chosen] {
    options->seeded = seed->count() > 0;
    chosen = [options] { return replay(*options); };
  });
}

}  // namespace gatelab::cli
