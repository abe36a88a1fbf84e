// The updates of a watched job, as a stream.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "server/jobs/job_manager.h"
#include "server/rpc/write_reactor.h"
#include "sluice/v1/training.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

absl::StatusOr<std::unique_ptr<Source<v1::TrainUpdate>>> WatchJob(
    jobs::JobManager* jobs, const v1::WatchTrainJobRequest& request, std::function<void()> wake);

}  // namespace sluiced::rpc
