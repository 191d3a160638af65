// SPDX-License-Identifier: Apache-2.0
// What the policies cost that look at bodies: per body, and in octets a second. Order lists: objects of six members.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "coding/coder.h"
#include "config/node.h"
#include "policy/json/program.h"
#include "schema/schema.h"

namespace gatelab::policy {
namespace {

std::string orders(std::size_t octets) {
  std::string out = "[";
  for (int i = 0; out.size() < octets; ++i)
    out += std::string(i == 0 ? "" : ",") + "{\"id\":" + std::to_string(100000 + i) + ",\"sku\":\"A-" + std::to_string(i) + "\",\"price\":12.50,\"tags\":[\"new\",\"sale\"],\"note\":\"two lines\\nof text\",\"internal\":{\"cost\":3}}";
  return out + "]";
}

std::unique_ptr<config::Node> parsed(const std::string& text, diag::Sink& sink) {
  auto source = std::make_shared<diag::SourceFile>();
  source->name = "bench.yaml";
  source->text = text;
  return config::parse(source, {}, sink);
}

void throughput(benchmark::State& state, std::size_t octets) { state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * octets)); }

void json(benchmark::State& state, const char* edits) {
  diag::Sink sink;
  const auto node = parsed(edits, sink);
  JsonProgram program;
  program.add(*JsonEdit::parse(*node, JsonEdit::Side::Request, sink));
  const std::string body = orders(static_cast<std::size_t>(state.range(0)));
  const JsonBounds bounds{64 * 1024 * 1024, {64, 1'000'000}};
  for (auto _ : state) benchmark::DoNotOptimize(program.run(body, 0, {}, bounds));
  throughput(state, body.size());
}
BENCHMARK_CAPTURE(json, nothing_found, "{ remove: [ /none ] }")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(json, set_by_pointer, "{ set: { /0/seen: true } }")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(json, remove_by_path, "{ remove: [ '$..internal' ] }")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(json, pick_and_wrap, "{ pick: [ '$[*].id' ], wrap: /data }")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(json, filter, "{ remove: [ '$[?@.price > 12.5]' ] }")->Arg(1'000)->Arg(100'000);

void validate(benchmark::State& state, const char* schema) {
  const auto document = *json::Document::parse(schema, {});
  schema::Set set(document, schema::Dialect::Draft7);
  const std::int32_t root = set.compile(document.root());
  const std::string body = orders(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto read = json::Document::parse(body, {64, 1'000'000});
    const schema::Verdict verdict = schema::validate(set, root, *read, read->root(), {10, 1'000'000'000});
    if (!verdict.valid) state.SkipWithError("the orders are not as their schema has them");
  }
  throughput(state, body.size());
}
BENCHMARK_CAPTURE(validate, nothing, "true")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(validate, types, R"({"items":{"type":"object","properties":{"id":{"type":"integer"},"sku":{"type":"string"},"price":{"type":"number"},"tags":{"type":"array","items":{"type":"string"}}},"required":["id","sku"]}})")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(validate, everything, R"x({"minItems":1,"uniqueItems":true,"items":{"$ref":"#/definitions/order"},"definitions":{"order":{"type":"object","additionalProperties":false,"required":["id","sku","price","tags","note","internal"],"properties":{"id":{"type":"integer","minimum":1},"sku":{"type":"string","pattern":"^A-[0-9]+$","maxLength":20},"price":{"type":"number","multipleOf":0.01},"tags":{"type":"array","items":{"enum":["new","sale"]}},"note":{"type":"string"},"internal":{"anyOf":[{"required":["none"]},{"required":["cost"]}]}}}}})x")->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void compress(benchmark::State& state, coding::Coding coding) {
  const std::string body = orders(static_cast<std::size_t>(state.range(0)));
  std::array<char, 64 * 1024> room;
  for (auto _ : state) {
    const auto encoder = coding::make_encoder(coding, coding::levels(coding).standard);
    std::string_view rest = body;
    coding::Moved step;
    do {
      step = encoder->move(rest, coding::Behind::End, room);
      rest.remove_prefix(step.taken);
    } while (step.more);
  }
  throughput(state, body.size());
}
BENCHMARK_CAPTURE(compress, gzip, coding::Coding::Gzip)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(compress, br, coding::Coding::Brotli)->Arg(1'000)->Arg(100'000);
BENCHMARK_CAPTURE(compress, zstd, coding::Coding::Zstd)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace gatelab::policy
