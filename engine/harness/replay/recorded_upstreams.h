// SPDX-License-Identifier: Apache-2.0
// Upstreams that answer what they answered when it was recorded. Each recorded answer is given once, in its order: a gateway
// that calls more often than it did then, or otherwise, gets none and the case fails. Filled on one thread, then asked on the
// mocks' loop; what was missed may be asked from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "harness/mock/stub.h"
#include "harness/replay/replay.h"

namespace gatelab::harness {

// What a mock says to give that answer again: without the fields of its connection. A body that was left out is empty.
Reply reply_of(const RecordedAnswer& answer);

class RecordedUpstreams {
 public:
  // The upstreams that the gateway has: what others answered is answered by any.
  explicit RecordedUpstreams(std::set<std::string> known) : known_(std::move(known)) {}

  // Before stubs(). What `only` leaves is answered first, the rest of the recording when that is used up.
  void add(const Replay& replay);
  // Of a mock of `upstream`; empty: nothing was recorded of it. This must outlive the mocks.
  std::vector<Stub> stubs(const std::string& upstream);

  // Calls that found their recorded answers used up or another body, since this was last asked: as told to people.
  std::vector<std::string> take_misses();

 private:
  struct Answer {
    std::shared_ptr<const Reply> reply;  // null: its body is not in the recording
    std::shared_ptr<const std::string> body;  // of the request; null: none, or not known
    bool body_known = true, used = false;
    std::string place;
  };
  // All answers to one method and target.
  struct Line {
    std::string method, path, query, upstream;
    bool has_query = false;
    std::vector<Answer> answers;
    diag::Span span;
  };
  void add(const RecordedExchange& exchange, const Replay& replay);
  std::shared_ptr<const Reply> answer(Line& line, const SeenRequest& request);
  std::shared_ptr<const Reply> missed(const SeenRequest& request, const std::string& why);

  std::set<std::string> known_;
  std::map<std::string, std::unique_ptr<Line>> lines_;  // by upstream (empty: any), method and target
  std::vector<Line*> order_;
  std::mutex mutex_;
  std::vector<std::string> misses_;
};

}  // namespace gatelab::harness
