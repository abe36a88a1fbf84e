// The rows of a dataset that a model is evaluated on.
#pragma once

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/models/registry.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_evaluation.h"
#include "server/rpc/runtime.h"
#include "sluice/v1/evaluation.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// As `query` chooses them, of the model's columns and dtype; `out` learns where they come
// from. FAILED_PRECONDITION where those held out are asked for and cannot be told. Waits
// for the store.
absl::StatusOr<Array> LoadEvaluatedRows(const Runtime& runtime, const models::Loaded& model,
                                        const EvaluateQuery& query, Call& call,
                                        v1::EvaluateResponse* out);

}  // namespace sluiced::rpc
