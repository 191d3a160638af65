// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/hiding.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "harness/replay/request.h"

namespace gatelab::harness {
namespace {

constexpr std::size_t kLong = 5;  // shorter ones stand in too much that has nothing to do with them

}  // namespace

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
  // One may be a part of another.
  std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

void Hiding::put(std::string& text, const std::string& redacted) {
  const std::vector<std::string> each = std::exchange(each_, {});
  const std::string shown = without_marks(redacted);
  if (shown == text || (spared_ && spared_(text))) return;
  for (const std::string& secret : each) {
    if (secret.size() < kLong) continue;
    found_.emplace_back(secret, "<redacted>");
    std::string escaped;  // as texts of JSON are told
    append_json_escaped(escaped, secret);
    if (escaped != secret) found_.emplace_back(std::move(escaped), "<redacted>");
  }
  // Percent-encoded, or however it stands there.
  const auto ends = std::mismatch(text.begin(), text.end(), shown.begin(), shown.end());
  if (static_cast<std::size_t>(text.end() - ends.first) >= kLong) found_.emplace_back(std::string(ends.first, text.end()), std::string(ends.second, shown.end()));
  found_.emplace_back(text, shown);
  text = shown;
  took_ = true;
}

void Hiding::hide(std::string& text) const {
  for (const auto& [secret, shown] : found_)
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + shown.size())) text.replace(at, secret.size(), shown);
}

}  // namespace gatelab::harness
