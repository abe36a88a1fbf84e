// sluiced's configuration: flags, environment and file, and what is said of mistakes.
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/ran.h"
#include "tests/support/temp_dir.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Configuration : public ::testing::Test {
 protected:
  cli::Ran Run(const std::string& arguments, const std::string& environment = "") {
    return cli::RunIn(dir_.path(), environment + " " SLUICE_BIN_DIR "/sluiced " + arguments);
  }
  void Write(const std::string& text) { std::ofstream(dir_.path() + "/sluiced.toml") << text; }

  const TempDir dir_;
};

TEST_F(Configuration, WhatIsPrintedIsAFileThatSaysTheSame) {
  const cli::Ran printed =
      Run("--print-config --data-dir here --threads 3 --max-reply-bytes 2mb --tls-cert a.pem "
          "--insecure --checkpoint-interval 0.5 --restore once");
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("threads=3"));
  EXPECT_THAT(printed.out, HasSubstr("checkpoint-interval=0.5"));
  EXPECT_THAT(printed.out, Not(HasSubstr("once"))) << "no server is restored at every start";
  Write(printed.out);
  const cli::Ran again = Run("--config sluiced.toml --print-config");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, printed.out);
}

TEST_F(Configuration, FlagsComeBeforeTheEnvironmentAndThatBeforeTheFile) {
  Write("threads = 2\ntrain-nice = 2\nmax-rows = 2\n");
  const cli::Ran printed = Run("--config sluiced.toml --print-config --threads 4",
                               "SLUICE_THREADS=3 SLUICE_TRAIN_NICE=3");
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("threads=4\n"));
  EXPECT_THAT(printed.out, HasSubstr("train-nice=3\n"));
  EXPECT_THAT(printed.out, HasSubstr("max-rows=2\n"));
}

TEST_F(Configuration, EveryNameOfTheFileIsOneOfTheEnvironment) {
  const cli::Ran printed =
      Run("--print-config",
          "SLUICE_DATA_DIR=dir SLUICE_MAX_MESSAGE_BYTES=1mb SLUICE_CHECKPOINT_INTERVAL=7 "
          "SLUICE_TLS_CERT=c.pem SLUICE_INSECURE=true SLUICE_METRICS_LISTEN=localhost:1");
  ASSERT_EQ(printed.code, 0) << printed.err;
  for (const char* line :
       {"data-dir=\"dir\"\n", "max-message-bytes=1048576\n", "checkpoint-interval=7\n",
        "tls-cert=\"c.pem\"\n", "insecure=true\n", "metrics-listen=\"localhost:1\"\n"}) {
    EXPECT_THAT(printed.out, HasSubstr(line));
  }
}

TEST_F(Configuration, TheEnvironmentMayNameTheFile) {
  Write("threads = 7\n");
  const cli::Ran printed = Run("--print-config", "SLUICE_CONFIG=sluiced.toml");
  EXPECT_THAT(printed.out, HasSubstr("threads=7\n")) << printed.err;
}

TEST_F(Configuration, MistakesNameWhatIsWrong) {
  struct Case {
    std::string file, arguments, environment, named;
  };
  const Case cases[] = {
      {"thraeds = 2\n", "--data-dir d --config sluiced.toml", "", "thraeds"},
      {"threads = \"many\"\n", "--data-dir d --config sluiced.toml", "", "--threads"},
      {"", "--data-dir d --config missing.toml", "", "missing.toml"},
      {"", "--data-dir d --max-rows 0", "", "--max-rows"},
      {"", "--data-dir d --max-reply-bytes lots", "", "--max-reply-bytes"},
      {"", "--data-dir d --max-message-bytes 4gb", "", "--max-message-bytes"},
      {"", "--data-dir d --train-nice 20", "", "--train-nice"},
      {"", "--data-dir d", "SLUICE_THREADS=-1", "--threads"},
      {"", "", "", "--data-dir"},
  };
  for (const Case& one : cases) {
    Write(one.file);
    const cli::Ran ran = Run(one.arguments + " --check", one.environment);
    EXPECT_EQ(ran.code, 2) << one.named;
    EXPECT_THAT(ran.err + ran.out, HasSubstr(one.named));
  }
}

TEST_F(Configuration, CheckLooksAtWhatStartingWouldLookAt) {
  const cli::Ran sound = Run("--data-dir d --check");
  EXPECT_EQ(sound.code, 0) << sound.err;
  EXPECT_THAT(sound.out, HasSubstr("sound"));
  EXPECT_NE(cli::RunIn(dir_.path(), "test -e d").code, 0) << "the check made the directory";

  const cli::Ran open = Run("--data-dir d --check --listen 0.0.0.0:0");
  EXPECT_EQ(open.code, 1);
  EXPECT_THAT(open.err, HasSubstr("--insecure"));
  const cli::Ran metrics = Run("--data-dir d --check --metrics-listen 0.0.0.0:0");
  EXPECT_EQ(metrics.code, 1);
  EXPECT_THAT(metrics.err, HasSubstr("metrics"));
  const cli::Ran certificate = Run("--data-dir d --check --tls-cert no.pem --tls-key no.pem");
  EXPECT_EQ(certificate.code, 1);
  EXPECT_THAT(certificate.err, HasSubstr("no.pem"));
}

}  // namespace
}  // namespace sluice::testing
