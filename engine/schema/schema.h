// SPDX-License-Identifier: Apache-2.0
// JSON Schema, compiled: draft 7 whole but for what a check lists, and as much of draft 2020-12 as OpenAPI 3.1 is written in. References are
// local. Compiled from a document whose places become those of what is wrong with it; then immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/document.h"
#include "json/pointer.h"

namespace gatelab::schema {

enum class Dialect : std::uint8_t { Draft7, OpenApi30, OpenApi31 };

// What is wrong with a schema, or says nothing in it, at a place of its document.
struct Problem {
  json::Ref at = json::kNone;
  bool of_name = false;  // the member's name, not its value
  bool is_error = true;
  std::string id, message, hint;
};

struct Node;

// All schemas of one document that were compiled so far; references find each other here, so that loops end. What is wrong is told
// once. One thread; the schemas are fixed when the document has been gone through.
class Set {
 public:
  // The document outlives it.
  Set(const json::Document& document, Dialect dialect);
  ~Set();
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

  // The index of the schema that stands there. Adds to problems() what is wrong with it.
  std::int32_t compile(json::Ref at);
  // When all are compiled: references that lead round in a circle without a step into the value.
  void check_loops();
  const std::vector<Problem>& problems() const noexcept { return problems_; }
  const Node& at(std::int32_t index) const noexcept;
  const json::Document& document() const noexcept { return document_; }
  // Where a local reference leads; kNone: nowhere.
  json::Ref find(const json::Pointer& pointer) { return index_.find(pointer); }

 private:
  friend class Compiler;
  const json::Document& document_;
  const Dialect dialect_;
  json::Index index_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::int32_t> known_;  // by the document's places; -1: not compiled
  std::vector<std::pair<Node*, json::Ref>> waiting_;
  bool busy_ = false;
  std::vector<Problem> problems_;
};

// One value that is not as its schema has it.
struct Failure {
  std::string pointer;        // in the value, "" is all of it
  std::string_view keyword;   // type, required…
  std::string detail;         // for people; quotes nothing of the value but names
};

struct Verdict {
  std::vector<Failure> failures;  // the first `most`
  std::size_t spent = 0;          // steps
  bool valid = true;
  bool gave_up = false;           // to look on would take too long; not valid then
};

struct Effort {
  // Of OpenAPI: what is `readOnly` need not be in a request, what is `writeOnly` not in an answer, whatever is required.
  enum class Side : std::uint8_t { Any, Request, Answer };
  std::size_t failures = 10;
  std::size_t steps = 1'000'000;  // what is compared, matched or looked at
  Side side = Side::Any;
};

Verdict validate(const Set& set, std::int32_t schema, const json::Document& document, json::Ref value, const Effort& effort);

}  // namespace gatelab::schema
