// SPDX-License-Identifier: Apache-2.0
#include "policy/access_cases.h"

namespace gatelab::test {
namespace {

TEST(Deny, SpeaksOfRequestsByAllThatItNames) { check_access("deny", false, "denied"); }
TEST(Deny, SaysWhatIsWrong) { check_access_errors("deny"); }

}  // namespace
}  // namespace gatelab::test
