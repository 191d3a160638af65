// SPDX-License-Identifier: Apache-2.0
#include "policy/json/answer_edit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace gatelab::policy {
namespace {

class AnswerEdit final : public BodyFilter {
 public:
  AnswerEdit(const Policy& of, AnswerEditing what, JsonTally& tally) : BodyFilter(of), what_(std::move(what)), tally_(tally) {
    if (what_.coding) decoder_ = coding::make_decoder(*what_.coding);
  }

  bool holds_head() const noexcept override { return state_ == State::Collects; }
  std::optional<std::uint64_t> length() const noexcept override { return is_whole_ ? std::optional<std::uint64_t>(held_.size()) : std::nullopt; }

  Moved move(std::string_view in, Behind behind, std::span<char> out) noexcept override {
    Moved moved;
    if (state_ == State::Collects && !collect(in, behind, moved)) return moved;
    if (state_ == State::Collects) {
      moved.taken = in.size();
      return moved;
    }
    give(out, moved);
    if (given_ < held_.size()) moved.more = true;
    else if (!is_whole_) stream(in, behind, out, moved);
    return moved;
  }

 private:
  enum class State : std::uint8_t { Collects, Gives };

  bool fail(Moved& moved, const observe::Reason& reason, std::string_view detail) noexcept {
    tally_.count(JsonTally::Of::AnswerFailed);
    moved.failure = &reason;
    moved.detail = detail;
    return false;
  }

  // Takes what is there, up to one octet more than may be. False: it can't be gone on with.
  bool collect(std::string_view in, Behind behind, Moved& moved) noexcept {
    if (what_.failure != nullptr) return fail(moved, *what_.failure, what_.detail);
    const std::size_t most = what_.bounds.size;
    bool ended = behind == Behind::End;
    if (!decoder_) {
      moved.taken = std::min(in.size(), most + 1 - held_.size());
      held_.append(in.substr(0, moved.taken));
    } else if (!decode(in, behind, moved, ended)) {
      return fail(moved, observe::reason::kAnswerEncoding, "it is not in the content coding that it claims, or breaks off");
    }
    if (held_.size() > most) {
      if (!what_.passes) return fail(moved, observe::reason::kAnswerTooLarge, "it is longer than max_size");
      tally_.count(JsonTally::Of::AnswerFailed);
      state_ = State::Gives;  // and what follows goes through
      return true;
    }
    return !ended || edit(moved);
  }

  // `ended`: all of it is decoded.
  bool decode(std::string_view in, Behind behind, Moved& moved, bool& ended) noexcept {
    coding::Moved step;
    std::array<char, 16 * 1024> room;
    do {
      step = decoder_->move(in.substr(moved.taken), behind, room);
      moved.taken += step.taken;
      held_.append(room.data(), step.made);
      if (step.broken) return false;
    } while (step.more && held_.size() <= what_.bounds.size);
    ended = ended && !step.more;
    return true;
  }

  bool edit(Moved& moved) noexcept {
    state_ = State::Gives;
    is_whole_ = true;
    if (held_.empty()) return true;  // there is nothing to edit
    JsonEdited edited = what_.program.run(held_, what_.status, what_.rendered, what_.bounds);
    if (edited.end == JsonEdited::End::Same) {
      tally_.count(JsonTally::Of::AnswerSame);
      return true;
    }
    if (edited.end == JsonEdited::End::Changed) {
      tally_.count(JsonTally::Of::AnswerEdited);
      held_ = std::move(edited.text);
      return true;
    }
    if (what_.passes) {
      tally_.count(JsonTally::Of::AnswerFailed);
      return true;
    }
    why_ = std::move(edited.text);
    return fail(moved, edited.end == JsonEdited::End::TooLarge ? observe::reason::kAnswerTooLarge : observe::reason::kAnswerJson, why_);
  }

  void give(std::span<char> out, Moved& moved) noexcept {
    moved.made = std::min(out.size(), held_.size() - given_);
    if (moved.made > 0) std::memcpy(out.data(), held_.data() + given_, moved.made);
    given_ += moved.made;
  }

  // Behind what was held, of a body that is not edited.
  void stream(std::string_view in, Behind behind, std::span<char> out, Moved& moved) noexcept {
    const std::span<char> room = out.subspan(moved.made);
    if (room.empty()) {
      moved.more = true;
      return;
    }
    const std::string_view rest = in.substr(moved.taken);
    if (!decoder_) {
      const std::size_t size = std::min(rest.size(), room.size());
      if (size > 0) std::memcpy(room.data(), rest.data(), size);
      moved.taken += size;
      moved.made += size;
      moved.more = size < rest.size();
      return;
    }
    const coding::Moved step = decoder_->move(rest, behind, room);
    moved.taken += step.taken;
    moved.made += step.made;
    moved.more = step.more;
    if (step.broken) fail(moved, observe::reason::kAnswerEncoding, "it is not in the content coding that it claims, or breaks off");
  }

  AnswerEditing what_;
  JsonTally& tally_;
  std::unique_ptr<coding::Coder> decoder_;
  State state_ = State::Collects;
  bool is_whole_ = false;
  std::string held_, why_;
  std::size_t given_ = 0;
};

}  // namespace

BodyFilterPtr make_answer_edit(const Policy& by, AnswerEditing what, JsonTally& tally) { return std::make_unique<AnswerEdit>(by, std::move(what), tally); }

}  // namespace gatelab::policy
