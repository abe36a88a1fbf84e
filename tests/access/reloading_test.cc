// The token file as it changes under a running server.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/access.h"
#include "tests/support/temp_dir.h"
#include "tests/support/token_line.h"
#include "tests/support/written_file.h"

namespace sluiced::access {
namespace {

using sluice::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Line(const std::string& name, const std::string& token) {
  return sluiced::testing::TokenLine(name, "infer", token);
}

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFileTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
    WriteText(path_, Line("alice", "a"));
    auto file = TokenFile::Open(path_);
    EXPECT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    TakeLog();
  }
  ~TokenFileTest() override { spdlog::set_default_logger(old_logger_); }

  // As many polls as a change needs.
  void PollTwice() {
    file_->Poll();
    file_->Poll();
  }
  std::string TakeLog() {
    std::string text = log_.str();
    log_.str("");
    return text;
  }
  bool Knows(const std::string& token) const {
    return file_->table()->Find(HashToken(token)) != nullptr;
  }

  const std::shared_ptr<spdlog::logger> old_logger_ = spdlog::default_logger();
  std::ostringstream log_;
  const sluice::testing::TempDir directory_;
  const std::string path_ = directory_.path() + "/tokens";
  std::unique_ptr<TokenFile> file_;
};

TEST_F(TokenFileTest, AChangedFileIsTakenUp) {
  EXPECT_TRUE(Knows("a"));
  PollTwice();
  EXPECT_THAT(TakeLog(), IsEmpty());
  WriteText(path_, Line("bob", "b"));
  PollTwice();
  EXPECT_FALSE(Knows("a"));
  EXPECT_TRUE(Knows("b"));
  EXPECT_THAT(TakeLog(), AllOf(HasSubstr(path_), HasSubstr("1 token;")));
}

// As `cp` writes: into the file, in pieces.
TEST_F(TokenFileTest, AFileThatStillGrowsIsWaitedFor) {
  std::string text = Line("bob", "b");
  for (int i = 0; i < 5; ++i) {
    WriteText(path_, text);
    file_->Poll();
    EXPECT_TRUE(Knows("a"));
    text += Line("alice", absl::StrCat(i));
  }
  WriteText(path_, Line("alice", "a"));
  file_->Poll();
  WriteText(path_, text);
  file_->Poll();
  EXPECT_TRUE(Knows("a"));
  EXPECT_THAT(TakeLog(), IsEmpty());
  file_->Poll();
  EXPECT_FALSE(Knows("a"));
  EXPECT_TRUE(Knows("4"));
}

TEST_F(TokenFileTest, AFileWithoutLinesTakesAllTokensBack) {
  WriteText(path_, "# nobody\n");
  PollTwice();
  EXPECT_FALSE(Knows("a"));
  EXPECT_THAT(TakeLog(), HasSubstr("every call is refused"));
}

TEST_F(TokenFileTest, ABrokenFileKeepsTheOldTokensAndIsLoggedOnce) {
  WriteText(path_, Line("bob", "b") + "alice infer sluice_5ec2e7\n");
  PollTwice();
  EXPECT_TRUE(Knows("a"));
  EXPECT_FALSE(Knows("b"));
  EXPECT_THAT(TakeLog(), AllOf(HasSubstr("error"), HasSubstr("--token-file " + path_),
                               HasSubstr("line 2"), Not(HasSubstr("5ec2e7"))));
  PollTwice();
  EXPECT_THAT(TakeLog(), IsEmpty());
  WriteText(path_, Line("bob", "b"));
  PollTwice();
  EXPECT_TRUE(Knows("b"));
}

TEST_F(TokenFileTest, AFileThatCannotBeReadKeepsTheOldTokens) {
  std::filesystem::remove(path_);
  PollTwice();
  EXPECT_THAT(TakeLog(), AllOf(HasSubstr("No such file"), HasSubstr("stays in force")));
  EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
  PollTwice();  // Does not wait for somebody to write.
  EXPECT_THAT(TakeLog(), HasSubstr("not a regular file"));
  WriteText(path_, std::string(10 << 20, '#'));
  PollTwice();
  EXPECT_THAT(TakeLog(), HasSubstr("larger than 1 MiB"));
  EXPECT_TRUE(Knows("a"));
  // The same trouble again, after all was well, is logged again.
  WriteText(path_, Line("alice", "a"));
  PollTwice();
  std::filesystem::remove(path_);
  PollTwice();
  EXPECT_THAT(TakeLog(), HasSubstr("No such file"));
}

// As Kubernetes replaces secrets: a link to a directory is renamed.
TEST_F(TokenFileTest, ALinkThatPointsElsewhereIsAChange) {
  namespace fs = std::filesystem;
  const fs::path root = directory_.path();
  for (const char* version : {"v1", "v2"}) {
    fs::create_directory(root / version);
    WriteText((root / version / "tokens").string(), Line("caller", version));
  }
  fs::create_directory_symlink("v1", root / "now");
  auto file = TokenFile::Open((root / "now" / "tokens").string());
  ASSERT_TRUE(file.ok()) << file.status();
  fs::create_directory_symlink("v2", root / "next");
  fs::rename(root / "next", root / "now");
  (*file)->Poll();
  (*file)->Poll();
  EXPECT_EQ((*file)->table()->Find(HashToken("v1")), nullptr);
  EXPECT_NE((*file)->table()->Find(HashToken("v2")), nullptr);
}

TEST_F(TokenFileTest, TenThousandCallersFit) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += Line(absl::StrCat("c", i), absl::StrCat(i));
  WriteText(path_, text);
  PollTwice();
  EXPECT_EQ(file_->table()->size(), 10000u);
  EXPECT_TRUE(Knows("9999"));
}

// Both files hold alice's token: she must never be without it.
TEST(Access, CallersAreKnownThroughoutAllReloads) {
  const sluice::testing::TempDir directory;
  const std::string path = directory.path() + "/tokens";
  WriteText(path, Line("alice", "a"));
  Options options;
  options.token_file = path;
  options.reload_interval = std::chrono::milliseconds(0);
  const auto access = Access::Open(options);
  ASSERT_TRUE(access.ok()) << access.status();
  std::atomic<bool> done = false;
  std::thread caller([&] {
    while (!done) EXPECT_NE((*access)->tokens()->table()->Find(HashToken("a")), nullptr);
  });
  for (int i = 0; i < 50; ++i) {
    const auto before = (*access)->tokens()->table();
    WriteText(path, Line("alice", "a") + Line("other", absl::StrCat(i)));
    while ((*access)->tokens()->table() == before) std::this_thread::yield();
  }
  done = true;
  caller.join();
}

}  // namespace
}  // namespace sluiced::access
