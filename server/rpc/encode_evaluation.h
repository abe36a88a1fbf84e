// Replies of EvaluationService.
#pragma once

#include <vector>

#include "server/evaluation/corrected_sample.h"
#include "server/evaluation/rows_fit.h"
#include "server/evaluation/self_test.h"
#include "server/evaluation/target_fit.h"
#include "sluice/v1/evaluation.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// All but the fit's origin.
void EncodeFit(const evaluation::RowsFit& fit, v1::EvaluateResponse* out);
void EncodeFit(const evaluation::TargetFit& fit, v1::EvaluateResponse* out);
void EncodeLaws(const std::vector<evaluation::Law>& laws, v1::SelfTestResponse* out);
void EncodeSample(const evaluation::CorrectionPlan& plan, const evaluation::CorrectedSample& sample,
                  v1::SampleCorrectedResponse* out);

}  // namespace sluiced::rpc
