#include "server/observe/request_id.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace sluiced::observe {
namespace {

TEST(RequestId, NewOnesDifferAndAreOnesThemselves) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = NewRequestId();
    EXPECT_EQ(id.size(), 13u);
    EXPECT_TRUE(IsRequestId(id)) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 10'000u);
}

TEST(RequestId, OfACallerIsTakenWhereItMayBeShown) {
  for (const std::string& good :
       {std::string("a"), std::string("3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        std::string("Job_7.retry-2"), std::string(64, 'x')}) {
    EXPECT_TRUE(IsRequestId(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a\nb"),
        std::string("a\x1b[2J"), std::string("\xc3\xa9"), std::string("a\"b"), std::string("a/b"),
        std::string("a\0b", 3)}) {
    EXPECT_FALSE(IsRequestId(bad)) << bad;
  }
}

}  // namespace
}  // namespace sluiced::observe
