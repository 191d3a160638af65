// SPDX-License-Identifier: Apache-2.0
// A text that grows in an arena: for what is put together of many pieces. One thread; lives no longer than the arena.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/arena.h"

namespace gatelab {

class ArenaText {
 public:
  explicit ArenaText(Arena& arena, std::size_t room = 256) noexcept : arena_(arena), data_(arena.room<char>(room)), room_(room) {}

  ArenaText& add(std::string_view piece) noexcept {
    if (size_ + piece.size() > room_) grow(size_ + piece.size());
    put(data_ + size_, piece);
    size_ += piece.size();
    return *this;
  }
  ArenaText& add(char c) noexcept { return add(std::string_view(&c, 1)); }
  bool empty() const noexcept { return size_ == 0; }
  // Until the next add().
  std::string_view view() const noexcept { return {data_, size_}; }

 private:
  void grow(std::size_t needed) noexcept {
    const std::size_t room = std::max(needed, 2 * room_);
    char* bigger = arena_.room<char>(room);
    std::memcpy(bigger, data_, size_);
    data_ = bigger;
    room_ = room;
  }
  Arena& arena_;
  char* data_;
  std::size_t room_;
  std::size_t size_ = 0;
};

}  // namespace gatelab
