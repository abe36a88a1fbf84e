#include "server/models/model_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/common/errors.h"
#include "server/flows/flow.h"
#include "server/flows/parameters.h"

namespace sluiced::models {
namespace {

ModelPtr SomeModel(const std::string& name) {
  flows::FlowState state;
  state.spec.dim = 2;
  state.spec.layers = 1;
  state.spec.hidden = 4;
  state.parameters = flows::InitialParameters(state.spec, 0);
  auto flow = flows::Flow::Create(std::move(state));
  EXPECT_TRUE(flow.ok()) << flow.status();
  return std::make_shared<const Loaded>(Loaded{name, *flow});
}

// Loads SomeModel and counts how often.
class Loader {
 public:
  ModelPtr Get(ModelCache& cache, const std::string& name) {
    auto model = cache.Get(name, [&] {
      ++loads_;
      return absl::StatusOr<ModelPtr>(SomeModel(name));
    });
    EXPECT_TRUE(model.ok()) << model.status();
    return *model;
  }
  int TakeLoads() { return loads_.exchange(0); }

 private:
  std::atomic<int> loads_ = 0;
};

int64_t BytesOfOne() {
  return 3 * static_cast<int64_t>(SomeModel("x")->flow->state().parameters.bytes().size());
}

TEST(ModelCache, LoadsOnce) {
  ModelCache cache(1 << 20);
  Loader loader;
  const ModelPtr first = loader.Get(cache, "a");
  EXPECT_EQ(loader.Get(cache, "a"), first);
  EXPECT_EQ(loader.TakeLoads(), 1);
}

TEST(ModelCache, ForgetsTheLeastRecentlyUsed) {
  ModelCache cache(2 * BytesOfOne());
  Loader loader;
  const ModelPtr a = loader.Get(cache, "a");
  loader.Get(cache, "b");
  loader.Get(cache, "a");
  loader.Get(cache, "c");
  EXPECT_EQ(loader.TakeLoads(), 3);
  EXPECT_EQ(loader.Get(cache, "a"), a);
  EXPECT_EQ(loader.TakeLoads(), 0);
  loader.Get(cache, "b");
  EXPECT_EQ(loader.TakeLoads(), 1);
}

TEST(ModelCache, GivesMemoryBackOnceNobodyHoldsTheModel) {
  ModelCache cache(1 << 20);
  Loader loader;
  ModelPtr held = loader.Get(cache, "a/1");
  const std::weak_ptr<const Loaded> watch = held;
  cache.Forget("a/");
  EXPECT_EQ(held->name, "a/1");
  held.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(ModelCache, ForgetsByPrefixAlone) {
  ModelCache cache(1 << 20);
  Loader loader;
  for (const char* name : {"a/1", "a/2", "ab/1", "b/1"}) loader.Get(cache, name);
  cache.Forget("a/");
  loader.TakeLoads();
  for (const char* name : {"ab/1", "b/1"}) loader.Get(cache, name);
  EXPECT_EQ(loader.TakeLoads(), 0);
  for (const char* name : {"a/1", "a/2"}) loader.Get(cache, name);
  EXPECT_EQ(loader.TakeLoads(), 2);
}

TEST(ModelCache, KeepsNoError) {
  ModelCache cache(1 << 20);
  const auto failed = cache.Get("a", [] { return absl::StatusOr<ModelPtr>(NotFound("m", "a")); });
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kNotFound);
  Loader loader;
  loader.Get(cache, "a");
  EXPECT_EQ(loader.TakeLoads(), 1);
}

TEST(ModelCache, TellsEveryWaiterOfAnException) {
  ModelCache cache(1 << 20);
  const auto failed = cache.Get("a", []() -> absl::StatusOr<ModelPtr> { throw std::bad_alloc(); });
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kResourceExhausted);
  Loader loader;
  loader.Get(cache, "a");
}

TEST(ModelCache, LoadsOneWhileAnotherIsLoading) {
  ModelCache cache(1 << 20);
  absl::Notification started, proceed;
  std::thread slow([&] {
    EXPECT_TRUE(cache
                    .Get("slow",
                         [&] {
                           started.Notify();
                           proceed.WaitForNotification();
                           return absl::StatusOr<ModelPtr>(SomeModel("slow"));
                         })
                    .ok());
  });
  started.WaitForNotification();
  Loader loader;
  loader.Get(cache, "fast");
  proceed.Notify();
  slow.join();
}

TEST(ModelCache, DoesNotKeepWhatWasForgottenWhileItLoaded) {
  ModelCache cache(1 << 20);
  ASSERT_TRUE(cache
                  .Get("a/1",
                       [&] {
                         cache.Forget("a/");
                         return absl::StatusOr<ModelPtr>(SomeModel("old"));
                       })
                  .ok());
  Loader loader;
  EXPECT_EQ(loader.Get(cache, "a/1")->name, "a/1");
  EXPECT_EQ(loader.TakeLoads(), 1);
}

TEST(ModelCache, StandsManyThreads) {
  ModelCache cache(3 * BytesOfOne());
  Loader loader;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string name = absl::StrCat("m", (i * 7 + t) % 6);
        EXPECT_EQ(loader.Get(cache, name)->name, name);
        if (i % 50 == t) cache.Forget("m");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sluiced::models
