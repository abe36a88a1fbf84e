// Calls for models that are still being loaded: they hold up nobody.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/store/sqlite_store_impl.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using std::chrono::system_clock;

// Reads the parameters of the model "cold" when it is told to.
class SlowStore : public store::SqliteStore {
 public:
  SlowStore(store::DataDirLock lock, const std::string& data_dir, std::shared_future<void> proceeds)
      : SqliteStore(std::move(lock), data_dir), proceeds_(std::move(proceeds)) {}

  absl::StatusOr<std::string> GetParameters(absl::string_view model, int64_t number) override {
    if (model == "cold") {
      if (reads_++ == 0) reading_.set_value();
      proceeds_.wait();
    }
    return SqliteStore::GetParameters(model, number);
  }

  void AwaitRead() { reading_.get_future().wait(); }
  int reads() const { return reads_; }

 private:
  const std::shared_future<void> proceeds_;
  std::atomic<int> reads_ = 0;
  std::promise<void> reading_;
};

// A server with one thread of inference, a model "warm" that is loaded and a model
// "cold" whose load lasts until Proceed.
class ColdModel : public ::testing::Test {
 protected:
  ColdModel()
      : server_(SmallConfig(), [this](const std::string& data_dir) { return Open(data_dir); }) {
    MakeModel(server_, "warm", 2);
    MakeModel(server_, "cold", 2);
    EXPECT_EQ(LogProb("warm", 1).code, StatusCode::OK);
  }
  ~ColdModel() override { Proceed(); }

  void Proceed() {
    if (!std::exchange(proceeded_, true)) proceed_.set_value();
  }

  static constexpr int64_t kManyRows = 1000;  // More than half of what calls may hold.
  static Config SmallConfig() {
    Config config;
    config.threads = 1;
    config.limits.in_flight_bytes = 12'000;
    return config;
  }

  absl::StatusOr<std::unique_ptr<store::Store>> Open(const std::string& data_dir) {
    auto lock = store::DataDirLock::Acquire(data_dir);
    if (!lock.ok()) return lock.status();
    auto store =
        std::make_unique<SlowStore>(*std::move(lock), data_dir, proceed_.get_future().share());
    const absl::Status started = store->Start();
    if (!started.ok()) return started;
    store_ = store.get();
    return store;
  }

  static v1::LogProbRequest LogProbRequest(const std::string& model, int64_t rows) {
    v1::LogProbRequest request;
    request.set_model("models/" + model);
    *request.mutable_x() = SmallNumbers(rows, 2);
    return request;
  }
  Seen LogProb(const std::string& model, int64_t rows,
               system_clock::duration timeout = std::chrono::minutes(1)) {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + timeout);
    v1::LogProbResponse reply;
    return SeenBy(server_.inference->LogProb(&context, LogProbRequest(model, rows), &reply));
  }
  // A call of each kind for the model "cold", with the seed 1.
  StatusCode Transform() {
    v1::TransformRequest request;
    request.set_model("models/cold");
    request.set_direction(v1::DIRECTION_TO_BASE);
    *request.mutable_points() = SmallNumbers(1, 2);
    grpc::ClientContext context;
    v1::TransformResponse reply;
    return server_.inference->Transform(&context, request, &reply).error_code();
  }
  static v1::SampleRequest SampleRequest() {
    v1::SampleRequest request;
    request.set_model("models/cold");
    request.set_rows(3);
    return request;
  }
  StatusCode Sample() {
    grpc::ClientContext context;
    v1::SampleResponse reply;
    return server_.inference->Sample(&context, SampleRequest(), &reply).error_code();
  }
  StatusCode StreamSample() {
    grpc::ClientContext context;
    const auto reader = server_.inference->StreamSample(&context, SampleRequest());
    v1::SampleResponse reply;
    int64_t rows = 0;
    while (reader->Read(&reply)) rows += reply.x().shape(0);
    EXPECT_EQ(rows, 3);
    return reader->Finish().error_code();
  }
  StatusCode StreamLogProb() {
    grpc::ClientContext context;
    const auto stream = server_.inference->StreamLogProb(&context);
    v1::LogProbResponse reply;
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(stream->Write(LogProbRequest("cold", 1)));
      EXPECT_TRUE(stream->Read(&reply));
    }
    stream->WritesDone();
    return stream->Finish().error_code();
  }

  std::promise<void> proceed_;
  bool proceeded_ = false;
  SlowStore* store_ = nullptr;
  TestServer server_;
};

TEST_F(ColdModel, IsLoadedOnceForAllWhileAnotherIsServed) {
  std::vector<std::future<StatusCode>> waiting;
  const auto start = [&waiting](auto call) {
    waiting.push_back(std::async(std::launch::async, call));
  };
  start([this] { return LogProb("cold", 1).code; });
  store_->AwaitRead();
  start([this] { return LogProb("cold", 1).code; });
  start([this] { return Transform(); });
  start([this] { return Sample(); });
  start([this] { return StreamSample(); });
  start([this] { return StreamLogProb(); });
  for (int i = 0; i < 20; ++i) {
    const Seen warm = LogProb("warm", 1, std::chrono::seconds(20));
    EXPECT_EQ(warm.code, StatusCode::OK) << warm;
  }
  Proceed();
  for (auto& code : waiting) EXPECT_EQ(code.get(), StatusCode::OK);
  EXPECT_EQ(store_->reads(), 1);
}

// What a call held in memory is free again when its deadline passes, though the load
// goes on: another such call finds room.
TEST_F(ColdModel, ADeadlineEndsTheWaitForIt) {
  const Seen late = LogProb("cold", kManyRows, std::chrono::milliseconds(300));
  EXPECT_EQ(late.code, StatusCode::DEADLINE_EXCEEDED) << late;
  // The server hears of it on its own: it may not have yet.
  Seen after{};
  do {
    after = LogProb("warm", kManyRows);
  } while (after.code == StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(after.code, StatusCode::OK) << after;
}

TEST_F(ColdModel, ACancelledStreamIsLetGoOf) {
  grpc::ClientContext context;
  const auto stream = server_.inference->StreamLogProb(&context);
  ASSERT_TRUE(stream->Write(LogProbRequest("cold", kManyRows)));
  store_->AwaitRead();
  EXPECT_EQ(LogProb("warm", kManyRows).code, StatusCode::RESOURCE_EXHAUSTED);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  Seen after{};
  do {
    after = LogProb("warm", kManyRows);
  } while (after.code == StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(after.code, StatusCode::OK) << after;
}

TEST_F(ColdModel, ACancelledStreamOfSamplesIsLetGoOf) {
  grpc::ClientContext context;
  const auto reader = server_.inference->StreamSample(&context, SampleRequest());
  store_->AwaitRead();
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_EQ(LogProb("warm", 1).code, StatusCode::OK);
  // The model arrives at nobody.
  Proceed();
  EXPECT_EQ(Sample(), StatusCode::OK);
}

}  // namespace
}  // namespace sluiced::testing
