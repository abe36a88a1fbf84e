#include "tests/fuzz/decoders.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "server/common/safetensors.h"
#include "server/data/readers.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/encode_tensor.h"

namespace sluiced::fuzz {
namespace {

namespace v1 = ::sluice::v1;

absl::string_view View(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

void Demand(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", law);
  std::abort();
}

void DemandFinite(const Array& rows) {
  for (int64_t i = 0; i < rows.size(); ++i) {
    Demand(std::isfinite(rows.At(i)), "rows are finite");
  }
}

void DecodeTensorBytes(std::string_view bytes) {
  v1::Tensor tensor;
  if (!tensor.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto array = rpc::DecodeTensor("x", tensor);
  if (array.ok()) {
    v1::Tensor again;
    rpc::EncodeTensor(*array, &again);
    const auto twice = rpc::DecodeTensor("x", again);
    Demand(twice.ok() && twice->shape() == array->shape() &&
               twice->bytes().size() == array->bytes().size(),
           "what was decoded survives the wire");
  }
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const auto rows = rpc::DecodeRows("x", tensor, {.dim = 2, .dtype = dtype, .max_rows = 100});
    if (!rows.ok()) continue;
    Demand(rows->dtype() == dtype && rows->cols() == 2 && rows->rows() <= 100,
           "rows have the form");
    DemandFinite(*rows);
  }
}

void DecodeSafetensorsBytes(std::string_view bytes) {
  const auto file = DecodeSafetensors(View(bytes));
  if (!file.ok()) return;
  const std::string once = EncodeSafetensors(*file);
  const auto again = DecodeSafetensors(once);
  Demand(again.ok(), "what was encoded can be decoded");
  Demand(again->tensors == file->tensors, "tensors survive");
  Demand(EncodeSafetensors(*again) == once, "the same content gives the same bytes");
}

void DemandTable(const absl::StatusOr<data::Table>& table) {
  if (!table.ok()) return;
  const Array& rows = table->rows;
  Demand(rows.shape().size() == 2 && rows.rows() >= 1 && rows.cols() >= 1 &&
             rows.cols() <= data::kMaxColumns,
         "a table has rows and columns");
  Demand(table->column_names.empty() ||
             static_cast<int64_t>(table->column_names.size()) == rows.cols(),
         "a name for each column, or none");
  DemandFinite(rows);
}

void ReadNpyBytes(std::string_view bytes) { DemandTable(data::ReadNpy(View(bytes))); }
void ReadCsvBytes(std::string_view bytes) { DemandTable(data::ReadCsv(View(bytes))); }

}  // namespace

const Decoder* AllDecoders() {
  static constexpr Decoder decoders[kDecoders] = {{"tensor", DecodeTensorBytes},
                                                  {"safetensors", DecodeSafetensorsBytes},
                                                  {"npy", ReadNpyBytes},
                                                  {"csv", ReadCsvBytes}};
  return decoders;
}

}  // namespace sluiced::fuzz
