// SPDX-License-Identifier: Apache-2.0
// Goes through an OpenAPI document: paths, operations, parameters, bodies, answers. Private to this policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/openapi/document.h"

namespace gatelab::policy {

// By `openapi: 3.0.x` or 3.1.x. Reports (bad-version).
std::optional<schema::Dialect> api_dialect(const LocatedJson& source, const config::Node& file, diag::Sink& sink);

class ApiReader {
 public:
  ApiReader(ApiDocument& out, const std::string& base_path) noexcept : out_(out), document_(out.source.document), base_path_(base_path) {}
  void run();
  const std::vector<schema::Problem>& problems() const noexcept { return problems_; }

 private:
  using Ref = json::Ref;
  void error(Ref at, std::string id, std::string message, std::string hint = {});
  void not_held(Ref at, std::string message, std::string hint = {}, bool of_name = true);
  Ref resolved(Ref at);
  Ref member(Ref object, std::string_view name, json::Kind kind);
  std::string text(Ref object, std::string_view name);
  bool flag(Ref object, std::string_view name, bool fallback);
  bool check_object(Ref at, std::string_view what, std::initializer_list<std::string_view> keys);
  void list_unheld(Ref object, std::initializer_list<std::string_view> names, std::string_view why);

  void path_item(const std::string& path, Ref at);
  void operation(const std::string& path, std::string_view method, Ref at, const std::vector<ApiParameter>& common);
  void parameters(std::vector<ApiParameter>& out, Ref list);
  std::optional<ApiParameter> parameter(Ref at);
  bool styled(ApiParameter& out, Ref at);
  std::int32_t schema_of(Ref at, ApiParameter& out);
  void check_path(const ApiOperation& operation, Ref at);
  std::vector<ApiMedia> media(Ref content);
  void answers(ApiOperation& operation, Ref map);
  void answer(ApiOperation& operation, const std::string& status, Ref member);

  ApiDocument& out_;
  const json::Document& document_;
  const std::string& base_path_;
  std::vector<schema::Problem> problems_;
};

}  // namespace gatelab::policy
