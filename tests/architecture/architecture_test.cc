#include <gtest/gtest.h>

#include "tests/architecture/arrows.h"

namespace sluice_architecture {
namespace {

TEST(Architecture, EveryArrowPointsTheRightWay) {
  const std::vector<Include> includes = ReadIncludes(SLUICE_SOURCE_DIR);
  ASSERT_GT(includes.size(), 100u) << "the sources were not found";
  for (const Include& include : includes) {
    const auto complaint = Complaint(include);
    EXPECT_FALSE(complaint) << include.file << " includes " << include.header << ": "
                            << complaint.value_or("");
  }
}

TEST(Architecture, WrongArrowsAreSeen) {
  const Include wrong[] = {
      {"server/flows/flow.h", "server/store/store.h"},
      {"server/store/store.h", "server/jobs/job_state.h"},
      {"server/common/array.h", "server/data/table.h"},
      {"server/jobs/manager.cc", "server/training/trainer.h"},
      {"server/rpc/training_service.cc", "server/training/trainer.h"},
      {"server/rpc/encode.cc", "torch/torch.h"},
      {"server/models/registry.cc", "ATen/ATen.h"},
      {"server/jobs/manager.cc", "grpcpp/grpcpp.h"},
      {"server/data/readers.cc", "sluice/v1/dataset.grpc.pb.h"},
      {"server/rpc/encode.cc", "sluice/client.h"},
      {"server/main.cc", "client/src/tensor.h"},
      {"server/novelty/thing.cc", "server/common/array.h"},
      {"client/src/tensor.cc", "server/common/array.h"},
      {"client/include/sluice/client.h", "grpcpp/channel.h"},
      {"client/include/sluice/client.h", "sluice/v1/tensor.pb.h"},
      {"client/include/sluice/client.h", "google/protobuf/message.h"},
      {"client/cli/main.cc", "torch/torch.h"},
  };
  for (const Include& include : wrong) {
    EXPECT_TRUE(Complaint(include)) << include.file << " includes " << include.header;
  }
}

TEST(Architecture, RightArrowsPass) {
  const Include right[] = {
      {"server/flows/flow.cc", "torch/torch.h"},
      {"server/training/trainer.cc", "server/flows/flow.h"},
      {"server/rpc/training_service.cc", "server/training/train_config.h"},
      {"server/rpc/encode.cc", "sluice/v1/tensor.pb.h"},
      {"server/rpc/server.cc", "grpcpp/grpcpp.h"},
      {"server/main.cc", "server/jobs/job_manager.h"},
      {"server/store/store.cc", "vector"},
      {"client/include/sluice/client.h", "vector"},
      {"client/include/sluice/client.h", "sluice/types.h"},
      {"client/src/tensor.cc", "sluice/v1/tensor.pb.h"},
      {"client/cli/main.cc", "CLI/CLI.hpp"},
  };
  for (const Include& include : right) {
    EXPECT_EQ(Complaint(include), std::nullopt) << include.file << " includes " << include.header;
  }
}

}  // namespace
}  // namespace sluice_architecture
