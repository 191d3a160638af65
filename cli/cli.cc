// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/userinfo.h"
#include "cli/local_ca.h"
#include "cli/local_keys.h"
#include "config/node.h"
#include "harness/mock/stub.h"
#include "io/real.h"

namespace gatelab::cli {

diag::Colour colour_of(Stream stream) {
  const char* no_colour = std::getenv("NO_COLOR");
  const bool wanted = no_colour == nullptr || *no_colour == '\0';
  return wanted && isatty(stream == Stream::Out ? STDOUT_FILENO : STDERR_FILENO) == 1 ? diag::Colour::On : diag::Colour::Off;
}

void complain(std::string_view message) {
  fmt::print(stderr, "gatelab: {}\n", without_userinfo(message));
}

namespace {

int print_error = 0;  // errno of the first print() that failed; main thread

}  // namespace

bool print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return true;
  if (print_error == 0) print_error = errno;
  return false;
}

int ended(int exit) {
  // std::cout writes through stdout, whose mark of an error stays.
  std::cout.flush();
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (!flushed && print_error == 0) print_error = errno;
  if (flushed && print_error == 0 && std::ferror(stdout) == 0 && std::cout.good()) return exit;
  complain(fmt::format("can't write to stdout: {}; what was printed is not all there is", print_error != 0 ? std::strerror(print_error) : "the reader has gone, or the disk is full"));
  return exit == kOk ? kEnvironment : exit;
}

diag::SourcePtr read_source(const std::string& path) {
  constexpr std::size_t kMax = std::size_t{64} << 20;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    const char* const hint = errno == ENOENT ? ": write it, or name another file" : "";
    complain(fmt::format("can't read `{}`: {}{}", path, std::strerror(errno), hint));
    return nullptr;
  }
  std::string text;
  char block[16 * 1024];
  std::size_t n = 0;
  errno = 0;
  while (text.size() <= kMax && (n = std::fread(block, 1, sizeof block, file)) > 0) text.append(block, n);
  const bool broken = std::ferror(file) != 0;
  const int why = errno;
  std::fclose(file);
  if (broken) {
    complain(fmt::format("can't read `{}`: {}", path, std::strerror(why)));
    return nullptr;
  }
  if (text.size() > kMax) {
    complain(fmt::format("`{}` is larger than 64 MiB", path));
    return nullptr;
  }
  return std::make_shared<diag::SourceFile>(diag::SourceFile{path, std::move(text)});
}

std::string counted(std::size_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

std::shared_ptr<const gateway::Model> checked_model(const diag::SourcePtr& source, policy::StateStore& states, Random random, const Judging& judging, diag::Sink& sink) {
  const config::EnvSource env{&io::environment_variable, nullptr};
  // The stubs are the harness's language, which the gateway does not know. They are read from a tree of their own, so that
  // their errors are told together with the others; what does not even parse is told by build_model().
  diag::Sink unheard;
  const auto tree = config::parse(source, {env}, unheard);
  sink.conceal_as(unheard);
  const config::Node* upstreams = tree ? tree->find("upstreams") : nullptr;
  if (upstreams != nullptr) {
    for (const config::Entry& entry : upstreams->entries) {
      if (const config::Node* mock = entry.value->find("mock")) harness::parse_stubs(*mock, sink, entry.key);
    }
  }
  gateway::ModelInput input{source, env, &states, random};
  input.now = judging.clock == nullptr ? system_time() : judging.clock->policy_now();
  if (judging.serves || judging.verifies)
    input.local_key = [](crypto::Algorithm algorithm) -> Result<crypto::JwkPtr> {
      auto key = local_signing_key(algorithm);
      if (!key) return Failure<Error>{key.error()};
      return (*key)->verifier();
    };
  if (judging.serves) input.local = [now = *input.now] { return open_local_authority(now); };
  auto model = gateway::build_model(input, sink);
  return sink.has_errors() ? nullptr : model;
}

Loaded load(const std::string& path, policy::StateStore& states, Random random, const Judging& judging) {
  const diag::SourcePtr source = read_source(path);
  if (!source) return {nullptr, kEnvironment};
  diag::Sink sink;
  auto model = checked_model(source, states, random, judging, sink);
  if (!sink.all().empty()) fmt::print(stderr, "{}\n", diag::render_all(sink, colour_of(Stream::Err)));
  if (model) return {std::move(model), kOk};
  complain(fmt::format("`{}` has {}", path, counted(sink.told_errors(), "error")));
  return {nullptr, kInvalid};
}

}  // namespace gatelab::cli
