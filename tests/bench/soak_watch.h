// SoakWatch: what a server process holds, over time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/server_process.h"

namespace sluice::testing {

class SoakWatch {
 public:
  SoakWatch(const ServerProcess* server, std::string data_dir);

  // Once a second.
  void Look();
  double resident_mib() const { return resident_mib_.back(); }
  int64_t handles() const;    // Open file descriptors.
  double stored_mib() const;  // Files of the data directory.

  // Of the resident memory, over the looks of the second half, which comes after the
  // warm-up: the straight line of least squares.
  struct Trend {
    double mean_mib = 0;
    double growth_mib = 0;  // From the half to the end, along the line.
  };
  Trend SecondHalf() const;

 private:
  const ServerProcess& server_;
  const std::string data_dir_;
  std::vector<double> resident_mib_;
};

}  // namespace sluice::testing
