// SPDX-License-Identifier: Apache-2.0
// Task<T>: a lazy coroutine with one awaiter. Frames come from a per-thread free list.
// A task that ends without waiting goes on in its awaiter by returning to it, so that a loop over such tasks needs no stack,
// whether or not the compiler makes a tail call of a symmetric transfer (under sanitizers GCC does not).
// A Task is awaited at most once; destroying one that has not finished is a programmer's mistake unless it never began
// (cancellation is delivered as a value from the awaited operation, never by destroying a suspended frame).
// The engine does not throw: an exception that escapes a coroutine ends the process.
// GCC 12: never put a capturing lambda, a braced temporary or a conditional operator into a co_await expression, nor a
// call that takes an argument by value that has a destructor (a string, a function): make the Task first, then await it.
#pragma once

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace gatelab::io {

// Per-thread free lists by size class; frames over 4 KiB go to the heap. A frame may be freed on another thread.
void* allocate_frame(std::size_t size) noexcept;
void free_frame(void* frame, std::size_t size) noexcept;

namespace detail {
struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  bool starting = false;   // its awaiter stands in begin() still
  bool completed = false;  // while it did

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
      PromiseBase& promise = h.promise();
      promise.completed = promise.starting;
      return promise.starting ? std::noop_coroutine() : promise.continuation;
    }
    void await_resume() noexcept {}
  };
  // True: the awaiter has to wait. Nothing else of this thread runs in between: a wait is only ever ended from the loop.
  template <class P>
  static bool begin(std::coroutine_handle<P> h, std::coroutine_handle<> awaiter) noexcept {
    PromiseBase& promise = h.promise();
    promise.continuation = awaiter;
    promise.starting = true;
    h.resume();
    promise.starting = false;
    return !promise.completed;
  }
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  static void* operator new(std::size_t n) { return allocate_frame(n); }
  static void operator delete(void* p, std::size_t n) noexcept { free_frame(p, n); }
};
}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::PromiseBase {
    std::optional<T> value;
    Task get_return_object() noexcept { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& v) noexcept { value.emplace(std::forward<U>(v)); }
  };
  Task(Task&& other) noexcept : h_(std::exchange(other.h_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() { if (h_) h_.destroy(); }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiter) noexcept { return promise_type::begin(h_, awaiter); }
  T await_resume() noexcept { return std::move(*h_.promise().value); }

 private:
  explicit Task(std::coroutine_handle<promise_type> h) noexcept : h_(h) {}
  std::coroutine_handle<promise_type> h_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : detail::PromiseBase {
    Task get_return_object() noexcept { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_void() noexcept {}
  };
  Task(Task&& other) noexcept : h_(std::exchange(other.h_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() { if (h_) h_.destroy(); }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiter) noexcept { return promise_type::begin(h_, awaiter); }
  void await_resume() noexcept {}

 private:
  explicit Task(std::coroutine_handle<promise_type> h) noexcept : h_(h) {}
  std::coroutine_handle<promise_type> h_;
};

}  // namespace gatelab::io
