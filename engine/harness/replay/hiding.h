// SPDX-License-Identifier: Apache-2.0
// Secrets of traffic that is sent as it is: in what is printed of it stands <redacted> in their places. One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/replay/redact.h"

namespace gatelab::harness {

class Hiding {
 public:
  // `spared`: whether a text is to be shown whatever it looks like; may be empty.
  explicit Hiding(std::function<bool(const std::string&)> spared = {});
  Hiding(const Hiding&) = delete;  // the redactor writes into this one
  Hiding& operator=(const Hiding&) = delete;

  // A request's: marks stand in these from now on, and hide() knows what stood there.
  void take(RecordedHeaders& headers, std::string& target, std::string& body);
  // In what was said of the requests that were taken.
  void hide(std::string& text) const;
  void forget() noexcept { found_.clear(); }
  bool took() const noexcept { return took_; }  // any, ever

 private:
  void put(std::string& text, const std::string& redacted);

  std::function<bool(const std::string&)> spared_;
  std::vector<std::string> each_;  // that the redactor has taken out since the last put()
  Redactor redactor_;
  std::vector<std::pair<std::string, std::string>> found_;  // what stood there, and what stands there now; long ones first
  bool took_ = false;
};

}  // namespace gatelab::harness
