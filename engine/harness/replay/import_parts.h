// SPDX-License-Identifier: Apache-2.0
// What the importers share. Private to the folder.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "harness/replay/import.h"

namespace gatelab::harness {

// One file on its way in.
struct Importing {
  const diag::SourcePtr& source;
  diag::Sink& sink;
  std::vector<RecordedExchange> out;
  // What was no HTTP is logged too, and can't be sent again: told once, at the first of them.
  struct LeftOut {
    std::size_t count = 0, begin = 0, end = 0;
    std::string what;
  } left_out;
  KnownSecrets& known;

  // Octets [begin, end) of the file. Messages name what is wrong by its place and never repeat a value: it may be a secret.
  void error(std::size_t begin, std::size_t end, std::string message, std::string hint);
  void warning(std::size_t begin, std::size_t end, std::string message, std::string hint);
  void report(diag::Severity severity, std::size_t begin, std::size_t end, std::string message, std::string hint);
  void leave_out(std::size_t begin, std::size_t end, std::string what);
  void tell_left_out();
  // Takes it, or tells why it could not be sent. `where`: before the message, "log.entries[3]: "; may be empty.
  void add(RecordedExchange exchange, std::size_t begin, std::size_t end, const std::string& where);
};

// The whole file as JSON; null after an error with the place where it stops being some.
nlohmann::json parse_json(Importing& in);
// Null, and empty, where there is none of that name and kind.
const nlohmann::json& member(const nlohmann::json& json, const char* name);
std::string text_of(const nlohmann::json& json, const char* name);
// [{ <name>: …, "value": … }], without those that are disabled.
RecordedHeaders header_list(const nlohmann::json& list, const char* name);
// The same as application/x-www-form-urlencoded.
std::string form_of(const nlohmann::json& params, const char* name);
std::string form_of(const RecordedHeaders& pairs);

void import_har(Importing& in);
void import_postman(Importing& in);
void import_log(Importing& in, TrafficKind kind);
void import_curl(Importing& in);

RecordedBody body_from(std::string octets);
// Every %XX is its octet; what is no %XX stays.
std::string percent_decoded(std::string_view text);
// Scheme, Host (unless there is one), target and, of user and password, an Authorization (unless there is one) of an absolute
// http or https URL; false if it is none.
bool take_url(std::string_view url, RecordedExchange& exchange);
// "GET /a HTTP/1.1"; false if it is none.
bool take_request_line(std::string_view line, RecordedRequest& request);
// 2026-01-01T00:00:00[.123][Z|+01:00]
std::optional<Instant> parse_iso_time(std::string_view text);
// 10/Oct/2000:13:55:36 -0700
std::optional<Instant> parse_log_time(std::string_view text);

}  // namespace gatelab::harness
