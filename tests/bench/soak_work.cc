#include "tests/bench/soak_work.h"

#include <atomic>
#include <string>

#include "tests/support/fixtures.h"

namespace sluice::testing {
namespace {

constexpr char kOwn[] = "soak";

bool IsOwn(const std::string& id) { return id.starts_with(kOwn); }

// No two are the same.
std::string NewId() {
  static std::atomic<int64_t> next = 0;
  return std::string(kOwn) + "-" + std::to_string(next++);
}

Matrix SomeRows(int64_t rows) {
  Matrix matrix = CountingRows(rows, 3, 0);
  for (double& value : matrix.values) value *= 1e-5;
  matrix.dtype = DType::kFloat32;
  return matrix;
}

}  // namespace

void MakeSoakResources(Client& client, SoakTally* tally) {
  tally->Good("make", MakeModelAndDataset(client, kOwn, 2000));
}

void Ask(Client& client, Dice* dice, SoakTally* tally) {
  static const Matrix few = SomeRows(1), some = SomeRows(256), many = SomeRows(65536);
  const size_t face = dice->Below(100);
  if (face < 50) {
    tally->Good("LogProb 1", client.LogProb(kOwn, few).status());
  } else if (face < 70) {
    tally->Good("LogProb 256", client.LogProb(kOwn, some).status());
  } else if (face < 73) {
    tally->Good("LogProb 65536", client.LogProb(kOwn, many).status());
  } else if (face < 85) {
    tally->Good("Sample", client.Sample(kOwn, 500, {.seed = {}, .with_log_prob = true}).status());
  } else if (face < 87) {
    const auto take = [](const Samples&) { return Status{}; };
    tally->Good("StreamSample", client.StreamSample(kOwn, 200000, {}, take));
  } else {
    const bool layers = dice->OneIn(10);
    tally->Good("Transform", client.Transform(kOwn, Direction::kFromBase, some, layers).status());
  }
}

void RunAJob(Client& client, Dice* dice, SoakTally* tally) {
  Client::TrainRequest request = TrainRequestFor(kOwn, dice->OneIn(4) ? 100000 : 20);
  request.job_id = NewId();
  const auto job = client.CreateTrainJob(request);
  if (!tally->Good("CreateTrainJob", job.status())) return;
  int64_t left = 5 + static_cast<int64_t>(dice->Below(60));
  const auto watch = [&left](const TrainUpdate&) { return --left > 0; };
  const Status watched = client.WatchTrainJob(job->id, 0, watch);
  tally->Good("WatchTrainJob", watched, {Code::kCancelled});
  if (!watched.ok()) {  // It runs on, or ended just now.
    const Code ended = Code::kFailedPrecondition;
    tally->Good("CancelTrainJob", client.CancelTrainJob(job->id).status(), {ended});
    const auto follow = [](const TrainUpdate&) { return true; };
    tally->Good("WatchTrainJob", client.WatchTrainJob(job->id, 0, follow));
  }
  tally->Good("GetTrainJob", client.GetTrainJob(job->id).status());
  tally->Good("DeleteTrainJob", client.DeleteTrainJob(job->id));
  const auto versions = client.ListVersions(kOwn);
  if (!tally->Good("ListVersions", versions.status())) return;
  for (const Version& version : *versions) {
    const std::string name = std::string(kOwn) + "@" + std::to_string(version.number);
    tally->Good("DeleteVersion", client.DeleteVersion(name), {Code::kFailedPrecondition});
  }
}

void PassADatasetThrough(Client& client, Dice* dice, SoakTally* tally) {
  const std::string id = NewId();
  const Status made =
      dice->OneIn(2)
          ? client.GenerateDataset(id, "swiss-roll", 20000, dice->Bits(), std::nullopt, "").status()
          : client.UploadRows(id, SomeRows(20000), "soak", "").status();
  if (!tally->Good("dataset", made)) return;
  tally->Good("DownloadDataset", client.DownloadDataset(id).status());
  tally->Good("ListDatasets", client.ListDatasets().status());
  tally->Good("DeleteDataset", client.DeleteDataset(id));
}

void PassAModelThrough(Client& client, Dice* dice, SoakTally* tally) {
  const std::string id = NewId(), copy = NewId();
  FlowSpec spec = SmallFlow();
  spec.hidden = 8 << dice->Below(5);
  if (!tally->Good("CreateModel", client.CreateModel(id, spec, {}).status())) return;
  const auto file = client.ExportModel(id);
  if (tally->Good("ExportModel", file.status()) &&
      tally->Good("ImportModel", client.ImportModel(copy, *file, "").status())) {
    tally->Good("LogProb of a new model", client.LogProb(copy, SomeRows(16)).status());
    tally->Good("DeleteModel", client.DeleteModel(copy));
  }
  tally->Good("ListModels", client.ListModels().status());
  tally->Good("DeleteModel", client.DeleteModel(id));
}

void Sweep(Client& client, SoakTally* tally) {
  // Others delete meanwhile, and jobs end or hold on to what they use.
  constexpr Code kGone = Code::kNotFound, kBusy = Code::kFailedPrecondition;
  const auto jobs = client.ListTrainJobs("");
  if (tally->Good("ListTrainJobs", jobs.status())) {
    for (const TrainJob& job : *jobs) {
      if (IsOwn(job.id)) continue;
      tally->Good("CancelTrainJob", client.CancelTrainJob(job.id).status(), {kGone, kBusy});
      tally->Good("DeleteTrainJob", client.DeleteTrainJob(job.id), {kGone, kBusy});
    }
  }
  if (const auto models = client.ListModels(); tally->Good("ListModels", models.status())) {
    for (const Model& model : *models) {
      if (!IsOwn(model.id))
        tally->Good("DeleteModel", client.DeleteModel(model.id), {kGone, kBusy});
    }
  }
  if (const auto sets = client.ListDatasets(); tally->Good("ListDatasets", sets.status())) {
    for (const Dataset& set : *sets) {
      if (!IsOwn(set.id))
        tally->Good("DeleteDataset", client.DeleteDataset(set.id), {kGone, kBusy});
    }
  }
}

}  // namespace sluice::testing
