// SPDX-License-Identifier: Apache-2.0
// One access-log line from one record. Pure: appends to a buffer that the caller reuses. Log injection is impossible:
// controls and non-UTF-8 octets are escaped in every format.
#pragma once

#include <string>

#include "observe/record.h"

namespace gatelab::observe {

enum class LogFormat : std::uint8_t { Json, Logfmt, Combined, Pretty, Template };

struct LogShape;

// Appends one line with its LF; none for Template. Json's and Logfmt's members are those of log_fields() that lines have, in its
// order. Empty texts are left out.
void append_line(std::string& out, const Record& r, LogFormat format, bool colour);
// The same as a configuration shapes it: its own template, fields left out or hashed (log_shape.h).
void append_line(std::string& out, const Record& r, const LogShape& shape, bool colour);

}  // namespace gatelab::observe
