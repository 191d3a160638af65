// SPDX-License-Identifier: Apache-2.0
// Scalars of the located tree: what kind a plain one is, where one ends in the text, what $(env.X) in it becomes.
#pragma once

#include <string>
#include <string_view>

#include "config/node.h"

namespace gatelab::config {

// YAML 1.2.2 §10.3.2, the core schema: Null, Bool, Integer, Float or Text.
Kind plain_kind(std::string_view text) noexcept;

// Where the node's own text begins: behind anchor, tag and the space after them.
std::size_t skip_properties(std::string_view text, std::size_t at) noexcept;

// The end of the scalar that begins at `at` and has `value` once unquoted. yaml-cpp only tells where scalars begin. A
// plain or block scalar of several lines ends with its first line: that is as far as a caret can reach. npos: a quote that
// is never closed, which yaml-cpp lets pass at the end of a file.
std::size_t scalar_end(std::string_view text, std::size_t at, std::string_view value) noexcept;

// Replaces $(env.NAME), $(env.NAME:default) and $$( in `node.text`. Unset (a name without default) and Refused (what is no
// substitution) are reported, and the text stays as it is.
enum class Substituted : std::uint8_t { No, Yes, Unset, Refused };
Substituted substitute_env(Node& node, const EnvSource& env, diag::Sink& sink);

}  // namespace gatelab::config
