#include "server/rpc/names.h"

#include <string>

#include "gtest/gtest.h"
#include "server/common/errors.h"
#include "server/rpc/paging.h"

namespace sluiced::rpc {
namespace {

TEST(Names, ParseNameGivesTheId) {
  EXPECT_EQ(*ParseName("name", kModels, "models/wow"), "wow");
  EXPECT_EQ(*ParseName("name", kTrainJobs, "trainJobs/job-1"), "job-1");
}

TEST(Names, HostileNamesAreRefusedNamingTheField) {
  const std::string names[] = {"",
                               "wow",
                               "models/",
                               "models//",
                               "/models/wow",
                               "models/wow/",
                               "datasets/wow",
                               "models/../wow",
                               "models/WOW",
                               "models/wow'; DROP TABLE models; --",
                               "models/-wow",
                               "models/wow\n",
                               std::string("models/w\0w", 10),
                               "models/" + std::string(64, 'a'),
                               "models/" + std::string(1 << 20, 'a'),
                               std::string(1 << 20, '/'),
                               "models/\xf0\x9f\x8c\x8a"};
  for (const std::string& name : names) {
    const auto parsed = ParseName("name", kModels, name);
    EXPECT_EQ(FieldOf(parsed.status()), "name") << name.substr(0, 100);
    EXPECT_LT(parsed.status().message().size(), 1000u);
  }
}

TEST(Paging, SizesAndTokens) {
  EXPECT_EQ(DecodePage(0, "")->limit, 100);
  EXPECT_EQ(DecodePage(7, "wow")->after, "wow");
  EXPECT_EQ(DecodePage(1 << 30, "")->limit, 1000);
  EXPECT_EQ(FieldOf(DecodePage(-1, "").status()), "page_size");
  EXPECT_EQ(FieldOf(DecodePage(1, "no id").status()), "page_token");
  EXPECT_EQ(DecodeNumberedPage(0, "")->after, -1);
  EXPECT_EQ(DecodeNumberedPage(0, "12")->after, 12);
  EXPECT_EQ(FieldOf(DecodeNumberedPage(0, "-5").status()), "page_token");
  EXPECT_EQ(FieldOf(DecodeNumberedPage(0, "x").status()), "page_token");
}

}  // namespace
}  // namespace sluiced::rpc
