// SPDX-License-Identifier: Apache-2.0
// Result<T, E>: a value or an error, never both. The engine's only way to report failure of untrusted input or of the
// environment; programmer mistakes are asserts. Plain values, any thread.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace gatelab {

// `id` is a stable kebab-case word; `message` is lower case, names the place and says what to do.
struct Error {
  std::string id;
  std::string message;
};

template <class E>
struct Failure {
  E error;
};
template <class E>
Failure(E) -> Failure<E>;

// `return fail("id", "message")` from any function that returns a Result<…, Error>.
inline Failure<Error> fail(std::string id, std::string message) { return {Error{std::move(id), std::move(message)}}; }

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  template <class F>
  Result(Failure<F> f) : v_(std::in_place_index<1>, std::move(f.error)) {}  // NOLINT

  bool ok() const noexcept { return v_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Precondition: ok().
  T& value() & noexcept { return assert(ok()), *std::get_if<0>(&v_); }
  const T& value() const& noexcept { return assert(ok()), *std::get_if<0>(&v_); }
  T&& value() && noexcept { return assert(ok()), std::move(*std::get_if<0>(&v_)); }
  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T&& operator*() && noexcept { return std::move(*this).value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }

  // Precondition: !ok().
  E& error() noexcept { return assert(!ok()), *std::get_if<1>(&v_); }
  const E& error() const noexcept { return assert(!ok()), *std::get_if<1>(&v_); }

 private:
  std::variant<T, E> v_;
};

struct Unit {};
using Status = Result<Unit, Error>;
inline Status success() { return Unit{}; }

}  // namespace gatelab
