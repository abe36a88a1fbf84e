#include "server/models/model_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/thread_pool.h"
#include "server/flows/flow.h"

namespace sluiced::models {
namespace {

// Holds parameters and computes nothing.
class InertFlow final : public flows::Flow {
 public:
  InertFlow() { state_.parameters = Array(DType::kFloat32, {100}); }
  const flows::FlowState& state() const override { return state_; }
  absl::StatusOr<flows::Images> ToBase(const Array&, flows::KeepLayers) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<flows::Images> FromBase(const Array&, flows::KeepLayers) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<Array> LogProb(const Array&) const override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<flows::Samples> Sample(int64_t, uint64_t, int64_t, const Array&) const override {
    return absl::UnimplementedError("");
  }

 private:
  flows::FlowState state_;
};

absl::StatusOr<ModelPtr> SomeModel(const std::string& name) {
  return std::make_shared<const Loaded>(Loaded{name, std::make_shared<InertFlow>()});
}

int64_t BytesOfOne() {
  return kCopiesOfParameters * static_cast<int64_t>(InertFlow().state().parameters.bytes().size());
}

class ModelCacheTest : public ::testing::Test {
 protected:
  explicit ModelCacheTest(int64_t models = 10)
      : cache_(models * BytesOfOne(), kMaxWaiting, Poster()) {}

  ModelCache::Post Poster() {
    return [this](std::function<void()> work) { return loader_.TryPost(std::move(work)); };
  }
  // Waits for it.
  absl::StatusOr<ModelPtr> Get(const std::string& name, ModelCache::Load load) {
    std::promise<absl::StatusOr<ModelPtr>> promise;
    cache_.Get(name, std::move(load),
               [&promise](absl::StatusOr<ModelPtr> model) { promise.set_value(std::move(model)); });
    return promise.get_future().get();
  }
  // SomeModel, counted when it is loaded.
  ModelPtr Get(const std::string& name) {
    auto model = Get(name, [this, name] {
      ++loads_;
      return SomeModel(name);
    });
    EXPECT_TRUE(model.ok()) << model.status();
    return *model;
  }
  int TakeLoads() { return loads_.exchange(0); }

  static constexpr size_t kMaxWaiting = 20;
  std::promise<void> proceed_;
  const std::shared_future<void> proceeds_ = proceed_.get_future().share();
  std::atomic<int> loads_ = 0;
  ModelCache cache_;
  ThreadPool loader_{2, 1000};  // Destroyed first.
};

class SmallModelCache : public ModelCacheTest {
 protected:
  SmallModelCache() : ModelCacheTest(2) {}
};

TEST_F(ModelCacheTest, LoadsOnce) {
  EXPECT_EQ(cache_.Find("a"), nullptr);
  const ModelPtr first = Get("a");
  EXPECT_EQ(Get("a"), first);
  EXPECT_EQ(cache_.Find("a"), first);
  EXPECT_EQ(TakeLoads(), 1);
}

TEST_F(SmallModelCache, ForgetsTheLeastRecentlyUsed) {
  const ModelPtr a = Get("a");
  Get("b");
  EXPECT_EQ(cache_.Find("a"), a);  // A use, too.
  Get("c");
  EXPECT_EQ(TakeLoads(), 3);
  EXPECT_EQ(Get("a"), a);
  EXPECT_EQ(TakeLoads(), 0);
  Get("b");
  EXPECT_EQ(TakeLoads(), 1);
}

TEST_F(SmallModelCache, ListsWhatItHoldsTheLatestUsedFirst) {
  Get("a");
  Get("b");
  Get("c");
  cache_.Find("b");
  const ModelCache::Contents contents = cache_.List();
  ASSERT_EQ(contents.loaded.size(), 2u);
  EXPECT_EQ(contents.loaded[0].name, "b");
  EXPECT_EQ(contents.loaded[1].name, "c");
  EXPECT_EQ(contents.loaded[0].bytes, BytesOfOne());
  EXPECT_EQ(contents.waiting, 0u);
}

TEST_F(ModelCacheTest, GivesMemoryBackOnceNobodyHoldsTheModel) {
  ModelPtr held = Get("a/1");
  const std::weak_ptr<const Loaded> watch = held;
  cache_.Forget("a/");
  EXPECT_EQ(held->name, "a/1");
  held.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(ModelCacheTest, ForgetsByPrefixAlone) {
  for (const char* name : {"a/1", "a/2", "ab/1", "b/1"}) Get(name);
  cache_.Forget("a/");
  TakeLoads();
  for (const char* name : {"ab/1", "b/1"}) Get(name);
  EXPECT_EQ(TakeLoads(), 0);
  for (const char* name : {"a/1", "a/2"}) Get(name);
  EXPECT_EQ(TakeLoads(), 2);
}

TEST_F(ModelCacheTest, KeepsNoError) {
  const auto failed = Get("a", [] { return absl::StatusOr<ModelPtr>(NotFound("m", "a")); });
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kNotFound);
  Get("a");
  EXPECT_EQ(TakeLoads(), 1);
}

TEST_F(ModelCacheTest, TellsEveryWaiterOfAnException) {
  const auto failed = Get("a", []() -> absl::StatusOr<ModelPtr> { throw std::bad_alloc(); });
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kResourceExhausted);
  Get("a");
}

TEST_F(ModelCacheTest, ManyWhoAskWhileItLoadsShareTheLoadAndNobodyBlocks) {
  std::vector<std::promise<absl::StatusOr<ModelPtr>>> promises(kMaxWaiting - 1);
  for (auto& promise : promises) {
    cache_.Get(
        "slow",
        [this, proceeds = proceeds_] {
          ++loads_;
          proceeds.wait();
          return SomeModel("slow");
        },
        [&promise](absl::StatusOr<ModelPtr> model) { promise.set_value(std::move(model)); });
  }
  EXPECT_EQ(cache_.Find("slow"), nullptr);
  EXPECT_EQ(Get("fast")->name, "fast");  // On the loader's other thread.
  EXPECT_EQ(cache_.Find("fast")->name, "fast");
  proceed_.set_value();
  for (auto& promise : promises) {
    const absl::StatusOr<ModelPtr> model = promise.get_future().get();
    EXPECT_EQ(model.value(), cache_.Find("slow"));
  }
  EXPECT_EQ(TakeLoads(), 2);
}

TEST_F(ModelCacheTest, MoreThanMayWaitAreRefusedButNotWhoAsksForALoadedOne) {
  Get("fast");
  std::vector<std::promise<absl::StatusOr<ModelPtr>>> promises(kMaxWaiting);
  for (auto& promise : promises) {
    cache_.Get(
        "slow",
        [proceeds = proceeds_] {
          proceeds.wait();
          return SomeModel("slow");
        },
        [&promise](absl::StatusOr<ModelPtr> model) { promise.set_value(std::move(model)); });
  }
  for (const char* name : {"slow", "another"}) {
    const absl::Status refused = Get(name, [] { return SomeModel("x"); }).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << name;
    EXPECT_TRUE(RetryDelayOf(refused));
  }
  Get("fast");
  proceed_.set_value();
  for (auto& promise : promises) EXPECT_TRUE(promise.get_future().get().ok());
  Get("another");
}

TEST_F(ModelCacheTest, RefusesWhatTheLoaderHasNoRoomForAndKeepsNothingOfIt) {
  bool room = false;
  ModelCache cache(BytesOfOne(), kMaxWaiting, [&room](const std::function<void()>& work) {
    if (room) work();
    return room;
  });
  const auto get = [&cache] {
    absl::StatusOr<ModelPtr> got = absl::UnknownError("not called");
    cache.Get(
        "a", [] { return SomeModel("a"); },
        [&got](absl::StatusOr<ModelPtr> model) { got = std::move(model); });
    return got;
  };
  const absl::Status refused = get().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryDelayOf(refused));
  room = true;
  EXPECT_EQ(get().value()->name, "a");
}

TEST_F(ModelCacheTest, DoesNotKeepWhatWasForgottenWhileItLoaded) {
  ASSERT_TRUE(Get("a/1", [this] {
                cache_.Forget("a/");
                return SomeModel("old");
              }).ok());
  EXPECT_EQ(cache_.Find("a/1"), nullptr);
  EXPECT_EQ(Get("a/1")->name, "a/1");
  EXPECT_EQ(TakeLoads(), 1);
}

TEST_F(SmallModelCache, StandsManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string name = absl::StrCat("m", (i * 7 + t) % 6);
        EXPECT_EQ(Get(name)->name, name);
        if (i % 50 == t) cache_.Forget("m");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sluiced::models
