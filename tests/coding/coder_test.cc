// SPDX-License-Identifier: Apache-2.0
// Every coding there and back, in pieces of any size; against what the libraries themselves make of whole bodies in
// library_test.cc.
#include "coding/coder.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/random.h"

namespace gatelab::coding {
namespace {

constexpr Coding kAll[] = {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd};

struct Coded {
  std::string octets;
  bool broken = false;
};

// Hands over `piece` octets at a time, with room for `room`.
void feed(Coder& coder, std::string_view in, Behind behind, std::size_t room, Coded& out) {
  std::vector<char> buffer(room);
  for (bool more = true; more && !out.broken;) {
    const Moved moved = coder.move(in, behind, buffer);
    ASSERT_LE(moved.taken, in.size());
    ASSERT_LE(moved.made, room);
    out.octets.append(buffer.data(), moved.made);
    in.remove_prefix(moved.taken);
    more = moved.more;
    out.broken = moved.broken;
    if (!more && !out.broken) { EXPECT_EQ(in.size(), 0U) << "what is not taken is lost"; }
  }
}

Coded run(Coder& coder, std::string_view in, std::size_t piece = SIZE_MAX, std::size_t room = 64 * 1024) {
  Coded out;
  while (in.size() > piece && !out.broken) {
    feed(coder, in.substr(0, piece), Behind::More, room, out);
    in.remove_prefix(piece);
  }
  if (!out.broken) feed(coder, in, Behind::End, room, out);
  return out;
}

std::string coded_as(Coding coding, std::string_view in, int level = -1) { return run(*make_encoder(coding, level < 0 ? levels(coding).standard : level), in).octets; }
Coded undone(Coding coding, std::string_view in, std::size_t piece = SIZE_MAX, std::size_t room = 64 * 1024) { return run(*make_decoder(coding), in, piece, room); }

std::string text(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += "{\"id\":" + std::to_string(i * 7919) + ",\"name\":\"lamp\"},";
  out.resize(size);
  return out;
}

std::string noise(std::size_t size) {
  Dice dice = Random(3).fork("noise", 1);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(dice.below(256));
  return out;
}

TEST(Coder, NamesAreThoseOfTheRegistry) {
  for (const Coding one : kAll) EXPECT_EQ(parse(name(one)), one);
  EXPECT_EQ(parse("BR"), Coding::Brotli);
  EXPECT_EQ(parse("x-gzip"), Coding::Gzip);
  for (const char* word : {"", "identity", "compress", "gzip2", "*"}) EXPECT_EQ(parse(word), std::nullopt) << word;
}

TEST(Coder, WhatWasEncodedDecodesToTheSame) {
  for (const Coding coding : kAll)
    for (const std::string& body : {std::string(), std::string("a"), text(1'000), text(300'000), noise(100'000), std::string(500'000, 'x')}) {
      const std::string coded = coded_as(coding, body);
      const Coded back = undone(coding, coded);
      EXPECT_FALSE(back.broken) << name(coding) << " " << body.size();
      EXPECT_TRUE(back.octets == body) << name(coding) << " " << body.size();
      if (body.size() == 300'000U) { EXPECT_LT(coded.size(), body.size() / 3) << name(coding); }
    }
}

TEST(Coder, EveryLevelGoes) {
  const std::string body = text(50'000);
  for (const Coding coding : kAll)
    for (int level = levels(coding).least; level <= levels(coding).most; ++level) EXPECT_TRUE(undone(coding, coded_as(coding, body, level)).octets == body) << name(coding) << " " << level;
}

TEST(Coder, OneOctetAtATimeIsAsGoodAsAll) {
  const std::string body = text(3'000);
  for (const Coding coding : kAll)
    for (const std::size_t room : {std::size_t{1}, std::size_t{7}, std::size_t{4'096}}) {
      const Coded coded = run(*make_encoder(coding, levels(coding).standard), body, 1, room);
      EXPECT_TRUE(undone(coding, coded.octets, 1, room).octets == body) << name(coding) << " " << room;
      EXPECT_TRUE(undone(coding, coded.octets).octets == body) << name(coding) << " " << room;
      EXPECT_FALSE(undone(coding, coded.octets, 1, room).broken) << name(coding) << " " << room;
    }
}

TEST(Coder, WhatIsWaitedForCanBeReadAtOnce) {
  for (const Coding coding : kAll) {
    const auto encoder = make_encoder(coding, levels(coding).standard);
    const auto decoder = make_decoder(coding);
    Coded wire, read;
    std::string sent;
    for (int i = 0; i < 50; ++i) {
      const std::string event = "data: " + std::to_string(i) + "\n\n";
      sent += event;
      wire.octets.clear();
      feed(*encoder, event, Behind::More, 16, wire);
      feed(*encoder, {}, Behind::Wait, 16, wire);
      feed(*decoder, wire.octets, Behind::More, 16, read);
      EXPECT_EQ(read.octets, sent) << name(coding) << " " << i;
      // A pause in which nothing has come costs nothing.
      wire.octets.clear();
      feed(*encoder, {}, Behind::Wait, 16, wire);
      EXPECT_EQ(wire.octets, "") << name(coding);
    }
    wire.octets.clear();
    feed(*encoder, {}, Behind::End, 16, wire);
    feed(*decoder, wire.octets, Behind::End, 16, read);
    EXPECT_EQ(read.octets, sent) << name(coding);
    EXPECT_FALSE(read.broken) << name(coding);
  }
}

TEST(Coder, APauseBeforeTheFirstOctetSendsNothing) {
  for (const Coding coding : kAll) {
    const auto encoder = make_encoder(coding, levels(coding).standard);
    Coded wire;
    feed(*encoder, {}, Behind::Wait, 64, wire);
    EXPECT_EQ(wire.octets, "") << name(coding);
    feed(*encoder, "a", Behind::End, 64, wire);
    EXPECT_EQ(undone(coding, wire.octets).octets, "a") << name(coding);
  }
}

TEST(Coder, NoOctetsAreAnEmptyBody) {
  for (const Coding coding : kAll) {
    const Coded nothing = undone(coding, "");
    EXPECT_FALSE(nothing.broken) << name(coding);
    EXPECT_EQ(nothing.octets, "");
    EXPECT_EQ(undone(coding, coded_as(coding, "")).octets, "");
  }
}

TEST(Coder, ABodyThatBreaksOffIsBrokenWhereverItDoes) {
  const std::string body = text(2'000);
  for (const Coding coding : kAll) {
    const std::string coded = coded_as(coding, body);
    for (std::size_t size = 1; size < coded.size(); ++size) EXPECT_TRUE(undone(coding, coded.substr(0, size)).broken) << name(coding) << " " << size << " of " << coded.size();
  }
}

TEST(Coder, OctetsBehindTheEndAreBroken) {
  for (const Coding coding : kAll) {
    const std::string coded = coded_as(coding, text(500));
    for (const std::string& tail : {std::string("x"), std::string(1, '\0'), std::string("GET / HTTP/1.1\r\n\r\n")}) {
      EXPECT_TRUE(undone(coding, coded + tail).broken) << name(coding);
      EXPECT_TRUE(undone(coding, coded + tail, 1).broken) << name(coding);
    }
  }
}

TEST(Coder, SeveralMembersOrFramesAreOneBody) {
  for (const Coding coding : {Coding::Gzip, Coding::Zstd})
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}}) {
      const Coded both = undone(coding, coded_as(coding, "one ") + coded_as(coding, "") + coded_as(coding, "two"), piece);
      EXPECT_FALSE(both.broken) << name(coding);
      EXPECT_EQ(both.octets, "one two") << name(coding);
    }
  for (const Coding coding : {Coding::Deflate, Coding::Brotli}) EXPECT_TRUE(undone(coding, coded_as(coding, "one ") + coded_as(coding, "two")).broken) << name(coding);
}

TEST(Coder, WhatIsAnotherCodingIsBroken) {
  for (const Coding is : kAll)
    for (const Coding claims : kAll)
      if (is != claims) { EXPECT_TRUE(undone(claims, coded_as(is, text(2'000))).broken) << name(is) << " as " << name(claims); }
  for (const Coding claims : {Coding::Gzip, Coding::Deflate, Coding::Zstd}) EXPECT_TRUE(undone(claims, text(2'000)).broken) << name(claims);
  for (const Coding claims : kAll) EXPECT_TRUE(undone(claims, noise(2'000)).broken) << name(claims);
}

// gzip and zstd say what they hold; the others at least never crash, and never give more than a bomb of their own would.
TEST(Coder, OctetsThatWereChangedOnTheWayDoNoHarm) {
  const std::string body = text(4'000);
  Dice dice = Random(5).fork("flips", 1);
  for (const Coding coding : kAll) {
    const std::string coded = coded_as(coding, body);
    std::size_t noticed = 0;
    for (int i = 0; i < 500; ++i) {
      std::string changed = coded;
      changed[dice.below(changed.size())] ^= static_cast<char>(1 << dice.below(8));
      const Coded back = undone(coding, changed);
      noticed += back.broken || back.octets != body;
    }
    EXPECT_GT(noticed, 300U) << name(coding);
  }
}

// What comes out at once is what there is room for, however much stands behind it.
TEST(Coder, ABombComesOutPieceByPiece) {
  const std::string zeros(1 << 20, '\0');
  for (const Coding coding : kAll) {
    const auto encoder = make_encoder(coding, levels(coding).most > 9 ? 9 : levels(coding).most);
    Coded bomb;
    for (int i = 0; i < 32; ++i) feed(*encoder, zeros, Behind::More, 64 * 1024, bomb);
    feed(*encoder, {}, Behind::End, 64 * 1024, bomb);
    EXPECT_LT(bomb.octets.size(), 64U * 1024) << name(coding);
    const auto decoder = make_decoder(coding);
    std::array<char, 4096> room;
    std::string_view in = bomb.octets;
    std::size_t made = 0, calls = 0;
    for (bool more = true; more; ++calls) {
      const Moved moved = decoder->move(in, Behind::End, room);
      ASSERT_FALSE(moved.broken) << name(coding);
      ASSERT_LE(moved.made, room.size());
      made += moved.made;
      in.remove_prefix(moved.taken);
      more = moved.more;
    }
    EXPECT_EQ(made, 32U << 20) << name(coding);
    EXPECT_GE(calls, (32U << 20) / room.size()) << name(coding);
  }
}

TEST(Coder, WholeBodiesGoThereAndBackAtOnce) {
  const std::string body = text(200'000);
  for (const Coding coding : kAll) {
    const std::string coded = encode(coding, body);
    EXPECT_TRUE(decode(coding, coded, body.size()) == body) << name(coding);
    EXPECT_EQ(decode(coding, coded, body.size() - 1), std::nullopt) << name(coding);
    EXPECT_EQ(decode(coding, coded + "x", 1 << 20), std::nullopt) << name(coding);
  }
}

TEST(Coder, AZstdWindowOfMoreThanEightMebibytesIsRefused) {
  // RFC 8878 §3.1.1.1.2: a frame header with a window descriptor of exponent 14, 16 MiB; then one empty last block.
  const std::string wide("\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00", 9), fits("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00", 9);
  EXPECT_TRUE(undone(Coding::Zstd, wide).broken);
  EXPECT_FALSE(undone(Coding::Zstd, fits).broken);
}

}  // namespace
}  // namespace gatelab::coding
