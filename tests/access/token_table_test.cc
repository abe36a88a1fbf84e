#include "server/access/token_table.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/token_line.h"

namespace sluiced::access {
namespace {

using sluiced::testing::HexHash;
using sluiced::testing::TokenLine;
using ::testing::HasSubstr;
using ::testing::Not;

const Grant* FindIn(const TokenTable& table, absl::string_view token) {
  return table.Find(HashToken(token));
}

TEST(TokenTable, HashesAreSha256) {
  EXPECT_EQ(HexHash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTable, FindsEachCallerByItsToken) {
  const auto table = TokenTable::Parse("# callers\r\n\n" + TokenLine("alice", "infer,train", "a") +
                                       "\t" + TokenLine("ci@example.org", "admin", "b") +
                                       TokenLine("alice", "infer", "the next of alice"));
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->size(), 3u);
  const Grant* alice = FindIn(*table, "a");
  ASSERT_NE(alice, nullptr);
  EXPECT_EQ(alice->name, "alice");
  EXPECT_TRUE(alice->scopes.Allow(Scope::kAny));
  EXPECT_TRUE(alice->scopes.Allow(Scope::kInfer));
  EXPECT_TRUE(alice->scopes.Allow(Scope::kTrain));
  EXPECT_FALSE(alice->scopes.Allow(Scope::kAdmin));
  const Grant* ci = FindIn(*table, "b");
  ASSERT_NE(ci, nullptr);
  for (const Scope scope : {Scope::kAny, Scope::kInfer, Scope::kTrain, Scope::kAdmin}) {
    EXPECT_TRUE(ci->scopes.Allow(scope)) << NameOf(scope);
  }
  ASSERT_NE(FindIn(*table, "the next of alice"), nullptr);
  EXPECT_FALSE(FindIn(*table, "the next of alice")->scopes.Allow(Scope::kTrain));
}

TEST(TokenTable, FindsNobodyElse) {
  const auto table = TokenTable::Parse(TokenLine("alice", "infer", "a"));
  ASSERT_TRUE(table.ok()) << table.status();
  for (const std::string& token :
       {std::string(), std::string("A"), std::string("a "), HexHash("a"), std::string("a\0", 2)}) {
    EXPECT_EQ(FindIn(*table, token), nullptr) << token;
  }
  TokenHash close = HashToken("a");
  close.back() ^= 1;  // All that it is looked up by is the same.
  EXPECT_EQ(table->Find(close), nullptr);
}

TEST(TokenTable, HoldsNobodyWhereTheFileNamesNobody) {
  for (const char* text : {"", "\n\n", "# nobody\n", "   "}) {
    const auto table = TokenTable::Parse(text);
    ASSERT_TRUE(table.ok()) << table.status();
    EXPECT_EQ(table->size(), 0u);
  }
}

TEST(TokenTable, BrokenLinesAreNamedAndNotQuoted) {
  const std::string hash = "sha256:" + HexHash("x");
  const std::string secret = "sluice_5ec2e7";
  const std::string broken[] = {"alice infer",
                                "alice " + hash,
                                "alice infer " + hash + " more",
                                "al/ice infer " + hash,
                                std::string(65, 'a') + " infer " + hash,
                                "\xef\xbb\xbf"
                                "alice infer " +
                                    hash,
                                "alice infer, " + hash,
                                "alice ,infer " + hash,
                                "alice root " + hash,
                                "alice Infer " + hash,
                                "alice any " + hash,
                                "alice infer " + hash.substr(7),
                                "alice infer " + hash + "0",
                                "alice infer sha256:" + std::string(64, 'g'),
                                "alice infer " + secret,
                                secret,
                                std::string("alice infer \0", 13) + hash,
                                std::string(100000, '\xff'),
                                TokenLine("bob", "infer", "first")};
  for (const std::string& line : broken) {
    const auto table = TokenTable::Parse(TokenLine("first", "infer", "first") + "\n" + line);
    ASSERT_FALSE(table.ok()) << line;
    const std::string message(table.status().message());
    EXPECT_THAT(message, HasSubstr("line 3: "));
    EXPECT_THAT(message, Not(HasSubstr("5ec2e7")));
    EXPECT_LT(message.size(), 200u);
  }
}

TEST(TokenTable, ATokenInPlaceOfItsHashIsSaidToBeKnown) {
  const auto table = TokenTable::Parse("alice infer sluice_5ec2e7");
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("make another"));
}

}  // namespace
}  // namespace sluiced::access
