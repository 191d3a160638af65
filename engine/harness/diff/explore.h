// SPDX-License-Identifier: Apache-2.0
// Requests at the boundaries of two configurations. Everything that a configuration distinguishes is asked about just on this
// side of it, on it, and just beyond it, from a request on that the route lets pass. The same seed, the same requests. One thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/diff/sources.h"

namespace gatelab::harness::diff {

// Who asks: what is added to a request.
struct Identity {
  std::string about;  // "key of mobile", "token without aud"
  Texts headers, query, cookies;
  std::string token;  // the credential's name, where it stands in Authorization
  Duration expiry{};  // of a good token: when it is refused, from the start on; 0: never asked about
};

// One policy of a route, as the file says it.
struct PolicyNode {
  std::string kind;
  const config::Node* node;
};

// What a policy's `if` or `when` asks for of a request. What is excepted from it is asked for behind it: a request that meets
// both is the one that is left out.
struct Asked {
  struct Layer {
    route::Match match;
    std::vector<std::string> addresses;
  };
  std::string about;
  std::vector<Layer> layers;
  bool who = false;  // it asks who calls, too
};

// One route of one configuration.
struct View {
  const Configuration* configuration;
  const gateway::Model* model;
  const gateway::RouteConfig* route;
  const route::Match* match;
  std::vector<PolicyNode> policies;  // those inside others too
  std::vector<Asked> asked;
  std::vector<Identity> identities;  // "nobody" first
  Request bare, base;                // without and with the credential that lets it pass
  std::size_t good = 0;              // which of the identities that is
};

// What all routes of both configurations speak of.
struct Everything {
  std::set<std::string> hosts, methods, listeners, request_headers;
};

Request with(Request request, const Identity& identity);
void set_header(Request& request, const std::string& name, const std::string& value);
void add_query(Request& request, const std::string& name, const std::string& value);
std::string path_of(const Request& request);
void set_path(Request& request, const std::string& path);
std::vector<std::string> texts_of(const config::Node* node);  // of one text, or a list of them
// A text that the pattern matches; empty: none was found. `variant`: another one, perhaps.
std::string sample_of(const std::string& pattern, std::size_t variant = 0);

using Probes = std::vector<Probe>;
Probe& add(Probes& probes, const View& view, const std::string& about);

void probe_routing(const View& view, const Everything& all, Probes& probes);
void probe_conditions(const View& view, Probes& probes);
// A path that it matches; empty: none was found.
std::string path_for(const route::Match& match);
// A value that it holds for.
std::string value_for(const route::Condition& condition);
// One of the range's addresses; None: it is no range.
IpAddress address_in(const std::string& range);
// Its first and last address, and those beside it.
std::vector<IpAddress> edges_of(const std::string& range);
void probe_identities(const View& view, Probes& probes);
void probe_limits(const View& view, Probes& probes, std::set<std::string>& notes);
void probe_access(const View& view, Probes& probes, std::set<std::string>& notes);
void probe_codings(const View& view, Probes& probes, std::set<std::string>& notes);
void probe_listeners(const View& view, Probes& probes);
void probe_upstream(const View& view, Probes& probes);

// Tokens, keys and passwords that the route's authenticators may be shown.
class Identities {
 public:
  Identities(const Pair& pair, const Common& common) : pair_(pair), common_(common) {}
  std::vector<Identity> of(const View& view, std::set<std::string>& notes);
  const Tokens& tokens() const noexcept { return tokens_; }

 private:
  void keys(const config::Node& policy, std::vector<Identity>& out) const;
  void jwt(const View& view, const config::Node& policy, std::vector<Identity>& out);
  void token(const config::Node& policy, TokenSpec spec, const std::string& about, std::vector<Identity>& out, Duration expiry = {});
  const Pair& pair_;
  const Common& common_;
  Tokens tokens_;
  std::map<std::string, std::pair<std::string, std::string>> minted_;  // by what they say: name, token
};

class Explorer {
 public:
  Explorer(const Configuration& a, const Configuration& b, const Pair& pair, const Common& common) : a_(a), b_(b), pair_(pair), common_(common), identities_(pair, common) {}
  // At most so many: of every family some, if they are not all; if they are, and `combined`, the rest are chance
  // meetings of two of them.
  std::vector<Probe> probes(std::size_t most, bool combined);
  const Tokens& tokens() const noexcept { return identities_.tokens(); }
  const std::set<std::string>& notes() const noexcept { return notes_; }

 private:
  void look(const Configuration& configuration, const gateway::Model& model);
  void settle(View& view);
  void combine(const std::vector<Probes>& families, std::size_t most, std::set<std::string>& known, Probes& out);

  const Configuration &a_, &b_;
  const Pair& pair_;
  const Common& common_;
  Identities identities_;
  std::vector<View> views_;
  Everything all_;
  std::set<std::string> notes_;
};

}  // namespace gatelab::harness::diff
