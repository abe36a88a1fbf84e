// What a spec allows and its owner may not expect.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {
namespace {

// Settings that were changed and that this flow does not have.
void AddUnused(const FlowSpec& spec, std::vector<std::string>* warnings) {
  const FlowSpec usual;
  const auto add = [&](bool changed, bool used, absl::string_view what) {
    if (changed && !used) warnings->push_back(absl::StrCat(what, ": without effect here."));
  };
  const bool spline = IsSpline(spec.architecture);
  add(spec.bins != usual.bins || spec.bound != usual.bound, spline,
      "Bins and bound are settings of splines");
  add(spec.scale_bound != usual.scale_bound, !spline && spec.architecture != Architecture::kNice,
      "The scale bound is a setting of affine layers");
  add(spec.components != usual.components, spec.base == Base::kMixture,
      "Components are a setting of a mixture as the base");
  add(spec.degrees_of_freedom != usual.degrees_of_freedom, spec.base == Base::kStudentT,
      "Degrees of freedom are a setting of Student's t as the base");
}

}  // namespace

std::vector<std::string> Warnings(const FlowSpec& spec) {
  std::vector<std::string> warnings;
  const bool is_affine = !IsSpline(spec.architecture) && spec.context_dim == 0;
  const bool is_coupling = !IsAutoregressive(spec.architecture);
  if (spec.dim == 1 && is_affine) {
    warnings.push_back(absl::StrCat(
        "In one dimension ", NameOf(spec.architecture), " is an affine map, so this flow can only ",
        "be ", spec.base == Base::kNormal ? "a Gaussian" : "its base, shifted and scaled",
        spec.architecture == Architecture::kRealNvp ? "." : "; a spline can be more."));
  }
  if (spec.dim > 1 && spec.layers == 1 && is_coupling) {
    warnings.push_back(absl::StrCat("One layer leaves the first ", spec.dim / 2, " of ", spec.dim,
                                    " coordinates untouched: use two layers or more."));
  }
  const bool has_positive =
      std::any_of(spec.columns.begin(), spec.columns.end(),
                  [](const Column& column) { return column.support == Support::kPositive; });
  if (has_positive && spec.base == Base::kStudentT) {
    warnings.push_back(
        "The logarithm of a positive column has the heavy tails of Student's t: some draws "
        "overflow, the more the fewer the degrees of freedom.");
  }
  if (spec.dim > 16 && !is_coupling) {
    warnings.push_back(absl::StrCat("Sampling an autoregressive flow takes a pass for each of its ",
                                    spec.dim, " dimensions; scoring takes one."));
  }
  AddUnused(spec, &warnings);
  return warnings;
}

}  // namespace sluiced::flows
