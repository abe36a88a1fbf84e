#include "server/models/model_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/common/safetensors.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"
#include "server/models/state_dict.h"

namespace sluiced::models {
namespace {

constexpr char kFormat[] = "sluice-v1";
constexpr char kAnyFormat[] = "sluice-";
// More than the digits of shift and scale of one column take.
constexpr size_t kJsonBytesPerColumn = 64;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("model file: ", what));
}

bool IsFinite(const Array& tensor) {
  auto finite = [](auto v) { return std::isfinite(v); };
  return tensor.dtype() == DType::kFloat32 ? std::ranges::all_of(tensor.as<float>(), finite)
                                           : std::ranges::all_of(tensor.as<double>(), finite);
}

absl::Status CheckTensor(const flows::FlowSpec& spec, const flows::ParameterSlice& slice,
                         const SafetensorsFile& file) {
  const auto found = file.tensors.find(slice.name);
  if (found == file.tensors.end()) {
    return Malformed(absl::StrCat("tensor '", slice.name, "' is missing"));
  }
  const Array& tensor = found->second;
  if (tensor.shape() != slice.shape || tensor.dtype() != spec.dtype) {
    return Malformed(absl::StrCat("tensor '", slice.name, "' is ", NameOf(tensor.dtype()), " [",
                                  absl::StrJoin(tensor.shape(), ", "), "]; the others ask for ",
                                  NameOf(spec.dtype), " [", absl::StrJoin(slice.shape, ", "), "]"));
  }
  if (IsFinite(tensor)) return absl::OkStatus();
  return Malformed(absl::StrCat("tensor '", slice.name, "' has a number that is not finite"));
}

// The flat buffer from the tensors of `file`, which must be the spec's own and
// no others but `ignored`.
absl::StatusOr<Array> Gather(const flows::FlowSpec& spec, const SafetensorsFile& file,
                             const std::set<std::string>& ignored) {
  const std::vector<flows::ParameterSlice> layout = flows::ParameterLayout(spec);
  std::set<std::string> known = ignored;
  for (const flows::ParameterSlice& slice : layout) {
    RETURN_IF_ERROR(CheckTensor(spec, slice, file));
    known.insert(slice.name);
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!known.contains(name)) {
      return Malformed(absl::StrCat("tensor '", absl::CHexEscape(name.substr(0, 100)),
                                    "' belongs to no flow of this spec"));
    }
  }
  // Only now: the file is as large as the buffer that its spec asks for.
  Array parameters(spec.dtype, {flows::ParameterCount(spec)});
  for (const flows::ParameterSlice& slice : layout) {
    const auto bytes = file.tensors.at(slice.name).bytes();
    std::memcpy(parameters.bytes().data() + static_cast<size_t>(slice.offset) * SizeOf(spec.dtype),
                bytes.data(), bytes.size());
  }
  return parameters;
}

absl::StatusOr<flows::FlowState> DecodeOwnFile(SafetensorsFile& file) {
  flows::FlowState state;
  ASSIGN_OR_RETURN(state.spec, flows::SpecFromJson(file.metadata["spec"]));
  const std::string map = file.metadata["standardization"];
  // A JSON document of a stranger may take a hundred times its text in memory.
  if (map.size() > kJsonBytesPerColumn * static_cast<size_t>(flows::RowColumns(state.spec) + 2)) {
    return Malformed("the standardisation is too long for the flow's dim");
  }
  ASSIGN_OR_RETURN(state.standardization, DecodeStandardization(map));
  if (!flows::CheckStandardization(state.spec, state.standardization).ok()) {
    return Malformed("the standardisation does not fit the spec");
  }
  ASSIGN_OR_RETURN(state.parameters, Gather(state.spec, file, {}));
  return state;
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
  const std::string format = file.metadata["format"];
  if (format == kFormat) return DecodeOwnFile(file);
  // A later format may say what a state_dict does not, such as the scale bound.
  if (absl::StartsWith(format, kAnyFormat)) {
    return Malformed(absl::StrCat("the format is '", absl::CHexEscape(format.substr(0, 20)),
                                  "'; this server reads ", kFormat));
  }
  flows::FlowState state;
  ASSIGN_OR_RETURN(StateDictSpec read, ReadStateDictSpec(file));
  state.spec = read.spec;
  ASSIGN_OR_RETURN(state.parameters, Gather(state.spec, file, read.masks));
  return state;
}

std::string EncodeStandardization(const flows::Standardization& standardization) {
  if (standardization.empty()) return "";
  nlohmann::json json = {{"shift", standardization.shift}, {"scale", standardization.scale}};
  if (!standardization.context_shift.empty()) {
    json["context_shift"] = standardization.context_shift;
    json["context_scale"] = standardization.context_scale;
  }
  return json.dump();
}

absl::StatusOr<flows::Standardization> DecodeStandardization(absl::string_view json) {
  flows::Standardization standardization;
  if (json.empty()) return standardization;
  try {
    const auto parsed = nlohmann::json::parse(json.begin(), json.end());
    parsed.at("shift").get_to(standardization.shift);
    parsed.at("scale").get_to(standardization.scale);
    if (parsed.contains("context_shift")) {
      parsed.at("context_shift").get_to(standardization.context_shift);
      parsed.at("context_scale").get_to(standardization.context_scale);
    }
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
