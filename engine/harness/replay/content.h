// SPDX-License-Identifier: Apache-2.0
// What a body says, below its content coding (RFC 9110 §8.4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coding/coder.h"
#include "harness/replay/recording.h"

namespace gatelab::harness {

// The one that the headers name; nullopt: none, one that is not known, or several.
std::optional<coding::Coding> coding_of(const RecordedHeaders& headers);
// nullopt: there is no such coding, or the octets are not in it, or they become more than kMostContent.
std::optional<std::string> uncoded(const RecordedHeaders& headers, std::string_view octets);
inline constexpr std::size_t kMostContent = 16 * RecordingWriter::kMaxBody;

// To be compared: what is compressed may be cut elsewhere and says the same. One that can't be undone stays as it is.
RecordedBody content_of(const RecordedHeaders& headers, RecordedBody body);

}  // namespace gatelab::harness
