#include "server/models/state_dict.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"

namespace sluiced::models {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("model file: ", what));
}

constexpr char kLayers[] = "layers.";
constexpr char kFirstNet[] = "layers.0.sequential_scale_nn.";

std::string FirstWeight() { return absl::StrCat(kFirstNet, "0.weight"); }

// The greatest N of tensors `prefix`N.*, so that a gap is seen as one; -1: none.
int64_t GreatestIndex(const SafetensorsFile& file, absl::string_view prefix) {
  int64_t greatest = -1;
  for (const auto& [name, tensor] : file.tensors) {
    absl::string_view rest = name;
    int64_t index = 0;
    if (!absl::ConsumePrefix(&rest, prefix)) continue;
    if (absl::SimpleAtoi(rest.substr(0, rest.find('.')), &index)) {
      greatest = std::max(greatest, index);
    }
  }
  return greatest;
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
  const auto first = file.tensors.find(FirstWeight());
  if (first == file.tensors.end()) {
    return Malformed(absl::StrCat(
        "neither a file that Sluice exported nor the state_dict of a RealNVP: tensor '",
        FirstWeight(), "' is missing"));
  }
  if (first->second.shape().size() != 2) {
    return Malformed(absl::StrCat("tensor '", FirstWeight(), "' must be [hidden, dim]"));
  }
  // Validate refuses what lies beyond.
  const int64_t last_layer = std::min(GreatestIndex(file, kLayers), flows::kMaxLayers);
  const int64_t last_linear = std::min(GreatestIndex(file, kFirstNet) / 2, flows::kMaxDepth + 1);
  spec.layers = last_layer + 1;
  spec.depth = last_linear;
  spec.hidden = first->second.shape()[0];
  spec.dim = first->second.shape()[1];
  spec.dtype = first->second.dtype();
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
