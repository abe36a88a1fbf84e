#include <cmath>
#include <limits>

#include "server/common/errors.h"
#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

using ModelContract = StoreContract;

void Publish(Store& store, const std::string& model, const std::string& job) {
  JobRecord record = MakeJob(store, job, model);
  record.state = JobState::kSucceeded;
  auto number = store.FinishJob(record, {SomeUpdate(1, JobState::kSucceeded)},
                                {SomeVersion(model), "of " + job, ""});
  ASSERT_TRUE(number.ok()) << number.status();
}

TEST_P(ModelContract, GivesBackWhatWasCreatedAlsoAfterReopening) {
  const std::string parameters("\0\1\xff bytes", 9);
  ASSERT_TRUE(store().CreateModel(SomeModel("wow"), SomeVersion("wow"), parameters).ok());
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_TRUE(store().GetModel("wow").value() == SomeModel("wow"));
    EXPECT_TRUE(store().GetVersion("wow", 0).value() == SomeVersion("wow"));
    EXPECT_EQ(store().GetParameters("wow", 0).value(), parameters);
    Reopen();
  }
}

TEST_P(ModelContract, KeepsMetricsThatAreNotFinite) {
  VersionRecord version = SomeVersion("wow");
  version.metrics = {{"nan", std::nan("")}, {"inf", std::numeric_limits<double>::infinity()}};
  ASSERT_TRUE(store().CreateModel(SomeModel("wow"), version, "").ok());
  auto read = store().GetVersion("wow", 0).value();
  EXPECT_TRUE(std::isnan(read.metrics["nan"]));
  EXPECT_TRUE(std::isinf(read.metrics["inf"]));
  EXPECT_EQ(store().GetParameters("wow", 0).value(), "");
}

TEST_P(ModelContract, NamesTheModelThatExistsAlreadyAndChangesNothing) {
  MakeModel(store(), "wow");
  ModelRecord second = SomeModel("wow");
  second.description = "second";
  const absl::Status made = store().CreateModel(second, SomeVersion("wow"), "other");
  EXPECT_EQ(made.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ResourceOf(made).value().name, "models/wow");
  EXPECT_TRUE(store().GetModel("wow").value() == SomeModel("wow"));
}

TEST_P(ModelContract, NamesWhatIsNotThere) {
  const auto expect = [](const absl::Status& status, const std::string& name) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    ASSERT_TRUE(ResourceOf(status)) << status;
    EXPECT_EQ(ResourceOf(status)->name, name);
  };
  expect(store().GetModel("none").status(), "models/none");
  expect(store().UpdateModel(SomeModel("none")), "models/none");
  expect(store().DeleteModel("none"), "models/none");
  expect(store().GetVersion("none", 0).status(), "models/none");
  expect(store().ListVersions("none", -1, 10).status(), "models/none");
  MakeModel(store(), "wow");
  expect(store().GetVersion("wow", 1).status(), "models/wow/versions/1");
  expect(store().GetParameters("wow", -1).status(), "models/wow/versions/-1");
  expect(store().DeleteVersion("wow", 7), "models/wow/versions/7");
  expect(store().SetAlias("wow", "best", 3), "models/wow/versions/3");
  expect(store().DeleteAlias("wow", "best"), "models/wow/versions/best");
}

TEST_P(ModelContract, ListsPagesById) {
  for (const char* id : {"c", "a", "e", "b", "d"}) MakeModel(store(), id);
  std::string seen;
  Page page{2, ""};
  for (;;) {
    auto models = store().ListModels(page).value();
    if (models.empty()) break;
    EXPECT_LE(models.size(), 2u);
    for (const ModelRecord& model : models) seen += model.id;
    page.after = models.back().id;
  }
  EXPECT_EQ(seen, "abcde");
  EXPECT_TRUE(store().ListModels(Page{0, ""}).value().empty());
  EXPECT_TRUE(store().ListModels(Page{-1, ""}).value().empty());
}

TEST_P(ModelContract, UpdatesDescriptionAndLabelsAlone) {
  MakeModel(store(), "wow");
  ModelRecord changed = SomeModel("wow");
  changed.description = "new";
  changed.labels = {{"only", "this"}};
  changed.spec_json = "ignored";
  ASSERT_TRUE(store().UpdateModel(changed).ok());
  changed.spec_json = SomeModel("wow").spec_json;
  EXPECT_TRUE(store().GetModel("wow").value() == changed);
}

TEST_P(ModelContract, VersionsAreNumberedAndListedInOrder) {
  MakeModel(store(), "wow");
  Publish(store(), "wow", "job-a");
  Publish(store(), "wow", "job-b");
  EXPECT_EQ(store().GetModel("wow")->latest_version, 2);
  auto versions = store().ListVersions("wow", -1, 10).value();
  ASSERT_EQ(versions.size(), 3u);
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(versions[i].number, i);
  EXPECT_EQ(store().ListVersions("wow", 0, 1).value().at(0).number, 1);
  EXPECT_EQ(store().GetParameters("wow", 2).value(), "of job-b");
}

TEST_P(ModelContract, KeepsVersionsThatAnAliasNames) {
  MakeModel(store(), "wow");
  Publish(store(), "wow", "job-a");
  Publish(store(), "wow", "job-b");
  ASSERT_TRUE(store().SetAlias("wow", "best", 0).ok());
  EXPECT_EQ(store().DeleteVersion("wow", 2).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store().DeleteVersion("wow", 0).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(store().SetAlias("wow", "best", 1).ok());
  EXPECT_EQ(store().GetModel("wow")->aliases, (std::map<std::string, int64_t>{{"best", 1}}));
  EXPECT_TRUE(store().DeleteVersion("wow", 0).ok());
  EXPECT_EQ(store().GetVersion("wow", 0).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store().DeleteAlias("wow", "best").ok());
  EXPECT_TRUE(store().DeleteVersion("wow", 1).ok());
  EXPECT_EQ(store().GetModel("wow")->latest_version, 2);
}

TEST_P(ModelContract, IsDeletedWithAllOfItOnceNoJobNeedsIt) {
  MakeModel(store(), "wow");
  ASSERT_TRUE(store().SetAlias("wow", "best", 0).ok());
  MakeJob(store(), "job-a", "wow");
  for (JobState state :
       {JobState::kQueued, JobState::kRunning, JobState::kPaused, JobState::kCancelling}) {
    MoveJob(store(), "job-a", state);
    EXPECT_EQ(store().DeleteModel("wow").code(), absl::StatusCode::kFailedPrecondition);
  }
  MoveJob(store(), "job-a", JobState::kCancelled);
  ASSERT_TRUE(store().DeleteModel("wow").ok());
  EXPECT_EQ(store().GetParameters("wow", 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetJob("job-a")->model, "wow");  // Its history stays.
  MakeModel(store(), "wow");
  EXPECT_TRUE(store().GetModel("wow").value() == SomeModel("wow"));
}

TEST_P(ModelContract, TakesHostileIdsAsPlainText) {
  const std::string hostile = "x'; DROP TABLE models; --";
  MakeModel(store(), "wow");
  EXPECT_EQ(store().GetModel(hostile).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store().ListModels(Page{10, hostile}).ok());
  EXPECT_TRUE(store().GetModel("wow").ok());
}

INSTANTIATE_TEST_SUITE_P(AllBackends, ModelContract, ::testing::ValuesIn(AllBackends()),
                         BackendName);

}  // namespace
}  // namespace sluiced::store
