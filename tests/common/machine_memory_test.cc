#include "server/common/machine_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "tests/support/temp_dir.h"

namespace sluiced {
namespace {

TEST(MachineMemory, IsThereAndNoMoreThanTheKernelSays) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  int64_t kibibytes = 0;
  ASSERT_TRUE(file >> name >> kibibytes);
  ASSERT_EQ(name, "MemTotal:");
  EXPECT_GE(MachineMemory(), int64_t{1} << 24);
  EXPECT_LE(MachineMemory(), kibibytes << 10);
}

class Groups : public testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(dir_.path()) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  int64_t Memory(const std::string& groups) { return GroupMemory(dir_.path(), groups); }

  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  sluice::testing::TempDir dir_;
};

TEST_F(Groups, TheLeastOfThoseAroundCounts) {
  Write("memory.max", "9000");
  Write("system.slice/memory.max", "5000");
  Write("system.slice/sluiced.service/memory.max", "max");
  EXPECT_EQ(Memory("0::/system.slice/sluiced.service\n"), 5000);
  EXPECT_EQ(Memory("0::/\n"), 9000);
  EXPECT_EQ(Memory("0::/gone/away\n"), 9000);
}

TEST_F(Groups, NoneIsNoLimit) {
  EXPECT_EQ(Memory(""), kNone);
  EXPECT_EQ(Memory("0::/\n"), kNone);
  Write("memory.max", "max");
  EXPECT_EQ(Memory("0::/\n"), kNone);
}

TEST_F(Groups, OfTheFirstVersionToo) {
  Write("memory/memory.limit_in_bytes", "7000");
  EXPECT_EQ(Memory("5:memory:/docker/abc\n"), 7000);
}

}  // namespace
}  // namespace sluiced
