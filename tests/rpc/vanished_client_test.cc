// Clients whose network goes dead: nothing tells the server but that they do not answer.
#include <chrono>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/freezing_relay.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using sluice::testing::FreezingRelay;
using std::chrono::milliseconds;

Config QuickToDoubt() {
  Config config;
  config.keepalive = {.after = milliseconds(200), .timeout = milliseconds(200)};
  return config;
}

TEST(VanishedClient, IsLetGoWithItsWatchAndTheJobRunsOn) {
  TestServer server(QuickToDoubt());
  MakeModel(server, "wow", 2);
  const v1::CreateTrainJobRequest job = EndlessJob("long");
  grpc::ClientContext create_context;
  v1::TrainJob made;
  ASSERT_TRUE(server.training->CreateTrainJob(&create_context, job, &made).ok());

  FreezingRelay relay(server.server().port());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto training = v1::TrainingService::NewStub(
      grpc::CreateCustomChannel(std::string("127.0.0.1:").append(std::to_string(relay.port())),
                                grpc::InsecureChannelCredentials(), arguments));
  v1::WatchTrainJobRequest watch;
  watch.set_name("trainJobs/long");
  grpc::ClientContext context;
  const auto stream = training->WatchTrainJob(&context, watch);
  v1::TrainUpdate update;
  ASSERT_TRUE(stream->Read(&update));
  relay.Freeze();
  EXPECT_TRUE(relay.ServerLeavesWithin(std::chrono::seconds(20)));
  context.TryCancel();
  stream->Finish();

  v1::GetTrainJobRequest get;
  get.set_name("trainJobs/long");
  grpc::ClientContext get_context;
  v1::TrainJob now;
  ASSERT_TRUE(server.training->GetTrainJob(&get_context, get, &now).ok());
  EXPECT_EQ(now.state(), v1::JOB_STATE_RUNNING);
}

}  // namespace
}  // namespace sluiced::testing
