#include "server/training/checkpoint.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/safetensors.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"

namespace sluiced::training {
namespace {

constexpr absl::string_view kFormat = "sluice-checkpoint-2";

absl::Status Broken(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("checkpoint: ", what));
}

template <typename AnyCounters, typename Visit>
void ForEachCounter(AnyCounters& counters, Visit visit) {
  visit("epoch", counters.epoch);
  visit("skipped", counters.skipped);
  visit("rollbacks", counters.rollbacks);
  visit("undone", counters.undone);
  visit("tries", counters.tries);
  visit("best_epoch", counters.best_epoch);
  visit("best_loss", counters.best_loss);
  visit("reference_loss", counters.reference_loss);
  visit("assessed_loss", counters.assessed_loss);
  visit("start_loss", counters.start_loss);
  visit("spread", counters.spread);
  visit("learning_rate_factor", counters.learning_rate_factor);
  visit("seconds", counters.seconds);
}

template <typename AnyCheckpoint, typename Visit>
void ForEachTensor(AnyCheckpoint& checkpoint, Visit visit) {
  visit("parameters", checkpoint.now.parameters);
  visit("first_moment", checkpoint.now.first_moment);
  visit("second_moment", checkpoint.now.second_moment);
  visit("parameters_before", checkpoint.before.parameters);
  visit("first_moment_before", checkpoint.before.first_moment);
  visit("second_moment_before", checkpoint.before.second_moment);
  visit("best_parameters", checkpoint.best_parameters);
}

template <typename AnyStandardization, typename Visit>
void ForEachColumn(AnyStandardization& map, Visit visit) {
  visit("shift", map.shift);
  visit("scale", map.scale);
  visit("context_shift", map.context_shift);
  visit("context_scale", map.context_scale);
}

struct CounterWriter {
  std::map<std::string, std::string>& metadata;
  void operator()(const char* key, int64_t value) const { metadata[key] = absl::StrCat(value); }
  void operator()(const char* key, double value) const {
    metadata[key] = absl::StrFormat("%.17g", value);
  }
};

struct CounterReader {
  const std::map<std::string, std::string>& metadata;
  absl::Status& status;

  void operator()(const char* key, int64_t& value) const {
    const auto found = metadata.find(key);
    if (found == metadata.end() || !absl::SimpleAtoi(found->second, &value) || value < 0) {
      status = Broken(absl::StrCat("no count ", key));
    }
  }
  void operator()(const char* key, double& value) const {
    const auto found = metadata.find(key);
    if (found == metadata.end() || !absl::SimpleAtod(found->second, &value) || std::isnan(value)) {
      status = Broken(absl::StrCat("no number ", key));
    }
  }
};

absl::StatusOr<std::string> Text(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) return Broken(absl::StrCat("no ", key));
  return found->second;
}

absl::Status TakeParameters(SafetensorsFile& file, const char* key, const flows::FlowSpec& spec,
                            std::shared_ptr<const Array>* out) {
  const auto found = file.tensors.find(key);
  const std::vector<int64_t> shape = {flows::ParameterCount(spec)};
  if (found == file.tensors.end() || found->second.shape() != shape ||
      found->second.dtype() != spec.dtype) {
    return Broken(absl::StrCat(key, " is missing or does not fit the spec"));
  }
  *out = std::make_shared<const Array>(std::move(found->second));
  return absl::OkStatus();
}

absl::Status TakeColumn(const SafetensorsFile& file, const char* key, std::vector<double>* out) {
  const auto found = file.tensors.find(key);
  if (found == file.tensors.end()) return absl::OkStatus();
  if (found->second.dtype() != DType::kFloat64) return Broken(absl::StrCat(key, " is no float64"));
  const auto values = found->second.as<double>();
  out->assign(values.begin(), values.end());
  return absl::OkStatus();
}

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  SafetensorsFile file;
  file.metadata["format"] = std::string(kFormat);
  file.metadata["spec"] = flows::ToJson(checkpoint.spec);
  file.metadata["config"] = ToJson(checkpoint.config);
  const CounterWriter write{file.metadata};
  ForEachCounter(checkpoint.counters, write);
  write("updates", checkpoint.now.updates);
  write("updates_before", checkpoint.before.updates);
  ForEachTensor(checkpoint,
                [&](const char* key, const auto& array) { file.tensors[key] = *array; });
  ForEachColumn(checkpoint.standardization,
                [&](const char* key, const std::vector<double>& column) {
                  const std::vector<int64_t> shape = {static_cast<int64_t>(column.size())};
                  if (!column.empty()) file.tensors[key] = Array::FromDoubles(shape, column);
                });
  return EncodeSafetensors(file);
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(absl::string_view bytes) {
  ASSIGN_OR_RETURN(SafetensorsFile file, DecodeSafetensors(bytes));
  ASSIGN_OR_RETURN(const std::string format, Text(file, "format"));
  if (absl::string_view(format) != kFormat) return Broken("not one of this format");
  ASSIGN_OR_RETURN(const std::string spec, Text(file, "spec"));
  ASSIGN_OR_RETURN(const std::string config, Text(file, "config"));
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(checkpoint.spec, flows::SpecFromJson(spec));
  ASSIGN_OR_RETURN(checkpoint.config, ConfigFromJson(config));
  absl::Status status;
  // Of a checkpoint from before this was counted.
  file.metadata.emplace("start_loss", "inf");
  const CounterReader read{file.metadata, status};
  ForEachCounter(checkpoint.counters, read);
  read("updates", checkpoint.now.updates);
  read("updates_before", checkpoint.before.updates);
  RETURN_IF_ERROR(status);
  ForEachColumn(checkpoint.standardization, [&](const char* key, std::vector<double>& column) {
    if (status.ok()) status = TakeColumn(file, key, &column);
  });
  RETURN_IF_ERROR(status);
  if (!flows::CheckStandardization(checkpoint.spec, checkpoint.standardization).ok()) {
    return Broken("the standardisation does not fit the spec");
  }
  ForEachTensor(checkpoint, [&](const char* key, std::shared_ptr<const Array>& out) {
    if (status.ok()) status = TakeParameters(file, key, checkpoint.spec, &out);
  });
  RETURN_IF_ERROR(status);
  return checkpoint;
}

}  // namespace sluiced::training
