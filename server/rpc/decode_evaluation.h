// Requests of EvaluationService.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "server/evaluation/corrected_sample.h"
#include "server/flows/flow_spec.h"
#include "server/serving/limits.h"
#include "server/targets/target.h"
#include "sluice/v1/evaluation.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// What an Evaluate request asks of a model.
struct EvaluateQuery {
  std::string dataset = {};                 // An id, or
  const targets::Target* target = nullptr;  // this.
  int64_t rows = 0;                         // Of the dataset, at most.
  int64_t draws = 0;                        // 0: as the rows turn out.
  uint64_t seed = 0;
  bool held_out = false;
  std::string weight_column = {};  // By name or number.
  bool dequantize = false;
};
// INVALID_ARGUMENT naming the field; RESOURCE_EXHAUSTED for more rows or draws than
// `limits` has rows; NOT_FOUND for an unknown target.
absl::StatusOr<EvaluateQuery> DecodeEvaluate(const v1::EvaluateRequest& in,
                                             const flows::FlowSpec& spec,
                                             const serving::Limits& limits);

struct SelfTestQuery {
  int64_t draws = 0;
  uint64_t seed = 0;
};
absl::StatusOr<SelfTestQuery> DecodeSelfTest(const v1::SelfTestRequest& in,
                                             const serving::Limits& limits);

struct CorrectedQuery {
  const targets::Target* target = nullptr;
  evaluation::CorrectionPlan plan;
};
absl::StatusOr<CorrectedQuery> DecodeSampleCorrected(const v1::SampleCorrectedRequest& in,
                                                     const flows::FlowSpec& spec,
                                                     const serving::Limits& limits);

}  // namespace sluiced::rpc
