// SPDX-License-Identifier: Apache-2.0
// JSON of strangers, read strictly: bounded in size, depth and number of values, duplicate members refused (RFC 7515 §4 asks
// for that), numbers finite, UTF-8 valid, no byte order mark. Immutable once parsed; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gatelab::crypto {

struct JsonLimits {
  std::size_t size = 16 * 1024;  // octets
  std::size_t depth = 16;        // lists and objects in each other
  std::size_t values = 2'000;    // all, the outermost too
};

enum class JsonKind : std::uint8_t { Null, Bool, Number, Text, List, Object };

class JsonDocument;

// A place in a document, which it must not outlive. Copies are cheap. Asked for what it is not, it gives nothing.
class JsonValue {
 public:
  JsonKind kind() const noexcept;
  bool is(JsonKind wanted) const noexcept { return kind() == wanted; }
  std::optional<bool> as_bool() const noexcept;
  std::optional<double> as_number() const noexcept;
  std::optional<std::string_view> as_text() const noexcept;
  // Of a number: as written (integers without a superfluous sign). Of a text: the text. true, false, null. Empty: list, object.
  std::string_view scalar() const noexcept;

  // Of a list or object.
  std::size_t size() const noexcept;
  // begin: first child if any; next: the one behind this in the same list or object.
  std::optional<JsonValue> first() const noexcept;
  std::optional<JsonValue> next() const noexcept;
  std::string_view name() const noexcept;  // of a member of an object
  std::optional<JsonValue> member(std::string_view name) const noexcept;

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument& document, std::uint32_t at) noexcept : document_(&document), at_(at) {}
  const JsonDocument* document_;
  std::uint32_t at_;
};

class JsonDocument {
 public:
  // The error is a literal that says what is wrong.
  static Result<JsonDocument, std::string_view> parse(std::string_view text, const JsonLimits& limits);
  JsonValue root() const noexcept { return {*this, 0}; }

 private:
  friend class JsonValue;
  friend class JsonReader;
  // In order of the text; children follow their parent.
  struct Node {
    JsonKind kind = JsonKind::Null;
    bool truth = false;
    std::uint32_t name_at = 0, name_size = 0, text_at = 0, text_size = 0;  // in `pool_`
    std::uint32_t end = 0;    // index behind its last descendant
    std::uint32_t count = 0;  // children
    std::uint32_t parent = 0;
    double number = 0;
  };
  std::string_view pooled(std::uint32_t at, std::uint32_t size) const noexcept { return std::string_view(pool_).substr(at, size); }
  std::vector<Node> nodes_;
  std::string pool_;
};

}  // namespace gatelab::crypto
