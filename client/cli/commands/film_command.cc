#include "client/cli/commands/film_command.h"

#include <algorithm>
#include <optional>

#include "client/cli/command_failure.h"
#include "client/cli/commands/plot_sources.h"
#include "client/cli/files/files.h"
#include "client/cli/files/table_file.h"
#include "client/cli/plot/film_figure.h"
#include "client/cli/plot/heatmap.h"

namespace sluice::cli {
namespace {

constexpr int kCells = 18'000;
constexpr int64_t kCloud = 4000;

std::optional<TrainJob> FindJob(Context& context, const std::string& model,
                                const std::string& asked, const std::string& of_version) {
  if (!asked.empty()) {
    TrainJob job = OrFail(context.client().GetTrainJob(PlainId(asked, "trainJobs")));
    if (job.model != model) FailInvalid("job " + job.id + " trains model " + job.model);
    if (!job.snapshot_epochs.empty()) return job;
    Fail(Failure(Code::kFailedPrecondition,
                 "job " + job.id + " has no snapshots (train with --snapshots)"));
  }
  std::vector<TrainJob> jobs = OrFail(context.client().ListTrainJobs(model));
  std::erase_if(jobs, [](const TrainJob& job) { return job.snapshot_epochs.empty(); });
  if (jobs.empty()) return std::nullopt;
  const auto newer = [&](const TrainJob& a, const TrainJob& b) {
    const bool first = a.id == of_version, second = b.id == of_version;
    return first != second ? second : a.create_time < b.create_time;
  };
  return *std::max_element(jobs.begin(), jobs.end(), newer);
}

// What each frame shows: its label, its place on the loss curve and its model.
struct Shot {
  std::string label;
  int64_t epoch = 0;
  ModelQuery query;
};

std::vector<Shot> ShotsOf(const TrainJob& job, const Matrix& at) {
  std::vector<Shot> shots;
  for (const int64_t epoch : job.snapshot_epochs) {
    const std::string number = std::to_string(epoch);
    shots.push_back({"epoch " + number, epoch, {job.id + "#" + number, at}});
  }
  return shots;
}

std::vector<Shot> ShotsOf(const std::string& model, std::vector<Version> versions,
                          const Matrix& at) {
  std::sort(versions.begin(), versions.end(),
            [](const Version& a, const Version& b) { return a.number < b.number; });
  std::vector<Shot> shots;
  for (const Version& version : versions) {
    const std::string number = std::to_string(version.number);
    shots.push_back({"version " + number, version.number, {model + "@" + number, at}});
  }
  return shots;
}

plot::FilmImage Look(Context& context, const Shot& shot, const std::vector<plot::Range>& ranges) {
  if (ranges.size() == 2) return ModelDensity(context, shot.query, ranges[0], ranges[1], kCells);
  return SampleRows(context, shot.query, kCloud);
}

Matrix FirstRows(const Matrix& data, int64_t rows) {
  Matrix first = data;
  first.rows = std::min(data.rows, rows);
  first.values.resize(static_cast<size_t>(first.rows * first.cols));
  return first;
}

// The truth beside the model: the data, the target, or else the last frame.
void SetReference(Context& context, const PlotModel& model, plot::Film* film) {
  if (model.data) {
    film->reference_title = "data: " + model.dataset;
    if (film->ranges.size() == 2) {
      film->reference = DataDensity(*model.data, film->ranges[0], film->ranges[1]);
    } else {
      film->reference = FirstRows(*model.data, kCloud);
    }
    return;
  }
  if (!model.target.empty() && film->ranges.size() == 2) {
    film->reference_title = "exact: " + model.target;
    film->exact_reference = true;
    film->reference = TargetDensity(context, FindTarget(context, model.target), film->ranges[0],
                                    film->ranges[1], kCells);
    return;
  }
  film->reference_title = "in the end";
  film->reference = film->frames.back().image;
}

}  // namespace

void WriteFilm(Context& context, const FilmOptions& options) {
  PlotModel model = FindPlotModel(context, options.model, options.dataset, options.context);
  const std::string name = PlainId(options.model, "models");
  const std::string id = name.substr(0, name.find('@'));
  const std::optional<TrainJob> job = FindJob(context, id, options.job, model.train_job);
  if (job && !model.data && options.dataset.empty()) {
    // An untrained version says nothing; the job does.
    model = FindPlotModel(context, job->id + "#" + std::to_string(job->snapshot_epochs.back()), "",
                          options.context);
  }
  plot::Film film;
  film.title = options.context.empty() ? id : id + " at " + options.context;
  const std::vector<Shot> shots =
      job ? ShotsOf(*job, model.query.at)
          : ShotsOf(id, OrFail(context.client().ListVersions(id)), model.query.at);
  film.ranges = PlotRanges(context, model);
  if (film.ranges.size() > 3) {
    Say("only the first three of " + std::to_string(model.dim) + " coordinates are shown");
    film.ranges.resize(3);
  }
  film.names = ColumnNames("x", static_cast<int64_t>(film.ranges.size()));
  for (const Shot& shot : shots) {
    film.frames.push_back({shot.label, shot.epoch, Look(context, shot, film.ranges)});
  }
  if (job) film.losses = FetchLosses(context, *job);
  SetReference(context, model, &film);
  OrFail(WriteFile(options.out, OrFail(plot::DrawFilm(film))));
  Say(options.out + ": " + std::to_string(film.frames.size()) +
      (film.frames.size() == 1 ? " frame" : " frames"));
}

}  // namespace sluice::cli
