// SPDX-License-Identifier: Apache-2.0
// The located tree: YAML 1.2 core schema, where every key and every value remembers its span. Built once, then
// immutable; any thread may read it. The only room that knows yaml-cpp is this one, and only in parse.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"

namespace gatelab::config {

enum class Kind : std::uint8_t { Null, Bool, Integer, Float, Text, List, Map };

struct Node;

struct Entry {
  std::string key;
  diag::Span key_span;
  std::unique_ptr<Node> value;
};

// A scalar's `text` is what the file says after unquoting and environment substitution; `Integer` and `Float` keep it
// too, so that no precision is lost. Quoted scalars are always Text.
struct Node {
  Kind kind = Kind::Null;
  std::string text;
  bool boolean = false;
  bool quoted = false;
  mutable bool secret = false;  // came from $(env.…) or a secret position: its text is never printed
  bool from_environment = false;  // at least in part; not if only a default was taken
  diag::Span span;
  std::vector<Node> items;     // List
  std::vector<Entry> entries;  // Map, in file order

  const Node* find(std::string_view key) const noexcept;  // null if absent or not a map
  const Entry* entry(std::string_view key) const noexcept;
};

// "a map", "a list", "text", "a number"…: for messages.
std::string_view kind_name(Kind kind) noexcept;

// Where $(env.NAME) comes from; null result means unset. The engine never reads the environment itself.
using EnvLookup = const std::string* (*)(void* context, std::string_view name);
struct EnvSource {
  EnvLookup lookup = nullptr;
  void* context = nullptr;
};

// Refuses, with located diagnostics into `sink`: syntax errors, a second document, duplicate keys, foreign tags,
// unknown aliases, recursion, keys that are not scalars, over 64 levels, over 1e6 nodes (alias bombs), text that is not UTF-8.
// `substitute`: replaces $(env.NAME) and $(env.NAME:default) in scalars ($$( is a literal $( ); unset without default is an error.
// Returns null if there was an error, but for variables that are not set: then the tree is whole, the values keep what is
// written, and the sink keeps quiet about their places. Never throws.
struct ParseOptions {
  EnvSource env;
  bool substitute_env = true;  // scenario files resolve $(…) themselves
};
std::unique_ptr<Node> parse(const diag::SourcePtr& file, const ParseOptions& options, diag::Sink& sink);

}  // namespace gatelab::config
