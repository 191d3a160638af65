// SPDX-License-Identifier: Apache-2.0
#include "io/scope.h"

#include <cassert>

namespace gatelab::io {

struct Scope::Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    static void* operator new(std::size_t n) { return allocate_frame(n); }
    static void operator delete(void* p, std::size_t n) noexcept { free_frame(p, n); }
  };
  std::coroutine_handle<> handle;
};

Scope::~Scope() { assert(running_ == 0 && "a scope is joined before it ends"); }

Scope::Detached Scope::run(Scope& scope, Task<void> task) {
  co_await task;
  if (--scope.running_ == 0) scope.ended_.signal();
}

void Scope::spawn(Task<void> task) noexcept {
  ++running_;
  loop_.post(run(*this, std::move(task)).handle);
}

Task<Code> Scope::join(Wait wait) {
  while (running_ > 0) {
    const Code code = co_await ended_.wait(loop_, wait);
    if (code != Code::Ok) co_return code;
  }
  co_return Code::Ok;
}

}  // namespace gatelab::io
