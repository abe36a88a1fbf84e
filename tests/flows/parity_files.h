// What the seed's own code computed: weights, and the values they lead to.
#pragma once

#include <string>

#include "server/common/safetensors.h"
#include "server/flows/flow.h"

namespace sluiced::flows {

struct ParityCase {
  const char* file;  // In tests/data/parity, without its endings.
  int64_t dim, layers, hidden;
  DType dtype;
};

inline constexpr ParityCase kParityCases[] = {
    {"d2_l8_h32_f32", 2, 8, 32, DType::kFloat32},
    {"d2_l8_h32_f64", 2, 8, 32, DType::kFloat64},
    {"d5_l7_h16_f32", 5, 7, 16, DType::kFloat32},
    {"d5_l7_h16_f64", 5, 7, 16, DType::kFloat64},
};

// Each dies when the files cannot be read.
FlowState ParityState(const ParityCase& parity);
SafetensorsFile ParityExpected(const ParityCase& parity);

// The tensors `prefix` + NAME for every parameter NAME, as one flat buffer.
Array Flatten(const SafetensorsFile& file, const FlowSpec& spec, const std::string& prefix);

// The largest |a - b| / (1 + |b|); infinity for shapes that differ or for NaN.
double LargestError(const Array& actual, const Array& expected);

}  // namespace sluiced::flows
