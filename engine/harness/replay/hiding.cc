// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/hiding.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "harness/replay/request.h"
#include "http/chars.h"

namespace gatelab::harness {
Hiding::Hiding(std::function<bool(const std::string&)> spared) : spared_(std::move(spared)), redactor_("printed, and never put back", &each_) {}

void Hiding::take(RecordedHeaders& headers, std::string& target, std::string& body) {
  each_.clear();
  const RecordedHeaders as_sent = headers;  // which say what the body is
  for (auto& [name, value] : headers) put(value, redactor_.header(name, value));
  put(target, redactor_.target(target));
  RecordedBody said;
  said.size = body.size();
  said.octets = std::make_shared<const std::string>(body);
  redactor_.body(as_sent, said, false);
  put(body, said.octets ? *said.octets : std::string(body.size(), 'x'));
}

void Hiding::take(const std::string& secret) {
  found_.add(secret, "<redacted>");
  std::string written;  // as texts of JSON are told, and as parts of a target
  append_json_escaped(written, secret);
  if (written != secret) found_.add(std::exchange(written, {}), "<redacted>");
  append_percent_encoded(written = {}, secret, [](char c) { return http::is(c, http::kUnreserved); });
  if (written != secret) found_.add(std::move(written), "<redacted>");
}

void Hiding::put(std::string& text, const std::string& redacted) {
  const std::vector<std::string> each = std::exchange(each_, {});
  const std::string shown = without_marks(redacted);
  if (shown == text || (spared_ && spared_(text))) return;
  for (const std::string& secret : each) take(secret);
  // However it stands there.
  const auto ends = std::mismatch(text.begin(), text.end(), shown.begin(), shown.end());
  found_.add(std::string(ends.first, text.end()), std::string(ends.second, shown.end()));
  found_.add(text, shown);
  text = shown;
  took_ = true;
}

std::string Hiding::shown(std::string_view header, const std::string& text) {
  each_.clear();
  std::string out = without_marks(header.empty() ? redactor_.text(text) : redactor_.header(header, text));
  each_.clear();
  if (out == text || (spared_ && spared_(text))) return text;
  took_ = true;
  return out;
}

}  // namespace gatelab::harness
