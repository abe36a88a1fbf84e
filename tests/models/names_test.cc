#include "server/models/names.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"

namespace sluiced::models {
namespace {

TEST(ModelNames, AreParsed) {
  const auto model = std::get<VersionName>(*ParseModelName("models/wow"));
  EXPECT_EQ(model.model, "wow");
  EXPECT_EQ(model.version, kLatest);
  const auto version = std::get<VersionName>(*ParseModelName("models/w-1/versions/12"));
  EXPECT_EQ(version.model, "w-1");
  EXPECT_EQ(version.version, "12");
  EXPECT_EQ(std::get<VersionName>(*ParseModelName("models/w/versions/best")).version, "best");
  const auto snapshot = std::get<SnapshotName>(*ParseModelName("trainJobs/j/snapshots/600"));
  EXPECT_EQ(snapshot.job, "j");
  EXPECT_EQ(snapshot.epoch, 600);
}

TEST(ModelNames, ThatAreMalformedNameTheField) {
  const std::string deep = absl::StrCat("models/", std::string(1 << 20, '/'));
  for (const std::string& name : {std::string(),
                                  std::string("wow"),
                                  std::string("models/"),
                                  std::string("models"),
                                  std::string("Models/wow"),
                                  std::string("models/wow/"),
                                  std::string("/models/wow"),
                                  std::string("models/wow/versions"),
                                  std::string("models/wow/versions/"),
                                  std::string("models/wow/versions/-1"),
                                  std::string("models/wow/versions/1/2"),
                                  std::string("models/wow/aliases/x"),
                                  std::string("models/../x"),
                                  std::string("models/WOW"),
                                  std::string("models/wow\0", 11),
                                  std::string("models/w\xff"),
                                  deep,
                                  std::string("models/") + std::string(64, 'a'),
                                  std::string("trainJobs/j"),
                                  std::string("trainJobs/j/snapshots/"),
                                  std::string("trainJobs/j/snapshots/x"),
                                  std::string("trainJobs/j/snapshots/-1"),
                                  std::string("trainJobs/j/snapshots/9223372036854775808"),
                                  std::string("trainJobs/J/snapshots/1"),
                                  std::string("models//"),
                                  std::string("datasets/wow"),
                                  std::string("models/wow'; DROP TABLE models; --"),
                                  std::string("models/-wow"),
                                  std::string("models/wow\n"),
                                  std::string("models/w\0w", 10),
                                  std::string("models/") + std::string(1 << 20, 'a'),
                                  std::string("models/\xf0\x9f\x8c\x8a"),
                                  std::string("models/wow/versions/01"),
                                  std::string("models/wow/versions/1e3"),
                                  std::string("models/wow/versions/99999999999999999999"),
                                  std::string("models/wow/version/1"),
                                  std::string("trainJobs/j/snapshots/latest"),
                                  std::string("trainJobs/j/versions/1")}) {
    const absl::Status status = ParseModelName(name).status();
    EXPECT_EQ(FieldOf(status), "model") << name.substr(0, 100);
    EXPECT_LT(status.message().size(), 1000u);
    EXPECT_EQ(FieldOf(ParseModelName(name, "name").status()), "name");
  }
}

TEST(VersionNames, AreOfAVersionAlone) {
  EXPECT_EQ(ParseVersionName("models/w/versions/0", "name")->version, "0");
  EXPECT_EQ(ParseVersionName("models/w/versions/best-one", "name")->version, "best-one");
  for (const char* name : {"models/w", "trainJobs/j/snapshots/1", "models/w/versions/", ""}) {
    EXPECT_EQ(FieldOf(ParseVersionName(name, "name").status()), "name") << name;
  }
}

TEST(Aliases, BeginWithALetterAndAreNotLatest) {
  for (const char* good : {"best", "v1", "a", "a-b"}) EXPECT_TRUE(CheckAlias(good).ok()) << good;
  for (const char* bad : {"", "1", "1st", "7up", "latest", "Best", "a/b", "a-", "-a", "a b"}) {
    EXPECT_EQ(FieldOf(CheckAlias(bad)), "alias") << bad;
  }
}

}  // namespace
}  // namespace sluiced::models
