// SPDX-License-Identifier: Apache-2.0
// Secrets of traffic that is sent as it is: in what is printed of it stands <redacted> in their places. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/replay/redact.h"
#include "harness/replay/replacements.h"

namespace gatelab::harness {

class Hiding {
 public:
  // `spared`: whether a text is to be shown whatever it looks like; may be empty.
  explicit Hiding(std::function<bool(const std::string&)> spared = {});
  Hiding(const Hiding&) = delete;  // the redactor writes into this one
  Hiding& operator=(const Hiding&) = delete;

  // A message's: marks stand in these from now on, and hide() knows what stood there.
  void take(RecordedHeaders& headers, std::string& target, std::string& body);
  // One that is known to be one.
  void take(const std::string& secret);
  // In what was said of what was taken.
  void hide(std::string& text) const { text = found_.in(text); }
  // A text that stands for itself: of a header of this name, or, without one, of a body.
  std::string shown(std::string_view header, const std::string& text);
  void forget() { found_.clear(); }
  bool took() const noexcept { return took_; }  // any, ever

 private:
  void put(std::string& text, const std::string& redacted);

  std::function<bool(const std::string&)> spared_;
  std::vector<std::string> each_;  // that the redactor has taken out since the last put()
  Redactor redactor_;
  Replacements found_;
  bool took_ = false;
};

}  // namespace gatelab::harness
