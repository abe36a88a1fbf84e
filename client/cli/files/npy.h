// NumPy's .npy format, versions 1 to 3:
// numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

// True where the bytes start with the format's magic.
bool LooksLikeNpy(std::string_view bytes);

// A 1-D ([n] becomes [n, 1]) or 2-D array of real numbers in either byte and
// storage order. INVALID_ARGUMENT says what is wrong with anything else.
Result<Matrix> DecodeNpy(std::string_view bytes);

// What comes before the numbers of an array of this shape.
std::string NpyHeader(const std::vector<int64_t>& shape, DType dtype);

// The numbers alone, as the array holds them.
std::string NpyNumbers(const std::vector<double>& values, DType dtype);

// `values` holds product(shape) numbers, row-major.
std::string EncodeNpy(const std::vector<int64_t>& shape, const std::vector<double>& values,
                      DType dtype);

}  // namespace sluice::cli
