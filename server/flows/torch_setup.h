// How LibTorch computes in this process. No LibTorch here.
#pragma once

#include <string>

namespace sluiced::flows {

// LibTorch and its BLAS compute on the calling thread alone and keep denormal
// numbers. Before any other use of them; later calls do nothing. Without it, results
// may depend on the number of cores, and calls on many threads take each other's.
void SetUpTorch();

// The BLAS that is really loaded ("OpenBLAS 0.3.21 ..."), for people.
std::string BlasName();

}  // namespace sluiced::flows
