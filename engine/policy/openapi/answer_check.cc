// SPDX-License-Identifier: Apache-2.0
#include "policy/openapi/answer_check.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gatelab::policy {
namespace {

class AnswerCheck final : public BodyFilter {
 public:
  AnswerCheck(const Policy& of, AnswerChecking what) : BodyFilter(of), what_(std::move(what)), holds_(true) {}

  bool holds_head() const noexcept override { return holds_; }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    Moved moved;
    if (holds_ && !collect(in, behind, moved)) return moved;
    if (holds_) return moved;
    // What was held, then the rest as it comes.
    moved.made = copy(std::string_view(what_.check.body).substr(given_), out);
    given_ += moved.made;
    const std::string_view rest = in.substr(moved.taken);
    const std::size_t more = given_ < what_.check.body.size() ? 0 : copy(rest, out.subspan(moved.made));
    moved.taken += more;
    moved.made += more;
    moved.more = given_ < what_.check.body.size() || more < rest.size();
    return moved;
  }

 private:
  static std::size_t copy(std::string_view from, std::span<char> to) noexcept {
    const std::size_t size = std::min(from.size(), to.size());
    if (size > 0) std::memcpy(to.data(), from.data(), size);
    return size;
  }

  // False: it can't be gone on with.
  bool fail(Moved& moved, const observe::Reason& reason) noexcept {
    moved.detail = what_.detail;
    if (!what_.observes) {
      moved.failure = &reason;
      return false;
    }
    moved.observed = &reason;
    moved.observed_by = &by;
    holds_ = false;
    return true;
  }

  bool collect(std::string_view in, Behind behind, Moved& moved) noexcept {
    if (what_.failure != nullptr) return fail(moved, *what_.failure);
    BodyCheck& check = what_.check;
    if (check.set == nullptr) {
      holds_ = false;
      return true;
    }
    moved.taken = std::min(in.size(), check.rules.size + 1 - check.body.size());
    check.body.append(in.substr(0, moved.taken));
    if (check.body.size() > check.rules.size) {
      what_.detail = "it is longer than max_size";
      return fail(moved, observe::reason::kAnswerTooLarge);
    }
    if (behind != Behind::End) return true;
    check.run();
    if (check.reason == nullptr) {
      holds_ = false;
      return true;
    }
    what_.detail = check.detail.empty() ? std::string(check.reason->title) : check.detail;
    return fail(moved, check.reason == &observe::reason::kInvalidBody ? observe::reason::kAnswerInvalid : check.coding && check.detail.empty() ? observe::reason::kAnswerEncoding : observe::reason::kAnswerJson);
  }

  AnswerChecking what_;
  bool holds_;
  std::size_t given_ = 0;
};

}  // namespace

BodyFilterPtr make_answer_check(const Policy& by, AnswerChecking what) { return std::make_unique<AnswerCheck>(by, std::move(what)); }

}  // namespace gatelab::policy
