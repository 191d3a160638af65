// SPDX-License-Identifier: Apache-2.0
#include "policy/access_cases.h"

namespace gatelab::test {
namespace {

TEST(Allow, SpeaksOfRequestsByAllThatItNames) { check_access("allow", true, "not-allowed"); }
TEST(Allow, SaysWhatIsWrong) { check_access_errors("allow"); }

}  // namespace
}  // namespace gatelab::test
