#include "server/flows/spec_names.h"

namespace sluiced::flows {
namespace {

constexpr Named<Architecture> kArchitectures[] = {
    {Architecture::kRealNvp, "real-nvp"},
    {Architecture::kNice, "nice"},
    {Architecture::kCouplingAffine, "coupling-affine"},
    {Architecture::kNeuralSpline, "neural-spline"},
    {Architecture::kMaskedAutoregressive, "masked-autoregressive"},
    {Architecture::kMaskedAutoregressiveSpline, "masked-autoregressive-spline"}};
constexpr Named<Initialization> kInitializations[] = {{Initialization::kIdentity, "identity"},
                                                      {Initialization::kUniform, "uniform"}};
constexpr Named<Executor> kExecutors[] = {
    {Executor::kAuto, "auto"}, {Executor::kEngine, "engine"}, {Executor::kTorch, "torch"}};
constexpr Named<Mixing> kMixings[] = {
    {Mixing::kAlternate, "alternate"}, {Mixing::kPermute, "permute"}, {Mixing::kLu, "lu"}};
constexpr Named<Base> kBases[] = {{Base::kNormal, "normal"},
                                  {Base::kDiagonal, "diagonal"},
                                  {Base::kMixture, "mixture"},
                                  {Base::kStudentT, "student-t"},
                                  {Base::kUniform, "uniform"}};
constexpr Named<Support> kSupports[] = {{Support::kReal, "real"},
                                        {Support::kPositive, "positive"},
                                        {Support::kInterval, "interval"},
                                        {Support::kPeriodic, "periodic"}};

}  // namespace

template <>
std::span<const Named<Architecture>> NamesOf() {
  return kArchitectures;
}
template <>
std::span<const Named<Initialization>> NamesOf() {
  return kInitializations;
}
template <>
std::span<const Named<Executor>> NamesOf() {
  return kExecutors;
}
template <>
std::span<const Named<Mixing>> NamesOf() {
  return kMixings;
}
template <>
std::span<const Named<Base>> NamesOf() {
  return kBases;
}
template <>
std::span<const Named<Support>> NamesOf() {
  return kSupports;
}

absl::string_view NameOf(Architecture architecture) { return NameIn(architecture); }
absl::string_view NameOf(Executor executor) { return NameIn(executor); }

}  // namespace sluiced::flows
