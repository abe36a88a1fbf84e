#include "server/train_memory.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"
#include "server/flows/parameters.h"
#include "server/rpc/train_payload.h"
#include "server/training/step_history.h"

namespace sluiced {
namespace {

// Measured: what a run adds to the server's resident memory, over the bytes of its rows and
// of its parameters (gradients, moments, sums of shares, packed weights, checkpoints).
constexpr double kStoredCopies = 1.5, kTrainedCopies = 2;
constexpr double kParameterCopies = 45;
// Of each row: where it stands in the order of an epoch, and whether it is held out.
constexpr double kOrderBytes = 16;
// Of each row of a batch of draws: normals, points, slopes and densities, in float64.
constexpr double kDrawnCopies = 4;
// Of a batch in LibTorch: what its graph keeps of each hidden unit.
constexpr double kGraphCopies = 4;

double OfRows(store::Store* store, const std::string& id, DType dtype) {
  if (id.empty()) return 0;
  const absl::StatusOr<store::DatasetRecord> dataset = store->GetDataset(id);
  if (!dataset.ok()) return 0;
  const DType stored = DTypeFromName(dataset->dtype).value_or(DType::kFloat64);
  const double of_number = kStoredCopies * static_cast<double>(SizeOf(stored)) +
                           kTrainedCopies * static_cast<double>(SizeOf(dtype));
  return static_cast<double>(dataset->rows) *
         (static_cast<double>(dataset->columns) * of_number + kOrderBytes);
}

double OfBatch(const flows::FlowSpec& spec, const rpc::TrainPayload& payload) {
  const auto rows = static_cast<double>(payload.config.batch_size);
  const double drawn = std::min(rows, static_cast<double>(payload.config.rows)) *
                       static_cast<double>(spec.dim * 8) * kDrawnCopies;
  if (flows::ExecutorFor(spec) != flows::Executor::kTorch) return drawn;
  return drawn + rows * kGraphCopies * 2 * static_cast<double>(spec.layers * spec.depth) *
                     static_cast<double>(spec.hidden) * static_cast<double>(SizeOf(spec.dtype));
}

}  // namespace

int64_t TrainMemory(store::Store* store, const jobs::JobRecord& job) {
  const absl::StatusOr<store::ModelRecord> model = store->GetModel(job.model);
  if (!model.ok()) return 0;
  const absl::StatusOr<flows::FlowSpec> spec = flows::SpecFromJson(model->spec_json);
  const absl::StatusOr<rpc::TrainPayload> payload = rpc::PayloadFromJson(job.payload);
  if (!spec.ok() || !payload.ok()) return 0;
  const int64_t parameters =
      flows::ParameterCount(*spec) * static_cast<int64_t>(SizeOf(spec->dtype));
  const double bytes = OfRows(store, job.dataset, spec->dtype) + OfBatch(*spec, *payload) +
                       kParameterCopies * static_cast<double>(parameters);
  return static_cast<int64_t>(bytes) + training::StepHistory::MostBytes(parameters);
}

}  // namespace sluiced
