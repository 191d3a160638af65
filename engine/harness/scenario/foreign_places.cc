// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/foreign_places.h"

#include "base/text.h"
#include "base/userinfo.h"
#include "diag/diagnostic.h"

namespace gatelab::harness {

Places place_names(const World& world) {
  Places out{{"gateway.port", {}}, {"gateway.directory", {}}};
  for (const auto& [upstream, stubs] : world.mocks) {
    bool whole = stubs.empty();
    for (const Stub& stub : stubs) {
      if (stub.target.empty()) whole = true;
      else set_mock_place(out, upstream, stub.target, {});
    }
    if (whole) set_mock_place(out, upstream, upstream, {});
  }
  return out;
}

void set_mock_place(Places& places, const std::string& upstream, const std::string& target, const Address& at) {
  const std::string name = "mocks." + upstream + (target == upstream ? "" : "." + target);
  places[name + ".port"] = std::to_string(at.port);
  places[name + ".address"] = format(at);
}

Result<std::string> fill(std::string_view text, const Places& places) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find("$(");
    if (at == std::string_view::npos) break;
    const std::string_view rest = text.substr(at + 2);
    const std::size_t close = rest.find(')');
    if (close == std::string_view::npos || !(rest.starts_with("gateway.") || rest.starts_with("mocks."))) {
      out += text.substr(0, at + 2);
      text = rest;
      continue;
    }
    const std::string_view name = rest.substr(0, close);
    const auto known = places.find(name);
    if (known == places.end()) {
      std::vector<std::string_view> names;
      std::string all;
      for (const auto& [one, value] : places) {
        names.push_back(one);
        all += (all.empty() ? "" : ", ") + one;
      }
      const std::string_view near = diag::nearest(name, names);
      return fail("unknown-place", "there is no `$(" + std::string(name) + ")`" + (near.empty() ? "" : "; did you mean `$(" + std::string(near) + ")`?") + " There is: " + all);
    }
    out.append(text.substr(0, at)).append(known->second);
    text = rest.substr(close + 1);
  }
  return out.append(text);
}

Result<GatewayUrl> parse_gateway_url(std::string_view text) {
  GatewayUrl out;
  const auto bad = [&] { return fail("bad-url", "`" + without_userinfo(text) + "` is not http://host:port or https://host:port"); };
  std::string_view rest = text;
  if (rest.starts_with("https://")) out.tls = true;
  else if (!rest.starts_with("http://")) return bad();
  rest.remove_prefix(out.tls ? 8 : 7);
  const std::size_t slash = rest.find_first_of("/?#");
  if (slash != std::string_view::npos) out.path = std::string(rest.substr(slash));
  rest = rest.substr(0, slash);
  out.authority = std::string(rest);
  out.port = out.tls ? 443 : 80;
  const std::size_t colon = rest.rfind(':'), bracket = rest.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    std::uint64_t port = 0;
    if (!parse_decimal(rest.substr(colon + 1), port) || port < 1 || port > 65535) return bad();
    out.port = static_cast<std::uint16_t>(port);
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty() || rest.find_first_of("@ \t\r\n[]") != std::string_view::npos) return bad();
  out.host = std::string(rest);
  return out;
}

}  // namespace gatelab::harness
