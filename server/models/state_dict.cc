#include "server/models/state_dict.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"

namespace sluiced::models {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("model file: ", what));
}

std::string WeightName(int64_t layer, int64_t linear) {
  return absl::StrCat("layers.", layer, ".sequential_scale_nn.", 2 * linear, ".weight");
}

int64_t CountLayers(const SafetensorsFile& file) {
  int64_t layers = 0;
  while (file.tensors.contains(WeightName(layers, 0))) ++layers;
  return layers;
}

int64_t CountLinears(const SafetensorsFile& file) {
  int64_t linears = 0;
  while (file.tensors.contains(WeightName(0, linears))) ++linears;
  return linears;
}

absl::Status CheckMask(const flows::FlowSpec& spec, int64_t layer, const std::string& name,
                       const SafetensorsFile& file, std::set<std::string>* masks) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) return absl::OkStatus();
  masks->insert(name);
  const std::vector<bool> expected = flows::ConditioningMask(spec, layer);
  const Array& mask = found->second;
  bool same = mask.size() == spec.dim;
  for (int64_t i = 0; same && i < spec.dim; ++i) {
    same = mask.At(i) == (expected[static_cast<size_t>(i)] ? 1.0 : 0.0);
  }
  if (same) return absl::OkStatus();
  return Malformed(absl::StrCat(
      "mask '", name, "' is not one of alternating halves, the first floor(dim/2) first"));
}

}  // namespace

absl::StatusOr<StateDictSpec> ReadStateDictSpec(const SafetensorsFile& file) {
  StateDictSpec read;
  flows::FlowSpec& spec = read.spec;
  spec.scale_bound = 0;
  spec.standardize = false;
  spec.initialization = flows::Initialization::kUniform;
  spec.layers = CountLayers(file);
  const int64_t linears = CountLinears(file);
  if (spec.layers == 0 || linears < 2) {
    return Malformed(
        absl::StrCat("neither a file that Sluice exported nor the state_dict of a "
                     "RealNVP: tensor '",
                     WeightName(0, linears), "' is missing"));
  }
  const Array& first = file.tensors.at(WeightName(0, 0));
  if (first.shape().size() != 2) {
    return Malformed(absl::StrCat("tensor '", WeightName(0, 0), "' must be [hidden, dim]"));
  }
  spec.hidden = first.shape()[0];
  spec.dim = first.shape()[1];
  spec.dtype = first.dtype();
  spec.depth = linears - 1;
  RETURN_IF_ERROR(flows::Validate(spec));
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    for (const std::string& name :
         {absl::StrCat("block_masks.", layer), absl::StrCat("layers.", layer, ".block_mask")}) {
      RETURN_IF_ERROR(CheckMask(spec, layer, name, file, &read.masks));
    }
  }
  return read;
}

}  // namespace sluiced::models
