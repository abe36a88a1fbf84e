// What the registry does while a model is being loaded.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "server/models/registry.h"
#include "server/store/sqlite_store_impl.h"
#include "tests/support/temp_dir.h"

namespace sluiced::models {
namespace {

// Reads the parameters of the model "slow" when it is told to.
class SlowStore : public store::SqliteStore {
 public:
  using SqliteStore::SqliteStore;
  absl::StatusOr<std::string> GetParameters(absl::string_view model, int64_t number) override {
    if (model == "slow") {
      ++reads;
      proceeds.wait();
    }
    return SqliteStore::GetParameters(model, number);
  }
  std::atomic<int> reads = 0;
  std::promise<void> proceed;
  const std::shared_future<void> proceeds = proceed.get_future().share();
};

class RegistryLoading : public ::testing::Test {
 protected:
  using Arrival = std::future<absl::StatusOr<ModelPtr>>;

  void SetUp() override {
    auto lock = store::DataDirLock::Acquire(dir_.path());
    ASSERT_TRUE(lock.ok()) << lock.status();
    store_ = std::make_unique<SlowStore>(*std::move(lock), dir_.path());
    ASSERT_TRUE(store_->Start().ok());
    registry_ = Registry::Create(store_.get());
    for (const char* id : {"slow", "fast"}) {
      struct CreateModel request;
      request.id = id;
      request.spec.dim = 2;
      ASSERT_TRUE(registry_->CreateModel(request).ok());
    }
  }

  Arrival Find(const std::string& name) {
    const auto promise = std::make_shared<std::promise<absl::StatusOr<ModelPtr>>>();
    registry_->Find(
        name, [promise](absl::StatusOr<ModelPtr> model) { promise->set_value(std::move(model)); });
    return promise->get_future();
  }

  sluice::testing::TempDir dir_;
  std::unique_ptr<SlowStore> store_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryLoading, OneModelIsFoundWhileAnotherIsReadAndThatIsReadOnce) {
  // An alias that memory does not know, then a version: the same, under two names.
  Arrival arrivals[] = {Find("models/slow"), Find("models/slow/versions/0"), Find("models/slow")};
  const absl::StatusOr<ModelPtr> fast = Find("models/fast").get();
  ASSERT_TRUE(fast.ok()) << fast.status();
  EXPECT_EQ((*fast)->name, "models/fast/versions/0");
  EXPECT_EQ(registry_->FindLoaded("models/slow/versions/0"), nullptr);
  store_->proceed.set_value();
  for (Arrival& arrival : arrivals) {
    const absl::StatusOr<ModelPtr> model = arrival.get();
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ(*model, registry_->FindLoaded("models/slow"));
  }
  EXPECT_EQ(store_->reads, 1);
}

}  // namespace
}  // namespace sluiced::models
