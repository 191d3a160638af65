// SPDX-License-Identifier: Apache-2.0
// YAML text to located tree, through yaml-cpp's events: the only file that includes yaml-cpp.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "config/copy.h"
#include "config/scalar.h"

namespace gatelab::config {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kMaxOctets = 64 * 1024 * 1024;
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

// Thrown through yaml-cpp, which offers no other way to stop; caught in parse().
struct Stop {};

// The first octet that is not part of UTF-8 (RFC 3629), or npos.
std::size_t first_bad_utf8(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i]);
    const std::size_t n = lead < 0x80 ? 1 : lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (n == 0 || i + n > s.size()) return i;
    for (std::size_t j = 1; j < n; ++j)
      if ((static_cast<unsigned char>(s[i + j]) & 0xC0U) != 0x80U) return i;
    const auto second = n > 1 ? static_cast<unsigned char>(s[i + 1]) : 0U;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return i;
    i += n;
  }
  return std::string_view::npos;
}

Node copy(const Node& from, std::size_t& nodes) {
  ++nodes;
  Node out = shell_of(from);
  if (nodes > kMaxNodes) return out;
  for (const Node& item : from.items) out.items.push_back(copy(item, nodes));
  for (const Entry& e : from.entries) out.entries.push_back({e.key, e.key_span, std::make_unique<Node>(copy(*e.value, nodes))});
  return out;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const diag::SourcePtr& file, std::size_t shift, const ParseOptions& options, diag::Sink& sink)
      : file_(file), shift_(shift), options_(options), sink_(sink) {}

  std::unique_ptr<Node> take() { return std::move(root_); }
  std::size_t unset() const noexcept { return unset_; }  // variables; each is an error

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      sink_.error("second-document", span(at(mark), at(mark)), "the file holds a second document", "keep one document a file: remove what begins with ---");
      throw Stop{};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    const std::size_t begin = skip_properties(file_->text, at(mark));
    std::size_t end = begin;
    for (const std::string_view word : {"null", "Null", "NULL", "~"})
      if (std::string_view(file_->text).substr(begin, word.size()) == word) end = begin + word.size();
    // An empty value has no place of its own: the key before it has.
    node.span = end == begin && !open_.empty() && open_.back().has_key ? open_.back().key_span : span(begin, end);
    add(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    const std::size_t begin = skip_properties(file_->text, at(mark));
    Node node;
    const std::size_t end = scalar_end(file_->text, begin, value);
    if (end == std::string_view::npos) {
      sink_.error("yaml-syntax", span(begin, begin + 1), "not YAML: the quote is never closed");
      throw Stop{};
    }
    node.text = value;
    node.span = span(begin, end);
    node.quoted = tag == "!" || tag == std::string(kCoreTag) + "str";
    check_tag(tag, node.span, {"str", "int", "float", "bool", "null"});
    if (options_.substitute_env && !next_is_key() && substitute_env(node, options_.env, sink_) == Substituted::Unset) {
      ++unset_;
      sink_.silence(node.span);
    }
    node.kind = node.quoted ? Kind::Text : plain_kind(node.text);
    if (node.kind == Kind::Bool) node.boolean = node.text[0] == 't' || node.text[0] == 'T';
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      sink_.error("recursive-alias", span(at(mark), at(mark) + 1), "the alias stands inside of what it names", "an alias can only repeat what is complete before it");
      throw Stop{};
    }
    Node node = copy(known->second, nodes_);
    add(std::move(node), YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::List, "seq");
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::Map, "map");
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;
    bool duplicate = false;
    std::string key;
    diag::Span key_span;
  };

  std::size_t at(const YAML::Mark& mark) const noexcept {
    return std::min(file_->text.size(), static_cast<std::size_t>(std::max(0, mark.pos)) + shift_);
  }
  diag::Span span(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(std::max(begin, end))};
  }
  bool next_is_key() const noexcept { return !open_.empty() && open_.back().node.kind == Kind::Map && !open_.back().has_key; }

  void check_tag(const std::string& tag, const diag::Span& where, std::initializer_list<std::string_view> core) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    for (const std::string_view name : core)
      if (tag == std::string(kCoreTag) + std::string(name)) return;
    sink_.error("foreign-tag", where, "the tag `" + tag + "` is not known here", "remove the tag");
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind, std::string_view core) {
    const std::size_t begin = skip_properties(file_->text, at(mark));
    if (next_is_key()) {
      sink_.error("bad-key", span(begin, begin + 1), "a key must be text, not " + std::string(kind_name(kind)));
      throw Stop{};
    }
    if (open_.size() >= kMaxDepth) {
      sink_.error("too-deep", span(begin, begin + 1), "nested deeper than " + std::to_string(kMaxDepth) + " levels");
      throw Stop{};
    }
    Open opened;
    opened.node.kind = kind;
    opened.node.span = span(begin, begin + 1);
    opened.anchor = anchor;
    check_tag(tag, opened.node.span, {core});
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    const Node& n = closed.node;
    std::uint32_t end = n.span.end;
    if (!n.items.empty()) end = std::max(end, n.items.back().span.end);
    if (!n.entries.empty()) end = std::max(end, std::max(n.entries.back().key_span.end, n.entries.back().value->span.end));
    // A flow collection ends with its bracket, if that is near.
    const std::string_view text = file_->text;
    const char open = n.span.begin < text.size() ? text[n.span.begin] : '\0';
    if (open == '[' || open == '{') {
      const std::size_t bracket = text.find_first_not_of(" ,\t", end);
      if (bracket != std::string_view::npos && text[bracket] == (open == '[' ? ']' : '}')) end = static_cast<std::uint32_t>(bracket + 1);
    }
    closed.node.span.end = end;
    add(std::move(closed.node), closed.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (++nodes_ > kMaxNodes) {
      sink_.error("too-large", node.span, "the file has more than a million values", "are aliases repeated within aliases?");
      throw Stop{};
    }
    if (anchor != YAML::NullAnchor) anchors_.insert_or_assign(anchor, copy(node, nodes_));
    if (open_.empty()) {
      root_ = std::make_unique<Node>(std::move(node));
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Kind::List) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node);
    } else {
      parent.has_key = false;
      if (!parent.duplicate) parent.node.entries.push_back({std::move(parent.key), parent.key_span, std::make_unique<Node>(std::move(node))});
    }
  }

  void take_key(Open& parent, Node& node) {
    parent.has_key = true;
    parent.key = node.text;
    parent.key_span = node.span;
    if (node.kind == Kind::Null && node.text.empty()) {
      sink_.error("bad-key", node.span, "a key is missing");
      throw Stop{};
    }
    if (node.text == "<<" && !node.quoted) sink_.error("merge-key", node.span, "merge keys are not part of YAML 1.2", "repeat the keys, or use an alias for the whole value");
    const Entry* first = parent.node.entry(parent.key);
    parent.duplicate = first != nullptr;
    if (first == nullptr) return;
    diag::Diagnostic d;
    d.id = "duplicate-key";
    d.message = "the key `" + parent.key + "` is written twice";
    d.span = node.span;
    d.related.push_back({first->key_span, "first written here"});
    d.hint = "keep one of them";
    sink_.report(std::move(d));
  }

  const diag::SourcePtr& file_;
  std::size_t shift_;
  const ParseOptions& options_;
  diag::Sink& sink_;
  std::unique_ptr<Node> root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t unset_ = 0;
  int documents_ = 0;
};

void run(Builder& builder, const std::string& text, const diag::SourcePtr& file, std::size_t shift, diag::Sink& sink) {
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
  } catch (const YAML::Exception& e) {
    const std::size_t at = std::min(file->text.size(), static_cast<std::size_t>(std::max(0, e.mark.pos)) + shift);
    std::string message = e.msg;
    if (!message.empty() && message.front() >= 'A' && message.front() <= 'Z') message.front() = static_cast<char>(message.front() + 32);
    sink.error("yaml-syntax", {file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at)}, "not YAML: " + message);
  }
}

}  // namespace

std::unique_ptr<Node> parse(const diag::SourcePtr& file, const ParseOptions& options, diag::Sink& sink) {
  const std::size_t before = sink.errors();
  const auto point = [&file](std::size_t at) { return diag::Span{file, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at)}; };
  if (file->text.size() > kMaxOctets) {
    sink.error("too-large", point(0), "the file is larger than 64 MiB");
    return nullptr;
  }
  const std::size_t bad = first_bad_utf8(file->text);
  if (bad != std::string_view::npos) {
    sink.error("not-utf8", point(bad), "the file is not UTF-8 here", "save it as UTF-8");
    return nullptr;
  }
  const std::size_t nul = file->text.find('\0');
  if (nul != std::string::npos) {
    sink.error("yaml-syntax", point(nul), "not YAML: a NUL octet");
    return nullptr;
  }
  const std::size_t shift = std::string_view(file->text).starts_with(kBom) ? kBom.size() : 0;
  Builder builder(file, shift, options, sink);
  run(builder, file->text.substr(shift), file, shift, sink);
  auto root = builder.take();
  // What is not set leaves its place as it is written, and hides nothing of the rest.
  if (sink.errors() != before + builder.unset()) return nullptr;
  if (root == nullptr) {
    sink.error("empty-file", point(0), "the file is empty");
    return nullptr;
  }
  return root;
}

}  // namespace gatelab::config
