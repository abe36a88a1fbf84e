#include "server/train_memory.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"
#include "server/flows/parameters.h"

namespace sluiced {
namespace {

// Measured: what a run adds to the server's resident memory, over the bytes of its rows and
// of its parameters (gradients, moments, sums of shares, packed weights, checkpoints), the
// steps that it could undo aside.
constexpr double kStoredCopies = 1.5, kTrainedCopies = 2;
constexpr int64_t kParameterCopies = 45, kUndoneCopies = 48;
constexpr int64_t kMostUndone = int64_t{256} << 20;

int64_t OfRows(store::Store* store, const std::string& id, DType dtype) {
  if (id.empty()) return 0;
  const absl::StatusOr<store::DatasetRecord> dataset = store->GetDataset(id);
  if (!dataset.ok()) return 0;
  const DType stored = DTypeFromName(dataset->dtype).value_or(DType::kFloat64);
  const double numbers = static_cast<double>(dataset->rows) * static_cast<double>(dataset->columns);
  return static_cast<int64_t>(numbers * (kStoredCopies * static_cast<double>(SizeOf(stored)) +
                                         kTrainedCopies * static_cast<double>(SizeOf(dtype))));
}

}  // namespace

int64_t TrainMemory(store::Store* store, const jobs::JobRecord& job) {
  const absl::StatusOr<store::ModelRecord> model = store->GetModel(job.model);
  if (!model.ok()) return 0;
  const absl::StatusOr<flows::FlowSpec> spec = flows::SpecFromJson(model->spec_json);
  if (!spec.ok()) return 0;
  const int64_t parameters =
      flows::ParameterCount(*spec) * static_cast<int64_t>(SizeOf(spec->dtype));
  return OfRows(store, job.dataset, spec->dtype) + kParameterCopies * parameters +
         std::min(kUndoneCopies * parameters, kMostUndone);
}

}  // namespace sluiced
