#include <algorithm>
#include <random>

#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/decode.h"
#include "client/src/encode.h"
#include "client/src/names.h"
#include "client/src/streams.h"
#include "client/src/tensor.h"
#include "client/src/watch.h"

namespace sluice {
namespace {

using TrainingStub = v1::TrainingService::StubInterface;

// 128 random bits in hex.
std::string NewRequestId() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int word = 0; word < 4; ++word) {
    uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) id += kHex[bits & 15];
  }
  return id;
}

// Cancel, pause and resume: a name in, the job out.
template <typename Request>
Result<TrainJob> CallOnJob(TrainingStub& stub,
                           grpc::Status (TrainingStub::*method)(grpc::ClientContext*,
                                                                const Request&, v1::TrainJob*),
                           const std::string& id, std::chrono::milliseconds timeout) {
  Request request;
  request.set_name(JobName(id));
  return Then(Call(stub, method, request, timeout), DecodeJob);
}

}  // namespace

Result<TrainJob> ClientImpl::CreateTrainJob(const TrainRequest& request) {
  if (!request.dataset.empty() && !request.target.empty()) {
    return InvalidField("train_job.source", "a job trains on a dataset or a target, not on both");
  }
  v1::CreateTrainJobRequest wire;
  wire.set_train_job_id(request.job_id);
  wire.set_request_id(request.request_id.empty() ? NewRequestId() : request.request_id);
  v1::TrainJob* job = wire.mutable_train_job();
  job->set_model(ModelName(request.model));
  if (!request.dataset.empty()) job->set_dataset(DatasetName(request.dataset));
  if (!request.target.empty()) job->set_target(TargetName(request.target));
  if (!request.mixed_target.empty()) job->set_mixed_target(TargetName(request.mixed_target));
  job->set_weight_column(request.weight_column);
  EncodeConfig(request.config, job->mutable_config());
  return Then(Call(*stubs_.training, &TrainingStub::CreateTrainJob, wire, options_.timeout),
              DecodeJob);
}

Result<TrainJob> ClientImpl::GetTrainJob(const std::string& id) {
  return CallOnJob(*stubs_.training, &TrainingStub::GetTrainJob, id, options_.timeout);
}

Result<TrainJob> ClientImpl::CancelTrainJob(const std::string& id) {
  return CallOnJob(*stubs_.training, &TrainingStub::CancelTrainJob, id, options_.timeout);
}

Result<TrainJob> ClientImpl::PauseTrainJob(const std::string& id) {
  return CallOnJob(*stubs_.training, &TrainingStub::PauseTrainJob, id, options_.timeout);
}

Result<TrainJob> ClientImpl::ResumeTrainJob(const std::string& id) {
  return CallOnJob(*stubs_.training, &TrainingStub::ResumeTrainJob, id, options_.timeout);
}

Result<std::vector<TrainJob>> ClientImpl::ListTrainJobs(const std::string& model) {
  v1::ListTrainJobsRequest all;
  if (!model.empty()) all.set_model(ModelName(model));
  const auto fetch = [this](const v1::ListTrainJobsRequest& request) {
    return Call(*stubs_.training, &TrainingStub::ListTrainJobs, request, options_.timeout);
  };
  return CollectPages(
      all, fetch, [](const v1::ListTrainJobsResponse& page) -> auto& { return page.train_jobs(); },
      DecodeJob);
}

Status ClientImpl::DeleteTrainJob(const std::string& id) {
  v1::DeleteTrainJobRequest request;
  request.set_name(JobName(id));
  return Call(*stubs_.training, &TrainingStub::DeleteTrainJob, request, options_.timeout).status();
}

Status ClientImpl::WatchTrainJob(const std::string& id, int64_t after_sequence,
                                 const std::function<bool(const TrainUpdate&)>& on_update,
                                 const std::function<void(Connection)>& on_connection) {
  const WatchOptions options{JobName(id), after_sequence, Sane(options_.reconnect_for)};
  return Watch(*stubs_.training, options, on_update, on_connection);
}

Result<std::vector<Target>> ClientImpl::ListTargets() {
  return Then(Call(*stubs_.training, &TrainingStub::ListTargets, v1::ListTargetsRequest(),
                   options_.timeout),
              [](const v1::ListTargetsResponse& reply) {
                std::vector<Target> targets;
                for (const v1::Target& target : reply.targets()) {
                  targets.push_back(DecodeTarget(target));
                }
                return targets;
              });
}

Result<std::vector<double>> ClientImpl::EvaluateTarget(const std::string& id, const Matrix& x) {
  if (Status status = CheckMatrix("x", x); !status.ok()) return status;
  v1::EvaluateTargetRequest request;
  request.set_target(TargetName(id));
  std::vector<double> log_density;
  const int64_t step = RowsPerChunk(x, kChunkBytes);
  int64_t first = 0;
  do {  // Once even without rows: the server says whether the target exists.
    const int64_t count = std::min(step, x.rows - first);
    EncodeRows(x, first, count, request.mutable_x());
    const auto reply =
        Call(*stubs_.training, &TrainingStub::EvaluateTarget, request, options_.timeout);
    if (!reply.ok()) return reply.status();
    const Status status = AppendVector(reply->log_density(), count, &log_density);
    if (!status.ok()) return status;
    first += count;
  } while (first < x.rows);
  return log_density;
}

}  // namespace sluice
