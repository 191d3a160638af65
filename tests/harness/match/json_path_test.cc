// SPDX-License-Identifier: Apache-2.0
// RFC 9535 by table: what each path selects, and what is no path at all.
#include "harness/match/json_path.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatelab::harness {
namespace {

using nlohmann::json;

// RFC 9535 §1.5.
const char* const kStore = R"({"store":{"book":[
  {"category":"reference","author":"A. Reader","title":"Sayings","price":8.95},
  {"category":"fiction","author":"B. Writer","title":"Sword","price":12.99},
  {"category":"fiction","author":"C. Teller","title":"Whale","isbn":"0-553-21311-3","price":8.99},
  {"category":"fiction","author":"D. Smith","title":"Ring","isbn":"0-395-19395-8","price":22.99}],
  "bicycle":{"color":"red","price":399}}})";

struct Selects {
  const char* path;
  const char* document;
  const char* nodes;  // a JSON list
};

const Selects kSelects[] = {
    // root, names
    {"$", R"({"k":1})", R"([{"k":1}])"},
    {"$.a", R"({"a":1})", "[1]"},
    {"$.a", R"([1])", "[]"},
    {"$.b", R"({"a":1})", "[]"},
    {"$['a']", R"({"a":1})", "[1]"},
    {"$[\"a\"]", R"({"a":1})", "[1]"},
    {"$['j j']['k.k']", R"({"j j":{"k.k":3}})", "[3]"},
    {"$[\"'\"]['@']", R"({"'":{"@":2}})", "[2]"},
    {"$['\\'']", R"({"'":2})", "[2]"},
    {"$['\\u263A']", R"({"☺":2})", "[2]"},
    {"$['\\uD834\\uDD1E']", R"({"𝄞":2})", "[2]"},
    {"$['\\\\']", R"({"\\":2})", "[2]"},
    {"$.☺", R"({"☺":2})", "[2]"},
    {"$._a1", R"({"_a1":2})", "[2]"},
    {"$ .a [ 'b' ]", R"({"a":{"b":1}})", "[1]"},
    {"$['']", R"({"":1})", "[1]"},
    // wildcards
    {"$.*", R"({"a":1,"b":[2]})", "[1,[2]]"},
    {"$[*]", "[1,2]", "[1,2]"},
    {"$[*,0]", "[1,2]", "[1,2,1]"},
    {"$.*", "3", "[]"},
    // indexes
    {"$[1]", R"(["a","b"])", R"(["b"])"},
    {"$[-1]", R"(["a","b"])", R"(["b"])"},
    {"$[-3]", R"(["a","b"])", "[]"},
    {"$[2]", R"(["a","b"])", "[]"},
    {"$[0]", R"({"0":1})", "[]"},
    // slices, RFC 9535 table 9
    {"$[1:3]", R"(["a","b","c","d","e","f","g"])", R"(["b","c"])"},
    {"$[5:]", R"(["a","b","c","d","e","f","g"])", R"(["f","g"])"},
    {"$[1:5:2]", R"(["a","b","c","d","e","f","g"])", R"(["b","d"])"},
    {"$[5:1:-2]", R"(["a","b","c","d","e","f","g"])", R"(["f","d"])"},
    {"$[::-1]", R"(["a","b","c"])", R"(["c","b","a"])"},
    {"$[:]", "[1,2]", "[1,2]"},
    {"$[::]", "[1,2]", "[1,2]"},
    {"$[::0]", "[1,2]", "[]"},
    {"$[-2:]", "[1,2,3]", "[2,3]"},
    {"$[:-2]", "[1,2,3]", "[1]"},
    {"$[-9:9]", "[1,2]", "[1,2]"},
    {"$[9:-9:-1]", "[1,2]", "[2,1]"},
    {"$[2:1]", "[1,2,3]", "[]"},
    {"$[:9007199254740991:9007199254740991]", "[1,2]", "[1]"},
    {"$[ 0 : 2 : 1 ]", "[1,2,3]", "[1,2]"},
    {"$[1:]", R"({"a":1})", "[]"},
    // several selectors, in the order in which they are written
    {"$['b','a',0]", R"({"a":1,"b":2})", "[2,1]"},
    {"$[0,0]", "[1]", "[1,1]"},
    {"$[2:,0]", "[1,2,3,4]", "[3,4,1]"},
    // descendants, table 12
    {"$..j", R"({"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]})", "[4,1]"},
    {"$..[0]", R"({"a":[5,3,[{"j":4},{"k":6}]]})", R"([5,{"j":4}])"},
    {"$..*", R"([[1],2])", "[[1],2,1]"},
    {"$..[*,0]", "[1]", "[1,1]"},
    {"$.o..[*,*]", R"({"o":{"j":1,"k":2}})", "[1,2,1,2]"},
    {"$..a..b", R"({"a":{"a":{"b":1}}})", "[1,1]"},
    // the RFC's store
    {"$.store.book[*].author", kStore, R"(["A. Reader","B. Writer","C. Teller","D. Smith"])"},
    {"$..author", kStore, R"(["A. Reader","B. Writer","C. Teller","D. Smith"])"},
    {"$.store..price", kStore, "[399,8.95,12.99,8.99,22.99]"},
    {"$..book[2].title", kStore, R"(["Whale"])"},
    {"$..book[2].publisher", kStore, "[]"},
    {"$..book[-1].title", kStore, R"(["Ring"])"},
    {"$..book[:2].title", kStore, R"(["Sayings","Sword"])"},
    {"$..book[?@.isbn].title", kStore, R"(["Whale","Ring"])"},
    {"$..book[?@.price<10].title", kStore, R"(["Sayings","Whale"])"},
    // filters: existence
    {"$[?@.a]", R"([{"a":null},{"b":1},3])", R"([{"a":null}])"},
    {"$[?!@.a]", R"([{"a":null},{"b":1}])", R"([{"b":1}])"},
    {"$[?@]", "[null,0,false]", "[null,0,false]"},
    {"$[?@.*]", R"([[],[1],{},{"a":1}])", R"([[1],{"a":1}])"},
    {"$[?$.on]", R"({"on":0,"x":1})", "[0,1]"},
    {"$[?@>1]", R"({"a":1,"b":2})", "[2]"},
    // comparisons, table 11
    {"$[?@.absent1 == @.absent2]", "[1]", "[1]"},
    {"$[?@.absent1 <= @.absent2]", "[1]", "[1]"},
    {"$[?@.absent == 'g']", "[1]", "[]"},
    {"$[?@.absent != 'g']", "[1]", "[1]"},
    {"$[?1 <= 2]", "[1]", "[1]"},
    {"$[?1 > 2]", "[1]", "[]"},
    {"$[?13 == '13']", "[1]", "[]"},
    {"$[?'a' <= 'b']", "[1]", "[1]"},
    {"$[?$.obj == $.arr]", R"({"obj":{"x":"y"},"arr":[2,3]})", "[]"},
    {"$[?$.obj == $.obj]", R"({"obj":{"x":"y"}})", R"([{"x":"y"}])"},
    {"$[?$.obj <= $.obj]", R"({"obj":{"x":"y"}})", R"([{"x":"y"}])"},
    {"$[?$.obj < $.obj]", R"({"obj":{"x":"y"}})", "[]"},
    {"$[?true <= true]", "[1]", "[1]"},
    {"$[?true < false]", "[1]", "[]"},
    {"$[?@ == null]", "[null,0,false,\"\"]", "[null]"},
    {"$[?@ == 1.0]", "[1,1.0,2]", "[1,1.0]"},
    {"$[?@ == 1e2]", "[100,10]", "[100]"},
    {"$[?@ == -0]", "[0,1]", "[0]"},
    {"$[?@.a=='\\'\"']", R"([{"a":"'\""}])", R"([{"a":"'\""}])"},
    {"$[?@ == 'é']", R"(["é","e"])", R"(["é"])"},
    {"$[?@[0]==@[1]]", "[[1,1],[1,2],[[],[]],[{\"a\":1},{\"a\":1.0}]]", "[[1,1],[[],[]],[{\"a\":1},{\"a\":1.0}]]"},
    // logic and its precedence
    {"$[?@<2 || @>4]", "[1,2,3,4,5]", "[1,5]"},
    {"$[?@>1 && @<3]", "[1,2,3]", "[2]"},
    {"$[?@==1 || @==2 && @==3]", "[1,2,3]", "[1]"},
    {"$[?(@==1 || @==2) && @!=1]", "[1,2,3]", "[2]"},
    {"$[?!(@==1)]", "[1,2]", "[2]"},
    {"$[? ! ( @ == 1 ) ]", "[1,2]", "[2]"},
    {"$[?@.a && !@.b]", R"([{"a":1},{"a":1,"b":2}])", R"([{"a":1}])"},
    // nested queries
    {"$[?@[?@>1]]", "[[0,1],[1,2]]", "[[1,2]]"},
    {"$[?@..x]", R"([{"a":{"x":1}},{"a":1}])", R"([{"a":{"x":1}}])"},
    {"$.a[?@.k==$.want]", R"({"want":2,"a":[{"k":1},{"k":2}]})", R"([{"k":2}])"},
    // functions
    {"$[?length(@)==2]", R"(["ab","☺☺",[1,2],{"a":1,"b":2},3,"abc"])", R"(["ab","☺☺",[1,2],{"a":1,"b":2}])"},
    {"$[?length(@.a)>=1]", R"([{"a":"x"},{"a":""},{}])", R"([{"a":"x"}])"},
    {"$[?length('abc')==3]", "[1]", "[1]"},
    {"$[?count(@.*)==2]", "[[1,2],[1],3]", "[[1,2]]"},
    {"$[?count(@..*)>2]", "[[1,[2,3]],[1]]", "[[1,[2,3]]]"},
    {"$[?value(@..a)==1]", R"([{"a":1},{"a":1,"b":{"a":1}}])", R"([{"a":1}])"},
    {"$[?match(@.d,'1974-05-..')]", R"([{"d":"1974-05-01"},{"d":"x1974-05-01"}])", R"([{"d":"1974-05-01"}])"},
    {"$[?match(@,'a|ab')]", R"(["a","ab","abc"])", R"(["a","ab"])"},
    {"$[?search(@,'[BR]ob')]", R"(["Bob","xRobx","rob"])", R"(["Bob","xRobx"])"},
    {"$[?!match(@,'a.*')]", R"(["ab","b"])", R"(["b"])"},
    {"$[?match(@,$.p)]", R"({"p":"x.","q":"xy"})", R"(["x.","xy"])"},
    {"$[?match(@,'a.b')]", R"(["a\nb","a\rb","a☺b","axb"])", R"(["a☺b","axb"])"},
    {"$[?match(@,'a[.]b')]", R"(["a.b","axb"])", R"(["a.b"])"},
    {"$[?match(@,'a\\\\.b')]", R"(["a.b","axb"])", R"(["a.b"])"},
    {"$[?match(@,'\\\\p{Lu}')]", R"(["Ä","ä"])", R"(["Ä"])"},
    {"$[?match(@,'(')]", R"(["("])", "[]"},
    {"$[?match(@,1)]", R"(["1"])", "[]"},
    {"$[?length(value(@.a))==2]", R"([{"a":"xy"},{"a":"x"}])", R"([{"a":"xy"}])"},
};

TEST(JsonPath, SelectsWhatTheRfcSays) {
  for (const Selects& row : kSelects) {
    const auto path = JsonPath::compile(row.path);
    ASSERT_TRUE(path.ok()) << row.path << ": " << path.error().message;
    const json document = json::parse(row.document);
    json got = json::array();
    for (const json* node : path->select(document)) got.push_back(*node);
    EXPECT_EQ(got, json::parse(row.nodes)) << row.path << " on " << row.document;
  }
}

const char* const kInvalid[] = {
    "", " $", "$ ", "a", "$a", ".a", "@", "$.", "$..", "$...a", "$. a", "$.. a", "$.&", "$.1a", "$.-a", "$.'a'",
    "$[", "$]", "$[]", "$[a]", "$[ ]", "$['a'", "$['a]", "$[\"a']", "$['\\a']", "$['\\\"']", "$[\"\\'\"]", "$['\t']", "$['\\uD800']",
    "$['\\uDC00']", "$['\\u12']", "$['\\x41']", "$[0,]", "$[,0]", "$[01]", "$[-0]", "$[-]", "$[1.0]", "$[1e1]", "$[+1]", "$[9007199254740992]",
    "$[1:2:3:4]", "$[1:01]", "$[::-0]", "$[a:]", "$[1 2]",
    "$[?]", "$[?1]", "$[?true]", "$[?'a']", "$[?@.a==]", "$[?==1]", "$[?@==1", "$[?@=1]", "$[?@.a==01]", "$[?@==1.]", "$[?@==.5]", "$[?@==+1]",
    "$[?(@.a]", "$[?@.a)]", "$[?!]", "$[?!@.a==1]", "$[?@.a & @.b]", "$[?@.a && ]", "$[?|| @.a]", "$[?@.a==[1]]", "$[?@.a=={}]", "$[?@.*==1]", "$[?@..a==1]",
    "$[?@[0,1]==1]", "$[?@[0:1]==1]", "$[?@.a==True]", "$[?@.a==NULL]", "$[?1==1==1]",
    "$[?nosuch(@)]", "$[?length(@)]", "$[?length()==1]", "$[?length(@,@)==1]", "$[?length(@.*)==1]", "$[?count(@)]", "$[?count(1)==1]", "$[?count()==1]",
    "$[?match(@)]", "$[?match(@,'a')==true]", "$[?match(@.*,'a')]", "$[?search(@,'a','b')]", "$[?value(@)]", "$[?value(1)==1]", "$[?length (@)==1]",
    "$[?length(match(@,'a'))==1]", "$[?match(@,'a'", "$.a.", "$[0][", "$..[", "$.*a", "$[**]", "$[*]x",
};

TEST(JsonPath, RefusesWhatIsNoPathAndSaysWhere) {
  for (const char* text : kInvalid) {
    const auto path = JsonPath::compile(text);
    EXPECT_FALSE(path.ok()) << "`" << text << "` was taken";
    if (path.ok()) continue;
    EXPECT_EQ(path.error().id, "bad-jsonpath") << text;
    EXPECT_NE(path.error().message.find("at octet"), std::string::npos) << path.error().message;
  }
}

TEST(JsonPath, KnowsWhetherItCanSelectMoreThanOneValue) {
  const auto singular = [](const char* text) { return JsonPath::compile(text)->singular(); };
  EXPECT_TRUE(singular("$"));
  EXPECT_TRUE(singular("$.a['b'][0][-1]"));
  EXPECT_FALSE(singular("$.*"));
  EXPECT_FALSE(singular("$..a"));
  EXPECT_FALSE(singular("$[0,1]"));
  EXPECT_FALSE(singular("$[0:1]"));
  EXPECT_FALSE(singular("$[?@.a]"));
}

TEST(JsonPath, ADeepFilterIsRefused) {
  EXPECT_FALSE(JsonPath::compile("$[?" + std::string(1000, '(') + "@.a" + std::string(1000, ')') + "]").ok());
  std::string nested = "$";
  for (int i = 0; i < 200; ++i) nested += "[?@";
  EXPECT_FALSE(JsonPath::compile(nested + std::string(200, ']')).ok());
}

TEST(JsonPath, ALongOneIsRefused) { EXPECT_FALSE(JsonPath::compile("$" + std::string(5000, ' ')).ok()); }

// What it visits is bounded: quadratic and worse queries end.
TEST(JsonPath, EndsOnADocumentThatWouldTakeForEver) {
  json document = json::array();
  for (int i = 0; i < 300; ++i) document.push_back({{"k", {i, i + 1}}});
  for (const char* text : {"$..[?@..[?@..[?@..[?@..*]]]]", "$..[?@..[?$==$]]", "$..[?count($..*)==count($..*)]"}) {
    const auto path = JsonPath::compile(text);
    ASSERT_TRUE(path.ok());
    EXPECT_LE(path->select(document).size(), 1'000'000U);
  }
}

TEST(JsonPath, ADocumentOfGreatDepthIsSurvived) {
  json document = 1;
  for (int i = 0; i < 20'000; ++i) {
    json outer = json::array();
    outer.push_back(std::move(document));
    document = std::move(outer);
  }
  EXPECT_FALSE(JsonPath::compile("$..*")->select(document).empty());
  EXPECT_LE(JsonPath::compile("$[?@==@]")->select(document).size(), 1U);
}

}  // namespace
}  // namespace gatelab::harness
