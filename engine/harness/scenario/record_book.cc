// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/record_book.h"

#include "observe/access_log.h"

namespace gatelab::harness {

void RecordBook::add(const observe::Record& record) {
  std::string line;
  observe::append_line(line, record, observe::LogFormat::Json, false);
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.emplace_back();
  entry.record.assign(record);
  entry.line = std::move(line);
}

std::size_t RecordBook::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

std::vector<const RecordBook::Entry*> RecordBook::since(std::size_t first) const {
  std::lock_guard lock(mutex_);
  std::vector<const Entry*> out;
  for (std::size_t i = first; i < entries_.size(); ++i) out.push_back(&entries_[i]);
  return out;
}

const RecordBook::Entry* RecordBook::find(const std::string& request_id) const {
  std::lock_guard lock(mutex_);
  for (std::size_t i = entries_.size(); i-- > 0;)
    if (entries_[i].record.request_id == request_id) return &entries_[i];
  return nullptr;
}

}  // namespace gatelab::harness
