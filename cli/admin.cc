// SPDX-License-Identifier: Apache-2.0
#include "cli/admin.h"

#include <fmt/core.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/units.h"
#include "cli/admin_caches.h"
#include "cli/admin_consumers.h"
#include "cli/admin_faults.h"

namespace gatelab::cli {
namespace {

using httplib::Request;
using httplib::Response;
using Json = nlohmann::ordered_json;

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kMaxTraces = 1000;

// A port of 0 and a shared port are both wrong for a fixed address: a second gatelab must be told that it is taken.
void own_socket(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

bool is_loopback_name(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    host = end == std::string_view::npos ? host : host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host == "localhost") return true;
  const auto ip = parse_ip(host);
  if (!ip) return false;
  if (ip->family == IpAddress::Family::V4) return ip->octets[0] == 127;
  IpAddress one{IpAddress::Family::V6, {}};
  one.octets[15] = 1;
  return *ip == one;
}

void answer(Response& response, int status, std::string text, const char* type = "text/plain; charset=utf-8") {
  response.status = status;
  response.set_content(std::move(text), type);
}

// What a request says may be any octets: an exception of the library's on its own threads would end the program.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

void answer_json(Response& response, int status, const Json& json) { answer(response, status, text_of(json), "application/json"); }

void problem(Response& response, int status, std::string_view reason, std::string detail) {
  answer(response, status, text_of({{"status", status}, {"reason", reason}, {"detail", std::move(detail)}}), "application/problem+json");
}

// As Allow has them; empty: there is no such door.
std::string_view methods_of(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kDoors[] = {{"/healthz", "GET, HEAD"},  {"/ready", "GET, HEAD"},       {"/metrics", "GET, HEAD"}, {"/requests", "GET, HEAD"}, {"/consumers", "GET, HEAD"},
                                                                      {"/clock", "GET, HEAD, POST"}, {"/faults", "GET, HEAD, POST, DELETE"}, {"/reload", "POST"}};
  for (const auto& [door, methods] : kDoors)
    if (door == path) return methods;
  return {};
}

std::string make_token() {
  std::random_device dice;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", dice());
  return token;
}

}  // namespace

struct Admin::Server {
  httplib::Server http;
  std::thread thread;
  std::atomic<bool> ended{false};

  explicit Server(Admin& admin);
  bool may_change(Admin& admin, const Request& request, Response& response) const;
  void reload(Admin& admin, const Request& request, Response& response) const;
  void show_clock(Admin& admin, Response& response) const;
  void shift_clock(Admin& admin, const Request& request, Response& response) const;
  void show_faults(Admin& admin, const Status& done, Response& response) const;
  void show_requests(Admin& admin, const Request& request, Response& response) const;
  void show_consumers(Admin& admin, const Request& request, Response& response) const;
};

Admin::Server::Server(Admin& admin) {
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  http.set_socket_options(own_socket);
  // A connection is one request, and a slow one is cut: no client can keep the few threads.
  http.set_keep_alive_max_count(1);
  http.set_read_timeout(5, 0);
  http.set_write_timeout(5, 0);
  http.set_payload_max_length(kMaxBody);
  http.set_pre_routing_handler([this, &admin](const Request& request, Response& response) {
    if (!is_loopback_name(request.get_header_value("Host"))) {
      problem(response, 403, "host-not-loopback", "the admin API answers to localhost and loopback addresses only");
      return httplib::Server::HandlerResponse::Handled;
    }
    if (const std::string_view methods = methods_of(request.path); !methods.empty() && methods.find(request.method) == std::string_view::npos) {
      response.set_header("Allow", std::string(methods));
      problem(response, 405, "method-not-allowed", fmt::format("`{}` is for {}", request.path, methods));
      return httplib::Server::HandlerResponse::Handled;
    }
    if (request.method != "POST" || request.path != "/reload") return httplib::Server::HandlerResponse::Unhandled;
    // Here and not as a route: it needs no body, and the library refuses a POST that does not announce one.
    reload(admin, request, response);
    return httplib::Server::HandlerResponse::Handled;
  });
  http.set_error_handler(httplib::Server::HandlerWithResponse([](const Request& request, Response& response) {
    if (!response.body.empty()) return httplib::Server::HandlerResponse::Unhandled;
    problem(response, response.status, "no-such-door",
            fmt::format("no `{} {}` here; there are /healthz, /ready, /metrics, /requests, /consumers, /clock, /faults, /caches, /reload", request.method,
                        request.path));
    return httplib::Server::HandlerResponse::Handled;
  }));

  http.Get("/healthz", [](const Request&, Response& response) { answer(response, 200, "ok\n"); });
  http.Get("/ready", [&admin](const Request&, Response& response) {
    admin.draining_ ? answer(response, 503, "draining\n") : answer(response, 200, "ready\n");
  });
  http.Get("/metrics", [&admin](const Request& request, Response& response) {
    observe::MetricsText metrics = admin.doors_.gateway.metrics();
    if (admin.doors_.more_metrics) admin.doors_.more_metrics(metrics);
    std::string accept;
    for (std::size_t i = 0; i < request.get_header_value_count("Accept"); ++i) accept += (i == 0 ? "" : ",") + request.get_header_value("Accept", i);
    const observe::Exposition form = observe::choose_exposition(accept);
    response.set_header("Vary", "Accept");
    answer(response, 200, metrics.text(form), observe::content_type(form).data());
  });
  http.Get("/requests", [this, &admin](const Request& request, Response& response) { show_requests(admin, request, response); });
  http.Get("/consumers", [this, &admin](const Request& request, Response& response) { show_consumers(admin, request, response); });
  http.Get("/faults", [this, &admin](const Request&, Response& response) { show_faults(admin, success(), response); });
  http.Post("/faults", [this, &admin](const Request& request, Response& response) {
    if (may_change(admin, request, response)) show_faults(admin, set_fault(admin.doors_.gateway, request.body), response);
  });
  http.Delete("/faults", [this, &admin](const Request& request, Response& response) {
    if (may_change(admin, request, response)) show_faults(admin, clear_faults(admin.doors_.gateway, FaultQuery(request.params.begin(), request.params.end())), response);
  });
  http.Get("/caches", [&admin](const Request&, Response& response) { answer(response, 200, caches_json(admin.doors_.gateway) + "\n", "application/json"); });
  http.Post("/caches/purge", [this, &admin](const Request& request, Response& response) {
    if (!may_change(admin, request, response)) return;
    const Result<std::size_t> purged = purge_caches(admin.doors_.gateway, request.body);
    if (purged) return answer_json(response, 200, Json{{"purged", *purged}});
    problem(response, purged.error().id == "no-such-cache" ? 404 : 400, purged.error().id, purged.error().message);
  });
  http.Get("/clock", [this, &admin](const Request&, Response& response) { show_clock(admin, response); });
  http.Post("/clock", [this, &admin](const Request& request, Response& response) {
    if (may_change(admin, request, response)) shift_clock(admin, request, response);
  });
}

void Admin::Server::show_faults(Admin& admin, const Status& done, Response& response) const {
  if (done) return answer(response, 200, faults_json(admin.doors_.gateway) + "\n", "application/json");
  const std::string& id = done.error().id;
  problem(response, id == "no-such-fault" || id == "no-such-target" ? 404 : 400, id, done.error().message);
}

bool Admin::Server::may_change(Admin& admin, const Request& request, Response& response) const {
  const std::string given = request.get_header_value("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (given.starts_with(kScheme) && admin.token_.equals(std::string_view(given).substr(kScheme.size()))) return true;
  response.set_header("WWW-Authenticate", "Bearer realm=\"gatelab admin\"");
  problem(response, 401, "token", "changes need `Authorization: Bearer TOKEN` with the admin token");
  return false;
}

void Admin::Server::reload(Admin& admin, const Request& request, Response& response) const {
  if (!may_change(admin, request, response)) return;
  const AdminReload done = admin.doors_.reload();
  answer(response, done.ok ? 200 : 422, done.json + "\n", "application/json");
}

void Admin::Server::show_clock(Admin& admin, Response& response) const {
  const Clock& clock = admin.doors_.world.environment().clock;
  answer_json(response, 200, Json{{"policy_now", format(clock.policy_now())},
                                  {"shift", format(admin.doors_.world.policy_shift())},
                                  {"io_now_ns", clock.io_now().ns}});
}

void Admin::Server::shift_clock(Admin& admin, const Request& request, Response& response) const {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("shift") || !body["shift"].is_string()) {
    return problem(response, 400, "bad-shift", "send {\"shift\": \"61s\"}");
  }
  const auto by = parse_duration(body["shift"].get<std::string>(), Sign::Allowed);
  if (!by) return problem(response, 400, "bad-shift", by.error().message);
  if (!admin.doors_.world.shift_policy(*by)) {
    return problem(response, 400, "bad-shift", "policy time moves forward only, and not past its end");
  }
  show_clock(admin, response);
}

namespace {

// `limit` of a query, from 1; false after a problem.
bool read_limit(const Request& request, Response& response, std::size_t most, std::size_t& limit) {
  if (!request.has_param("limit")) return true;
  const std::string text = request.get_param_value("limit");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error == std::errc{} && end == text.data() + text.size() && limit > 0 && limit <= most) return true;
  problem(response, 400, "bad-limit", fmt::format("limit is a number from 1 to {}", most));
  return false;
}

}  // namespace

void Admin::Server::show_requests(Admin& admin, const Request& request, Response& response) const {
  std::size_t limit = 20;
  if (!read_limit(request, response, kMaxTraces, limit)) return;
  std::string text = "[";
  for (const observe::OwnedRecord& record : admin.doors_.gateway.requests(limit)) {
    text += text.size() == 1 ? "\n" : ",\n";
    text += record.to_json();
  }
  answer(response, 200, text + "\n]\n", "application/json");
}

void Admin::Server::show_consumers(Admin& admin, const Request& request, Response& response) const {
  ConsumerQuery query;
  if (!read_limit(request, response, kMaxConsumers, query.limit)) return;
  if (request.has_param("sort")) query.sort = request.get_param_value("sort");
  if (!is_consumer_sort(query.sort)) return problem(response, 400, "bad-sort", fmt::format("sort is one of {}", consumer_sorts()));
  query.buckets = request.get_param_value("buckets") == "true";
  answer(response, 200, consumers_json(admin.doors_.gateway, query, admin.doors_.world.environment().clock.policy_now()) + "\n", "application/json");
}

Admin::Admin(AdminDoors doors) : doors_(std::move(doors)) {}

Admin::~Admin() { stop(); }

Status Admin::start(const gateway::AdminConfig& config) {
  token_ = config.token;
  if (token_.empty()) {
    made_token_ = make_token();
    token_ = Secret(made_token_);
  }
  server_ = std::make_unique<Server>(*this);
  const std::string host = format(config.address.ip);
  Address bound = config.address;
  errno = 0;
  if (bound.port == 0) {
    const int port = server_->http.bind_to_any_port(host);
    if (port > 0) bound.port = static_cast<std::uint16_t>(port);
  } else if (!server_->http.bind_to_port(host, bound.port)) {
    bound.port = 0;
  }
  if (bound.port == 0) {
    const int why = errno;
    server_.reset();
    return fail(why == EADDRINUSE ? "address-in-use" : "denied",
                fmt::format("the admin API can't listen on {}: {}", format(config.address), std::strerror(why)));
  }
  url_ = "http://" + format(bound);
  server_->thread = std::thread([server = server_.get()] {
    server->http.listen_after_bind();
    server->ended = true;
  });
  // stop() is heard only by a server that runs.
  while (!server_->http.is_running() && !server_->ended) std::this_thread::yield();
  return success();
}

void Admin::stop() noexcept {
  if (!server_) return;
  server_->http.stop();
  if (server_->thread.joinable()) server_->thread.join();
  server_.reset();
}

}  // namespace gatelab::cli
