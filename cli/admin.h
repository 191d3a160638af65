// SPDX-License-Identifier: Apache-2.0
// The admin API: a thin caller of the gateway's control functions on a few threads of its own, off the data path.
// Answers only to loopback names in Host (DNS rebinding), and wants a token for changes. No route can reach it.
//   GET  /healthz              200 while the process lives
//   GET  /ready                200 while it serves, 503 while it drains
//   GET  /metrics              Prometheus text, or OpenMetrics where Accept names it
//   GET  /requests?limit=20    the last decision traces, newest first
//   GET  /consumers            who asks how much: ?sort=errors&limit=20&buckets=true (docs/consumers.md)
//   GET  /clock                both readings of the clock and the shift
//   POST /clock                {"shift": "61s"}: moves policy time forward
//   GET  /faults               what targets suffer (docs/faults.md)
//   POST /faults               {"target": "orders/primary", "kind": "reset"}: one more, or `"clear": true`
//   DELETE /faults?target=…&name=…   without a target: all of them
//   GET  /caches               what is in the caches (docs/policies/cache.md)
//   POST /caches/purge         {"url": "/items/1"}, or a "prefix" or "tag"; "cache": "NAME", "soft": true
//   POST /reload               reads the configuration again; 422 with the diagnostics if it is refused
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "gateway/model.h"
#include "io/real.h"

namespace gatelab::cli {

struct AdminReload {
  bool ok = false;
  std::string json;
};

struct AdminDoors {
  gateway::Gateway& gateway;
  io::RealWorld& world;
  std::function<AdminReload()> reload;      // any thread; waits until the reload is done
  std::function<void(observe::MetricsText&)> more_metrics;
};

class Admin {
 public:
  explicit Admin(AdminDoors doors);
  ~Admin();  // stop()s
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Binds and serves. An empty token in the configuration: one is made; token_was_made() says so.
  Status start(const gateway::AdminConfig& config);
  // "http://127.0.0.1:9900"
  const std::string& url() const noexcept { return url_; }
  // The token to print when it was made here, else null.
  const std::string* made_token() const noexcept { return made_token_.empty() ? nullptr : &made_token_; }
  void set_draining() noexcept { draining_ = true; }
  void stop() noexcept;

 private:
  struct Server;
  AdminDoors doors_;
  Secret token_;
  std::string made_token_;
  std::string url_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<Server> server_;
};

}  // namespace gatelab::cli
