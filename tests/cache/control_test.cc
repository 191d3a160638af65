// SPDX-License-Identifier: Apache-2.0
#include "cache/control.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache/seconds.h"
#include "support/field_lines.h"

namespace gatelab::test {
namespace {

const std::vector<std::string> kTargets{"Gatelab-Cache-Control", "CDN-Cache-Control"};

struct Row {
  std::string lines;
  std::string source;
  std::int64_t max_age = -1;  // -1: not said
  bool no_store = false;
};

void holds(const Row& row) {
  Arena arena;
  const http::Fields fields = field_lines(row.lines, arena);
  const cache::Control control = cache::response_control(fields, kTargets, arena);
  EXPECT_EQ(control.source, row.source) << row.lines;
  EXPECT_EQ(control.targeted, !row.source.empty() && row.source != "Cache-Control") << row.lines;
  const auto& max_age = control.directives.max_age;
  EXPECT_EQ(max_age ? cache::floor_seconds(*max_age) : -1, row.max_age) << row.lines;
  EXPECT_EQ(control.directives.no_store, row.no_store) << row.lines;
}

// RFC 9213 §2.2, §3.1
TEST(TargetedControl, TheFirstFieldOfTheTargetListTakesAll) {
  for (const Row& row : {
           Row{"", ""},
           Row{"Cache-Control: max-age=60", "Cache-Control", 60},
           Row{"Cache-Control: max-age=60, s-maxage=120\nCDN-Cache-Control: max-age=600", "CDN-Cache-Control", 600},
           Row{"CDN-Cache-Control: max-age=600\nCache-Control: no-store", "CDN-Cache-Control", 600},
           Row{"Cache-Control: no-store\nCDN-Cache-Control: none", "CDN-Cache-Control"},
           Row{"CDN-Cache-Control: max-age=600\nGatelab-Cache-Control: max-age=5", "Gatelab-Cache-Control", 5},
           Row{"cdn-cache-control: max-age=600", "CDN-Cache-Control", 600},
           Row{"CDN-Cache-Control: max-age=600\nCDN-Cache-Control: no-store", "CDN-Cache-Control", 600, true},
       })
    holds(row);
}

// RFC 9213 §2.1, §2.2
TEST(TargetedControl, AnEmptyOrBrokenFieldIsAsIfItWereNotThere) {
  for (const Row& row : {
           Row{"CDN-Cache-Control:\nCache-Control: max-age=60", "Cache-Control", 60},
           Row{"CDN-Cache-Control: max-age=600,\nCache-Control: max-age=60", "Cache-Control", 60},
           Row{"CDN-Cache-Control: max-age=600, &\nCache-Control: max-age=60", "Cache-Control", 60},
           Row{"CDN-Cache-Control: Max-Age=600\nCache-Control: max-age=60", "Cache-Control", 60},
           Row{"CDN-Cache-Control: max-age=\nCache-Control: max-age=60", "Cache-Control", 60},
           Row{"Gatelab-Cache-Control: @\nCDN-Cache-Control: max-age=600\nCache-Control: max-age=60", "CDN-Cache-Control", 600},
           Row{"CDN-Cache-Control: max-age=600, x=\"\nCache-Control: no-store", "Cache-Control", -1, true},
       })
    holds(row);
}

// RFC 9213 §2.2 and §2.4: the suffix alone makes no targeted field.
TEST(TargetedControl, FieldsThatAreNotListedChangeNothing) {
  holds({"Other-Cache-Control: no-store\nCache-Control: max-age=60", "Cache-Control", 60});
  holds({"Surrogate-Control: no-store\nCache-Control: max-age=60", "Cache-Control", 60});
  Arena arena;
  const http::Fields fields = field_lines("CDN-Cache-Control: no-store\nCache-Control: max-age=60", arena);
  EXPECT_FALSE(cache::response_control(fields, {}, arena).directives.no_store);
}

// RFC 9213 §2.1: values of another type are not made to fit; parameters are ignored.
TEST(TargetedControl, AValueOfAnotherTypeIsAsOneThatCanNotBeRead) {
  for (const Row& row : {
           Row{"CDN-Cache-Control: max-age=1.0", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=\"60\"", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=x", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=-5", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=(5)", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=@5", "CDN-Cache-Control", 0},
           Row{"CDN-Cache-Control: max-age=999999999999999", "CDN-Cache-Control", 2'147'483'648},
           Row{"CDN-Cache-Control: max-age=60;x=y", "CDN-Cache-Control", 60},
           Row{"CDN-Cache-Control: max-age=60, max-age=61", "CDN-Cache-Control", 61},  // of a dictionary the last counts
           Row{"CDN-Cache-Control: no-store=?0", "CDN-Cache-Control", -1, true},
       })
    holds(row);
}

// RFC 9213 §2.2: the directives that have to be known, and those that this cache knows beside them.
TEST(TargetedControl, KnowsWhatCacheControlKnows) {
  Arena arena;
  const http::Fields fields = field_lines(
      "CDN-Cache-Control: must-revalidate, no-cache=\"a, b\", private=c, s-maxage=5, stale-while-revalidate=6, stale-if-error=7, public, immutable=x, "
      "must-understand=?0, proxy-revalidate",
      arena);
  const cache::ResponseDirectives d = cache::response_control(fields, kTargets, arena).directives;
  EXPECT_TRUE(d.must_revalidate && d.proxy_revalidate && d.is_public);
  EXPECT_FALSE(d.immutable || d.must_understand || d.no_cache || d.is_private);
  EXPECT_TRUE(d.no_cache_fields.contains("B") && d.private_fields.contains("c"));
  EXPECT_EQ(d.s_maxage, std::chrono::seconds(5));
  EXPECT_EQ(d.stale_while_revalidate, std::chrono::seconds(6));
  EXPECT_EQ(d.stale_if_error, std::chrono::seconds(7));
  const http::Fields whole = field_lines("CDN-Cache-Control: no-cache, private=5", arena);
  const cache::ResponseDirectives w = cache::response_control(whole, kTargets, arena).directives;
  EXPECT_TRUE(w.no_cache && w.is_private);
}

}  // namespace
}  // namespace gatelab::test
