#include "server/targets/target.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/common/check.h"
#include "server/common/errors.h"
#include "server/targets/builtin.h"

namespace sluiced::targets {
namespace {

std::vector<const Target*> MakeAll() {
  std::vector<const Target*> all;
  for (auto make : {Moons, RezendeMohamed, Gaussians, BananaAndFunnels}) {
    for (auto& target : make()) all.push_back(target.release());
  }
  return all;
}

}  // namespace

Target::Target(std::string name, std::string description, std::optional<double> log_z,
               std::vector<double> low, std::vector<double> high)
    : name_(std::move(name)),
      description_(std::move(description)),
      log_z_(log_z),
      low_(std::move(low)),
      high_(std::move(high)) {
  SLUICED_CHECK(!low_.empty() && low_.size() == high_.size());
}

std::span<const Target* const> AllTargets() {
  // Never destroyed: trainings may outlive main's statics.
  static const auto* const all = new std::vector<const Target*>(MakeAll());
  return *all;
}

absl::StatusOr<const Target*> FindTarget(absl::string_view name) {
  for (const Target* target : AllTargets()) {
    if (absl::string_view(target->name()) == name) return target;
  }
  const auto append_name = [](std::string* out, const Target* target) {
    out->append(target->name());
  };
  absl::Status status = NotFound("target", absl::StrCat("targets/", name));
  absl::Status listing = absl::NotFoundError(absl::StrCat(
      status.message(), "; there are ", absl::StrJoin(AllTargets(), ", ", append_name)));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { listing.SetPayload(url, payload); });
  return listing;
}

}  // namespace sluiced::targets
