// SPDX-License-Identifier: Apache-2.0
// What is wrong, where, and what to do: the one form of every error that points into a file (configuration, scenario,
// failed expectation). Plain values; a Sink belongs to one caller on one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatelab::diag {

// Where the lines of a text begin; found once, when it is first asked for. Every route of a configuration knows its place:
// looking for each from the file's beginning took minutes for a hundred thousand of them. Any thread.
class LineStarts {
 public:
  LineStarts() = default;
  LineStarts(const LineStarts&) {}  // a copy looks for itself
  LineStarts& operator=(const LineStarts&) = delete;
  const std::vector<std::uint32_t>& of(std::string_view text) const;

 private:
  mutable std::once_flag once_;
  mutable std::vector<std::uint32_t> starts_;
};

// A file's name as the user typed it and its whole text. Shared, immutable once a span points into it; spans keep it alive.
struct SourceFile {
  std::string name;
  std::string text;
  LineStarts lines{};
};
using SourcePtr = std::shared_ptr<const SourceFile>;

// 1-based; columns count code points.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// Octets [begin, end) of `file`. A default Span points nowhere.
struct Span {
  SourcePtr file;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  explicit operator bool() const noexcept { return file != nullptr; }
};

Position position_of(const SourceFile& file, std::uint32_t offset) noexcept;
// "gateway.yaml:17" and "gateway.yaml:17:5"; empty for a Span that points nowhere.
std::string place(const Span& span);
std::string place_with_column(const Span& span);

enum class Severity : std::uint8_t { Error, Warning, Note };

struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Severity severity = Severity::Error;
  std::string id;       // stable kebab-case: unknown-key
  std::string message;  // lower case, no full stop, quotes the offending value
  Span span;
  std::string note;            // beside the caret: "expected a duration such as 5s"
  std::vector<Label> related;  // "first defined here"
  std::string hint;            // what to do
  bool quoted = true;          // false: only the place is said, as what stands there may be a secret
};

// Collects; keeps order of report. render() sorts by file and position. Credentials in URLs are shown as ***.
class Sink {
 public:
  void report(Diagnostic d);
  // Whatever else is wrong with what stands exactly there is not told: it only follows from the first error. It counts.
  void silence(const Span& span) { silenced_.push_back(span); }
  // What is told from here on does not quote this text: a value of the environment, which may be a secret.
  void conceal(std::string text);
  void conceal_as(const Sink& other);
  void error(std::string id, const Span& span, std::string message, std::string hint = {});
  void warning(std::string id, const Span& span, std::string message, std::string hint = {});
  // "there is no issuer `mian`", id unknown-issuer, with the nearest of `names` and all of them as the hint.
  void no_such(std::string_view what, std::string_view name, const Span& span, const std::vector<std::string_view>& names);
  bool has_errors() const noexcept;
  std::size_t errors() const noexcept;       // told or not
  std::size_t told_errors() const noexcept;
  std::size_t warnings() const noexcept;
  const std::vector<Diagnostic>& all() const noexcept { return all_; }

 private:
  std::string without_secrets(std::string_view text) const;

  std::vector<Diagnostic> all_;
  std::vector<Span> silenced_;
  std::vector<std::string> concealed_;
  std::size_t untold_errors_ = 0;
};

enum class Colour : std::uint8_t { Off, On };

// As rustc does it:
//   error[unknown-key]: unknown key `timout` in upstream
//     --> gateway.yaml:12:7
//      |
//   12 |       timout: 5s
//      |       ^^^^^^ did you mean `timeouts`?
//      = hint: …
std::string render(const Diagnostic& d, Colour colour);
// All of a sink's, sorted by file, line, column; a blank line between; no summary.
std::string render_all(const Sink& sink, Colour colour);
// A JSON array: [{"severity","id","message","file","line","column","end_line","end_column","note","hint","related":[…]}]
std::string render_json(const Sink& sink);

// The candidate nearest to `word` by edit distance (insert, delete, replace, swap), or empty when none is close
// (distance over a third of the word's length). Ties: the earlier.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace gatelab::diag
