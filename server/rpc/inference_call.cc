#include "server/rpc/inference_call.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::rpc {

RowForm FormOf(const models::Loaded& model, const serving::Limits& limits) {
  const flows::FlowSpec& spec = model.flow->state().spec;
  return {.dim = spec.dim,
          .dtype = spec.dtype,
          .max_rows = limits.rows,
          .context_dim = spec.context_dim};
}

absl::Status CheckReplySize(const models::Loaded& model, int64_t rows, int64_t numbers,
                            const serving::Limits& limits) {
  const auto width = numbers * static_cast<int64_t>(SizeOf(model.flow->state().spec.dtype));
  if (rows <= limits.reply_bytes / width) return absl::OkStatus();
  return Exhausted(absl::StrCat("the reply to ", rows, " rows exceeds ", limits.reply_bytes,
                                " bytes; ask for fewer at a time"),
                   absl::ZeroDuration());
}

absl::Status CheckSample(const models::Loaded& model, int64_t rows, const serving::Limits& limits) {
  if (rows > limits.rows) {
    return Exhausted(absl::StrCat(rows, " rows; at most ", limits.rows,
                                  " in one reply, any number from StreamSample"),
                     absl::ZeroDuration());
  }
  return CheckReplySize(model, rows, model.flow->state().spec.dim + 1, limits);
}

void Score(const models::ModelPtr& model, const Runtime& runtime, Call& call, Array x,
           Batching batching, serving::Done<serving::Scores> done) {
  if (batching == Batching::kTogether) {
    call.timer().Queue();
    return runtime.batcher->LogProb(model->flow, std::move(x), call.caller(), std::move(done),
                                    [&call] { call.timer().Run(); });
  }
  serving::LogProb(model->flow, std::move(x), call.caller(), runtime.compute, std::move(done));
}

}  // namespace sluiced::rpc
