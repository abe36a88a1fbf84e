#include "server/models/engine_flow.h"

#include <utility>

#include "server/common/check.h"
#include "server/common/status_macros.h"
#include "server/engine/plan.h"

namespace sluiced::models {
namespace {

// Thread-safe: the plan is immutable, and every thread has a workspace of its own.
template <typename T>
class EngineFlow final : public flows::Flow {
 public:
  // `reference`: the same flow in LibTorch, for what the engine does not compute, the
  // images between the layers. It costs no memory: it reads the state where it is.
  explicit EngineFlow(std::shared_ptr<const flows::Flow> reference)
      : reference_(std::move(reference)),
        plan_(state().spec, state().standardization, state().parameters.template as<T>()) {}

  const flows::FlowState& state() const override { return reference_->state(); }

  absl::StatusOr<flows::Images> ToBase(const Array& x, flows::KeepLayers keep) const override {
    if (keep == flows::KeepLayers::kYes) return reference_->ToBase(x, keep);
    flows::Images images = ImagesOf(x.rows());
    plan_.ToBase(x.as<T>(), images.values.as<T>(), images.ladj.as<T>(), Own());
    return images;
  }

  absl::StatusOr<flows::Images> FromBase(const Array& z, flows::KeepLayers keep) const override {
    if (keep == flows::KeepLayers::kYes) return reference_->FromBase(z, keep);
    flows::Images images = ImagesOf(z.rows());
    plan_.FromBase(z.as<T>(), images.values.as<T>(), images.ladj.as<T>(), Own());
    return images;
  }

  absl::StatusOr<Array> LogProb(const Array& x) const override {
    Array log_prob(state().spec.dtype, {x.rows()});
    plan_.LogProb(x.as<T>(), log_prob.as<T>(), Own());
    return log_prob;
  }

  absl::StatusOr<flows::Samples> Sample(int64_t n, uint64_t seed, int64_t first_row,
                                        const Array& context) const override {
    RETURN_IF_ERROR(flows::CheckSampleRange(state().spec, n, first_row));
    SLUICED_CHECK(state().spec.context_dim == 0 ||
                  (context.rows() == n && context.dtype() == state().spec.dtype));
    flows::Samples samples = {Array(state().spec.dtype, {n, state().spec.dim}),
                              Array(state().spec.dtype, {n})};
    plan_.Sample(seed, first_row, ContextOf(context), samples.x.as<T>(), samples.log_prob.as<T>(),
                 Own());
    return samples;
  }

 private:
  static engine::Workspace<T>& Own() {
    thread_local engine::Workspace<T> workspace;
    return workspace;
  }

  // Callers without context may give an array of any dtype.
  std::span<const T> ContextOf(const Array& context) const {
    return state().spec.context_dim == 0 ? std::span<const T>() : context.as<T>();
  }

  flows::Images ImagesOf(int64_t rows) const {
    const DType dtype = state().spec.dtype;
    return {Array(dtype, {rows, state().spec.dim}), Array(dtype, {rows}), {}};
  }

  const std::shared_ptr<const flows::Flow> reference_;
  const engine::Plan<T> plan_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const flows::Flow>> MakeFlow(flows::FlowState state) {
  ASSIGN_OR_RETURN(std::shared_ptr<const flows::Flow> reference,
                   flows::Flow::Create(std::move(state)));
  const flows::FlowSpec& spec = reference->state().spec;
  if (flows::ExecutorFor(spec) == flows::Executor::kTorch) return reference;
  if (spec.dtype == DType::kFloat32) {
    return std::make_shared<const EngineFlow<float>>(std::move(reference));
  }
  return std::make_shared<const EngineFlow<double>>(std::move(reference));
}

}  // namespace sluiced::models
