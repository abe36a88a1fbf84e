#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "sluice/v1/training.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using Writer = grpc::ServerWriter<v1::TrainUpdate>;

// Plays one scene for each call to WatchTrainJob, the last one again and again.
class FakeTraining final : public v1::TrainingService::Service {
 public:
  using Scene = std::function<grpc::Status(grpc::ServerContext*, Writer*)>;
  std::vector<Scene> scenes;
  std::vector<int64_t> asked_after;
  std::string name;

  grpc::Status WatchTrainJob(grpc::ServerContext* context, const v1::WatchTrainJobRequest* request,
                             Writer* writer) override {
    name = request->name();
    asked_after.push_back(request->after_sequence());
    return scenes[std::min(asked_after.size(), scenes.size()) - 1](context, writer);
  }
};

void Send(Writer* writer, int64_t first, int64_t last, v1::JobState state = v1::JOB_STATE_RUNNING) {
  v1::TrainUpdate update;
  for (int64_t sequence = first; sequence <= last; ++sequence) {
    update.set_sequence(sequence);
    update.set_state(state);
    writer->Write(update);
  }
}

FakeTraining::Scene SendThen(int64_t first, int64_t last, grpc::Status end) {
  return [=](grpc::ServerContext*, Writer* writer) {
    Send(writer, first, last);
    return end;
  };
}

// Sends, and stays until the connection breaks.
FakeTraining::Scene SendThenHang(int64_t first, int64_t last) {
  return [=](grpc::ServerContext* context, Writer* writer) {
    Send(writer, first, last);
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
}

FakeTraining::Scene SendToTheEnd(int64_t first, int64_t last) {
  return [=](grpc::ServerContext*, Writer* writer) {
    Send(writer, first, last - 1);
    Send(writer, last, last, v1::JOB_STATE_SUCCEEDED);
    return grpc::Status::OK;
  };
}

std::vector<int64_t> Count(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

struct Watching : ::testing::Test {
  FakeTraining service;
  FakeServer server{{&service}};
  std::vector<int64_t> seen;

  Status Watch(int64_t after = 0, milliseconds reconnect_for = seconds(30)) {
    ClientOptions options;
    options.reconnect_for = reconnect_for;
    options.timeout = milliseconds(50);  // Of other calls: a watch has none.
    return server.Connect(options)->WatchTrainJob("job-1", after,
                                                  [this](const TrainUpdate& update) {
                                                    seen.push_back(update.sequence);
                                                    return true;
                                                  });
  }
};

TEST_F(Watching, FollowsToTheEnd) {
  service.scenes = {SendToTheEnd(4, 100)};
  EXPECT_TRUE(Watch(3).ok());
  EXPECT_EQ(seen, Count(4, 100));
  EXPECT_EQ(service.name, "trainJobs/job-1");
  EXPECT_EQ(service.asked_after, std::vector<int64_t>{3});
}

TEST_F(Watching, ResumesAfterEveryKindOfLossWithoutDuplicates) {
  service.scenes = {SendThen(1, 3, {grpc::UNAVAILABLE, "draining"}),
                    SendThen(2, 5, {grpc::CANCELLED, "shut down"}),
                    SendThen(6, 5, {grpc::UNAVAILABLE, "still down"}),
                    SendThen(6, 7, {grpc::INTERNAL, "Received RST_STREAM with error code 2"}),
                    SendToTheEnd(7, 9)};
  const Status status = Watch();
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(seen, Count(1, 9));
  EXPECT_EQ(service.asked_after, (std::vector<int64_t>{0, 3, 5, 5, 7}));
}

TEST_F(Watching, SurvivesARestartOfTheServer) {
  service.scenes = {SendThenHang(1, 3), SendToTheEnd(4, 6)};
  std::thread restart;
  const Status status = server.Connect()->WatchTrainJob("job-1", 0, [&](const TrainUpdate& update) {
    seen.push_back(update.sequence);
    if (update.sequence == 3) {
      restart = std::thread([this] {
        server.Stop();
        server.Start();
      });
    }
    return true;
  });
  restart.join();
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(seen, Count(1, 6));
}

TEST_F(Watching, TellsOnceThatTheConnectionIsLostAndOnceThatItIsBack) {
  service.scenes = {SendThen(1, 3, {grpc::UNAVAILABLE, "draining"}),
                    SendThen(4, 3, {grpc::UNAVAILABLE, "still down"}),
                    SendThen(4, 3, {grpc::UNAVAILABLE, "still down"}), SendToTheEnd(4, 6)};
  std::vector<std::string> story;
  const Status status = server.Connect()->WatchTrainJob(
      "job-1", 0,
      [&](const TrainUpdate& update) {
        story.push_back(std::to_string(update.sequence));
        return true;
      },
      [&](Client::Connection connection) {
        story.push_back(connection == Client::Connection::kLost ? "lost" : "back");
      });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(story, (std::vector<std::string>{"1", "2", "3", "lost", "back", "4", "5", "6"}));
}

TEST_F(Watching, TheEndCountsEvenWhenTheConnectionBreaksOnIt) {
  service.scenes = {[](grpc::ServerContext*, Writer* writer) {
    Send(writer, 1, 1, v1::JOB_STATE_FAILED);
    return grpc::Status(grpc::UNAVAILABLE, "gone");
  }};
  EXPECT_TRUE(Watch().ok());
  EXPECT_EQ(service.asked_after.size(), 1u);
}

TEST_F(Watching, AServersVerdictIsFinal) {
  for (const grpc::StatusCode code : {grpc::NOT_FOUND, grpc::INVALID_ARGUMENT, grpc::INTERNAL,
                                      grpc::UNAUTHENTICATED, grpc::UNIMPLEMENTED}) {
    service.asked_after.clear();
    service.scenes = {SendThen(1, 0, {code, "no"})};
    EXPECT_EQ(static_cast<int>(Watch().code), static_cast<int>(code));
    EXPECT_EQ(service.asked_after.size(), 1u);
  }
}

TEST_F(Watching, GivesUpOnAServerThatStaysAway) {
  server.Stop();
  for (const milliseconds patience : {milliseconds(0), milliseconds(400)}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(Watch(0, patience).code, Code::kUnavailable);
    EXPECT_GE(std::chrono::steady_clock::now() - start, patience);
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
  }
}

TEST_F(Watching, PatienceStartsAnewWithEveryUpdate) {
  service.scenes.clear();
  for (int64_t sequence = 1; sequence <= 6; ++sequence) {
    service.scenes.push_back(SendThen(sequence, sequence, {grpc::UNAVAILABLE, "flaky"}));
  }
  service.scenes.push_back(SendToTheEnd(7, 7));
  EXPECT_TRUE(Watch(0, milliseconds(250)).ok());
  EXPECT_EQ(seen, Count(1, 7));
}

TEST_F(Watching, AWatcherMayLeave) {
  service.scenes = {SendThenHang(1, 10)};
  const Status status = server.Connect()->WatchTrainJob("job-1", 0, [&](const TrainUpdate& update) {
    seen.push_back(update.sequence);
    return update.sequence < 4;
  });
  EXPECT_EQ(status.code, Code::kCancelled);
  EXPECT_EQ(seen, Count(1, 4));
}

}  // namespace
}  // namespace sluice
