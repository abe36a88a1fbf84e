#include "client/cli/term/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "client/cli/exit_code.h"

namespace sluice::cli {
namespace {

void InterruptWhileWatching() {
  const DetachOnInterrupt detach("the job goes on\n");
  raise(SIGINT);
}

void InterruptAfterwards() {
  { const DetachOnInterrupt detach("the job goes on\n"); }
  raise(SIGINT);
}

TEST(DetachOnInterrupt, SaysItsMessageAndLeaves) {
  EXPECT_EXIT(InterruptWhileWatching(), testing::ExitedWithCode(kExitInterrupted),
              "the job goes on");
}

void InterruptAfterAChange() {
  DetachOnInterrupt detach("the job goes on\n");
  detach.Replace("no server\n");
  detach.Replace("the server is back\n");
  raise(SIGINT);
}

void InterruptWhileWriting(const std::string& path) {
  std::ofstream(path) << "half";
  const RemoveOnInterrupt remove(path, "nothing was written\n");
  raise(SIGTERM);
}

TEST(DetachOnInterrupt, SaysWhatIsTrueByThen) {
  EXPECT_EXIT(InterruptAfterAChange(), testing::ExitedWithCode(kExitInterrupted),
              "^the server is back\n$");
}

TEST(RemoveOnInterrupt, LeavesNoHalfFile) {
  const std::string path = testing::TempDir() + "half-" + std::to_string(getpid());
  EXPECT_EXIT(InterruptWhileWriting(path), testing::ExitedWithCode(kExitInterrupted),
              "nothing was written");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(DetachOnInterrupt, LeavesTheSignalAsItWasFound) {
  EXPECT_EXIT(InterruptAfterwards(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace sluice::cli
