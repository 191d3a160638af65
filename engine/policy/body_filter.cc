// SPDX-License-Identifier: Apache-2.0
#include "policy/body_filter.h"

#include <array>
#include <utility>

namespace gatelab::policy {
namespace {

// What the first makes is the second's.
class Both final : public BodyFilter {
 public:
  Both(BodyFilterPtr first, BodyFilterPtr second) noexcept : BodyFilter(first->by), first_(std::move(first)), second_(std::move(second)) {}

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    Moved total;
    for (;;) {
      if (!second_has_more_ && !refill(in, behind, total)) return total;
      if (first_->holds_head()) return total;
      const Moved step = second_->move(between(), first_has_more_ ? Behind::More : behind, out.subspan(total.made));
      observe(step, total);
      begin_ += step.taken;
      total.made += step.made;
      second_has_more_ = step.more;
      if (step.failure != nullptr) return failed(*second_, step, total);
      total.more = second_has_more_ || (first_has_more_ && total.made == out.size());
      if (total.more || !first_has_more_) return total;
    }
  }
  bool holds_head() const noexcept override { return first_->holds_head() || second_->holds_head(); }
  std::optional<std::uint64_t> length() const noexcept override { return second_->length(); }
  const Policy& blamed() const noexcept override { return blamed_ != nullptr ? blamed_->blamed() : by; }

 private:
  std::string_view between() const noexcept { return {between_.data() + begin_, end_ - begin_}; }

  // False: the first can't go on.
  bool refill(std::string_view in, Behind behind, Moved& total) noexcept {
    const Moved step = first_->move(in.substr(total.taken), behind, between_);
    total.taken += step.taken;
    begin_ = 0;
    end_ = step.made;
    first_has_more_ = step.more;
    observe(step, total);
    if (step.failure == nullptr) return true;
    failed(*first_, step, total);
    return false;
  }

  static void observe(const Moved& step, Moved& total) noexcept {
    if (step.observed == nullptr) return;
    total.observed = step.observed;
    total.observed_by = step.observed_by;
    total.detail = step.detail;
  }

  Moved failed(const BodyFilter& who, const Moved& step, Moved& total) noexcept {
    blamed_ = &who;
    total.failure = step.failure;
    total.detail = step.detail;
    total.more = false;
    return total;
  }

  BodyFilterPtr first_, second_;
  const BodyFilter* blamed_ = nullptr;
  bool first_has_more_ = false, second_has_more_ = false;
  std::size_t begin_ = 0, end_ = 0;
  std::array<char, 16 * 1024> between_;
};

}  // namespace

void append(BodyFilterPtr& chain, BodyFilterPtr next) { chain = chain ? std::make_unique<Both>(std::move(chain), std::move(next)) : std::move(next); }

}  // namespace gatelab::policy
