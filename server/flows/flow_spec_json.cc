#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/flows/flow_spec.h"
#include "server/flows/spec_names.h"

namespace sluiced::flows {
namespace {

using Json = nlohmann::json;

// Of kMaxDeclaredColumns columns; a document of a stranger may take a hundred times
// its text in memory.
constexpr size_t kMaxJsonBytes = 128 * 1024;

absl::Status ReadInto(absl::string_view field, const Json& value, int64_t& out) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > kMost)) {
    return FieldError(field, "is no whole number of 64 bits");
  }
  out = value.get<int64_t>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, double& out) {
  if (!value.is_number()) return FieldError(field, "is no number");
  out = value.get<double>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, bool& out) {
  if (!value.is_boolean()) return FieldError(field, "is neither true nor false");
  out = value.get<bool>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, DType& out) {
  if (!value.is_string()) return FieldError(field, "is no string");
  auto dtype = DTypeFromName(value.get<std::string>());
  if (!dtype) return FieldError(field, "is neither float32 nor float64");
  out = *dtype;
  return absl::OkStatus();
}

template <typename Enum>
requires std::is_enum_v<Enum> absl::Status ReadInto(absl::string_view field, const Json& value,
                                                    Enum& out) {
  if (!value.is_string()) return FieldError(field, "is no string");
  ASSIGN_OR_RETURN(out, FromName<Enum>(field, value.get<std::string>()));
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, Column& out) {
  if (!value.is_object()) return FieldError(field, "is no object");
  for (const auto& [name, of_column] : value.items()) {
    const std::string path = absl::StrCat(field, ".", absl::CHexEscape(name));
    if (name == "index") {
      RETURN_IF_ERROR(ReadInto(path, of_column, out.index));
    } else if (name == "support") {
      RETURN_IF_ERROR(ReadInto(path, of_column, out.support));
    } else if (name == "low") {
      RETURN_IF_ERROR(ReadInto(path, of_column, out.low));
    } else if (name == "high") {
      RETURN_IF_ERROR(ReadInto(path, of_column, out.high));
    } else {
      return FieldError(path, "is no field of a column");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, std::vector<Column>& out) {
  if (!value.is_array()) return FieldError(field, "is no array");
  if (value.size() > kMaxDeclaredColumns) return FieldError(field, "has too many entries");
  out.resize(value.size());
  for (size_t i = 0; i < out.size(); ++i) {
    RETURN_IF_ERROR(ReadInto(absl::StrCat(field, "[", i, "]"), value[i], out[i]));
  }
  return absl::OkStatus();
}

absl::Status ReadField(const std::string& field, const Json& value, FlowSpec& spec) {
  if (field == "architecture") return ReadInto(field, value, spec.architecture);
  if (field == "dim") return ReadInto(field, value, spec.dim);
  if (field == "layers") return ReadInto(field, value, spec.layers);
  if (field == "hidden") return ReadInto(field, value, spec.hidden);
  if (field == "depth") return ReadInto(field, value, spec.depth);
  if (field == "dtype") return ReadInto(field, value, spec.dtype);
  if (field == "scale_bound") return ReadInto(field, value, spec.scale_bound);
  if (field == "standardize") return ReadInto(field, value, spec.standardize);
  if (field == "initialization") return ReadInto(field, value, spec.initialization);
  if (field == "executor") return ReadInto(field, value, spec.executor);
  if (field == "context_dim") return ReadInto(field, value, spec.context_dim);
  if (field == "base") return ReadInto(field, value, spec.base);
  if (field == "components") return ReadInto(field, value, spec.components);
  if (field == "degrees_of_freedom") return ReadInto(field, value, spec.degrees_of_freedom);
  if (field == "columns") return ReadInto(field, value, spec.columns);
  if (field == "mixing") return ReadInto(field, value, spec.mixing);
  if (field == "act_norm") return ReadInto(field, value, spec.act_norm);
  if (field == "bins") return ReadInto(field, value, spec.bins);
  if (field == "bound") return ReadInto(field, value, spec.bound);
  return FieldError(absl::CHexEscape(field), "is no field of a flow spec");
}

Json ColumnJson(const Column& column) {
  Json json = {{"index", column.index}, {"support", std::string(NameOf(column.support))}};
  if (column.support == Support::kInterval || column.support == Support::kPeriodic) {
    json["low"] = column.low;
    json["high"] = column.high;
  }
  return json;
}

// What the first release did not have, where it is not the default.
void AddLaterFields(const FlowSpec& spec, Json& json) {
  const FlowSpec plain;
  const auto add = [&json](const char* name, const auto& value, const auto& usual) {
    if (!(value == usual)) json[name] = value;
  };
  add("context_dim", spec.context_dim, plain.context_dim);
  if (spec.base != plain.base) json["base"] = std::string(NameOf(spec.base));
  add("components", spec.components, plain.components);
  add("degrees_of_freedom", spec.degrees_of_freedom, plain.degrees_of_freedom);
  for (const Column& column : spec.columns) json["columns"].push_back(ColumnJson(column));
  if (spec.mixing != plain.mixing) json["mixing"] = std::string(NameOf(spec.mixing));
  add("act_norm", spec.act_norm, plain.act_norm);
  add("bins", spec.bins, plain.bins);
  add("bound", spec.bound, plain.bound);
}

}  // namespace

std::string ToJson(const FlowSpec& spec) {
  Json json = {{"architecture", std::string(NameOf(spec.architecture))},
               {"dim", spec.dim},
               {"layers", spec.layers},
               {"hidden", spec.hidden},
               {"depth", spec.depth},
               {"dtype", std::string(sluiced::NameOf(spec.dtype))},
               {"scale_bound", spec.scale_bound},
               {"standardize", spec.standardize},
               {"initialization", std::string(NameOf(spec.initialization))},
               {"executor", std::string(NameOf(spec.executor))}};
  AddLaterFields(spec, json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<FlowSpec> SpecFromJson(absl::string_view json) {
  if (json.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a flow spec of ", json.size(), " bytes, more than ", kMaxJsonBytes));
  }
  const Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return absl::InvalidArgumentError("a flow spec is a JSON object");
  FlowSpec spec;
  for (const auto& [field, value] : document.items()) {
    RETURN_IF_ERROR(ReadField(field, value, spec));
  }
  RETURN_IF_ERROR(Validate(spec));
  return spec;
}

}  // namespace sluiced::flows
