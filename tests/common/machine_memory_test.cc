#include "server/common/machine_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

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

}  // namespace
}  // namespace sluiced
