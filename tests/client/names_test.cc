#include "client/src/names.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Names, WhatInferenceCallsName) {
  const std::pair<const char*, const char*> table[] = {
      {"wow", "models/wow"},
      {"wow@3", "models/wow/versions/3"},
      {"wow@best", "models/wow/versions/best"},
      {"job-1#20", "trainJobs/job-1/snapshots/20"},
      {"models/wow/versions/3", "models/wow/versions/3"},
      {"trainJobs/j/snapshots/4", "trainJobs/j/snapshots/4"},
      {"", "models/"},
      {"../x", "models/../x"},
  };
  for (const auto& [given, name] : table) EXPECT_EQ(ServableName(given), name);
}

TEST(Names, Versions) {
  EXPECT_EQ(VersionName("wow", "latest"), "models/wow/versions/latest");
  EXPECT_EQ(VersionName("wow@3", "latest"), "models/wow/versions/3");
  EXPECT_TRUE(NamesVersion("wow@3"));
  EXPECT_FALSE(NamesVersion("wow"));
  EXPECT_FALSE(NamesVersion("job#3"));
}

TEST(Names, BackToIds) {
  EXPECT_EQ(IdOf("models/", "models/wow/versions/3"), "wow");
  EXPECT_EQ(IdOf("models/", "models/wow"), "wow");
  EXPECT_EQ(IdOf("models/", ""), "");
  EXPECT_EQ(IdOf("models/", "datasets/x"), "datasets/x");
  EXPECT_EQ(VersionNumberOf("models/wow/versions/3"), 3);
  EXPECT_EQ(VersionNumberOf(""), std::nullopt);
  EXPECT_EQ(VersionNumberOf("models/wow/versions/best"), std::nullopt);
  EXPECT_EQ(VersionNumberOf("models/wow/versions/99999999999999999999"), std::nullopt);
}

}  // namespace
}  // namespace sluice
