// SPDX-License-Identifier: Apache-2.0
// curl command lines, as browsers copy them and people write them: one a line (or more with a backslash at the end), `#` begins
// a comment. What an option says of the request is taken; what is curl's own affair is passed over; the rest is refused.
#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "harness/replay/import_parts.h"
#include "harness/replay/request.h"
#include "http/chars.h"

namespace gatelab::harness {
namespace {

struct Word {
  std::string text;
  std::size_t begin = 0, end = 0;
  bool shell = false;     // begins with what the shell takes for itself
  bool expanded = false;  // has what the shell would put a value in place of
};

// The words of one command as a POSIX shell would split them, $'…' too.
class Shell {
 public:
  explicit Shell(std::string_view text) : text_(text) {}
  bool at_end() const noexcept { return at_ >= text_.size(); }
  std::size_t at() const noexcept { return at_; }
  // False: a quote is open at the end.
  bool command(std::vector<Word>& words);

 private:
  bool single(std::string& out);
  bool twofold(std::string& out, bool& expanded);
  bool ansi(std::string& out);
  std::string_view text_;
  std::size_t at_ = 0;
};

// $NAME, ${NAME}, $(command)
bool names(char next) noexcept { return next == '(' || next == '{' || next == '_' || (ascii_lower(next) >= 'a' && ascii_lower(next) <= 'z'); }

bool Shell::single(std::string& out) {
  const std::size_t end = text_.find('\'', at_);
  if (end == std::string_view::npos) return at_ = text_.size(), false;
  out += text_.substr(at_, end - at_);
  at_ = end + 1;
  return true;
}

bool Shell::twofold(std::string& out, bool& expanded) {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    expanded = expanded || c == '`' || (c == '$' && at_ + 1 < text_.size() && names(text_[at_ + 1]));
    if (c == '"') return ++at_, true;
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\\' && (next == '"' || next == '\\' || next == '$' || next == '`')) out += text_[++at_];
    else if (c == '\\' && next == '\n') ++at_;
    else out += c;
  }
  return false;
}

bool Shell::ansi(std::string& out) {
  const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10 : -1; };
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\'') return ++at_, true;
    if (c != '\\' || at_ + 1 == text_.size()) {
      out += c;
      continue;
    }
    const char next = text_[++at_];
    const std::size_t digits = next == 'x' ? 2 : next == 'u' ? 4 : 0;
    unsigned code = 0;
    std::size_t n = 0;
    while (n < digits && at_ + 1 < text_.size() && hex(text_[at_ + 1]) >= 0) code = code * 16 + static_cast<unsigned>(hex(text_[++at_])), ++n;
    if (n > 0 && (next == 'x' || code < 0x80)) out += static_cast<char>(code);
    else if (n > 0 && code < 0x800) out += {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
    else if (n > 0) out += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)), static_cast<char>(0x80 | (code & 63))};
    else out += next == 'n' ? '\n' : next == 'r' ? '\r' : next == 't' ? '\t' : next;
  }
  return false;
}

bool Shell::command(std::vector<Word>& words) {
  bool within = false;
  const auto finish = [&] {
    if (std::exchange(within, false)) words.back().end = at_;
  };
  const auto begin = [&]() -> std::string& {
    if (!std::exchange(within, true)) words.emplace_back().begin = at_;
    return words.back().text;
  };
  while (at_ < text_.size()) {
    const char c = text_[at_], next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\\' && next == '\n') at_ += 2;
    else if (c == '\\' && next == '\r') at_ += 3;
    else if (c == '\n' || c == ';') {
      finish();
      ++at_;
      return true;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      finish();
      ++at_;
    } else if (c == '#' && !within) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '\'' || c == '"' || (c == '$' && next == '\'')) {
      std::string& out = begin();
      at_ += c == '$' ? 2 : 1;
      if (!(c == '\'' ? single(out) : c == '"' ? twofold(out, words.back().expanded) : ansi(out))) return finish(), false;
    } else {
      const bool first = !within;
      begin() += c == '\\' && next != '\0' ? next : c;
      words.back().shell = words.back().shell || (first && (c == '|' || c == '>' || c == '<' || c == '&'));
      words.back().expanded = words.back().expanded || c == '`' || (c == '$' && names(next));
      at_ += c == '\\' && next != '\0' ? 2 : 1;
    }
  }
  finish();
  return true;
}

constexpr std::string_view kPassedOver[] = {"-s", "--silent", "-S", "--show-error", "-k", "--insecure", "-L", "--location", "-i", "--include", "-v", "--verbose", "-f", "--fail", "--fail-with-body", "-4", "--ipv4", "-6", "--ipv6", "-O", "--remote-name",
                                            "--http1.1", "--http2", "--http1.0", "-0", "--compressed", "-g", "--globoff", "-N", "--no-buffer", "--path-as-is", "-#", "--progress-bar", "--no-progress-meter", "--tlsv1.2", "--tlsv1.3", "--basic"};
constexpr std::string_view kPassedOverWithValue[] = {"-o", "--output", "-m", "--max-time", "--connect-timeout", "--resolve", "--connect-to", "--cacert", "--cert", "-E", "--key", "-w", "--write-out", "-x", "--proxy", "--retry", "--retry-delay", "--retry-max-time", "--max-redirs", "--limit-rate", "-c", "--cookie-jar", "-D", "--dump-header"};
constexpr std::string_view kTaken[] = {"-X", "--request", "-H", "--header", "-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json", "-u", "--user", "--oauth2-bearer", "-b", "--cookie", "-A", "--user-agent", "-e", "--referer", "-r", "--range", "--url"};
// To be named where they are refused.
constexpr std::string_view kNotImported[] = {"--form", "--form-string", "--upload-file", "--config", "--digest", "--ntlm", "--negotiate", "--anyauth", "--aws-sigv4", "--proxy-user", "--netrc", "--next", "--request-target", "--url-query", "--variable", "--http3"};
constexpr std::string_view kFlags[] = {"-G", "--get", "-I", "--head"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// One command, after its words are known.
class Command {
 public:
  Command(Importing& in, const std::vector<Word>& words) : in_(in), words_(words) {}
  void import();

 private:
  bool option(std::string_view name, const std::string& value, const Word& word);
  bool options(std::size_t& at);
  bool named(std::string_view name, std::string_view rest, std::size_t& at, bool& took_rest);
  bool data(std::string_view name, const std::string& value, const Word& word);
  bool refuse(const Word& word, std::string message, std::string hint) { return in_.error(word.begin, word.end, std::move(message), std::move(hint)), false; }
  bool has(std::string_view header) const { return has_header(e_.request.headers, header); }
  Importing& in_;
  const std::vector<Word>& words_;
  RecordedExchange e_;
  std::string url_, body_, type_, authorization_;
  bool has_body_ = false, get_ = false, head_ = false;
};

bool Command::data(std::string_view name, const std::string& value, const Word& word) {
  // name@file too, where there is no =.
  const bool from_file = name == "--data-urlencode" ? value.find('=') == std::string::npos && value.find('@') != std::string::npos : name != "--data-raw" && value.starts_with('@');
  if (from_file) return refuse(word, "the body is read from a file, which is not imported", "put it in: --data-raw '…'");
  if (has_body_ && name != "--json") body_ += '&';
  has_body_ = true;
  type_ = name == "--json" ? "application/json" : type_.empty() ? "application/x-www-form-urlencoded" : type_;
  if (name != "--data-urlencode") return body_ += value, true;
  const std::size_t equals = value.find('=');
  const std::size_t from = equals == std::string::npos ? 0 : equals + 1;
  if (equals != 0) body_ += value.substr(0, from);
  append_percent_encoded(body_, std::string_view(value).substr(from), [](char c) { return http::is(c, http::kUnreserved); });
  return true;
}

bool Command::option(std::string_view name, const std::string& value, const Word& word) {
  auto& headers = e_.request.headers;
  if (name == "-X" || name == "--request") return e_.request.method = value, true;
  if (name == "--url") return url_ = value, true;
  if (name == "-u" || name == "--user") return authorization_ = "Basic " + base64_encode(value.find(':') == std::string::npos ? value + ":" : value), true;
  if (name == "--oauth2-bearer") return authorization_ = "Bearer " + value, true;
  if (name == "-r" || name == "--range") return headers.emplace_back("Range", "bytes=" + value), true;
  if (name == "-A" || name == "--user-agent") return headers.emplace_back("User-Agent", value), true;
  if (name == "-e" || name == "--referer") return headers.emplace_back("Referer", value), true;
  if (name == "-b" || name == "--cookie") {
    if (value.find('=') == std::string::npos) return refuse(word, "the cookies are read from a file, which is not imported", "write the cookies: -b 'name=value'");
    return headers.emplace_back("Cookie", value), true;
  }
  if (name != "-H" && name != "--header") return data(name, value, word);
  const std::size_t colon = value.find(':');
  if (colon == std::string::npos && !value.ends_with(';')) return refuse(word, "this is no header", "write it as 'Name: value'");
  if (colon == std::string::npos) return headers.emplace_back(value.substr(0, value.size() - 1), ""), true;
  const std::string content(trim_ows(std::string_view(value).substr(colon + 1)));
  if (!content.empty()) headers.emplace_back(value.substr(0, colon), content);  // `Name:` takes one of curl's away
  return true;
}

// One option: `rest` is what stands in its word behind it, which is its value if it takes one.
bool Command::named(std::string_view name, std::string_view rest, std::size_t& at, bool& took_rest) {
  const Word& word = words_[at];
  // What is none of curl's may be anything, a secret too.
  const bool known = is_one_of(name, kTaken) || is_one_of(name, kPassedOverWithValue) || is_one_of(name, kNotImported) || (name.size() == 2 && name.back() > ' ' && name.back() < 0x7f);
  const std::string shown = known ? "`" + std::string(name) + "`" : "this";
  if (is_one_of(name, kFlags)) {
    (name == "-G" || name == "--get" ? get_ : head_) = true;
    return true;
  }
  if (is_one_of(name, kPassedOver)) return true;
  if (!is_one_of(name, kTaken) && !is_one_of(name, kPassedOverWithValue)) return refuse(word, shown + " is an option of curl that is not imported", "take it out, or say the same by -X, -H and --data-raw");
  std::string value(rest);
  took_rest = true;
  if (value.empty()) {
    if (at + 1 == words_.size()) return refuse(word, shown + " has no value", "write it behind the option");
    value = words_[++at].text;
  }
  return !is_one_of(name, kTaken) || option(name, value, words_[at]);
}

// The word at `at`, and the next if that is its value: --data x, -XPOST, -sSL. Of what is not known only a name is shown.
bool Command::options(std::size_t& at) {
  const std::string_view text = words_[at].text;
  bool took_rest = false;
  if (text.starts_with("--")) {
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) return refuse(words_[at], "an option with its value behind a =, which curl does not know", "write the value as a word of its own");
    return named(text, {}, at, took_rest);
  }
  for (std::size_t i = 1; i < text.size() && !took_rest; ++i) {
    const std::string name{'-', text[i]};
    if (!named(name, text.substr(i + 1), at, took_rest)) return false;
  }
  return true;
}

void Command::import() {
  const std::size_t first = words_.front().text == "$" ? 1 : 0;
  if (words_.size() <= first || words_[first].text != "curl") return in_.error(words_.front().begin, words_.front().end, "this is no curl command", "each line begins with curl, or with # for a comment");
  for (const Word& word : words_)
    if (word.expanded) in_.warning(word.begin, word.end, "what the shell would put in here is not known: it is taken as it stands", "put the value in, or quote it by '…' if it is meant so");
  for (std::size_t i = first + 1; i < words_.size(); ++i) {
    const Word& word = words_[i];
    if (word.shell) return in_.error(word.begin, word.end, "a pipe, a redirection or an & of the shell", "write the curl command alone");
    if (word.text.size() > 1 && word.text.front() == '-') {
      if (!options(i)) return;
      continue;
    }
    if (!url_.empty()) return in_.error(word.begin, word.end, "a second URL", "write a curl command for each");
    url_ = word.text;
  }
  // One that is written as a header goes before the others, and the last of these before what the URL says.
  if (!authorization_.empty() && !has("authorization")) e_.request.headers.emplace_back("Authorization", authorization_);
  const Word &from = words_.front(), &to = words_.back();
  if (!take_url(url_.find("://") == std::string::npos ? "http://" + url_ : url_, e_)) return in_.error(from.begin, to.end, url_.empty() ? "the command has no URL" : "the URL is no http or https URL", "write the whole URL");
  if (get_ && has_body_) e_.request.target += (e_.request.target.find('?') == std::string::npos ? "?" : "&") + body_;
  const bool sends = has_body_ && !get_;
  if (e_.request.method.empty()) e_.request.method = head_ ? "HEAD" : sends ? "POST" : "GET";
  if (sends) {
    if (!has("content-type")) e_.request.headers.emplace_back("Content-Type", type_);
    if (!has("content-length")) e_.request.headers.emplace_back("Content-Length", std::to_string(body_.size()));
    e_.request.body = body_from(body_);
  }
  in_.add(std::move(e_), from.begin, to.end, "");
}

}  // namespace

void import_curl(Importing& in) {
  Shell shell(in.source->text);
  while (!shell.at_end()) {
    std::vector<Word> words;
    const std::size_t begin = shell.at();
    if (!shell.command(words)) return in.error(begin, begin, "a quote of this command is not closed", "close it; the command is one line unless each ends with \\");
    if (!words.empty()) Command(in, words).import();
  }
}

}  // namespace gatelab::harness
