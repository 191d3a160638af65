// SPDX-License-Identifier: Apache-2.0
#include "policy/json/program.h"

#include <algorithm>

namespace gatelab::policy {
namespace {

using json::Document;
using json::kNone;
using json::Ref;
using End = JsonEdited::End;

End end_of(json::Fault::Kind kind) noexcept {
  switch (kind) {
    case json::Fault::Kind::Malformed: return End::Malformed;
    case json::Fault::Kind::TooDeep: return End::TooDeep;
    case json::Fault::Kind::TooMany: return End::TooMany;
  }
  return End::Malformed;
}

// One run over one body.
class Editing {
 public:
  Editing(Document& document, const RenderedTexts& rendered, const JsonBounds& bounds) noexcept : document_(document), rendered_(rendered), visits_(bounds.visits), most_(2 * bounds.limits.values + 1000) {}
  JsonEdited& result() noexcept { return result_; }

  // False: it can't be gone on with; the result says why.
  bool apply(const JsonEdit& edit) {
    if (!edit.pick.empty() && !pick(edit.pick)) return false;
    for (const JsonTarget& target : edit.remove)
      if (!each(target, [this](Ref at) { return document_.take_out(at), true; })) return false;
    for (const auto& [from, to] : edit.move)
      if (!each(from, [this, &to = to](Ref at) { return move(at, to); })) return false;
    for (const auto& [target, name] : edit.rename)
      if (!each(target, [this, &name = name](Ref at) { return rename(at, name); })) return false;
    for (const auto& [target, value] : edit.set)
      if (!set(target, value)) return false;
    if (!edit.wrap.empty()) wrap(edit.wrap);
    return true;
  }

 private:
  bool fail(End end, std::string why) {
    result_ = {end, std::move(why), false};
    return false;
  }
  void changed() noexcept { result_.end = End::Changed; }

  bool select(const JsonTarget& target) {
    found_.clear();
    if (target.select(document_, visits_, found_)) return true;
    fail(End::TooMany, "a JSONPath would have to look at too much");
    result_.gave_up = true;
    return false;
  }

  template <class F>
  bool each(const JsonTarget& target, F edit) {
    if (!select(target)) return false;
    for (const Ref at : found_) {
      changed();
      if (!edit(at)) return false;
    }
    return true;
  }

  // All that is not selected, does not lead to what is, and is no part of it, goes.
  bool pick(const std::vector<JsonTarget>& targets) {
    enum : char { Goes, Leads, Stays };
    std::vector<char> marks(document_.values(), Goes);
    for (const JsonTarget& target : targets) {
      if (!select(target)) return false;
      for (const Ref at : found_) {
        marks[at] = Stays;
        for (Ref up = document_.parent(at); up != kNone && marks[up] == Goes; up = document_.parent(up)) marks[up] = Leads;
      }
    }
    const Ref root = document_.root();
    if (root == kNone || marks[root] == Stays) return true;
    if (document_.kind(root) < json::Kind::Array) return document_.take_out(root), changed(), true;
    std::vector<Ref> open{root};
    while (!open.empty()) {
      const Ref container = open.back();
      open.pop_back();
      for (Ref at = document_.first(container), next = kNone; at != kNone; at = next) {
        next = document_.next(at);
        if (marks[at] == Leads) open.push_back(at);
        if (marks[at] != Goes) continue;
        document_.take_out(at);
        changed();
      }
    }
    return true;
  }

  bool rename(Ref at, const std::string& name) {
    const Ref parent = document_.parent(at);
    if (parent != kNone && document_.is(parent, json::Kind::Object)) document_.rename(at, name);
    return true;
  }

  bool move(Ref at, const json::Pointer& to) {
    document_.take_out(at);
    return put(to, at);
  }

  bool put(const json::Pointer& to, Ref value) {
    const Ref in_the_way = to.put(document_, value);
    if (in_the_way == kNone) return true;
    std::string place;
    for (const std::string& token : to.tokens()) json::append_token(place, token);
    return fail(End::Mismatch, "there is no place for " + place + ": " + std::string(json::name(document_.kind(in_the_way))) + " is in its way");
  }

  bool set(const JsonTarget& target, const JsonNewValue& value) {
    if (target.pointer() != nullptr) {
      const Ref made = value.make(document_, rendered_, at_);
      if (made != kNone) return changed(), put(*target.pointer(), made);
      return each(target, [this](Ref at) { return document_.take_out(at), true; });
    }
    if (!select(target)) return false;
    const Ref made = value.make(document_, rendered_, at_);
    bool first = true;
    for (const Ref at : found_) {
      changed();
      if (made == kNone) document_.take_out(at);
      else if (std::exchange(first, false)) document_.put_in_place_of(at, made);
      // What the first has become is copied as it was made: what it has in it is its own.
      else document_.put_in_place_of(at, document_.copy(made, value.values()));
      if (document_.values() > most_) return fail(End::TooMany, "what is set makes too many values");
    }
    return true;
  }

  void wrap(const std::vector<std::string>& names) {
    Ref inner = document_.root();
    if (inner == kNone) inner = document_.graft(*Document::parse("null", {}));
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      const Ref outer = document_.add(json::Kind::Object);
      document_.append(outer, *name, inner);
      inner = outer;
    }
    document_.set_root(inner);
    changed();
  }

  Document& document_;
  const RenderedTexts& rendered_;
  const std::size_t visits_, most_;
  std::size_t at_ = 0;  // of what was rendered
  std::vector<Ref> found_;
  JsonEdited result_;
};

}  // namespace

bool JsonProgram::speaks_of(std::uint16_t status) const noexcept {
  return std::any_of(edits_.begin(), edits_.end(), [status](const JsonEdit& edit) { return edit.statuses.has(status); });
}

RenderedTexts JsonProgram::render(const Input& in, std::uint16_t status) const {
  RenderedTexts out;
  for (const JsonEdit& edit : edits_) {
    if (!edit.statuses.has(status)) continue;
    for (const auto& [target, value] : edit.set) value.render(in, out);
  }
  return out;
}

JsonEdited JsonProgram::run(std::string_view body, std::uint16_t status, const RenderedTexts& rendered, const JsonBounds& bounds) const {
  auto document = Document::parse(body, bounds.limits);
  if (!document) return {end_of(document.error().kind), std::string(document.error().what) + ", at octet " + std::to_string(document.error().at + 1), false};
  Editing editing(*document, rendered, bounds);
  for (const JsonEdit& edit : edits_)
    if (edit.statuses.has(status) && !editing.apply(edit)) return std::move(editing.result());
  JsonEdited out = std::move(editing.result());
  if (out.end == End::Changed && !document->write(out.text, bounds.size)) return {End::TooLarge, "the edited body is longer than max_size", false};
  return out;
}

}  // namespace gatelab::policy
