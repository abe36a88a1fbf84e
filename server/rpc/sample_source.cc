#include "server/rpc/sample_source.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/rpc/arrival.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/find_model.h"
#include "server/rpc/inference_call.h"

namespace sluiced::rpc {
namespace {

// Nobody can hold what has no size: refused before the first row is drawn.
absl::Status CheckBytes(int64_t rows, const flows::FlowSpec& spec) {
  const int64_t row_bytes = spec.dim * static_cast<int64_t>(SizeOf(spec.dtype));
  if (rows <= std::numeric_limits<int64_t>::max() / row_bytes) return absl::OkStatus();
  return FieldError("rows", "rows * dim * size of a number overflows");
}

// While one chunk is written the next is drawn.
class SampleSource final : public Source<v1::SampleResponse> {
 public:
  SampleSource(const SampleQuery& query, const v1::SampleRequest& request, const Runtime& runtime,
               const std::function<void()>& wake)
      : query_(query),
        request_(request),
        runtime_(runtime),
        arrival_(runtime.registry, request.model(), wake),
        drawn_(wake) {}

  // No rows still make one message: it says which version and seed.
  absl::StatusOr<Next> Produce(Call& call, v1::SampleResponse* out) override {
    if (model_ == nullptr) {
      ASSIGN_OR_RETURN(model_, arrival_.TryTake());
      if (model_ == nullptr) return Next::kLater;
      RETURN_IF_ERROR(CheckBytes(query_.rows, model_->flow->state().spec));
      RETURN_IF_ERROR(DecodeSampleContext(request_, *model_, runtime_.limits, &query_));
      DrawNext(call);
    }
    if (!drawing_) return Next::kEnd;
    std::optional<absl::StatusOr<serving::Draws>> drawn = drawn_.TryTake();
    if (!drawn) return Next::kLater;
    RETURN_IF_ERROR(drawn->status());
    drawing_ = false;
    call.AddRows((*drawn)->x.rows());
    EncodeDraws(*model_, query_, **std::move(drawn), out);
    if (asked_for_ < query_.rows) DrawNext(call);
    return Next::kMessage;
  }

 private:
  void DrawNext(Call& call) {
    const int64_t first = asked_for_, rows = std::min(ChunkRows(), query_.rows - asked_for_);
    asked_for_ += rows;
    drawing_ = true;
    DrawRows(*model_, runtime_, query_, first, rows, call.caller(), drawn_.Receiver());
  }

  // Neither many bytes nor long to wait for.
  int64_t ChunkRows() const {
    constexpr int64_t kMaxBlocks = 64;
    const auto& spec = model_->flow->state().spec;
    const auto row_bytes = spec.dim * static_cast<int64_t>(SizeOf(spec.dtype));
    return std::max<int64_t>(1, std::min(runtime_.limits.chunk_bytes / row_bytes,
                                         kMaxBlocks * serving::BlockRows(*model_->flow)));
  }

  SampleQuery query_;
  const v1::SampleRequest& request_;  // Lasts as long as the call.
  const Runtime& runtime_;
  ModelArrival arrival_;
  Arrival<serving::Draws> drawn_;
  models::ModelPtr model_;
  int64_t asked_for_ = 0;
  bool drawing_ = false;
};

}  // namespace

uint64_t DrawSeed() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

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

absl::Status DecodeSampleContext(const v1::SampleRequest& request, const models::Loaded& model,
                                 const serving::Limits& limits, SampleQuery* query) {
  RowForm form = FormOf(model, limits);
  // A stream's rows are not in one message, but their context is.
  form.max_rows = std::numeric_limits<int64_t>::max();
  ASSIGN_OR_RETURN(
      query->context,
      DecodeContext(request.has_context() ? &request.context() : nullptr, query->rows, form));
  return absl::OkStatus();
}

void DrawRows(const models::Loaded& model, const Runtime& runtime, const SampleQuery& query,
              int64_t first, int64_t rows, const serving::Caller& caller,
              serving::Done<serving::Draws> done) {
  Array context;
  if (query.context != nullptr) {
    context = query.context->rows() == 1 ? *query.context : query.context->Rows(first, rows);
  }
  serving::Sample(model.flow, rows, query.seed, query.first_row + first, std::move(context), caller,
                  runtime.compute, std::move(done));
}

void EncodeDraws(const models::Loaded& model, const SampleQuery& query, serving::Draws draws,
                 v1::SampleResponse* out) {
  EncodeTensor(draws.x, out->mutable_x());
  if (query.with_log_prob) EncodeTensor(draws.log_prob, out->mutable_log_prob());
  out->set_version(model.name);
  out->set_seed(query.seed);
  out->set_not_finite(std::move(draws.not_finite));
}

absl::StatusOr<std::unique_ptr<Source<v1::SampleResponse>>> StreamSamples(
    const Runtime& runtime, const v1::SampleRequest& request, std::function<void()> wake) {
  ASSIGN_OR_RETURN(const SampleQuery query, DecodeSample(request));
  return std::make_unique<SampleSource>(query, request, runtime, wake);
}

}  // namespace sluiced::rpc
