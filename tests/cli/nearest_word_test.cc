#include "client/cli/nearest_word.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::cli {
namespace {

TEST(NearestWord, IsTheOneASlipAway) {
  const std::vector<std::string> words = {"sample", "train", "model", "plot", "log-prob"};
  EXPECT_EQ(NearestWord("sampel", words), "sample");
  EXPECT_EQ(NearestWord("trian", words), "train");
  EXPECT_EQ(NearestWord("logprob", words), "log-prob");
  EXPECT_EQ(NearestWord("models", words), "model");
}

TEST(NearestWord, IsNoneWhereNothingIsNear) {
  const std::vector<std::string> words = {"sample", "train", "job"};
  EXPECT_EQ(NearestWord("nonsense", words), "");
  EXPECT_EQ(NearestWord("", words), "");
  EXPECT_EQ(NearestWord("x", words), "");
  EXPECT_EQ(NearestWord(std::string(100000, 's'), words), "");
}

}  // namespace
}  // namespace sluice::cli
