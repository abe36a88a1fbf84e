#include "server/models/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/flows/parameters.h"
#include "server/models/model_codec.h"
#include "server/store/sqlite_store.h"
#include "tests/store/store_contract.h"

namespace sluiced::models {
namespace {

using ::testing::HasSubstr;

struct CreateModel Request(const std::string& id, uint64_t seed = 1) {
  struct CreateModel request;
  request.id = id;
  request.spec.dim = 2;
  request.spec.layers = 2;
  request.spec.hidden = 4;
  request.spec.initialization = flows::Initialization::kUniform;
  request.seed = seed;
  request.description = "test";
  request.labels = {{"team", "a"}};
  return request;
}

Array ParametersOf(uint64_t seed) { return flows::InitialParameters(Request("x").spec, seed); }

class Registries : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::OpenSqliteStore(dir_.path());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    registry_ = Registry::Create(store_.get());
  }

  void Make(const std::string& id, uint64_t seed = 1) {
    const auto made = registry_->CreateModel(Request(id, seed));
    ASSERT_TRUE(made.ok()) << made.status();
  }
  // As a train job does.
  void Publish(const std::string& model, const std::string& job, uint64_t seed) {
    store::JobRecord record = store::MakeJob(*store_, job, model);
    record.state = store::JobState::kSucceeded;
    store::VersionRecord version;
    version.model = model;
    const auto number =
        store_->FinishJob(record, {store::SomeUpdate(1, store::JobState::kSucceeded)},
                          {version, EncodeParameters(ParametersOf(seed)), ""});
    ASSERT_TRUE(number.ok()) << number.status();
    registry_->Refresh(model);
  }
  // Waits for it.
  absl::StatusOr<ModelPtr> Find(const std::string& name) {
    std::promise<absl::StatusOr<ModelPtr>> promise;
    registry_->Find(
        name, [&promise](absl::StatusOr<ModelPtr> model) { promise.set_value(std::move(model)); });
    return promise.get_future().get();
  }
  ModelPtr Found(const std::string& name) {
    auto model = Find(name);
    EXPECT_TRUE(model.ok()) << name << model.status();
    return model.ok() ? *model : nullptr;
  }
  void ExpectSeed(const std::string& name, uint64_t seed) {
    const ModelPtr model = Found(name);
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model->flow->state().parameters, ParametersOf(seed)) << name;
  }
  void ExpectMissing(const absl::Status& status, const std::string& resource) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    ASSERT_TRUE(ResourceOf(status)) << status;
    EXPECT_EQ(ResourceOf(status)->name, resource);
  }

  store::TempDir dir_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(Registries, ServeVersion0OfANewModel) {
  Make("wow", 5);
  EXPECT_EQ(Found("models/wow")->name, "models/wow/versions/0");
  ExpectSeed("models/wow", 5);
  ExpectSeed("models/wow/versions/latest", 5);
  EXPECT_EQ(Found("models/wow"), Found("models/wow/versions/0"));
  const auto version = registry_->GetVersion("models/wow/versions/0");
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(version->source, "initial");
  EXPECT_EQ(version->seed, 5u);
  const auto model = registry_->GetModel("wow");
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->labels, (std::map<std::string, std::string>{{"team", "a"}}));
}

TEST_F(Registries, ServeEachVersionUnderItsNames) {
  Make("wow", 5);
  const ModelPtr old = Found("models/wow");
  Publish("wow", "job-a", 6);
  Publish("wow", "job-b", 7);
  ExpectSeed("models/wow", 7);
  ExpectSeed("models/wow/versions/1", 6);
  const auto named = registry_->SetAlias("wow", "best", 1);
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->aliases, (std::map<std::string, int64_t>{{"best", 1}}));
  ExpectSeed("models/wow/versions/best", 6);
  ASSERT_TRUE(registry_->SetAlias("wow", "best", 0).ok());
  ExpectSeed("models/wow/versions/best", 5);
  ASSERT_TRUE(registry_->DeleteAlias("wow", "best").ok());
  ExpectMissing(Find("models/wow/versions/best").status(), "models/wow/versions/best");
  EXPECT_EQ(old->flow->state().parameters, ParametersOf(5));
}

TEST_F(Registries, FindWhatIsLoadedWithoutTheStore) {
  Make("wow");
  const ModelPtr first = Found("models/wow");
  // The registry does not hear of it, and so must not look.
  ASSERT_TRUE(store_->DeleteModel("wow").ok());
  for (const char* name : {"models/wow", "models/wow/versions/latest", "models/wow/versions/0"}) {
    EXPECT_EQ(Found(name), first);
    EXPECT_EQ(registry_->FindLoaded(name), first);
  }
}

TEST_F(Registries, TellOfWhatIsNotLoadedWithoutTheStoreOrLoadingIt) {
  Make("wow");
  for (const char* name : {"models/wow", "models/wow/versions/0", "models/none", "trainJobs/j",
                           "trainJobs/j/snapshots/1", "", "models/"}) {
    EXPECT_EQ(registry_->FindLoaded(name), nullptr) << name;
  }
  Found("models/wow");
  EXPECT_EQ(registry_->FindLoaded("models/wow/versions/best"), nullptr);
  Publish("wow", "job-a", 6);
  EXPECT_EQ(registry_->FindLoaded("models/wow"), nullptr);  // Version 1, that is.
}

TEST_F(Registries, NameWhatIsMissingOrMalformed) {
  Make("wow");
  ExpectMissing(Find("models/none").status(), "models/none");
  ExpectMissing(Find("models/none/versions/0").status(), "models/none");
  ExpectMissing(Find("models/wow/versions/1").status(), "models/wow/versions/1");
  ExpectMissing(Find("models/wow/versions/best").status(), "models/wow/versions/best");
  ExpectMissing(registry_->LoadState("models/none").status(), "models/none");
  ExpectMissing(registry_->DeleteModel("none"), "models/none");
  ExpectMissing(registry_->SetAlias("wow", "best", 9).status(), "models/wow/versions/9");
  EXPECT_EQ(Find("trainJobs/none/snapshots/1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FieldOf(Find("wow").status()), "model");
  EXPECT_EQ(FieldOf(registry_->GetVersion("models/").status()), "name");
  EXPECT_EQ(FieldOf(registry_->DeleteVersion("trainJobs/j/snapshots/1")), "name");
  EXPECT_EQ(FieldOf(registry_->SetAlias("wow", "latest", 0).status()), "alias");
  EXPECT_EQ(FieldOf(registry_->SetAlias("wow", "7", 0).status()), "alias");
  EXPECT_EQ(registry_->CreateModel(Request("wow")).status().code(),
            absl::StatusCode::kAlreadyExists);
  struct CreateModel bad = Request("bad");
  bad.spec.layers = 0;
  EXPECT_EQ(FieldOf(registry_->CreateModel(bad).status()), "spec.layers");
}

TEST_F(Registries, DeleteVersionsThatNothingNames) {
  Make("wow", 5);
  Publish("wow", "job-a", 6);
  const ModelPtr held = Found("models/wow/versions/0");
  EXPECT_EQ(registry_->DeleteVersion("models/wow/versions/1").code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(registry_->SetAlias("wow", "best", 0).ok());
  EXPECT_EQ(registry_->DeleteVersion("models/wow/versions/best").code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(registry_->DeleteAlias("wow", "best").ok());
  ASSERT_TRUE(registry_->DeleteVersion("models/wow/versions/0").ok());
  ExpectMissing(Find("models/wow/versions/0").status(), "models/wow/versions/0");
  EXPECT_TRUE(held->flow->Sample(3, 1, 0).ok());
}

TEST_F(Registries, GiveTheMemoryOfADeletedModelBack) {
  Make("wow", 5);
  ModelPtr held = Found("models/wow");
  const std::weak_ptr<const Loaded> watch = held;
  ASSERT_TRUE(registry_->DeleteModel("wow").ok());
  ExpectMissing(Find("models/wow").status(), "models/wow");
  EXPECT_TRUE(held->flow->Sample(3, 1, 0).ok());
  held.reset();
  EXPECT_TRUE(watch.expired());
  Make("wow", 6);
  ExpectSeed("models/wow", 6);
  ExpectSeed("models/wow/versions/0", 6);
}

TEST_F(Registries, ImportWhatTheyExport) {
  Make("wow", 5);
  const auto file = registry_->Export("models/wow");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto made = registry_->Import(Request("copy"), *file);
  ASSERT_TRUE(made.ok()) << made.status();
  ExpectSeed("models/copy", 5);
  EXPECT_EQ(registry_->Export("models/copy").value(), *file);
  EXPECT_EQ(registry_->GetVersion("models/copy")->source, "import");
}

TEST_F(Registries, ImportTheSeedsWeightsAndServeThem) {
  std::ifstream file(absl::StrCat(SLUICE_TEST_DATA, "/parity/d2_l8_h32_f32.weights.safetensors"),
                     std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto made = registry_->Import(Request("seed"), bytes);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(Found("models/seed")->flow->Sample(10, 1, 0).ok());
}

TEST_F(Registries, ImportNothingThatCannotBeServed) {
  flows::FlowState state;
  state.spec = Request("x").spec;
  state.parameters = ParametersOf(1);
  // In float32 this scale is zero.
  state.standardization = {{0, 0}, {1, 1e-300}};
  for (const std::string& file : {EncodeModelFile(state), std::string("no such file"),
                                  std::string(), std::string(1000, '\xff')}) {
    const absl::Status refused = registry_->Import(Request("bad"), file).status();
    EXPECT_EQ(FieldOf(refused), "chunk") << refused;
    EXPECT_FALSE(registry_->GetModel("bad").ok());
  }
}

TEST_F(Registries, ServeSnapshotsOfTheJobThatHasTheName) {
  Make("wow");
  flows::FlowState state;
  state.spec = Request("x").spec;
  for (const uint64_t seed : {8, 9}) {
    store::MakeJob(*store_, "job", "wow");
    state.parameters = ParametersOf(seed);
    ASSERT_TRUE(store_->SaveSnapshot("job", 3, EncodeModelFile(state)).ok());
    ExpectSeed("trainJobs/job/snapshots/3", seed);
    EXPECT_EQ(Found("trainJobs/job/snapshots/3")->name, "trainJobs/job/snapshots/3");
    EXPECT_EQ(Find("trainJobs/job/snapshots/4").status().code(), absl::StatusCode::kNotFound);
    store::MoveJob(*store_, "job", store::JobState::kCancelled);
    ASSERT_TRUE(store_->DeleteJob("job").ok());
    EXPECT_EQ(Find("trainJobs/job/snapshots/3").status().code(), absl::StatusCode::kNotFound);
  }
}

TEST_F(Registries, NameADamagedSnapshotAsTheServersFault) {
  Make("wow");
  store::MakeJob(*store_, "job", "wow");
  ASSERT_TRUE(store_->SaveSnapshot("job", 1, "damaged").ok());
  EXPECT_EQ(Find("trainJobs/job/snapshots/1").status().code(), absl::StatusCode::kInternal);
}

// A reader that saw version n published never sees an older latest again.
TEST_F(Registries, NeverGoBackWhileVersionsArePublished) {
  Make("wow", 100);
  constexpr int64_t kVersions = 15;
  std::atomic<int64_t> published = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      for (int64_t least = 0; least < kVersions;) {
        least = published.load();
        const auto model = Find("models/wow");
        ASSERT_TRUE(model.ok()) << model.status();
        const auto number = std::stoll((*model)->name.substr((*model)->name.rfind('/') + 1));
        ASSERT_GE(number, least);
        ASSERT_EQ((*model)->flow->state().parameters,
                  ParametersOf(100 + static_cast<uint64_t>(number)));
      }
    });
  }
  for (int64_t n = 1; n <= kVersions; ++n) {
    Publish("wow", absl::StrCat("job-", n), 100 + static_cast<uint64_t>(n));
    published = n;
  }
  for (std::thread& reader : readers) reader.join();
}

// Parameters of a model that was deleted are never served under its name again.
TEST_F(Registries, NeverServeADeletedModelUnderItsSuccessorsName) {
  std::atomic<uint64_t> current = 0;
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const uint64_t least = current.load();
        const auto model = Find("models/wow");
        if (!model.ok()) {
          ASSERT_TRUE(absl::IsNotFound(model.status()) || absl::IsAborted(model.status()))
              << model.status();
          continue;
        }
        bool known = false;
        for (uint64_t seed = least; seed <= least + 20 && !known; ++seed) {
          known = (*model)->flow->state().parameters == ParametersOf(seed);
        }
        ASSERT_TRUE(known) << "older than " << least;
      }
    });
  }
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_TRUE(registry_->CreateModel(Request("wow", seed)).ok());
    current = seed;
    ExpectSeed("models/wow", seed);
    EXPECT_TRUE(registry_->DeleteModel("wow").ok());
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace sluiced::models
