#include "sluice/types.h"

#include <iterator>

#include "sluice/evaluation.h"

namespace sluice {

namespace {

template <typename Enum, size_t kCount>
const char* NameIn(const char* const (&names)[kCount], Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < kCount ? names[index] : "unknown";
}

}  // namespace

const char* NameOf(Executor executor) {
  static constexpr const char* kNames[] = {"auto", "engine", "torch"};
  return NameIn(kNames, executor);
}

const char* NameOf(Mixing mixing) {
  static constexpr const char* kNames[] = {"alternate", "permute", "lu"};
  return NameIn(kNames, mixing);
}

const char* NameOf(Base base) {
  static constexpr const char* kNames[] = {"normal", "diagonal", "mixture", "student-t", "uniform"};
  return NameIn(kNames, base);
}

const char* NameOf(Support support) {
  static constexpr const char* kNames[] = {"real", "positive", "interval", "periodic"};
  return NameIn(kNames, support);
}

const char* NameOf(Degenerate degenerate) {
  static constexpr const char* kNames[] = {"refuse", "dequantize", "allow"};
  return NameIn(kNames, degenerate);
}

Matrix JoinColumns(const Matrix& left, const Matrix& right) {
  Matrix joined{left.rows, left.cols + right.cols, {}, left.dtype};
  if (right.rows != left.rows && right.rows != 1) return Matrix{};
  joined.values.reserve(static_cast<size_t>(joined.rows * joined.cols));
  for (int64_t row = 0; row < left.rows; ++row) {
    const auto of_left = left.values.begin() + row * left.cols;
    const auto of_right = right.values.begin() + (right.rows == 1 ? 0 : row * right.cols);
    joined.values.insert(joined.values.end(), of_left, of_left + left.cols);
    joined.values.insert(joined.values.end(), of_right, of_right + right.cols);
  }
  return joined;
}

const char* NameOf(JobState state) {
  static constexpr const char* kNames[] = {"QUEUED",    "RUNNING", "PAUSED",   "CANCELLING",
                                           "SUCCEEDED", "FAILED",  "CANCELLED"};
  const auto index = static_cast<size_t>(state);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

const char* NameOf(RowsOrigin origin) {
  static constexpr const char* kNames[] = {"UNKNOWN", "HELD_OUT", "OTHER_DATASET", "TRAINED_ON"};
  const auto index = static_cast<size_t>(origin);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

bool IsTerminal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

}  // namespace sluice
