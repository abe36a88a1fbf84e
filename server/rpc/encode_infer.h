// Replies of the Open Inference Protocol.
#pragma once

#include <string>

#include "inference/open_inference.pb.h"
#include "server/models/registry.h"
#include "server/rpc/decode_infer.h"
#include "server/serving/inference.h"

namespace sluiced::rpc {

// The name and id of the request, and the version that was used.
void EncodeAnswered(const models::Loaded& model, const inference::ModelInferRequest& in,
                    inference::ModelInferResponse* out);

// The outputs that the query asks for, as it asks for them.
void EncodeInferScores(const InferQuery& query, const serving::Scores& scores,
                       inference::ModelInferResponse* out);
void EncodeInferDraws(const InferQuery& query, const serving::Draws& draws,
                      inference::ModelInferResponse* out);

}  // namespace sluiced::rpc
