#include "tests/flows/parity_files.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "server/common/check.h"
#include "server/flows/parameters.h"

namespace sluiced::flows {
namespace {

SafetensorsFile Read(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA "/parity/") + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto decoded = DecodeSafetensors(bytes);
  SLUICED_CHECK(decoded.ok());
  return *std::move(decoded);
}

}  // namespace

FlowState ParityState(const ParityCase& parity) {
  FlowState state;
  state.spec.dim = parity.dim;
  state.spec.layers = parity.layers;
  state.spec.hidden = parity.hidden;
  state.spec.dtype = parity.dtype;
  state.spec.scale_bound = 0;
  state.spec.standardize = false;
  state.parameters =
      Flatten(Read(std::string(parity.file) + ".weights.safetensors"), state.spec, "");
  return state;
}

SafetensorsFile ParityExpected(const ParityCase& parity) {
  return Read(std::string(parity.file) + ".expected.safetensors");
}

Array Flatten(const SafetensorsFile& file, const FlowSpec& spec, const std::string& prefix) {
  Array flat(spec.dtype, {ParameterCount(spec)});
  for (const ParameterSlice& slice : ParameterLayout(spec)) {
    const Array& tensor = file.tensors.at(prefix + slice.name);
    SLUICED_CHECK(tensor.dtype() == spec.dtype && tensor.shape() == slice.shape);
    std::memcpy(flat.bytes().data() + static_cast<size_t>(slice.offset) * SizeOf(spec.dtype),
                tensor.bytes().data(), tensor.bytes().size());
  }
  return flat;
}

double LargestError(const Array& actual, const Array& expected) {
  if (actual.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (int64_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual.At(i) - expected.At(i)) / (1 + std::abs(expected.At(i)));
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, error);
  }
  return largest;
}

}  // namespace sluiced::flows
