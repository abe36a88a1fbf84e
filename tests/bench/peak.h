// The most multiply-adds that a core of this machine does.
#pragma once

namespace sluiced::bench {

// `rounds` of multiply-adds in registers alone, on the engine's SIMD target, many
// enough at once to hide their latency. Returns their floating-point operations.
template <typename T>
double MultiplyAdd(int rounds);

}  // namespace sluiced::bench
