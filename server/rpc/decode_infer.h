// Requests of the Open Inference Protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "inference/open_inference.pb.h"
#include "server/common/array.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/infer_form.h"
#include "server/rpc/sample_source.h"

namespace sluiced::rpc {

// What can be told of a request before its model is known.
struct InferQuery {
  InferTarget target;
  std::vector<InferOutput> outputs;   // Each once, in the order asked for.
  bool raw = false;                   // Numbers come, and go, as bytes.
  int64_t rows = 0;                   // That the request claims.
  std::optional<SampleQuery> sample;  // Of NAME.sample.
};
absl::StatusOr<InferQuery> DecodeInfer(const inference::ModelInferRequest& in);

// The rows of the input `x` of a request that DecodeInfer accepted.
absl::StatusOr<Array> DecodeInferRows(const inference::ModelInferRequest& in, const RowForm& form);
// The input `context` of such a request for `rows` draws; null where the model takes none.
absl::StatusOr<std::shared_ptr<const Array>> DecodeInferContext(
    const inference::ModelInferRequest& in, int64_t rows, const RowForm& form);

}  // namespace sluiced::rpc
