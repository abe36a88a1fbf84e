// Stands between a program that loads it first (LD_PRELOAD) and the C library, and does
// what the FaultPlan says.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tests/support/fault_plan.h"

namespace {

using sluice::testing::FaultPlan;

FaultPlan* OpenPlan() {
  const char* path = std::getenv(sluice::testing::kFaultPlanVariable);
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* memory = mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<FaultPlan*>(memory);
}

FaultPlan* Plan() {
  static FaultPlan* const plan = OpenPlan();
  return plan;
}

bool IsWallClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

// Sets errno and returns true where writes are to fail.
bool FailsWrite() {
  const int error = Plan() == nullptr ? 0 : Plan()->write_error.load();
  if (error == 0) return false;
  Plan()->failed_writes.fetch_add(1);
  errno = error;
  return true;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && IsWallClock(clock) && Plan() != nullptr) {
    time->tv_sec += Plan()->clock_seconds.load();
  }
  return static_cast<int>(result);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return FailsWrite() ? -1 : syscall(SYS_pwrite64, file, bytes, size, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return FailsWrite() ? -1 : syscall(SYS_pwrite64, file, bytes, size, offset);
}
int ftruncate64(int file, off64_t size) noexcept {
  return FailsWrite() ? -1 : static_cast<int>(syscall(SYS_ftruncate, file, size));
}

}  // extern "C"
