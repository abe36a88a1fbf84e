#include "client/cli/term/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

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

TEST(DetachOnInterrupt, LeavesTheSignalAsItWasFound) {
  EXPECT_EXIT(InterruptAfterwards(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace sluice::cli
