#include "server/rpc/rows_origin.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/data/table.h"
#include "server/models/names.h"
#include "server/rpc/train_payload.h"
#include "server/training/row_preparation.h"

namespace sluiced::rpc {
namespace {

std::string WasDeleted(absl::string_view job) {
  return absl::StrCat("trainJobs/", job, ", which would tell, has been deleted");
}

RowsOrigin Unknown(std::string why) { return {.why = std::move(why)}; }

// Versions 0 to `last` of the model, those deleted left out.
absl::StatusOr<std::vector<store::VersionRecord>> VersionsUpTo(store::Store* store,
                                                               absl::string_view model,
                                                               int64_t last) {
  constexpr int64_t kAtOnce = 1000;
  std::vector<store::VersionRecord> versions;
  while (versions.empty() || versions.back().number < last) {
    const int64_t after = versions.empty() ? -1 : versions.back().number;
    ASSIGN_OR_RETURN(std::vector<store::VersionRecord> page,
                     store->ListVersions(model, after, kAtOnce));
    if (page.empty()) break;
    std::move(page.begin(), page.end(), std::back_inserter(versions));
  }
  std::erase_if(versions, [last](const auto& version) { return version.number > last; });
  return versions;
}

// Rows that the training of `version` held out of `rows`; none where it cannot be told
// which, and `origin` learns why.
absl::StatusOr<std::vector<int64_t>> HeldOutBy(store::Store* store,
                                               const store::VersionRecord& version, int64_t rows,
                                               RowsOrigin* origin) {
  const absl::StatusOr<store::JobRecord> job = store->GetJob(version.train_job);
  if (absl::IsNotFound(job.status())) {
    origin->why = WasDeleted(version.train_job);
    return std::vector<int64_t>();
  }
  RETURN_IF_ERROR(job.status());
  ASSIGN_OR_RETURN(const TrainPayload payload, PayloadFromJson(job->payload));
  if (payload.config.validation_fraction <= 0) {
    origin->why = absl::StrCat("trainJobs/", version.train_job, " held no rows out");
    return std::vector<int64_t>();
  }
  if (!payload.config.publish_last) origin->chose_the_epoch = true;
  ASSIGN_OR_RETURN(training::Split split,
                   training::SplitRows(rows, payload.config.validation_fraction, version.seed));
  return std::move(split.validation);
}

// Of versions that were trained on the dataset of `rows` rows, at least one.
absl::StatusOr<RowsOrigin> OriginOf(store::Store* store,
                                    const std::vector<store::VersionRecord>& trained,
                                    int64_t rows) {
  RowsOrigin origin{.of_all = v1::ROWS_ORIGIN_TRAINED_ON};
  ASSIGN_OR_RETURN(origin.held_out, HeldOutBy(store, trained.front(), rows, &origin));
  for (const store::VersionRecord& version : trained) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> held_out, HeldOutBy(store, version, rows, &origin));
    std::vector<int64_t> by_all;
    std::ranges::set_intersection(origin.held_out, held_out, std::back_inserter(by_all));
    origin.held_out = std::move(by_all);
  }
  if (origin.held_out.empty() && origin.why.empty()) {
    origin.why = "every row was trained on by one of the model's trainings";
  }
  return origin;
}

// Why it is not known what the parameters had seen before the trainings of `versions`, all
// of `model`; empty where they had seen nothing.
absl::StatusOr<std::string> UnknownBeginning(store::Store* store, absl::string_view model,
                                             const std::vector<store::VersionRecord>& versions) {
  if (versions.front().source == "import") return std::string("the model was imported");
  for (const store::VersionRecord& version : versions) {
    if (version.train_job.empty()) continue;
    const absl::StatusOr<store::JobRecord> job = store->GetJob(version.train_job);
    if (absl::IsNotFound(job.status())) return WasDeleted(version.train_job);
    RETURN_IF_ERROR(job.status());
    ASSIGN_OR_RETURN(const TrainPayload payload, PayloadFromJson(job->payload));
    if (payload.start_from.empty()) continue;
    ASSIGN_OR_RETURN(const models::VersionName start,
                     models::ParseVersionName(payload.start_from, "start_from"));
    if (start.model == model) continue;
    return absl::StrCat("trainJobs/", version.train_job, " began from ", payload.start_from);
  }
  return std::string();
}

}  // namespace

absl::StatusOr<RowsOrigin> FindRowsOrigin(store::Store* store, absl::string_view version,
                                          absl::string_view id) {
  ASSIGN_OR_RETURN(const models::ModelName parsed, models::ParseModelName(version));
  const auto* name = std::get_if<models::VersionName>(&parsed);
  if (name == nullptr) return Unknown("of a snapshot it is not kept what it was trained on");
  int64_t last = 0;
  if (!absl::SimpleAtoi(name->version, &last)) return Unknown("the version has no number");
  ASSIGN_OR_RETURN(const store::DatasetRecord dataset, store->GetDataset(id));
  ASSIGN_OR_RETURN(const data::DatasetInfo info, data::InfoFromJson(dataset.info_json));
  ASSIGN_OR_RETURN(std::vector<store::VersionRecord> versions,
                   VersionsUpTo(store, name->model, last));
  if (static_cast<int64_t>(versions.size()) != last + 1) {
    return Unknown("earlier versions of the model have been deleted");
  }
  ASSIGN_OR_RETURN(const std::string unknown, UnknownBeginning(store, name->model, versions));
  std::erase_if(versions, [&info](const auto& one) { return one.dataset_hash != info.hash; });
  if (!versions.empty()) {
    ASSIGN_OR_RETURN(RowsOrigin origin, OriginOf(store, versions, dataset.rows));
    if (unknown.empty()) return origin;
    origin.held_out.clear();
    origin.why = unknown;
    return origin;
  }
  if (!unknown.empty()) return Unknown(unknown);
  return RowsOrigin{.of_all = v1::ROWS_ORIGIN_OTHER_DATASET};
}

}  // namespace sluiced::rpc
