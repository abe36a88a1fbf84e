// What a command takes of the machine.
#include <gtest/gtest.h>

#include <string>

#include "client/cli/exit_code.h"
#include "tests/cli/commands_fixture.h"

namespace sluice::cli {
namespace {

TEST_F(Commands, ALargeSampleTakesNoMoreMemoryThanASmallOne) {
  const auto peak = [](int64_t rows) {
    Background sample({"sample", "wow", "-n", std::to_string(rows), "-o", "/dev/null", "--format-out", "npy",
                       "--server", server_->address()},
                      File("sample.err"));
    EXPECT_EQ(sample.Wait(), kExitOk) << sample.Err();
    return sample.peak_kilobytes();
  };
  const int64_t rows = 4'000'000;
  const int64_t kilobytes_of_rows = rows * 2 * static_cast<int64_t>(sizeof(double)) / 1024;
  EXPECT_LT(peak(rows), peak(2000) + kilobytes_of_rows / 2);
}

}  // namespace
}  // namespace sluice::cli
