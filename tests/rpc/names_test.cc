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
    EXPECT_EQ(FieldOf(CheckServableName("model", name)), "model") << name.substr(0, 100);
  }
}

TEST(Names, ServableNamesAreModelsVersionsAndSnapshots) {
  for (const char* name : {"models/wow", "models/wow/versions/0", "models/wow/versions/12",
                           "models/wow/versions/latest", "models/wow/versions/best-one",
                           "trainJobs/job-1/snapshots/40"}) {
    EXPECT_TRUE(CheckServableName("model", name).ok()) << name;
  }
  for (const char* name :
       {"models/wow/versions/", "models/wow/versions/-1", "models/wow/versions/01",
        "models/wow/versions/1e3", "models/wow/versions/99999999999999999999",
        "models/wow/version/1", "models/wow/versions/1/x", "trainJobs/job-1",
        "trainJobs/job-1/snapshots/latest", "trainJobs/job-1/versions/1"}) {
    EXPECT_EQ(FieldOf(CheckServableName("model", name)), "model") << name;
  }
}

TEST(Names, AnAliasIsAnIdThatNoNumberAndNoLatest) {
  EXPECT_TRUE(CheckAlias("alias", "best").ok());
  for (const char* alias : {"", "7", "7up", "latest", "Best", "a/b"}) {
    EXPECT_EQ(FieldOf(CheckAlias("alias", alias)), "alias") << alias;
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
