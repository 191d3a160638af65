// SPDX-License-Identifier: Apache-2.0
#include "diag/diagnostic.h"

#include <algorithm>
#include <utility>

#include "base/userinfo.h"

namespace gatelab::diag {
namespace {

// A shorter one would be found in half of all words; of up to kCommon octets it is looked for in what is quoted only.
constexpr std::size_t kShortest = 3, kCommon = 8;
constexpr std::string_view kRedacted = "<redacted>";

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string replaced(std::string_view text, std::string_view what) {
  std::string out;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what)) {
    out.append(text.substr(0, at)).append(kRedacted);
    text.remove_prefix(at + what.size());
  }
  return out.append(text);
}

// Only between backticks.
std::string replaced_in_quotes(std::string_view text, std::string_view what) {
  std::string out;
  for (bool quoted = false;; quoted = !quoted) {
    const std::size_t end = text.find('`');
    const std::string_view part = text.substr(0, end);
    out += quoted ? replaced(part, what) : std::string(part);
    if (end == std::string_view::npos) return out;
    out += '`';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const std::vector<std::uint32_t>& LineStarts::of(std::string_view text) const {
  std::call_once(once_, [this, text] {
    starts_.push_back(0);
    for (std::size_t lf = text.find('\n'); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) starts_.push_back(static_cast<std::uint32_t>(lf + 1));
  });
  return starts_;
}

Position position_of(const SourceFile& file, std::uint32_t offset) noexcept {
  const std::vector<std::uint32_t>& starts = file.lines.of(file.text);
  const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(offset, file.text.size()));
  const auto line = std::upper_bound(starts.begin(), starts.end(), end) - 1;
  const auto octets = std::string_view(file.text).substr(*line, end - *line);
  const auto columns = std::count_if(octets.begin(), octets.end(), [](char c) { return !continues(c); });
  return {static_cast<std::uint32_t>(line - starts.begin() + 1), static_cast<std::uint32_t>(columns + 1)};
}

std::string place(const Span& span) {
  if (!span) return {};
  return span.file->name + ":" + std::to_string(position_of(*span.file, span.begin).line);
}

std::string place_with_column(const Span& span) {
  if (!span) return {};
  const Position p = position_of(*span.file, span.begin);
  return span.file->name + ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
}

void Sink::error(std::string id, const Span& span, std::string message, std::string hint) {
  report({Severity::Error, std::move(id), std::move(message), span, {}, {}, std::move(hint)});
}

void Sink::warning(std::string id, const Span& span, std::string message, std::string hint) {
  report({Severity::Warning, std::move(id), std::move(message), span, {}, {}, std::move(hint)});
}

void Sink::conceal(std::string text) {
  // Each row of a case names its variables again.
  if (text.size() >= kShortest && std::find(concealed_.begin(), concealed_.end(), text) == concealed_.end()) concealed_.push_back(std::move(text));
}

void Sink::conceal_as(const Sink& other) { concealed_.insert(concealed_.end(), other.concealed_.begin(), other.concealed_.end()); }

std::string Sink::without_secrets(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : concealed_) out = secret.size() < kCommon ? replaced_in_quotes(out, secret) : replaced(out, secret);
  return without_userinfo(out);
}

void Sink::report(Diagnostic d) {
  for (std::string* text : {&d.message, &d.note, &d.hint}) *text = without_secrets(*text);
  for (Label& label : d.related) label.text = without_secrets(label.text);
  const auto same = [&d](const Span& s) { return s.file == d.span.file && s.begin == d.span.begin && s.end == d.span.end; };
  if (std::none_of(silenced_.begin(), silenced_.end(), same)) all_.push_back(std::move(d));
  else if (d.severity == Severity::Error) ++untold_errors_;
}

void Sink::no_such(std::string_view what, std::string_view name, const Span& span, const std::vector<std::string_view>& names) {
  Diagnostic d;
  d.id = "unknown-" + std::string(what);
  d.message.append("there is no ").append(what).append(" `").append(name).append("`");
  d.span = span;
  const std::string_view near = nearest(name, names);
  if (!near.empty()) d.note.append("did you mean `").append(near).append("`?");
  d.hint.append(names.empty() ? "there are no `" : "known ").append(what).append(names.empty() ? "s`" : "s:");
  for (std::size_t i = 0; i < names.size(); ++i) d.hint.append(i == 0 ? " " : ", ").append(names[i]);
  report(std::move(d));
}

bool Sink::has_errors() const noexcept { return errors() > 0; }

std::size_t Sink::errors() const noexcept { return told_errors() + untold_errors_; }

std::size_t Sink::told_errors() const noexcept {
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const Diagnostic& d) { return d.severity == Severity::Error; }));
}

std::size_t Sink::warnings() const noexcept {
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const Diagnostic& d) { return d.severity == Severity::Warning; }));
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + (word.size() < 3 ? 1 : 0);
  bool found = false;
  for (const std::string_view candidate : candidates) {
    // Optimal string alignment distance: three rows are enough.
    const std::size_t n = candidate.size();
    std::vector<std::size_t> before(n + 1), row(n + 1), next(n + 1);
    for (std::size_t j = 0; j <= n; ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      next[0] = i;
      for (std::size_t j = 1; j <= n; ++j) {
        const std::size_t cost = word[i - 1] == candidate[j - 1] ? 0 : 1;
        next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + cost});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) next[j] = std::min(next[j], before[j - 2] + 1);
      }
      before = std::exchange(row, next);
    }
    const std::size_t distance = row[n];
    if (distance < best_distance || (!found && distance == best_distance)) {
      best = candidate;
      best_distance = distance;
      found = true;
    }
  }
  return best;
}

}  // namespace gatelab::diag
