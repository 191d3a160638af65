// SPDX-License-Identifier: Apache-2.0
// Secrets of traffic that is sent as it is: in what is printed of it stands <redacted> in their places. One thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "harness/replay/redact.h"

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
  // In what was said of what was taken. From the left, the longest first; what stands there then is not looked at again.
  void hide(std::string& text) const;
  // A text that stands for itself: of a header of this name, or, without one, of a body.
  std::string shown(std::string_view header, const std::string& text);
  void forget();
  bool took() const noexcept { return took_; }  // any, ever

 private:
  void put(std::string& text, const std::string& redacted);
  void add(std::string secret, std::string shown);

  std::function<bool(const std::string&)> spared_;
  std::vector<std::string> each_;  // that the redactor has taken out since the last put()
  Redactor redactor_;
  std::map<std::size_t, std::unordered_map<std::string, std::string>, std::greater<>> found_;  // by length: what stood there, and what stands there now
  std::unordered_set<std::string> beginnings_;  // of all of these, the first octets
  bool took_ = false;
};

}  // namespace gatelab::harness
