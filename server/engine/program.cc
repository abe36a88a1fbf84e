// Compiled once for every SIMD target: see hwy/foreach_target.h.
#include "server/engine/program.h"

#include <algorithm>
#include <memory>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/engine/program.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "server/engine/simd/flow-inl.h"
#include "server/engine/simd/gradient-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluiced::engine {
namespace HWY_NAMESPACE {

template <typename T>
class FlowProgram final : public Program<T> {
 public:
  FlowProgram(const flows::FlowSpec& spec, const flows::Standardization& standardization,
              Gradients gradients)
      : flow_(spec, standardization, gradients), gradients_(flow_) {}

  // The base is the last one.
  size_t pieces() const override { return flow_.pieces() + 1; }
  void Pack(size_t piece, const T* parameters, PackFor what) override {
    if (piece == flow_.pieces()) return flow_.base().Pack(parameters);
    flow_.piece(piece).Pack(parameters, what);
  }

  size_t tile_rows() const override { return flow_.stride(); }
  size_t Scratch() const override { return flow_.FrameNumbers(); }

  void ToBase(const T* x, size_t rows, const Outputs<T>& out, T* scratch) const override {
    for (size_t first = 0; first < rows; first += flow_.stride()) {
      const size_t count = std::min(flow_.stride(), rows - first);
      const Frame<T> frame = flow_.Enter(x + first * flow_.row(), count, scratch);
      flow_.data().Forward(frame.tile, frame.state, frame.ladj);
      for (size_t i = flow_.pieces(); i-- > 0;) flow_.piece(i).ToBase(frame, nullptr);
      flow_.SetBaseDensity(frame);
      Leave(frame, first, T{1}, out);
    }
  }

  void FromBase(const T* z, size_t rows, const Outputs<T>& out, T* scratch) const override {
    for (size_t first = 0; first < rows; first += flow_.stride()) {
      const size_t count = std::min(flow_.stride(), rows - first);
      FromBase(flow_.Enter(z + first * flow_.row(), count, scratch), first, out);
    }
  }

  void Draw(const T* normals, const T* context, size_t rows, const Outputs<T>& out,
            T* scratch) const override {
    const size_t given = flow_.row() - flow_.dim();
    for (size_t first = 0; first < rows; first += flow_.stride()) {
      const size_t count = std::min(flow_.stride(), rows - first);
      const T* of_tile = given == 0 ? nullptr : context + first * given;
      FromBase(
          flow_.EnterDraws(normals + first * flow_.normals(), of_tile, count, nullptr, scratch),
          first, out);
    }
  }

  size_t GradientScratch() const override { return GradientTile<T>::Numbers(gradients_); }

  double Likelihood(const T* x, const Share<T>& share) const override {
    GradientTile<T> tile(gradients_, share.scratch, share.sums);
    double loss = 0;
    for (size_t first = 0; first < share.rows; first += flow_.stride()) {
      loss += tile.Likelihood(x + first * flow_.row(), std::min(flow_.stride(), share.rows - first),
                              share.weight);
    }
    tile.Finish();
    return loss;
  }

  double ReverseKl(const T* normals, bool with_score, const SlopeFunction<T>& slope,
                   const Share<T>& share) const override {
    GradientTile<T> tile(gradients_, share.scratch, share.sums);
    double loss = 0;
    for (size_t first = 0; first < share.rows; first += flow_.stride()) {
      loss += tile.ReverseKl(normals + first * flow_.normals(),
                             std::min(flow_.stride(), share.rows - first), share.first_row + first,
                             share.weight, with_score, slope);
    }
    tile.Finish();
    return loss;
  }

 private:
  void FromBase(const Frame<T>& frame, size_t first, const Outputs<T>& out) const {
    flow_.SetBaseDensity(frame);
    for (size_t i = 0; i < flow_.pieces(); ++i) flow_.piece(i).FromBase(frame, nullptr);
    flow_.data().Backward(frame.tile, frame.state, frame.ladj);
    Leave(frame, first, T{-1}, out);
  }

  // ladj_sign: 1 for the way to the base.
  void Leave(const Frame<T>& frame, size_t first, T ladj_sign, const Outputs<T>& out) const {
    const size_t dim = flow_.dim();
    if (out.values != nullptr) {
      StoreRows(frame.state, frame.rows, dim, frame.tile, out.values + first * dim);
    }
    for (size_t r = 0; r < frame.rows; ++r) {
      if (out.ladj != nullptr) out.ladj[first + r] = ladj_sign * frame.ladj[r];
      if (out.log_prob != nullptr) {
        out.log_prob[first + r] = WithoutOverflow(flow_.LogProb(frame, r));
      }
    }
  }

  TileFlow<T> flow_;
  const GradientFlow<T> gradients_;
};

void MakeFloat(const flows::FlowSpec& spec, const flows::Standardization& standardization,
               Gradients gradients, std::unique_ptr<Program<float>>* out) {
  *out = std::make_unique<FlowProgram<float>>(spec, standardization, gradients);
}

void MakeDouble(const flows::FlowSpec& spec, const flows::Standardization& standardization,
                Gradients gradients, std::unique_ptr<Program<double>>* out) {
  *out = std::make_unique<FlowProgram<double>>(spec, standardization, gradients);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluiced::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluiced::engine {

HWY_EXPORT(MakeFloat);
HWY_EXPORT(MakeDouble);

template <>
std::unique_ptr<Program<float>> MakeProgram(const flows::FlowSpec& spec,
                                            const flows::Standardization& standardization,
                                            Gradients gradients) {
  std::unique_ptr<Program<float>> program;
  HWY_DYNAMIC_DISPATCH(MakeFloat)(spec, standardization, gradients, &program);
  return program;
}

template <>
std::unique_ptr<Program<double>> MakeProgram(const flows::FlowSpec& spec,
                                             const flows::Standardization& standardization,
                                             Gradients gradients) {
  std::unique_ptr<Program<double>> program;
  HWY_DYNAMIC_DISPATCH(MakeDouble)(spec, standardization, gradients, &program);
  return program;
}

}  // namespace sluiced::engine
#endif
