#include "tests/cli/commands_fixture.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "client/cli/exit_code.h"
#include "client/cli/files/files.h"

namespace sluice::cli {

using ::testing::StartsWith;

sluice::testing::TempDir* Commands::directory_ = nullptr;
sluice::testing::ServerProcess* Commands::server_ = nullptr;

void Commands::SetUpTestSuite() {
  directory_ = new sluice::testing::TempDir();
  server_ = new sluice::testing::ServerProcess();
  ASSERT_TRUE(server_->Start({.data_dir = directory_->path() + "/data"})) << server_->Log();
  ASSERT_EQ(Sluice("dataset generate wow --text WOW --rows 600 --seed 0").code, kExitOk);
  ASSERT_EQ(Sluice("train wow --dataset wow --epochs 4 --layers 4 --hidden 8 --job first").code,
            kExitOk);
}

void Commands::TearDownTestSuite() {
  delete server_;
  delete directory_;
}

Ran Commands::Sluice(const std::string& arguments, const std::string& before) {
  return RunIn(directory_->path(), before + " | SLUICE_SERVER=" + server_->address() +
                                       " " SLUICE_BIN_DIR "/sluice " + arguments);
}

void Commands::ExpectOk(const std::string& arguments) {
  const Ran ran = Sluice(arguments);
  EXPECT_EQ(ran.code, kExitOk) << arguments << "\n" << ran.err;
}

bool Commands::AwaitOutput(const std::string& arguments, const std::string& text) {
  for (int tries = 0; tries < 500; ++tries) {
    if (Sluice(arguments).out.find(text) != std::string::npos) return true;
  }
  return false;
}

void Commands::ExpectStartsWith(const std::string& file, const std::string& magic) {
  const Result<std::string> bytes = ReadFile(File(file));
  ASSERT_TRUE(bytes.ok()) << file;
  EXPECT_THAT(bytes->substr(0, 16), StartsWith(magic)) << file;
}

Background::Background(const std::vector<std::string>& arguments, std::string err)
    : err_(std::move(err)) {
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), SLUICE_BIN_DIR "/sluice");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  // In the child, until exec: system calls only.
  const int in = open("/dev/null", O_RDWR);
  const int out = open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(in, STDIN_FILENO);
  dup2(in, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

Background::~Background() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  Wait();
}

std::string Background::Err() const {
  const Result<std::string> text = ReadFile(err_);
  return text.ok() ? *text : "";
}

bool Background::AwaitErr(const std::string& text) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Err().find(text) == std::string::npos) {
    int status = 0;
    rusage usage{};
    if (std::chrono::steady_clock::now() > give_up) return false;
    if (pid_ > 0 && wait4(pid_, &status, WNOHANG, &usage) == pid_) {
      Reap(status, usage.ru_maxrss);
      return Err().find(text) != std::string::npos;
    }
    std::this_thread::yield();
  }
  return true;
}

void Background::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

void Background::Reap(int status, int64_t peak_kilobytes) {
  pid_ = -1;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  peak_kilobytes_ = peak_kilobytes;
}

int Background::Wait() {
  int status = 0;
  rusage usage{};
  if (pid_ > 0 && wait4(pid_, &status, 0, &usage) == pid_) Reap(status, usage.ru_maxrss);
  return code_;
}

}  // namespace sluice::cli
