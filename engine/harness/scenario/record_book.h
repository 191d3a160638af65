// SPDX-License-Identifier: Apache-2.0
// What the gateway of one case has logged: records, and their lines as JSON. Any thread.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "observe/record.h"

namespace gatelab::harness {

class RecordBook {
 public:
  // Never changed once it is here, and here until the book goes.
  struct Entry {
    observe::OwnedRecord record;
    std::string line;
  };

  void add(const observe::Record& record);
  std::size_t size() const;
  // The entries from the `first`th on, in the order of their ends.
  std::vector<const Entry*> since(std::size_t first) const;
  // The last one of a request, by its id; null: there is none.
  const Entry* find(const std::string& request_id) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
};

}  // namespace gatelab::harness
