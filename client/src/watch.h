// Following a train job across lost connections.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "sluice/client.h"
#include "sluice/result.h"
#include "sluice/types.h"
#include "sluice/v1/training.grpc.pb.h"

namespace sluice {

struct WatchOptions {
  std::string job;  // trainJobs/{job}
  int64_t after_sequence = 0;
  std::chrono::milliseconds reconnect_for = std::chrono::minutes(5);
};

// As Client::WatchTrainJob. Blocks.
Status Watch(v1::TrainingService::StubInterface& stub, const WatchOptions& options,
             const std::function<bool(const TrainUpdate&)>& on_update,
             const std::function<void(Client::Connection)>& on_connection);

}  // namespace sluice
