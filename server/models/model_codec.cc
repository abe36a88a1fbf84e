#include "server/models/model_codec.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/safetensors.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"
#include "server/models/state_dict.h"

namespace sluiced::models {
namespace {

constexpr char kFormat[] = "sluice-v1";

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("model file: ", what));
}

// The flat buffer from the tensors of `file`, which must be the spec's own and
// no others but `ignored`.
absl::StatusOr<Array> Gather(const flows::FlowSpec& spec, const SafetensorsFile& file,
                             const std::set<std::string>& ignored) {
  Array parameters(spec.dtype, {flows::ParameterCount(spec)});
  std::set<std::string> known = ignored;
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(spec)) {
    const auto found = file.tensors.find(slice.name);
    if (found == file.tensors.end()) {
      return Malformed(absl::StrCat("tensor '", slice.name, "' is missing"));
    }
    const Array& tensor = found->second;
    if (tensor.shape() != slice.shape || tensor.dtype() != spec.dtype) {
      return Malformed(absl::StrCat("tensor '", slice.name,
                                    "' has not the shape and dtype that the others ask for"));
    }
    for (int64_t i = 0; i < tensor.size(); ++i) {
      if (!std::isfinite(tensor.At(i))) {
        return Malformed(absl::StrCat("tensor '", slice.name, "' has a number that is not finite"));
      }
    }
    std::memcpy(parameters.bytes().data() + static_cast<size_t>(slice.offset) * SizeOf(spec.dtype),
                tensor.bytes().data(), tensor.bytes().size());
    known.insert(slice.name);
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!known.contains(name)) {
      return Malformed(absl::StrCat("tensor '", name.substr(0, 100), "' belongs to no RealNVP"));
    }
  }
  return parameters;
}

absl::Status CheckStandardization(const flows::FlowSpec& spec, const flows::Standardization& map) {
  if (map.empty()) return absl::OkStatus();
  const auto dim = static_cast<size_t>(spec.dim);
  if (map.shift.size() != dim || map.scale.size() != dim) {
    return Malformed("the standardisation has not the flow's dim");
  }
  for (size_t i = 0; i < dim; ++i) {
    if (!std::isfinite(map.shift[i]) || !std::isfinite(map.scale[i]) || map.scale[i] <= 0) {
      return Malformed("the standardisation is not finite and positive");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeModelFile(const flows::FlowState& state) {
  SafetensorsFile file;
  file.metadata = {{"format", kFormat},
                   {"spec", flows::ToJson(state.spec)},
                   {"standardization", EncodeStandardization(state.standardization)}};
  const size_t item = SizeOf(state.spec.dtype);
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(state.spec)) {
    Array tensor(state.spec.dtype, slice.shape);
    std::memcpy(tensor.bytes().data(),
                state.parameters.bytes().data() + static_cast<size_t>(slice.offset) * item,
                tensor.bytes().size());
    file.tensors.emplace(slice.name, std::move(tensor));
  }
  return EncodeSafetensors(file);
}

absl::StatusOr<flows::FlowState> DecodeModelFile(absl::string_view bytes) {
  ASSIGN_OR_RETURN(SafetensorsFile file, DecodeSafetensors(bytes));
  flows::FlowState state;
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    ASSIGN_OR_RETURN(StateDictSpec read, ReadStateDictSpec(file));
    state.spec = read.spec;
    ASSIGN_OR_RETURN(state.parameters, Gather(state.spec, file, read.masks));
    return state;
  }
  ASSIGN_OR_RETURN(state.spec, flows::SpecFromJson(file.metadata["spec"]));
  ASSIGN_OR_RETURN(state.standardization, DecodeStandardization(file.metadata["standardization"]));
  RETURN_IF_ERROR(CheckStandardization(state.spec, state.standardization));
  ASSIGN_OR_RETURN(state.parameters, Gather(state.spec, file, {}));
  return state;
}

std::string EncodeStandardization(const flows::Standardization& standardization) {
  if (standardization.empty()) return "";
  return nlohmann::json{{"shift", standardization.shift}, {"scale", standardization.scale}}.dump();
}

absl::StatusOr<flows::Standardization> DecodeStandardization(absl::string_view json) {
  flows::Standardization standardization;
  if (json.empty()) return standardization;
  try {
    const auto parsed = nlohmann::json::parse(json.begin(), json.end());
    parsed.at("shift").get_to(standardization.shift);
    parsed.at("scale").get_to(standardization.scale);
  } catch (const nlohmann::json::exception& e) {
    return Malformed(absl::StrCat("the standardisation cannot be read: ", e.what()));
  }
  return standardization;
}

std::string EncodeParameters(const Array& parameters) {
  return std::string(reinterpret_cast<const char*>(parameters.bytes().data()),
                     parameters.bytes().size());
}

absl::StatusOr<Array> DecodeParameters(const flows::FlowSpec& spec, absl::string_view bytes) {
  Array parameters(spec.dtype, {flows::ParameterCount(spec)});
  if (bytes.size() != parameters.bytes().size()) {
    return absl::InternalError("stored parameters have not the size that their spec asks for");
  }
  std::memcpy(parameters.bytes().data(), bytes.data(), bytes.size());
  return parameters;
}

}  // namespace sluiced::models
