// SPDX-License-Identifier: Apache-2.0
// Whether a sanitizer watches the memory of this build. Then nothing is recycled: what comes back from a pool hides from it
// that somebody still looks there.
#pragma once

namespace gatelab {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace gatelab
