// SPDX-License-Identifier: Apache-2.0
// gatelab record --gateway G --out F: serves, and records what passes, both sides. --to URL: in front of anything, with a gateway
// of one route. gatelab record import FILE…: what browsers, servers, curl and Postman have written of traffic becomes a recording.
// All without secrets.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/recording_file.h"
#include "cli/same_file.h"
#include "cli/serve.h"
#include "config/node.h"
#include "harness/replay/import.h"
#include "harness/replay/redact.h"
#include "harness/replay/tap.h"
#include "io/disk.h"
#include "io/real.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string out;
  bool force = false;
};

// A file that is there; a pipe or /dev/stdout takes whatever comes.
bool would_replace(const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode);
}

bool is_stdout(const std::string& path) { return path.empty() || path == "-"; }

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
  std::vector<NamedFile> inputs;
  for (const std::string& file : options.files) inputs.emplace_back("a file", file);
  if (!each_of_its_own({{"--out", options.out}}, inputs)) return kUsage;
  if (!options.force && !is_stdout(options.out) && would_replace(options.out)) {
    complain(fmt::format("`{}` is there already: take another name, or --force", options.out));
    return kEnvironment;
  }
  harness::Redactor redactor(fresh_salt());
  harness::KnownSecrets known;
  std::vector<harness::RecordedExchange> all;
  diag::Sink sink;
  for (const std::string& file : options.files) {
    const diag::SourcePtr source = read_source(file);
    if (!source) return kEnvironment;
    for (harness::RecordedExchange& exchange : harness::import_traffic(source, sink, &known)) all.push_back(std::move(exchange));
  }
  redactor.know(known);
  harness::RecordingWriter writer;
  std::string text = harness::RecordingWriter::first_line();
  std::size_t exchanges = 0;
  for (harness::RecordedExchange& exchange : all) {
    exchange.id = fmt::format("import-{}", ++exchanges);
    redactor.apply(exchange);
    text += writer.lines(exchange);
  }
  if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
  if (sink.has_errors()) {
    complain(fmt::format("nothing was written: {}", counted(sink.told_errors(), "error")));
    return kInvalid;
  }
  if (is_stdout(options.out)) return print(text) ? kOk : kEnvironment;
  // For its owner's eyes, as a live one is.
  if (const int fd = ::open(options.out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600); fd >= 0) {
    ::fchmod(fd, 0600);
    ::close(fd);
  }
  if (const Status written = io::DiskFiles().write(options.out, text); !written) {
    complain(fmt::format("can't write `{}`: {}", options.out, written.error().message));
    return kEnvironment;
  }
  complain(fmt::format("{} in `{}`", counted(exchanges, "exchange"), options.out));
  return kOk;
}

struct LiveOptions {
  ServeOptions serve;
  RecordingOptions recording;
  std::string to, listen = "127.0.0.1:8080", max_file = "256MiB", max_body = "1MiB";
  bool keep_encoding = false;
};

// A gateway of one route in front of `to`. What is compressed could not be looked into: the target is not told that the client
// would take it.
std::string configuration_of(const LiveOptions& o) {
  const nlohmann::json to(o.to), listen(o.listen);
  return "gatelab: 1\nlisteners: [ { name: record, address: " + listen.dump() + " } ]\nlog: { access: \"off\" }\nupstreams:\n  recorded: { url: " + to.dump() + ", host: target }\nroutes:\n  - name: everything\n    upstream: recorded\n" +
         (o.keep_encoding ? "" : "    policies: [ { headers: { request: { remove: [ Accept-Encoding ] } } } ]\n");
}

// As a file that is nowhere on the disk; empty: there is none.
std::string file_of(const std::string& text) {
  const int descriptor = memfd_create("gatelab", MFD_CLOEXEC);
  if (descriptor < 0 || ::write(descriptor, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return {};
  return fmt::format("/proc/self/fd/{}", descriptor);
}

// What a configuration says is a secret: where its authenticators look for credentials, and what its consumers have.
class SecretsOf {
 public:
  explicit SecretsOf(const std::string& path) {
    const auto text = io::DiskFiles().read(path);
    if (!text) return;  // whoever serves it says so
    diag::Sink unheard;
    config::ParseOptions parse;
    parse.env = {&io::environment_variable, nullptr};
    const auto tree = config::parse(std::make_shared<diag::SourceFile>(diag::SourceFile{path, *text}), parse, unheard);
    if (tree) look(*tree);
  }
  harness::KnownSecrets take() { return std::move(known_); }

 private:
  void look(const config::Node& node) {
    for (const config::Node& item : node.items) look(item);
    for (const config::Entry& e : node.entries) {
      for (const std::string_view kind : {"api-key", "jwt", "basic", "hmac"})
        if (e.key == kind) place(*e.value);
      if (e.key == "consumers") values(*e.value);
      else look(*e.value);
    }
  }
  void place(const config::Node& of) {
    if (const config::Node* header = of.find("header")) known_.headers.insert(to_lower(header->text));
    if (const config::Node* query = of.find("query")) known_.parameters.insert(query->text);
  }
  void values(const config::Node& node) {
    for (const config::Node& item : node.items) values(item);
    for (const config::Entry& e : node.entries) {
      const bool is_secret = e.key == "keys" || e.key == "key" || e.key == "value" || e.key == "secret" || e.key == "password";
      if (is_secret && !e.value->text.empty()) known_.values.push_back(e.value->text);
      if (is_secret)
        for (const config::Node& item : e.value->items)
          if (!item.text.empty()) known_.values.push_back(item.text);
      values(*e.value);
    }
  }
  harness::KnownSecrets known_;
};

int usage(const std::string& why) {
  complain(why);
  return kUsage;
}

// One of them would be written into the other: the same file, or where the other goes on.
bool same_file(const RecordingOptions& o) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const auto place = [&failed](const std::string& path) { return fs::weakly_canonical(fs::absolute(path, failed), failed).string(); };
  const std::string out = place(o.out), har = place(o.har);
  if (out == har) return true;
  for (std::uint32_t i = 1; i < o.keep; ++i)
    if (fmt::format("{}.{}", out, i) == har || fmt::format("{}.{}", har, i) == out) return true;
  return false;
}

// Nor the configuration, by a file or by where it goes on.
bool spares_configuration(const LiveOptions& o) {
  for (const std::string& path : {o.recording.out, o.recording.har}) {
    if (path.empty()) continue;
    for (std::uint32_t i = 0; i < o.recording.keep; ++i)
      if (!each_of_its_own({{path == o.recording.out ? "--out" : "--har", i == 0 ? path : fmt::format("{}.{}", path, i)}}, {{"--gateway", o.serve.config}})) return false;
  }
  return true;
}

// What the user wrote, and not a place in a configuration that nobody has.
std::string wrong_place(const LiveOptions& o) {
  if (const auto to = http::parse_base_url(o.to); !to) return "--to: " + to.error().message;
  if (const auto listen = parse_endpoint(o.listen); !listen) return "--listen: " + listen.error().message;
  return {};
}

int record(LiveOptions& options) {
  RecordingOptions& recording = options.recording;
  if (options.to.empty() == options.serve.config.empty()) return usage("record what? --gateway gateway.yaml, or --to http://127.0.0.1:3000");
  if (recording.out.empty() && recording.har.empty()) return usage("record where to? --out traffic.gtl, or --har traffic.har");
  if (recording.out == "-" || recording.har == "-") return usage("what is recorded goes into files, which are rotated: name one instead of -");
  if (!recording.out.empty() && !recording.har.empty() && same_file(recording)) return usage("--out and --har are the same file: each needs one of its own");
  if (!spares_configuration(options)) return kUsage;
  if (!options.to.empty())
    if (const std::string why = wrong_place(options); !why.empty()) return usage(why);
  const auto max_file = parse_size(options.max_file), max_body = parse_size(options.max_body);
  if (!max_file || max_file->bytes == 0) return usage("--max-file " + options.max_file + ": write a size such as 256MiB");
  if (!max_body) return usage("--max-body " + options.max_body + ": write a size such as 1MiB");
  recording.max_octets = max_file->bytes;
  recording.max_body = max_body->bytes;
  const harness::KnownSecrets known = options.to.empty() ? SecretsOf(options.serve.config).take() : harness::KnownSecrets{};
  if (!options.to.empty()) {
    options.serve.config = file_of(configuration_of(options));
    options.serve.no_watch = true;
  }
  RecordingFile file(fresh_salt(), [](const std::string& why) { complain("the recording ends here, though requests are still served: " + why); });
  file.know(known);
  if (const Status opened = file.open(recording); !opened) {
    complain(opened.error().message);
    return kEnvironment;
  }
  if (recording.keep_secrets) complain("secrets are recorded as they are: keep the file to yourself");
  // What the target was never told is no part of what it answered.
  const bool as_if_unasked = !options.to.empty() && !options.keep_encoding;
  harness::TrafficTap tap([&file, as_if_unasked](harness::RecordedExchange exchange) {
    if (as_if_unasked) std::erase_if(exchange.request.headers, [](const auto& h) { return iequals(h.first, "accept-encoding"); });
    file.add(std::move(exchange));
  }, max_body->bytes);
  options.serve.tap = &tap;
  options.serve.on_record = [&tap](const observe::Record& one) { tap.finished(one); };
  options.serve.on_failed_start = [&file] { file.abandon(); };
  const int exit = serve(options.serve);
  file.finish();
  if (exit != kOk && exit != kInterrupted) return exit;
  if (!file.problem().empty()) complain("the recording is not whole: " + file.problem());
  if (tap.lost_answers() > 0) complain(fmt::format("{} of upstreams not in it: too much was under way at once, or the request ids that tell whose they are were taken out", tap.lost_answers() == 1 ? "1 answer is" : fmt::format("{} answers are", tap.lost_answers())));
  if (file.dropped() > 0) complain(fmt::format("{} could not be written", counted(file.dropped(), "exchange")));
  const std::string& path = recording.out.empty() ? recording.har : recording.out;
  complain(fmt::format("{} in `{}`{}", counted(file.written() - file.gone(), "exchange"), path, recording.keep > 1 && file.rotated() ? fmt::format(" and the files that went before it ({}.1, …)", path) : ""));
  if (file.gone() > 0) complain(fmt::format("{} before them went for newer ones: of files of {} the last {} kept (--max-file, --keep)", counted(file.gone(), "exchange"), options.max_file, recording.keep == 1 ? "one is" : fmt::format("{} are", recording.keep)));
  return !file.problem().empty() ? kEnvironment : exit;
}

void add_live(CLI::App& command, Chosen& chosen) {
  auto options = std::make_shared<LiveOptions>();
  options->serve.config.clear();
  command.add_option("--gateway", options->serve.config, "the configuration that serves");
  command.add_option("--to", options->to, "instead: everything goes there");
  command.add_option("--listen", options->listen, "where to listen, with --to")->capture_default_str();
  command.add_option("--out", options->recording.out, "the recording");
  command.add_option("--har", options->recording.har, "the clients' side as HAR 1.2");
  command.add_option("--max-file", options->max_file, "a file goes on in another from there on: FILE.1 is the one before")->capture_default_str();
  command.add_option("--keep", options->recording.keep, "how many files are kept")->check(CLI::Range(1, 1000))->capture_default_str();
  command.add_option("--max-body", options->max_body, "larger bodies are left out")->capture_default_str();
  command.add_flag("--keep-encoding", options->keep_encoding, "with --to: targets may compress what they answer; else they are not told that the client would take it");
  command.add_flag("--keep-secrets", options->recording.keep_secrets, "take nothing out");
  command.add_flag("--force", options->recording.force, "replace files that are there");
  command.add_option("--workers", options->serve.workers, "worker threads; 0: one a core")->check(CLI::Range(0, 256))->capture_default_str();
  command.add_option("--grace", options->serve.grace, "how long SIGTERM waits for exchanges in flight")->capture_default_str();
  command.add_flag("--no-watch", options->serve.no_watch, "do not reload when the configuration changes");
  command.callback([options, &chosen, &command] {
    if (command.get_subcommands().empty()) chosen = [options] { return record(*options); };
  });
}

}  // namespace

void add_record(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("record", "record traffic through a gateway, without its secrets");
  command->require_subcommand(0, 1);
  add_live(*command, chosen);
  CLI::App* importing = command->add_subcommand("import", "make a recording of a HAR, an access log, curl commands or a Postman collection");
  importing->add_option("FILE", options->files, "what to import; its content says what it is")->required();
  importing->add_option("--out", options->out, "the recording; -, or nothing: stdout");
  importing->add_flag("--force", options->force, "replace a file that is there");
  importing->callback([options, &chosen] { chosen = [options] { return import(*options); }; });
}

}  // namespace gatelab::cli
