#include "server/rpc/sample_source.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/find_model.h"
#include "server/serving/inference.h"

namespace sluiced::rpc {
namespace {

uint64_t DrawSeed() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

// Nobody can hold what has no size: refused before the first row is drawn.
absl::Status CheckBytes(int64_t rows, const flows::FlowSpec& spec) {
  const int64_t row_bytes = spec.dim * static_cast<int64_t>(SizeOf(spec.dtype));
  if (rows <= std::numeric_limits<int64_t>::max() / row_bytes) return absl::OkStatus();
  return FieldError("rows", "rows * dim * size of a number overflows");
}

class SampleSource final : public Source<v1::SampleResponse> {
 public:
  SampleSource(std::unique_ptr<ModelArrival> model, const SampleQuery& query,
               const Runtime& runtime)
      : arrival_(std::move(model)), query_(query), runtime_(runtime) {}

  // No rows still make one message: it says which version and seed.
  absl::StatusOr<Next> Produce(Call& call, v1::SampleResponse* out) override {
    if (model_ == nullptr) {
      ASSIGN_OR_RETURN(model_, arrival_->TryTake());
      if (model_ == nullptr) return Next::kLater;
      RETURN_IF_ERROR(CheckBytes(query_.rows, model_->flow->state().spec));
    }
    if (sent_ == query_.rows && started_) return Next::kEnd;
    started_ = true;
    const int64_t rows = std::min(ChunkRows(), query_.rows - sent_);
    RETURN_IF_ERROR(SampleRows(*model_, runtime_, query_, sent_, rows, call.caller(), out));
    sent_ += rows;
    call.AddRows(rows);
    return Next::kMessage;
  }

 private:
  int64_t ChunkRows() const {
    const auto& spec = model_->flow->state().spec;
    const auto row_bytes = spec.dim * static_cast<int64_t>(SizeOf(spec.dtype));
    return std::max<int64_t>(1, runtime_.limits.chunk_bytes / row_bytes);
  }

  const std::unique_ptr<ModelArrival> arrival_;
  const SampleQuery query_;
  const Runtime& runtime_;
  models::ModelPtr model_;
  int64_t sent_ = 0;
  bool started_ = false;
};

}  // namespace

absl::StatusOr<SampleQuery> DecodeSample(const v1::SampleRequest& request) {
  if (request.rows() < 0) return FieldError("rows", "must not be negative");
  if (request.first_row() < 0) return FieldError("first_row", "must not be negative");
  if (request.rows() > std::numeric_limits<int64_t>::max() - request.first_row()) {
    return FieldError("rows", "first_row + rows overflows");
  }
  return SampleQuery{.first_row = request.first_row(),
                     .rows = request.rows(),
                     .seed = request.has_seed() ? request.seed() : DrawSeed(),
                     .with_log_prob = request.with_log_prob()};
}

absl::Status SampleRows(const models::Loaded& model, const Runtime& runtime,
                        const SampleQuery& query, int64_t first, int64_t rows,
                        const serving::Caller& caller, v1::SampleResponse* out) {
  ASSIGN_OR_RETURN(serving::Draws draws,
                   serving::Sample(*model.flow, rows, query.seed, query.first_row + first, caller,
                                   runtime.compute));
  EncodeTensor(draws.x, out->mutable_x());
  if (query.with_log_prob) EncodeTensor(draws.log_prob, out->mutable_log_prob());
  out->set_version(model.name);
  out->set_seed(query.seed);
  out->set_not_finite(std::move(draws.not_finite));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Source<v1::SampleResponse>>> StreamSamples(
    const Runtime& runtime, const v1::SampleRequest& request, std::function<void()> wake) {
  ASSIGN_OR_RETURN(const SampleQuery query, DecodeSample(request));
  auto model = std::make_unique<ModelArrival>(runtime.registry, request.model(), std::move(wake));
  return std::make_unique<SampleSource>(std::move(model), query, runtime);
}

}  // namespace sluiced::rpc
