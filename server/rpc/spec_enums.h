// The choices of a flow spec, on the wire and here.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/errors.h"
#include "server/flows/flow_spec.h"
#include "sluice/v1/flow.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

template <typename Wire, typename Ours>
struct EnumPair {
  Wire wire;
  Ours ours;
};

inline constexpr EnumPair<v1::Initialization, flows::Initialization> kInitializations[] = {
    {v1::INITIALIZATION_IDENTITY, flows::Initialization::kIdentity},
    {v1::INITIALIZATION_UNIFORM, flows::Initialization::kUniform}};
inline constexpr EnumPair<v1::Executor, flows::Executor> kExecutors[] = {
    {v1::EXECUTOR_AUTO, flows::Executor::kAuto},
    {v1::EXECUTOR_ENGINE, flows::Executor::kEngine},
    {v1::EXECUTOR_TORCH, flows::Executor::kTorch}};
inline constexpr EnumPair<v1::Mixing, flows::Mixing> kMixings[] = {
    {v1::MIXING_ALTERNATE, flows::Mixing::kAlternate},
    {v1::MIXING_PERMUTE, flows::Mixing::kPermute},
    {v1::MIXING_LU, flows::Mixing::kLu}};
inline constexpr EnumPair<v1::Base, flows::Base> kBases[] = {
    {v1::BASE_NORMAL, flows::Base::kNormal},
    {v1::BASE_DIAGONAL, flows::Base::kDiagonal},
    {v1::BASE_MIXTURE, flows::Base::kMixture},
    {v1::BASE_STUDENT_T, flows::Base::kStudentT},
    {v1::BASE_UNIFORM, flows::Base::kUniform}};
inline constexpr EnumPair<v1::Support, flows::Support> kSupports[] = {
    {v1::SUPPORT_REAL, flows::Support::kReal},
    {v1::SUPPORT_POSITIVE, flows::Support::kPositive},
    {v1::SUPPORT_INTERVAL, flows::Support::kInterval},
    {v1::SUPPORT_PERIODIC, flows::Support::kPeriodic}};

template <typename Wire, typename Ours, size_t kCount>
Wire EncodeEnum(const EnumPair<Wire, Ours> (&pairs)[kCount], Ours value) {
  for (const auto& pair : pairs) {
    if (pair.ours == value) return pair.wire;
  }
  return Wire{};
}

// Unspecified: the first. INVALID_ARGUMENT naming `field` for a number that is none.
template <typename Wire, typename Ours, size_t kCount>
absl::StatusOr<Ours> DecodeEnum(absl::string_view field,
                                const EnumPair<Wire, Ours> (&pairs)[kCount], Wire value) {
  if (value == Wire{}) return pairs[0].ours;
  for (const auto& pair : pairs) {
    if (pair.wire == value) return pair.ours;
  }
  return FieldError(field, absl::StrCat(static_cast<int>(value), " is no known choice"));
}

}  // namespace sluiced::rpc
