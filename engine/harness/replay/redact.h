// SPDX-License-Identifier: Apache-2.0
// Takes secrets out of what is recorded, before it is written anywhere: `<redacted:0123456789ab>`, a hash with a salt that is
// not written, so that equal secrets stay equal within one recording and can't be guessed from it. A token keeps what it says
// about itself and the claims of a list, and loses its signature. docs/record-and-replay.md says what counts as a secret.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/replay/recording.h"
#include "harness/replay/replacements.h"

namespace gatelab::harness {

// What is one whatever it looks like: a configuration says where its credentials stand.
struct KnownSecrets {
  std::set<std::string> headers, parameters;  // names; those of headers in lower case
  std::vector<std::string> values;            // wherever they stand, but for short ones
};

class Redactor {
 public:
  // `salt`: from the system's dice; at least 16 octets. `taken`: gets each secret as it stood there, decoded; may be null, outlives this.
  explicit Redactor(std::string salt, std::vector<std::string>* taken = nullptr) : salt_(std::move(salt)), taken_(taken) {}

  // Before anything is redacted.
  void know(const KnownSecrets& known);

  void apply(RecordedExchange& exchange) const;
  void apply(RecordedRequest& request) const;
  void apply(RecordedAnswer& answer) const;

  std::string target(std::string_view target) const;
  std::string header(std::string_view name, std::string_view value) const;
  // Left out (`left_out`) where it can't be looked into: in a content coding that can't be undone, or binary of a kind that may
  // hold anything. `keep_coding`: one that has a secret is put into its coding again, else it is left out.
  void body(const RecordedHeaders& headers, RecordedBody& body, bool keep_coding = true) const;
  // Text of any kind: what looks like a secret, and what stands behind a name of one.
  std::string text(std::string_view text) const;

 private:
  void content(const std::string& type, RecordedBody& body) const;
  std::string hidden(std::string_view secret) const;
  std::string secret(std::string_view value) const;  // a token, or hidden
  std::string token(std::string_view jwt) const;
  std::string words(std::string_view text) const;
  std::string value(std::string_view text) const;    // one whole value: of a header, a parameter, a JSON text
  std::string pairs(std::string_view text) const;    // a=b&c=d
  std::string cookies(std::string_view text, bool only_first) const;
  std::string json(std::string_view text) const;
  // redact_stream.cc: JSON values one a line, and what a text/event-stream has in its `data`.
  std::string lines(std::string_view text) const;
  std::string events(std::string_view text) const;
  std::string multipart(std::string_view text) const;
  std::string salt_;
  KnownSecrets known_;
  Replacements values_;
  std::vector<std::string>* taken_;
};

}  // namespace gatelab::harness
