#include "tests/bench/soak_watch.h"

#include <filesystem>
#include <iterator>
#include <utility>

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;

constexpr double kMib = 1 << 20;

}  // namespace

SoakWatch::SoakWatch(const ServerProcess* server, std::string data_dir)
    : server_(*server), data_dir_(std::move(data_dir)) {
  Look();
}

void SoakWatch::Look() {
  resident_mib_.push_back(static_cast<double>(server_.ResidentBytes()) / kMib);
}

int64_t SoakWatch::handles() const {
  std::error_code error;
  const fs::directory_iterator all("/proc/" + std::to_string(server_.pid()) + "/fd", error);
  return std::distance(begin(all), end(all));
}

double SoakWatch::stored_mib() const {
  std::error_code error;  // Logs of the database come and go.
  double bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data_dir_, error)) {
    const auto size = entry.file_size(error);
    if (!error) bytes += static_cast<double>(size);
  }
  return bytes / kMib;
}

SoakWatch::Trend SoakWatch::SecondHalf() const {
  const size_t first = resident_mib_.size() / 2;
  const auto n = static_cast<double>(resident_mib_.size() - first);
  const double middle = (n - 1) / 2;
  double mean = 0, with_time = 0, of_time = 0;
  for (size_t i = first; i < resident_mib_.size(); ++i) mean += resident_mib_[i] / n;
  for (size_t i = first; i < resident_mib_.size(); ++i) {
    const double time = static_cast<double>(i - first) - middle;
    with_time += time * (resident_mib_[i] - mean);
    of_time += time * time;
  }
  return {mean, of_time > 0 ? with_time / of_time * (n - 1) : 0};
}

}  // namespace sluice::testing
