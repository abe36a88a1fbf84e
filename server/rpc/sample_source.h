// The rows of a Sample request, as a stream of chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/rpc/write_reactor.h"
#include "server/serving/caller.h"
#include "server/serving/inference.h"
#include "sluice/v1/inference.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// For a caller who gives none.
uint64_t DrawSeed();

// What a valid SampleRequest asks for.
struct SampleQuery {
  int64_t first_row;
  int64_t rows;  // first_row + rows does not overflow.
  uint64_t seed;
  bool with_log_prob;
  // [rows, context_dim], or [1, context_dim] for all; null without context.
  std::shared_ptr<const Array> context = nullptr;
};
// Draws a seed where none is given. Without the context, whose form the model says.
absl::StatusOr<SampleQuery> DecodeSample(const v1::SampleRequest& request);
absl::Status DecodeSampleContext(const v1::SampleRequest& request, const models::Loaded& model,
                                 const serving::Limits& limits, SampleQuery* query);

// Draws the rows [first, first + rows) of the query, as serving::Sample does.
void DrawRows(const models::Loaded& model, const Runtime& runtime, const SampleQuery& query,
              int64_t first, int64_t rows, const serving::Caller& caller,
              serving::Done<serving::Draws> done);
void EncodeDraws(const models::Loaded& model, const SampleQuery& query, serving::Draws draws,
                 v1::SampleResponse* out);

// `wake` as Next::kLater says: the model may have to be loaded first.
absl::StatusOr<std::unique_ptr<Source<v1::SampleResponse>>> StreamSamples(
    const Runtime& runtime, const v1::SampleRequest& request, std::function<void()> wake);

}  // namespace sluiced::rpc
