#include "server/evaluation/self_test.h"

#include <cmath>
#include <utility>

#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/evaluation/laws.h"

namespace sluiced::evaluation {
namespace {

// Normal ones, shifted and scaled as those that the flow was trained on.
Array TypicalContext(const flows::FlowState& state, int64_t rows, uint64_t seed) {
  const int64_t columns = state.spec.context_dim;
  Array context(DType::kFloat64, {rows, columns});
  if (columns == 0) return context.To(state.spec.dtype);
  const std::span<double> values = context.as<double>();
  NormalRows<double>(seed, Stream::kEvaluate, kTypicalContext, 0, columns, values);
  const flows::Standardization& map = state.standardization;
  for (size_t i = 0; i < values.size() && !map.context_shift.empty(); ++i) {
    const size_t column = i % map.context_shift.size();
    values[i] = map.context_shift[column] + map.context_scale[column] * values[i];
  }
  return context.To(state.spec.dtype);
}

// The flow in float64 and in LibTorch, whatever runs it otherwise.
absl::StatusOr<std::shared_ptr<const flows::Flow>> ReferenceOf(const flows::FlowState& state) {
  flows::FlowState wide = state;
  wide.spec.dtype = DType::kFloat64;
  wide.parameters = state.parameters.To(DType::kFloat64);
  return flows::Flow::Create(std::move(wide));
}

}  // namespace

absl::StatusOr<std::vector<Law>> TestFlow(const flows::Flow& flow, int64_t draws, uint64_t seed,
                                          const KeepGoing& keep_going) {
  LawInput input{.flow = flow, .seed = seed, .keep_going = keep_going};
  ASSIGN_OR_RETURN(input.reference, ReferenceOf(flow.state()));
  const Array context = TypicalContext(flow.state(), draws, seed);
  ASSIGN_OR_RETURN(const flows::Samples all, DrawRows(flow, draws, seed, 0, context, keep_going));
  std::vector<Law> laws = {FiniteRowsLaw(all)};
  const std::vector<int64_t> finite = FiniteRowsOf(all);
  if (static_cast<int64_t>(finite.size()) < kFewestTestedDraws / 2) return laws;
  input.context = TakeRows(context, finite);
  input.x = TakeRows(all.x, finite);
  for (int64_t row : finite) input.log_prob.push_back(all.log_prob.At(row));
  for (const auto& law :
       {RepeatableLaw, ScoreLaw, ReferenceLaw, RoundTripLaw, LogDetLaw, IntegralLaw, BaseLaw}) {
    RETURN_IF_ERROR(keep_going());
    ASSIGN_OR_RETURN(Law measured, law(input));
    laws.push_back(std::move(measured));
  }
  return laws;
}

}  // namespace sluiced::evaluation
