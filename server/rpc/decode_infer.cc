#include "server/rpc/decode_infer.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

using Request = inference::ModelInferRequest;
using Tensor = Request::InferInputTensor;

constexpr size_t kMaxQuoted = 80;

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, kMaxQuoted)), "'");
}

std::string InputField(int index, absl::string_view of) {
  return absl::StrCat("inputs[", index, "].", of);
}

// One input, wherever its numbers are.
struct Input {
  const Tensor& tensor;
  int index;
  const std::string* raw;  // Or null: they are in tensor.contents().

  std::span<const int64_t> shape() const {
    return {tensor.shape().data(), static_cast<size_t>(tensor.shape_size())};
  }
  // Of the numbers, in errors.
  std::string Field(absl::string_view typed) const {
    return raw != nullptr ? absl::StrCat("raw_input_contents[", index, "]")
                          : InputField(index, absl::StrCat("contents.", typed));
  }
};

std::optional<Input> FindInput(const Request& in, absl::string_view name) {
  for (int i = 0; i < in.inputs_size(); ++i) {
    if (in.inputs(i).name() != name) continue;
    const bool raw = in.raw_input_contents_size() > 0;
    return Input{in.inputs(i), i, raw ? &in.raw_input_contents(i) : nullptr};
  }
  return std::nullopt;
}

// At most the inputs that the method has, each once, and their numbers in one place.
absl::Status CheckInputs(const Request& in, std::span<const char* const> known) {
  for (int i = 0; i < in.inputs_size(); ++i) {
    const std::string& name = in.inputs(i).name();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return FieldError(InputField(i, "name"), absl::StrCat(Quoted(name), "; the model has ",
                                                            absl::StrJoin(known, " and ")));
    }
    if (FindInput(in, name)->index != i) {
      return FieldError(InputField(i, "name"), absl::StrCat(Quoted(name), " is there twice"));
    }
  }
  const int raw = in.raw_input_contents_size();
  if (raw == 0) return absl::OkStatus();
  if (raw != in.inputs_size()) {
    return FieldError("raw_input_contents",
                      absl::StrCat(raw, " of them for ", in.inputs_size(), " inputs"));
  }
  for (int i = 0; i < in.inputs_size(); ++i) {
    if (in.inputs(i).contents().ByteSizeLong() == 0) continue;
    return FieldError(InputField(i, "contents"),
                      "raw_input_contents are there too; exactly one is meant");
  }
  return absl::OkStatus();
}

// What an input has to hold.
struct Content {
  std::string what;  // "float32 of shape [3, 2]"
  int64_t count;
  absl::string_view field;  // Of InferTensorContents.
};

// Before anything is allocated for them.
template <typename T, typename Typed>
absl::Status CheckCount(const Input& input, const Typed& typed, const Content& content) {
  const int64_t unit = input.raw != nullptr ? sizeof(T) : 1;
  const auto have = static_cast<int64_t>(input.raw != nullptr ? input.raw->size()
                                                              : static_cast<size_t>(typed.size()));
  if (have == unit * content.count) return absl::OkStatus();
  return FieldError(input.Field(content.field),
                    absl::StrCat(have, input.raw != nullptr ? " bytes; " : " numbers; ",
                                 content.what, " needs ", unit * content.count));
}

template <typename T, typename Typed>
void CopyNumbers(const Input& input, const Typed& typed, std::span<T> out) {
  if (input.raw == nullptr) {
    std::copy(typed.begin(), typed.end(), out.begin());
  } else if (!out.empty()) {
    std::memcpy(out.data(), input.raw->data(), out.size_bytes());
  }
}

template <typename T, typename Typed>
absl::StatusOr<Array> DecodeNumbers(const Input& input, const Typed& typed, DType dtype,
                                    absl::string_view field) {
  ASSIGN_OR_RETURN(std::vector<int64_t> shape,
                   DecodeShape(InputField(input.index, "shape"), input.shape(), dtype));
  ASSIGN_OR_RETURN(const int64_t bytes, CheckedByteSize(shape, dtype));
  const auto count = bytes / static_cast<int64_t>(sizeof(T));
  RETURN_IF_ERROR(CheckCount<T>(input, typed, {FormText(shape, dtype), count, field}));
  Array array(dtype, std::move(shape));
  CopyNumbers(input, typed, array.as<T>());
  return array;
}

absl::StatusOr<DType> DecodeFloatType(const Input& input) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    if (input.tensor.datatype() == DatatypeOf(dtype)) return dtype;
  }
  return FieldError(InputField(input.index, "datatype"),
                    absl::StrCat(Quoted(input.tensor.datatype()), " is not FP32 or FP64"));
}

absl::string_view FloatField(DType dtype) {
  return dtype == DType::kFloat32 ? "fp32_contents" : "fp64_contents";
}

absl::StatusOr<int64_t> DecodeRowCount(const Input& input) {
  if (input.tensor.datatype() != "INT64") {
    return FieldError(InputField(input.index, "datatype"),
                      absl::StrCat(Quoted(input.tensor.datatype()), " is not INT64"));
  }
  if (input.tensor.shape_size() != 1 || input.tensor.shape(0) != 1) {
    return FieldError(InputField(input.index, "shape"),
                      absl::StrCat("[", absl::StrJoin(input.shape(), ", "), "] is not [1]"));
  }
  const auto& typed = input.tensor.contents().int64_contents();
  constexpr absl::string_view kField = "int64_contents";
  RETURN_IF_ERROR(CheckCount<int64_t>(input, typed, {"INT64 of shape [1]", 1, kField}));
  int64_t rows = 0;
  CopyNumbers(input, typed, std::span<int64_t>(&rows, 1));
  if (rows < 0) return FieldError(input.Field(kField), "must not be negative");
  return rows;
}

std::string ParameterField(absl::string_view name) { return absl::StrCat("parameters.", name); }

// A whole number of either kind, as T; nullopt where there is none of that name.
template <typename T>
absl::StatusOr<std::optional<T>> FindParameter(const Request& in, const std::string& name) {
  const auto found = in.parameters().find(name);
  if (found == in.parameters().end()) return std::optional<T>();
  const inference::InferParameter& value = found->second;
  if (value.has_int64_param() && std::in_range<T>(value.int64_param())) {
    return std::optional<T>(static_cast<T>(value.int64_param()));
  }
  if (value.has_uint64_param() && std::in_range<T>(value.uint64_param())) {
    return std::optional<T>(static_cast<T>(value.uint64_param()));
  }
  return FieldError(ParameterField(name), std::is_signed_v<T>
                                              ? "must be a whole number (int64_param)"
                                              : "must be a whole number from 0 on (int64_param or "
                                                "uint64_param)");
}

// Sorted, so that it is always the same one that an error names.
absl::Status CheckParameters(const Request& in, std::span<const char* const> known) {
  std::vector<std::string> names;
  for (const auto& [name, value] : in.parameters()) names.push_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return FieldError(
        "parameters",
        absl::StrCat(Quoted(name), " is unknown",
                     known.empty() ? "; the model has none"
                                   : absl::StrCat("; ", absl::StrJoin(known, ", "), " are known")));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> DecodeRowsAskedFor(const Request& in) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> parameter, FindParameter<int64_t>(in, kInputRows));
  const std::optional<Input> input = FindInput(in, kInputRows);
  if (!input && !parameter) {
    return FieldError("inputs", "rows is missing, as an input (INT64 of shape [1]) or a parameter");
  }
  if (!input) return *parameter;
  if (parameter) {
    return FieldError(ParameterField(kInputRows), "is an input too; exactly one is meant");
  }
  return DecodeRowCount(*input);
}

absl::StatusOr<SampleQuery> DecodeInferSample(const Request& in) {
  static constexpr const char* kKnown[] = {kInputRows, "seed", "first_row"};
  RETURN_IF_ERROR(CheckParameters(in, kKnown));
  v1::SampleRequest request;
  ASSIGN_OR_RETURN(const int64_t rows, DecodeRowsAskedFor(in));
  ASSIGN_OR_RETURN(const std::optional<int64_t> first, FindParameter<int64_t>(in, "first_row"));
  ASSIGN_OR_RETURN(const std::optional<uint64_t> seed, FindParameter<uint64_t>(in, "seed"));
  request.set_rows(rows);
  request.set_first_row(first.value_or(0));
  if (seed) request.set_seed(*seed);
  request.set_with_log_prob(true);
  absl::StatusOr<SampleQuery> query = DecodeSample(request);
  if (!query.ok()) return PrefixField("parameters", query.status());
  return query;
}

absl::StatusOr<std::vector<InferOutput>> DecodeOutputs(const Request& in, InferMethod method) {
  const std::span<const InferOutput> all = OutputsOf(method);
  if (in.outputs_size() == 0) return std::vector<InferOutput>(all.begin(), all.end());
  std::vector<InferOutput> wanted;
  for (int i = 0; i < in.outputs_size(); ++i) {
    const std::string field = absl::StrCat("outputs[", i, "].name");
    const std::string& name = in.outputs(i).name();
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&name](InferOutput one) { return NameOf(one) == name; });
    if (known == all.end()) {
      const auto write = [](std::string* out, InferOutput one) {
        absl::StrAppend(out, NameOf(one));
      };
      return FieldError(field, absl::StrCat(Quoted(name), " is no output; ",
                                            absl::StrJoin(all, ", ", write), " are"));
    }
    if (std::find(wanted.begin(), wanted.end(), *known) != wanted.end()) {
      return FieldError(field, absl::StrCat(Quoted(name), " is asked for twice"));
    }
    wanted.push_back(*known);
  }
  return wanted;
}

absl::StatusOr<Array> DecodeFloats(const Input& input, const RowForm& form) {
  ASSIGN_OR_RETURN(const DType dtype, DecodeFloatType(input));
  const inference::InferTensorContents& contents = input.tensor.contents();
  const absl::string_view field = FloatField(dtype);
  ASSIGN_OR_RETURN(Array rows,
                   dtype == DType::kFloat32
                       ? DecodeNumbers<float>(input, contents.fp32_contents(), dtype, field)
                       : DecodeNumbers<double>(input, contents.fp64_contents(), dtype, field));
  return CheckRows(std::move(rows), form, InputField(input.index, "shape"), input.Field(field));
}

// The rows of the input `x`, as far as the request can be believed.
absl::StatusOr<int64_t> ClaimedRows(const Request& in) {
  RETURN_IF_ERROR(CheckParameters(in, {}));
  const std::optional<Input> x = FindInput(in, kInputX);
  if (!x) return FieldError("inputs", "x is missing: FP32 or FP64 of shape [n, dim]");
  return x->tensor.shape_size() > 0 ? x->tensor.shape(0) : 0;
}

}  // namespace

absl::StatusOr<InferQuery> DecodeInfer(const Request& in) {
  InferQuery query;
  ASSIGN_OR_RETURN(query.target, DecodeTarget({"model_name", "model_version"}, in.model_name(),
                                              in.model_version()));
  const bool sample = query.target.method == InferMethod::kSample;
  static constexpr const char* kOfSample[] = {kInputRows, kInputContext};
  static constexpr const char* kOfLogProb[] = {kInputX};
  RETURN_IF_ERROR(sample ? CheckInputs(in, kOfSample) : CheckInputs(in, kOfLogProb));
  ASSIGN_OR_RETURN(query.outputs, DecodeOutputs(in, query.target.method));
  query.raw = in.raw_input_contents_size() > 0;
  if (sample) {
    ASSIGN_OR_RETURN(query.sample, DecodeInferSample(in));
    query.rows = query.sample->rows;
  } else {
    ASSIGN_OR_RETURN(query.rows, ClaimedRows(in));
  }
  return query;
}

absl::StatusOr<Array> DecodeInferRows(const Request& in, const RowForm& form) {
  const std::optional<Input> x = FindInput(in, kInputX);
  if (!x) return absl::InternalError("a request without x was accepted");
  return DecodeFloats(*x, form);
}

absl::StatusOr<std::shared_ptr<const Array>> DecodeInferContext(const Request& in, int64_t rows,
                                                                const RowForm& form) {
  const std::optional<Input> context = FindInput(in, kInputContext);
  if (!context && form.context_dim == 0) return nullptr;
  if (!context) {
    return FieldError(
        "inputs", absl::StrCat("context is missing: FP32 or FP64 of shape [n, ", form.context_dim,
                               "], or [1, ", form.context_dim, "] for all rows"));
  }
  const std::string shape = InputField(context->index, "shape");
  if (form.context_dim == 0) {
    return FieldError(InputField(context->index, "name"), "the model takes no context");
  }
  ASSIGN_OR_RETURN(Array array,
                   DecodeFloats(*context, {form.context_dim, form.dtype, form.max_rows}));
  if (array.rows() != rows && array.rows() != 1) {
    return FieldError(
        shape, absl::StrCat(array.rows(), " rows for ", rows, "; one for each, or one for all"));
  }
  return std::make_shared<const Array>(std::move(array));
}

}  // namespace sluiced::rpc
