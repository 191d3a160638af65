// SPDX-License-Identifier: Apache-2.0
// Two answers to the same request: where they differ, but for what is masked and what has been learnt to be noise. Pure; one
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/replay/replay.h"

namespace gatelab::harness {

// One side. What was not recorded differs from nothing.
struct ComparedAnswer {
  std::uint16_t status = 0;
  std::string error;  // what came instead of a whole answer
  RecordedHeaders headers;
  bool has_headers = true, has_body = true;
  RecordedBody body;
};

struct Difference {
  std::string place;          // status, header ETag, $.items[0].price, body
  std::string before, after;  // as shown
};

class Comparison {
 public:
  // `masks` must outlive it.
  explicit Comparison(const Masks& masks);

  // Two answers that should be the same: from now on, where they differ is noise for everything of this `kind`.
  void learn(const std::string& kind, const ComparedAnswer& a, const ComparedAnswer& b);
  std::vector<Difference> compare(const std::string& kind, const ComparedAnswer& before, const ComparedAnswer& after);

  // Masks that found nothing in any answer until now; in strict masks also those that found nothing that differs.
  struct Unused {
    std::string what;
    diag::Span span;
  };
  std::vector<Unused> unused() const;
  // Differences that were noise.
  std::size_t noise() const noexcept { return noise_; }
  // Places that were learnt, with the kinds of request that have them.
  std::map<std::string, std::size_t> learnt() const;

 private:
  std::vector<Difference> differences(const ComparedAnswer& before, const ComparedAnswer& after);
  void headers(std::vector<Difference>& out, const ComparedAnswer& before, const ComparedAnswer& after);
  void body(std::vector<Difference>& out, const RecordedBody& before, const RecordedBody& after);
  bool is_noise(const std::string& kind, const std::string& place) const;

  const Masks& masks_;
  struct Use {
    bool found = false, hid = false;
  };
  bool is_stale(const Use& use) const noexcept;
  std::vector<Use> used_headers_, used_ignore_, used_unordered_;
  std::map<std::string, std::set<std::string>> learnt_;
  std::size_t noise_ = 0;
};

// "$.items[0].id" as "$.items[*].id".
std::string any_element(std::string_view place);

}  // namespace gatelab::harness
