#include "tests/store/store_contract.h"

#include <tuple>
#include <utility>

#include "server/store/sqlite_store.h"

namespace sluiced::store {

std::vector<Backend> AllBackends() { return {{"Sqlite", OpenSqliteStore}}; }

std::string BackendName(const ::testing::TestParamInfo<Backend>& backend) {
  return backend.param.name;
}

void StoreContract::Reopen() {
  store_.reset();
  auto opened = GetParam().open(dir_.path());
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = *std::move(opened);
}

ModelRecord SomeModel(const std::string& id) {
  ModelRecord model;
  model.id = id;
  model.spec_json = R"({"dim":2})";
  model.description = "zwölf 'Fälle' \"quoted\"";
  model.labels = {{"team", "a"}, {"", "empty key"}};
  model.create_time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  return model;
}

VersionRecord SomeVersion(const std::string& model) {
  VersionRecord version;
  version.model = model;
  version.standardization_json = R"({"shift":[1],"scale":[2]})";
  version.metrics = {{"train_loss", 3.125}, {"epochs", 600}};
  version.train_job = "job-1";
  version.source = "datasets/wow";
  version.dataset_hash = "abc";
  version.seed = 0xfedcba9876543210;
  version.create_time = absl::FromUnixNanos(1'700'000'001'000'000'001);
  return version;
}

DatasetRecord SomeDataset(const std::string& id) {
  DatasetRecord dataset;
  dataset.id = id;
  dataset.rows = 5000;
  dataset.columns = 2;
  dataset.dtype = "float32";
  dataset.info_json = "{}";
  dataset.create_time = absl::FromUnixNanos(1'700'000'002'000'000'002);
  return dataset;
}

JobRecord SomeJob(const std::string& id, const std::string& model) {
  JobRecord job;
  job.id = id;
  job.model = model;
  job.payload = std::string("bytes\0with nul", 14);
  job.create_time = absl::FromUnixNanos(1'700'000'003'000'000'003);
  return job;
}

UpdateRecord SomeUpdate(int64_t sequence, JobState state) {
  UpdateRecord update;
  update.sequence = sequence;
  update.time = absl::FromUnixNanos(1'700'000'004'000'000'000 + sequence);
  update.state = state;
  update.attempt = 1;
  update.payload = "update " + std::to_string(sequence);
  return update;
}

std::function<absl::StatusOr<std::string>()> Chunks(std::vector<std::string> chunks) {
  return [chunks = std::move(chunks), next = size_t{0}]() mutable -> absl::StatusOr<std::string> {
    return next < chunks.size() ? chunks[next++] : std::string();
  };
}

void MakeModel(Store& store, const std::string& id) {
  const absl::Status made = store.CreateModel(SomeModel(id), SomeVersion(id), "parameters");
  ASSERT_TRUE(made.ok()) << made;
}

JobRecord MakeJob(Store& store, const std::string& id, const std::string& model) {
  auto made = store.CreateJob(SomeJob(id, model));
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *made : JobRecord{};
}

void MoveJob(Store& store, const std::string& id, JobState state) {
  auto job = store.GetJob(id);
  ASSERT_TRUE(job.ok()) << job.status();
  job->state = state;
  const absl::Status saved = store.SaveJob(*job, {SomeUpdate(job->last_sequence + 1, state)});
  ASSERT_TRUE(saved.ok()) << saved;
}

bool operator==(const ModelRecord& a, const ModelRecord& b) {
  const auto fields = [](const ModelRecord& m) {
    return std::tie(m.id, m.spec_json, m.description, m.labels, m.create_time, m.latest_version,
                    m.aliases);
  };
  return fields(a) == fields(b);
}

bool operator==(const VersionRecord& a, const VersionRecord& b) {
  const auto fields = [](const VersionRecord& v) {
    return std::tie(v.model, v.number, v.standardization_json, v.metrics, v.train_job, v.source,
                    v.dataset_hash, v.seed, v.create_time);
  };
  return fields(a) == fields(b);
}

bool operator==(const DatasetRecord& a, const DatasetRecord& b) {
  const auto fields = [](const DatasetRecord& d) {
    return std::tie(d.id, d.rows, d.columns, d.dtype, d.info_json, d.create_time);
  };
  return fields(a) == fields(b);
}

bool operator==(const JobRecord& a, const JobRecord& b) {
  const auto fields = [](const JobRecord& j) {
    return std::tie(j.id, j.model, j.dataset, j.payload, j.request_id, j.state, j.attempt,
                    j.stalled_attempts, j.create_time, j.start_time, j.end_time, j.error, j.version,
                    j.last_sequence, j.order);
  };
  return fields(a) == fields(b);
}

bool operator==(const UpdateRecord& a, const UpdateRecord& b) {
  const auto fields = [](const UpdateRecord& u) {
    return std::tie(u.sequence, u.time, u.state, u.attempt, u.payload);
  };
  return fields(a) == fields(b);
}

}  // namespace sluiced::store
