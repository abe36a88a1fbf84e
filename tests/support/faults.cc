#include "tests/support/faults.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice::testing {

Faults::Faults() {
  const std::string path = dir_.path() + "/plan";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, sizeof(FaultPlan)) != 0) throw std::runtime_error(path);
  void* memory = mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap of " + path);
  plan_ = static_cast<FaultPlan*>(memory);
  setenv(kFaultPlanVariable, path.c_str(), 1);
  setenv("LD_PRELOAD", SLUICE_FAULT_SHIM, 1);
}

Faults::~Faults() {
  unsetenv("LD_PRELOAD");
  unsetenv(kFaultPlanVariable);
  munmap(plan_, sizeof(FaultPlan));
}

}  // namespace sluice::testing
