// SPDX-License-Identifier: Apache-2.0
// docs/errors.md, row by row, through the whole engine: with several seeds of segmentation in simulated time, and on real
// sockets. What the client got, what reached the backend, what became of both connections.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/protocol_table.h"
#include "support/socket_world.h"

namespace gatelab::test {
namespace {

constexpr std::string_view kProbe = "GET /probe HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
constexpr const char* kFine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// What a row came to.
struct Outcome {
  std::string answered;   // to the client, before the probe
  bool ended = false;     // the client's connection, before the probe
  bool broken = false;    // by a reset
  bool probed = false;    // a request behind the row's own was answered on the same connection
  std::string reason;     // of the last record before the probe
  std::vector<std::string> requests;  // whole ones at the target, without the probe
  std::string target_octets;          // all of them
  std::size_t target_connections = 0; // after the probe
};

std::size_t answers_of(const Row& row) {
  return row.status == "-" ? 0 : 1 + static_cast<std::size_t>(std::count(row.status.begin(), row.status.end(), ' '));
}
std::size_t finals_of(const Row& row) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < row.status.size(); at += 4) out += row.status[at] != '1';
  return std::max<std::size_t>(out, 1);
}
std::string clients_fate(const Row& row) { return row.connection.substr(0, row.connection.find('/')); }

std::vector<Piece> client_pieces(const Row& row) { return row.is_response ? std::vector<Piece>{{row.to, Piece::Then::Nothing}} : row.received; }

std::vector<Reply> replies_of(const Row& row) {
  std::vector<Reply> out;
  if (row.is_response) {
    Reply& reply = out.emplace_back();
    for (const Piece& piece : row.received) {
      reply.text += piece.octets;
      reply.at_head = row.to.find("Expect:") != std::string::npos;
      reply.close = piece.then == Piece::Then::Close;
      reply.reset = piece.then == Piece::Then::Reset;
    }
  }
  out.emplace_back().text = kFine;
  return out;
}

void forget_probe(std::vector<std::string>& requests, std::string& octets) {
  if (requests.empty() || !requests.back().starts_with("GET /probe ")) return;
  octets.erase(octets.size() - std::min(octets.size(), requests.back().size()));
  requests.pop_back();
}

Outcome run_simulated(const Row& row, std::uint64_t seed) {
  RawWorld world(plain_gateway(), seed, 1);
  world.script(replies_of(row));
  RawClient& client = world.connect();
  for (const Piece& piece : client_pieces(row)) {
    client.write(piece.octets);
    world.settle();
    if (piece.then == Piece::Then::Close) client.finish();
    if (piece.then == Piece::Then::Reset) client.reset();
  }
  world.settle();
  Outcome out;
  out.answered = client.received;
  out.ended = client.eof || client.broken;
  out.broken = client.broken;
  out.reason = world.records.empty() ? "(no record)" : world.records.back().ended_reason;
  RawClient& prober = out.ended ? world.connect() : client;
  prober.received.clear();
  prober.write(std::string(kProbe));
  world.settle();
  out.probed = !out.ended && prober.received.starts_with("HTTP/1.1 200");
  out.requests = world.requests;
  out.target_octets = world.target_octets;
  out.target_connections = world.target_connections;
  forget_probe(out.requests, out.target_octets);
  return out;
}

Outcome run_on_sockets(const Row& row) {
  SocketWorld world(replies_of(row));
  const auto client = world.connect();
  const auto answers = [&client, &row] {
    const auto all = split_answers(client->received, row.method(), client->ended);
    return all.empty() || all.back().complete ? all.size() : all.size() - 1;
  };
  for (const Piece& piece : client_pieces(row)) {
    const std::size_t before = answers();
    client->write(piece.octets);
    if (piece.then == Piece::Then::Wait) client->read_until([&] { return answers() > before; });
    if (piece.then == Piece::Then::Close) client->finish();
    if (piece.then == Piece::Then::Reset) client->reset();
  }
  Outcome out;
  const bool keeps = clients_fate(row) == "keep";
  EXPECT_TRUE(client->read_until([&] { return keeps && answers() >= answers_of(row); })) << "nothing more came: " << client->received;
  out.answered = client->received;
  out.ended = client->ended;
  out.broken = client->broken;
  out.reason = world.reason(finals_of(row));
  const auto other = out.ended ? world.connect() : nullptr;
  SocketClient& prober = out.ended ? *other : *client;
  prober.received.clear();
  prober.write(kProbe);
  EXPECT_TRUE(prober.read_until([] { return false; })) << "the probe is not answered";
  out.probed = !out.ended && prober.received.starts_with("HTTP/1.1 200");
  out.requests = world.requests();
  out.target_octets = world.target_octets();
  out.target_connections = world.target_connections();
  forget_probe(out.requests, out.target_octets);
  return out;
}

std::string statuses(const std::vector<Message>& answers) {
  std::string out;
  for (const Message& m : answers) out += (out.empty() ? "" : " ") + std::to_string(m.status());
  return out.empty() ? "-" : out;
}

// What reached the backend: exactly the requests of the row.
void judge_forwarded(const Row& row, const Outcome& outcome) {
  if (row.forwarded == "nothing") {
    EXPECT_EQ(outcome.target_octets, "");
    return;
  }
  if (row.forwarded == "incomplete") {
    EXPECT_TRUE(outcome.requests.empty()) << outcome.requests.front();
    const auto seen = split_requests(outcome.target_octets);
    EXPECT_TRUE(seen.empty() || !seen.back().complete) << outcome.target_octets;
    return;
  }
  EXPECT_EQ(canonical(split_requests(outcome.target_octets)), row.forwarded);
}

void judge_answer(const Row& row, const Outcome& outcome, const std::vector<Message>& answers) {
  const std::string own = "\"reason\":\"" + row.reason + "\"";
  if (row.forwarded == "incomplete") return;
  if (row.forwarded == "problem") {
    EXPECT_NE(outcome.answered.find(own), std::string::npos) << outcome.answered;
    return;
  }
  EXPECT_EQ(canonical(answers), row.forwarded);
}

void judge(const Row& row, const Outcome& outcome) {
  const auto answers = split_answers(outcome.answered, row.method(), outcome.ended && !outcome.broken);
  const std::string fate = clients_fate(row);
  EXPECT_EQ(outcome.reason, row.reason);
  if (fate == "cut") {
    EXPECT_TRUE(outcome.ended);
    EXPECT_TRUE(answers.empty() || !answers.back().complete) << "a clean end: " << outcome.answered;
  } else {
    EXPECT_EQ(statuses(answers), row.status) << outcome.answered;
    EXPECT_TRUE(answers.empty() || answers.back().complete) << outcome.answered;
    EXPECT_EQ(outcome.ended, fate == "close") << outcome.answered;
    EXPECT_EQ(outcome.probed, fate == "keep");
    const bool says_close = outcome.answered.find("\r\nConnection: close\r\n") != std::string::npos;
    EXPECT_EQ(says_close, fate == "close" && row.status != "-") << outcome.answered;
  }
  if (!row.is_response) return judge_forwarded(row, outcome);
  judge_answer(row, outcome, answers);
  const bool kept = row.connection.ends_with("/keep");
  EXPECT_EQ(outcome.target_connections, kept ? 1U : 2U) << "connections to the upstream, with the next request";
}

std::string name_of(const testing::TestParamInfo<Row>& info) {
  std::string name = info.param.id;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Simulated : public testing::TestWithParam<Row> {};
TEST_P(Simulated, DoesWhatThePageSays) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE("docs/errors.md:" + std::to_string(GetParam().line) + ", seed " + std::to_string(seed));
    judge(GetParam(), run_simulated(GetParam(), seed));
  }
}
INSTANTIATE_TEST_SUITE_P(Page, Simulated, testing::ValuesIn(read_protocol_table()), name_of);

class OnSockets : public testing::TestWithParam<Row> {};
TEST_P(OnSockets, DoesWhatThePageSays) {
  SCOPED_TRACE("docs/errors.md:" + std::to_string(GetParam().line));
  judge(GetParam(), run_on_sockets(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Page, OnSockets, testing::ValuesIn(read_protocol_table()), name_of);

}  // namespace
}  // namespace gatelab::test
