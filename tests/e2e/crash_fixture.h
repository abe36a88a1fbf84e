// CrashTest: a server that is killed at random moments and started again on one data
// directory.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {

class CrashTest : public ::testing::Test {
 protected:
  // Kills of each of the four tests that kill at random: SLUICE_CRASH_ROUNDS of them all.
  static int64_t Rounds() {
    return std::max<int64_t>(1, (FromEnvironment("SLUICE_CRASH_ROUNDS", 24) + 3) / 4);
  }

  void StartServer(const std::vector<std::string>& flags = {}) {
    ASSERT_TRUE(server_.Start({.data_dir = dir_.path(), .flags = flags})) << server_.Log();
    // A call that meets the kill fails at once instead of looking for the server.
    client_ = server_.Connect({std::chrono::seconds(60), std::chrono::milliseconds(0)});
  }

  // Runs `work` on a thread of its own and kills the server at a random moment
  // within `most` of its start.
  template <typename Work>
  void KillDuring(std::chrono::milliseconds most, Work work) {
    std::thread worker(work);
    const bool ended = server_.EndsWithin(std::chrono::microseconds(
        std::uniform_int_distribution<int64_t>(0, most.count() * 1000)(random_)));
    EXPECT_FALSE(ended) << "the server ended by itself:\n" << server_.Log();
    server_.Kill();
    worker.join();
  }

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
  std::mt19937_64 random_{static_cast<uint64_t>(FromEnvironment("SLUICE_CRASH_SEED", 1))};
};

}  // namespace sluice::testing
