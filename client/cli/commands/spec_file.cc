#include "client/cli/commands/spec_file.h"

#include <charconv>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace sluice::cli {
namespace {

using Json = nlohmann::json;

Status BadField(const std::string& field, const std::string& what) {
  return Failure(Code::kInvalidArgument, "spec: " + field + " " + what);
}

template <typename Enum>
bool FindName(const std::string& name, Enum last, Enum* out) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (NameOf(static_cast<Enum>(i)) != name) continue;
    *out = static_cast<Enum>(i);
    return true;
  }
  return false;
}

Status Read(const std::string& field, const Json& value, int64_t* out) {
  if (!value.is_number_integer()) return BadField(field, "is no whole number");
  *out = value.get<int64_t>();
  return Status{};
}
Status Read(const std::string& field, const Json& value, double* out) {
  if (!value.is_number()) return BadField(field, "is no number");
  *out = value.get<double>();
  return Status{};
}
Status Read(const std::string& field, const Json& value, bool* out) {
  if (!value.is_boolean()) return BadField(field, "is neither true nor false");
  *out = value.get<bool>();
  return Status{};
}
Status Read(const std::string& field, const Json& value, std::string* out) {
  if (!value.is_string()) return BadField(field, "is no text");
  *out = value.get<std::string>();
  return Status{};
}
Status Read(const std::string& field, const Json& value, DType* out) {
  std::string name;
  if (Status status = Read(field, value, &name); !status.ok()) return status;
  if (name != "float32" && name != "float64") {
    return BadField(field, "'" + name + "' is neither float32 nor float64");
  }
  *out = name == "float64" ? DType::kFloat64 : DType::kFloat32;
  return Status{};
}
template <typename Enum>
requires std::is_enum_v<Enum> Status Read(const std::string& field, const Json& value, Enum* out) {
  std::string name;
  if (Status status = Read(field, value, &name); !status.ok()) return status;
  return FromName(name, out) ? Status{} : BadField(field, "'" + name + "' is unknown");
}
template <typename T>
Status Read(const std::string& field, const Json& value, std::optional<T>* out) {
  return Read(field, value, &out->emplace());
}

Status Read(const std::string& field, const Json& value, std::vector<Column>* out);

using Readers = std::map<std::string, std::function<Status(const std::string&, const Json&)>>;

template <typename T>
Readers::mapped_type Into(T* out) {
  return [out](const std::string& field, const Json& value) { return Read(field, value, out); };
}

Status ReadFields(const std::string& prefix, const Json& object, const Readers& readers) {
  if (!object.is_object()) return BadField(prefix.empty() ? "it" : prefix, "is no JSON object");
  for (const auto& [name, value] : object.items()) {
    const std::string field = prefix.empty() ? name : prefix + "." + name;
    const auto reader = readers.find(name);
    if (reader == readers.end()) return BadField(field, "is no field of a flow");
    if (Status status = reader->second(field, value); !status.ok()) return status;
  }
  return Status{};
}

Status Read(const std::string& field, const Json& value, std::vector<Column>* out) {
  if (!value.is_array()) return BadField(field, "is no list");
  for (size_t i = 0; i < value.size(); ++i) {
    Column column;
    const Readers readers = {{"index", Into(&column.index)},
                             {"support", Into(&column.support)},
                             {"low", Into(&column.low)},
                             {"high", Into(&column.high)}};
    const Status status = ReadFields(field + "[" + std::to_string(i) + "]", value[i], readers);
    if (!status.ok()) return status;
    out->push_back(column);
  }
  return Status{};
}

template <typename T>
bool Parse(const std::string& text, T* value) {
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && next == end;
}

}  // namespace

bool FromName(const std::string& name, Initialization* out) {
  if (name != "identity" && name != "uniform") return false;
  *out = name == "uniform" ? Initialization::kUniform : Initialization::kIdentity;
  return true;
}
bool FromName(const std::string& name, Executor* out) {
  return FindName(name, Executor::kTorch, out);
}
bool FromName(const std::string& name, Mixing* out) { return FindName(name, Mixing::kLu, out); }
bool FromName(const std::string& name, Base* out) { return FindName(name, Base::kUniform, out); }
bool FromName(const std::string& name, Support* out) {
  return FindName(name, Support::kPeriodic, out);
}

Result<FlowSpec> ParseSpec(const std::string& json) {
  const Json document = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Failure(Code::kInvalidArgument, "spec: it is no JSON");
  FlowSpec spec;
  const Readers readers = {{"architecture", Into(&spec.architecture)},
                           {"dim", Into(&spec.dim)},
                           {"layers", Into(&spec.layers)},
                           {"hidden", Into(&spec.hidden)},
                           {"depth", Into(&spec.depth)},
                           {"dtype", Into(&spec.dtype)},
                           {"scale_bound", Into(&spec.scale_bound)},
                           {"standardize", Into(&spec.standardize)},
                           {"initialization", Into(&spec.initialization)},
                           {"executor", Into(&spec.executor)},
                           {"context_dim", Into(&spec.context_dim)},
                           {"base", Into(&spec.base)},
                           {"components", Into(&spec.components)},
                           {"degrees_of_freedom", Into(&spec.degrees_of_freedom)},
                           {"columns", Into(&spec.columns)},
                           {"mixing", Into(&spec.mixing)},
                           {"act_norm", Into(&spec.act_norm)},
                           {"bins", Into(&spec.bins)},
                           {"bound", Into(&spec.bound)}};
  // Of a whole model, its spec.
  const bool is_model = document.is_object() && document.contains("spec");
  const Status status = ReadFields("", is_model ? document["spec"] : document, readers);
  if (!status.ok()) return status;
  return spec;
}

Result<Column> ParseColumn(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ':');) parts.push_back(part);
  Column column;
  const Status bad =
      Failure(Code::kInvalidArgument, "--column: '" + text + "' is none of INDEX:positive, " +
                                          "INDEX:interval:LOW:HIGH and INDEX:periodic:LOW:HIGH");
  if (parts.size() < 2 || !Parse(parts[0], &column.index) || !FromName(parts[1], &column.support)) {
    return bad;
  }
  const bool bounded = column.support == Support::kInterval || column.support == Support::kPeriodic;
  if (parts.size() != (bounded ? 4U : 2U)) return bad;
  if (bounded && (!Parse(parts[2], &column.low) || !Parse(parts[3], &column.high))) return bad;
  return column;
}

}  // namespace sluice::cli
