// The steps that calls for inference share, whatever protocol they speak.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/models/registry.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/find_model.h"
#include "server/rpc/runtime.h"
#include "server/serving/inference.h"

namespace sluiced::rpc {

// How a call ends.
using Answered = std::function<void(absl::Status)>;

// What rows for the model must be.
RowForm FormOf(const models::Loaded& model, const serving::Limits& limits);

// RESOURCE_EXHAUSTED unless a reply of `rows` rows of `numbers` numbers each, in the
// model's dtype, is within the limits; the same for a sample, in one reply.
absl::Status CheckReplySize(const models::Loaded& model, int64_t rows, int64_t numbers,
                            const serving::Limits& limits);
absl::Status CheckSample(const models::Loaded& model, int64_t rows, const serving::Limits& limits);

// Gives `answered` what encode(result) returns.
template <typename Result, typename Encode>
serving::Done<Result> EncodeInto(Answered answered, Encode encode) {
  return [answered = std::move(answered), encode](absl::StatusOr<Result> result) {
    if (!result.ok()) return answered(result.status());
    answered(CatchAll([&] { return encode(*std::move(result)), absl::OkStatus(); }));
  };
}

// Whether a call is computed by itself, or may wait for others of its kind.
enum class Batching { kAlone, kTogether };

void Score(const models::ModelPtr& model, const Runtime& runtime, Call& call, Array x,
           Batching batching, serving::Done<serving::Scores> done);

// A call whose model is not known yet.
struct Asked {
  std::string model;  // As FindModel knows it.
  int64_t rows = 0;   // That the caller claims.
  size_t bytes = 0;   // Of the request.
  bool may_be_tiny = true;
  bool may_wait = false;  // For others of its kind.
};

// Of a request that a thread of gRPC's decodes itself, in microseconds.
inline constexpr size_t kBytesDecodedHere = 64 << 10;

// Finds the model and runs answer(model, batching), which ends the call, now or later:
// at once, here, where the work is less than that of handing it over.
template <typename Answer>
void BeginInference(const Runtime& runtime, UnaryReactor* reactor, const Asked& asked,
                    Answer answer) {
  const absl::Status held = reactor->call().HoldRows(asked.rows);
  if (!held.ok()) return reactor->End(held);
  const bool small = asked.bytes <= kBytesDecodedHere;
  FindModel(
      runtime, reactor->call(), asked.model,
      [&runtime, reactor, rows = asked.rows, tiny = small && asked.may_be_tiny,
       together = small && asked.may_wait, answer](const absl::StatusOr<models::ModelPtr>& found) {
        if (!found.ok()) return reactor->End(found.status());
        const models::ModelPtr& model = *found;
        if (tiny && serving::LoadOf(*model->flow, rows) == serving::Load::kTiny) {
          reactor->call().timer().Run();
          return answer(model, Batching::kAlone);
        }
        if (together) return answer(model, Batching::kTogether);
        reactor->Post(runtime.compute, serving::Lane{model->flow.get()},
                      [answer, model] { answer(model, Batching::kAlone); });
      });
}

}  // namespace sluiced::rpc
