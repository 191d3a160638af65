// SPDX-License-Identifier: Apache-2.0
#include "policy/compress/compress.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "http/digest_fields.h"
#include "policy/changed_answer.h"
#include "policy/compress/accept_encoding.h"
#include "policy/compress/request_coding.h"
#include "policy/compress/tally.h"
#include "policy/when.h"
#include "policy/whole_body.h"

namespace gatelab::policy {
namespace {

using coding::Coding;

// Text that no one has compressed yet. Pictures, films and archives are smaller already.
constexpr std::string_view kTypes[] = {"text/*", "application/json", "application/*+json", "application/x-ndjson", "application/javascript", "application/xml", "application/*+xml", "application/wasm", "image/svg+xml"};
constexpr std::string_view kEvents = "text/event-stream";

// "application/*+json": one star stands for anything.
bool fits(std::string_view pattern, std::string_view type) noexcept {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return iequals(pattern, type);
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return type.size() >= before.size() + after.size() && iequals(type.substr(0, before.size()), before) && iequals(type.substr(type.size() - after.size()), after);
}

class Compression final : public BodyFilter {
 public:
  Compression(const Policy& of, Coding coding, int level, Tally& tally) : BodyFilter(of), encoder_(coding::make_encoder(coding, level)), tally_(tally) {}
  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    const coding::Moved step = encoder_->move(in, behind, out);
    Moved moved;
    moved.taken = step.taken;
    moved.made = step.made;
    moved.more = step.more;
    if (step.broken) moved.failure = &observe::reason::kInternal;
    tally_.add(Tally::Of::AnswerPlain, step.taken);
    tally_.add(Tally::Of::AnswerCoded, step.made);
    return moved;
  }

 private:
  std::unique_ptr<coding::Coder> encoder_;
  Tally& tally_;
};

class Compress final : public Policy {
 public:
  std::string_view kind() const noexcept override { return "compress"; }
  Phase phase() const noexcept override { return Phase::Transform; }
  bool has_on_response() const noexcept override { return !codings.empty(); }

  Step step(Input& in) const noexcept override {
    in.scratch.a = when.fits(in) ? 1 : 0;
    if (in.scratch.a == 0) return Step::skip("`when` does not speak of it");
    if (in.request.fields.lists(http::FieldId::CacheControl, "no-transform")) {  // RFC 9111 §5.2.1.6
      in.scratch.b = pack({});
      return Step::skip("the request says no-transform");
    }
    const Accepted accepted = accept_encoding(in.request.fields, codings);
    in.scratch.b = pack(accepted);
    std::string_view undone;
    if (decompresses && has_body(in.request)) {
      const RequestCoding coded = request_coding(in.request.fields);
      if (coded.coded && !coded.coding) return refuse(in);
      if (coded.coding) {
        if (in.detailed) undone = in.arena.concat("the body is taken out of ", coding::name(*coded.coding), "; ");
        if (mode != Mode::Observe && !in.is_explained) decompress(in, *coded.coding);
      }
    }
    const std::string_view done = accepted.coding < 0 ? std::string_view("answers stay as they are") : in.detailed ? in.arena.concat("answers may go out as ", coding::name(codings[static_cast<std::size_t>(accepted.coding)])) : std::string_view();
    Step step = Step::go_on(in.detailed ? in.arena.concat(undone, done) : std::string_view());
    if (mode == Mode::Observe) step.outcome = Outcome::Observe;
    return step;
  }

  void on_response(ResponseInput& in) const noexcept override {
    if (in.request.scratch.a == 0 || mode == Mode::Observe) return;
    const Accepted accepted = unpack(in.request.scratch.b);
    if (!may_compress(in, accepted)) return;
    if (!in.fields.lists(http::FieldId::Vary, "*") && !in.fields.lists(http::FieldId::Vary, "Accept-Encoding")) in.fields.add(http::FieldId::Vary, "Vary", "Accept-Encoding");
    if (accepted.coding < 0) return;
    tell_changed(in.fields);
    // It speaks of an answer that this client has, in this coding if it may: its length is not the one said here (RFC 9110 §8.6).
    if (in.status == 304) {
      in.body = {};
      return;
    }
    const Coding chosen = codings[static_cast<std::size_t>(accepted.coding)];
    in.fields.set("Content-Encoding", coding::name(chosen));
    in.body = {http::Framing::Chunked, 0};
    if (in.request.request.method != http::Method::Head) append(in.request.answer_body, std::make_unique<Compression>(*this, chosen, level[static_cast<std::size_t>(chosen)], *tally));
  }

  When when;
  std::vector<Coding> codings;
  std::vector<std::string> types;
  std::array<int, coding::kCodings> level{};
  std::uint64_t min_size = 0;
  bool decompresses = false;
  Growth growth;
  std::shared_ptr<Tally> tally;

 private:
  static std::uint64_t pack(Accepted accepted) noexcept { return static_cast<std::uint64_t>(accepted.coding + 1) << 1 | (accepted.refuses_identity ? 1 : 0); }
  static Accepted unpack(std::uint64_t b) noexcept { return {static_cast<int>(b >> 1) - 1, (b & 1) != 0}; }

  // RFC 9110 §15.5.16: which ones would have been understood.
  static Step refuse(Input& in) noexcept {
    Step step = deny(in, observe::reason::kUnsupportedEncoding);
    step.answer->fields.add("Accept-Encoding", "gzip, deflate, br, zstd, identity");
    return step;
  }

  void decompress(Input& in, Coding coding) const noexcept {
    http::RequestHead& head = in.request;
    append(in.request_body, make_decompression(*this, coding, growth, *tally));
    head.fields.remove(http::FieldId::ContentEncoding);
    http::drop_digests(head.fields);
    head.body = {http::Framing::Chunked, 0};
  }

  bool has_type(const http::Fields& fields) const noexcept {
    const http::Field* field = fields.find(http::FieldId::ContentType);
    if (field == nullptr) return false;
    const std::string_view type = trim_ows(field->value.substr(0, field->value.find(';')));
    const bool events = iequals(type, kEvents);
    return std::any_of(types.begin(), types.end(), [&](const std::string& pattern) { return fits(pattern, type) && (!events || pattern.find('*') == std::string::npos); });
  }

  // Whether this answer is one that goes out in one coding or another, as the client likes.
  bool may_compress(const ResponseInput& in, const Accepted& accepted) const noexcept {
    if (in.status < 200 || in.status == 204 || in.status == 205 || in.status == 206) return false;
    const http::Fields& fields = in.fields;
    if (fields.find(http::FieldId::ContentEncoding) != nullptr || fields.find("Content-Range") != nullptr) return false;
    if (fields.lists(http::FieldId::CacheControl, "no-transform")) return false;  // RFC 9110 §7.7
    // A 304 says little of what it is about: its tag may only be weaker than it need be, never stronger.
    if (in.status == 304) return fields.find(http::FieldId::ContentType) == nullptr || has_type(fields);
    if (!has_type(fields)) return false;
    const bool head = in.request.request.method == http::Method::Head;
    if (in.body.kind == http::Framing::None) return head;
    if (in.body.kind != http::Framing::Length) return true;
    return in.body.length > 0 && (in.body.length >= min_size || (accepted.refuses_identity && accepted.coding >= 0));
  }
};

void parse_codings(Compress& policy, config::Reader& r) {
  policy.codings = {Coding::Brotli, Coding::Zstd, Coding::Gzip};
  if (r.get("codings") == nullptr) return;
  policy.codings.clear();
  for (const auto& text : r.texts("codings")) {
    const auto known = coding::parse(text.value);
    if (!known || *known == Coding::Deflate) r.sink().error("bad-choice", text.span, "`" + text.value + "` is no coding that answers are compressed with", "br, zstd, gzip");
    else if (std::find(policy.codings.begin(), policy.codings.end(), *known) != policy.codings.end()) r.sink().error("bad-choice", text.span, "`" + text.value + "` stands there twice");
    else policy.codings.push_back(*known);
  }
}

void parse_types(Compress& policy, config::Reader& r) {
  if (r.get("types") == nullptr) {
    policy.types.assign(std::begin(kTypes), std::end(kTypes));
    return;
  }
  for (auto& text : r.texts("types")) {
    const std::size_t slash = text.value.find('/');
    const std::string_view type = std::string_view(text.value).substr(0, slash), sub = slash == std::string::npos ? std::string_view() : std::string_view(text.value).substr(slash + 1);
    if (!http::is_token(type) || !http::is_token(sub) || std::count(text.value.begin(), text.value.end(), '*') > 1)
      r.sink().error("bad-media-type", text.span, "`" + text.value + "` is no media type", "types: [ text/*, application/json, application/*+json ]");
    else policy.types.push_back(std::move(text.value));
  }
}

void parse_level(Compress& policy, const config::Node* node, diag::Sink& sink) {
  for (const Coding one : {Coding::Gzip, Coding::Brotli, Coding::Zstd}) policy.level[static_cast<std::size_t>(one)] = coding::levels(one).standard;
  if (node == nullptr) return;
  config::Reader r(*node, sink, "`level` of policy `compress`");
  for (const Coding one : {Coding::Gzip, Coding::Brotli, Coding::Zstd}) {
    const coding::Levels levels = coding::levels(one);
    const config::Node* said = r.get(coding::name(one));
    policy.level[static_cast<std::size_t>(one)] = static_cast<int>(r.integer(coding::name(one), levels.standard, levels.least, levels.most));
    if (said != nullptr && std::find(policy.codings.begin(), policy.codings.end(), one) == policy.codings.end())
      sink.warning("no-effect", r.key_span(coding::name(one)), "answers are not compressed with `" + std::string(coding::name(one)) + "`", "add it to `codings`");
  }
  r.finish();
}

void parse_decompress(Compress& policy, config::Reader& r) {
  policy.decompresses = r.get("decompress") != nullptr;
  if (policy.decompresses) r.choice("decompress", 0, {"request"});
  policy.growth.max_size = r.size("max_size", ByteSize{10 * 1024 * 1024}).bytes;
  policy.growth.max_ratio = static_cast<std::uint64_t>(r.integer("max_ratio", 100, 2, 100'000));
  for (const std::string_view key : {"max_size", "max_ratio"})
    if (!policy.decompresses && r.get(key) != nullptr) r.sink().error("bad-choice", r.key_span(key), "`" + std::string(key) + "` limits requests, and they are not decompressed", "decompress: request");
}

}  // namespace

std::unique_ptr<Policy> parse_compress(const config::Node& node, Context& context) {
  config::Reader r(node, context.sink, "policy `compress`");
  const std::size_t before = context.sink.errors();
  auto policy = std::make_unique<Compress>();
  policy->when = When::parse(r.get("when"), "compress", context.sink);
  parse_codings(*policy, r);
  parse_types(*policy, r);
  parse_level(*policy, r.get("level"), context.sink);
  policy->min_size = r.size("min_size", ByteSize{1024}).bytes;
  parse_decompress(*policy, r);
  for (const std::string_view key : {"encodings", "algorithms", "gzip", "br", "zstd"}) r.elsewhere(key, "write codings: [ br, zstd, gzip ]");
  for (const std::string_view key : {"min_length", "minimum_size"}) r.elsewhere(key, "write min_size: 1KiB");
  r.elsewhere("content_types", "write types: [ text/*, application/json ]");
  r.finish();
  if (!r.valid() || context.sink.errors() != before) return nullptr;
  if (policy->codings.empty() && !policy->decompresses) context.sink.warning("no-effect", r.span(), "this policy neither compresses answers nor decompresses requests", "codings: [ br, zstd, gzip ], or decompress: request");
  policy->tally = context.states.obtain<Tally>(context.default_id, "compress", [] { return new Tally; });
  return policy;
}

}  // namespace gatelab::policy
