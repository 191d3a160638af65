// SPDX-License-Identifier: Apache-2.0
// What a configuration makes of access-log lines: which exchanges have one, a template of their own, fields that are left out or
// hashed. Immutable once built; any thread. Nothing here allocates in the steady state but for the buffer that lines are appended to.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.h"
#include "base/units.h"
#include "diag/diagnostic.h"
#include "observe/access_log.h"
#include "observe/log_fields.h"

namespace gatelab::observe {

// Fields that a line lacks, or shows the hash of: the same value has the same hash, and nobody without the key can find the value by
// trying all there are.
struct Redaction {
  std::bitset<kLogFields> dropped, hashed;
  SipKey key;
  bool is_on() const noexcept { return dropped.any() || hashed.any(); }
  // 16 hexadecimal digits into `room`, or nothing, or `value` as it is.
  std::string_view shown(LogField field, std::string_view value, LogFieldRoom& room) const noexcept;
};

// Text with fields in it: ${status}, ${consumer:nobody}. Values are escaped as in JSON's strings, so that a line stays one line.
class LogTemplate {
 public:
  // Reports (bad-template) at the reference that is none, with the nearest name. Reads `$${` as `${`.
  static LogTemplate parse(std::string_view text, const diag::Span& span, diag::Sink& sink);
  // One line with its LF. Without a value and a default there is a dash.
  void render(std::string& out, const Record& r, const Redaction& redaction) const;
  bool names(LogField field) const noexcept;

 private:
  struct Part {
    std::string text;  // as it stands there, or the default
    const LogFieldInfo* field = nullptr;
  };
  std::vector<Part> parts_;
};

// Which exchanges have a line. By a hash of the trace's id, or the request's: the same ones for whoever has the same key.
struct Sampling {
  enum class Keep : std::uint8_t { ServerErrors, Errors, Nothing };  // what has a line whatever the dice say
  Share share{1'000'000};
  Keep keep = Keep::ServerErrors;  // statuses of 500 and more, no answer, and half of one; Errors: those of 400 and more too
  Duration slower_than{};          // lasted longer: likewise; 0: no such rule
  SipKey key;
  bool is_on() const noexcept { return share.millionths < 1'000'000; }
  bool keeps(const Record& r) const noexcept;
};

struct LogShape {
  LogFormat format = LogFormat::Json;
  LogTemplate line;  // of Template
  Redaction redaction;
  Sampling sampling;
  // Whether append_line() needs more than the format.
  bool is_plain() const noexcept { return format != LogFormat::Template && !redaction.is_on() && !sampling.is_on(); }
};

// Json and Logfmt with a redaction. Private to the log, as is what follows.
void append_redacted(std::string& out, const Record& r, const LogShape& shape);

// For the formats whose shape is fixed: those of their fields that can be redacted are, in a copy that views the same lists.
struct HiddenTexts {
  HiddenTexts(const Record& r, const Redaction& redaction) noexcept;
  Record record;
  std::string_view client;

 private:
  LogFieldRoom rooms_[5];
};
// Of Combined and Pretty.
bool can_be_redacted(LogFormat format, LogField field) noexcept;

}  // namespace gatelab::observe
