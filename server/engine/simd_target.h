// The SIMD instruction sets that the engine was compiled for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluiced::engine {

struct SimdTarget {
  std::string name;  // "AVX2"
  int64_t id;
};

// Those that this machine runs, the best one first: programs are made for it.
std::vector<SimdTarget> SimdTargets();

// For tests and benchmarks: programs made from here on are for this one. Not to be
// called while programs are made elsewhere.
void UseSimdTarget(const SimdTarget& target);

}  // namespace sluiced::engine
