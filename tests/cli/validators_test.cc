#include "client/cli/validators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

struct Numbers {
  int64_t whole = 0;
  uint64_t seed = 0;
  double real = 0;
};

// What was read, or the error's text in `error`.
Numbers Read(const std::string& option, const std::string& text, std::string* error) {
  Numbers numbers;
  CLI::App app;
  CLI::App* command = app.add_subcommand("do");
  command->add_option("--whole", numbers.whole);
  command->add_option("--seed", numbers.seed);
  command->add_option("--real", numbers.real)->check(CLI::Range(-1e9, 1e9));
  ReadNumbersStrictly(app);
  error->clear();
  try {
    // Last first, as CLI11 takes them.
    app.parse(std::vector<std::string>{text, option, "do"});
  } catch (const CLI::ParseError& failure) {
    *error = failure.what();
  }
  return numbers;
}

TEST(StrictNumbers, AreWhatWasTyped) {
  std::string error;
  EXPECT_EQ(Read("--whole", "-12", &error).whole, -12);
  EXPECT_EQ(Read("--whole", "9223372036854775807", &error).whole, INT64_MAX);
  EXPECT_EQ(Read("--whole", "010", &error).whole, 10);
  EXPECT_EQ(Read("--whole", "+7", &error).whole, 7);
  EXPECT_EQ(Read("--whole", "0", &error).whole, 0);
  EXPECT_EQ(Read("--seed", "18446744073709551615", &error).seed, UINT64_MAX);
  EXPECT_EQ(Read("--real", "1e-3", &error).real, 1e-3);
  EXPECT_EQ(Read("--real", "007.5", &error).real, 7.5);
  EXPECT_EQ(error, "");
}

TEST(StrictNumbers, AreElseAnErrorThatNamesTheOption) {
  const struct {
    const char *option, *text, *says;
  } cases[] = {
      {"--whole", "99999999999999999999", "out of range"},
      {"--whole", "9223372036854775808", "out of range"},
      {"--whole", "", "not a whole number"},
      {"--whole", "1.5", "not a whole number"},
      {"--whole", "1e3", "not a whole number"},
      {"--whole", "12x", "not a whole number"},
      {"--seed", "-1", "not a whole number from 0 on"},
      {"--seed", "18446744073709551616", "out of range"},
      {"--seed", "", "not a whole number"},
      {"--real", "nan", "not a number"},
      {"--real", "inf", "not a number"},
      {"--real", "", "not a number"},
      {"--real", "1e999", "out of range"},
  };
  for (const auto& [option, text, says] : cases) {
    std::string error;
    Read(option, text, &error);
    EXPECT_THAT(error, HasSubstr(option)) << text;
    EXPECT_THAT(error, HasSubstr(says)) << text;
  }
}

TEST(ServerAddress, IsAHostAndAPort) {
  for (const char* good : {"127.0.0.1:50051", "localhost:1", "[::1]:50051", "unix:/run/sluice",
                           "dns:///example.org:443"}) {
    EXPECT_EQ(ServerAddress()(good), "") << good;
  }
  for (const char* bad : {"", "foo", "foo:", ":50051", "http://127.0.0.1:50051", "127.0.0.1:0",
                          "127.0.0.1:65536", "::1:50051", "unix:", "a b:1"}) {
    EXPECT_THAT(ServerAddress()(bad), HasSubstr("not HOST:PORT")) << bad;
  }
}

}  // namespace
}  // namespace sluice::cli
