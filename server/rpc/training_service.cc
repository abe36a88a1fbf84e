#include "server/rpc/training_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/common/status_macros.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/decode_train_job.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/encode_training.h"
#include "server/rpc/names.h"
#include "server/rpc/paging.h"
#include "server/rpc/watch_source.h"
#include "server/rpc/write_reactor.h"
#include "server/targets/target.h"
#include "sluice/v1/training.grpc.pb.h"

namespace sluiced::rpc {
namespace {

using google::protobuf::Empty;

class TrainingService final : public v1::TrainingService::CallbackService {
 public:
  explicit TrainingService(const Runtime& runtime) : runtime_(runtime), jobs_(runtime.jobs) {}

  grpc::ServerUnaryReactor* CreateTrainJob(grpc::CallbackServerContext* context,
                                           const v1::CreateTrainJobRequest* in,
                                           v1::TrainJob* out) override {
    return IoCall(runtime_, Rpc("CreateTrainJob"), *context, *in,
                  [this, in, out](Call&) -> absl::Status {
                    ASSIGN_OR_RETURN(store::JobRecord wanted,
                                     DecodeTrainJob(*in, runtime_.registry, runtime_.store));
                    ASSIGN_OR_RETURN(const store::JobRecord job, jobs_->Create(std::move(wanted)));
                    return EncodeWhole(job, out);
                  });
  }

  grpc::ServerUnaryReactor* GetTrainJob(grpc::CallbackServerContext* context,
                                        const v1::GetTrainJobRequest* in,
                                        v1::TrainJob* out) override {
    return OnJob(Rpc("GetTrainJob"), context, *in, out,
                 [this](absl::string_view id) { return jobs_->Get(id); });
  }

  grpc::ServerUnaryReactor* ListTrainJobs(grpc::CallbackServerContext* context,
                                          const v1::ListTrainJobsRequest* in,
                                          v1::ListTrainJobsResponse* out) override {
    return IoCall(
        runtime_, Rpc("ListTrainJobs"), *context, *in, [this, in, out](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(store::Page page, DecodePage(in->page_size(), in->page_token()));
          std::string model;
          if (!in->model().empty()) {
            ASSIGN_OR_RETURN(model, ParseName("model", kModels, in->model()));
          }
          const int64_t limit = page.limit++;
          ASSIGN_OR_RETURN(std::vector<store::JobRecord> jobs, jobs_->List(page, model));
          if (DropSurplus(limit, &jobs)) out->set_next_page_token(jobs.back().id);
          for (const auto& job : jobs) {
            const absl::Status encoded = EncodeWhole(job, out->add_train_jobs());
            if (absl::IsNotFound(encoded)) {
              out->mutable_train_jobs()->RemoveLast();  // Deleted since it was listed.
            } else {
              RETURN_IF_ERROR(encoded);
            }
          }
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* CancelTrainJob(grpc::CallbackServerContext* context,
                                           const v1::CancelTrainJobRequest* in,
                                           v1::TrainJob* out) override {
    return OnJob(Rpc("CancelTrainJob"), context, *in, out,
                 [this](absl::string_view id) { return jobs_->Cancel(id); });
  }

  grpc::ServerUnaryReactor* PauseTrainJob(grpc::CallbackServerContext* context,
                                          const v1::PauseTrainJobRequest* in,
                                          v1::TrainJob* out) override {
    return OnJob(Rpc("PauseTrainJob"), context, *in, out,
                 [this](absl::string_view id) { return jobs_->Pause(id); });
  }

  grpc::ServerUnaryReactor* ResumeTrainJob(grpc::CallbackServerContext* context,
                                           const v1::ResumeTrainJobRequest* in,
                                           v1::TrainJob* out) override {
    return OnJob(Rpc("ResumeTrainJob"), context, *in, out,
                 [this](absl::string_view id) { return jobs_->Resume(id); });
  }

  grpc::ServerUnaryReactor* DeleteTrainJob(grpc::CallbackServerContext* context,
                                           const v1::DeleteTrainJobRequest* in, Empty*) override {
    return IoCall(
        runtime_, Rpc("DeleteTrainJob"), *context, *in, [this, in](Call&) -> absl::Status {
          ASSIGN_OR_RETURN(const std::string id, ParseName("name", kTrainJobs, in->name()));
          return jobs_->Delete(id);
        });
  }

  grpc::ServerWriteReactor<v1::TrainUpdate>* WatchTrainJob(
      grpc::CallbackServerContext* context, const v1::WatchTrainJobRequest* in) override {
    return new WriteReactor<v1::TrainUpdate>(
        runtime_, runtime_.io, Rpc("WatchTrainJob"), *context, *in,
        [this, in](std::function<void()> wake) { return WatchJob(jobs_, *in, std::move(wake)); });
  }

  grpc::ServerUnaryReactor* ListTargets(grpc::CallbackServerContext* context,
                                        const v1::ListTargetsRequest* in,
                                        v1::ListTargetsResponse* out) override {
    return IoCall(runtime_, Rpc("ListTargets"), *context, *in, [out](Call&) {
      for (const targets::Target* target : targets::AllTargets()) {
        EncodeTarget(*target, out->add_targets());
      }
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* EvaluateTarget(grpc::CallbackServerContext* context,
                                           const v1::EvaluateTargetRequest* in,
                                           v1::EvaluateTargetResponse* out) override {
    return UnaryCall(
        runtime_, runtime_.compute, Rpc("EvaluateTarget"), *context, *in,
        [this, in, out](Call& call) -> absl::Status {
          ASSIGN_OR_RETURN(const std::string id, ParseName("target", kTargets, in->target()));
          ASSIGN_OR_RETURN(const targets::Target* target, targets::FindTarget(id));
          ASSIGN_OR_RETURN(const Array x, DecodeRows("x", in->x(),
                                                     {.dim = target->dim(),
                                                      .dtype = DType::kFloat64,
                                                      .max_rows = runtime_.limits.rows}));
          call.AddRows(x.rows());
          Array log_density(DType::kFloat64, {x.rows()});
          target->Evaluate(x.as<double>(), log_density.as<double>(), {});
          EncodeTensor(log_density, out->mutable_log_density());
          return absl::OkStatus();
        });
  }

 private:
  // A name in, act(id) on the job, the job out.
  template <typename Request, typename Act>
  grpc::ServerUnaryReactor* OnJob(const RpcInfo& rpc, grpc::CallbackServerContext* context,
                                  const Request& in, v1::TrainJob* out, Act act) {
    return IoCall(runtime_, rpc, *context, in, [this, &in, out, act](Call&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string id, ParseName("name", kTrainJobs, in.name()));
      ASSIGN_OR_RETURN(const store::JobRecord job, act(id));
      return EncodeWhole(job, out);
    });
  }

  // The record with what is stored beside it.
  absl::Status EncodeWhole(const store::JobRecord& job, v1::TrainJob* out) {
    RETURN_IF_ERROR(EncodeJob(job, out));
    RETURN_IF_ERROR(EncodeLastUpdates(job, out));
    ASSIGN_OR_RETURN(const std::vector<int64_t> epochs, runtime_.store->ListSnapshots(job.id));
    out->mutable_snapshot_epochs()->Add(epochs.begin(), epochs.end());
    out->set_queue_position(jobs_->QueuePosition(job.id));
    return absl::OkStatus();
  }

  // The last update and the last epoch: often the same, seldom far apart.
  absl::Status EncodeLastUpdates(const store::JobRecord& job, v1::TrainJob* out) {
    constexpr int64_t kAtOnce = 16;
    for (int64_t end = job.last_sequence; end > 0 && !out->has_last_epoch(); end -= kAtOnce) {
      const int64_t after = std::max<int64_t>(end - kAtOnce, 0);
      ASSIGN_OR_RETURN(const std::vector<store::UpdateRecord> updates,
                       runtime_.store->ListUpdates(job.id, after, end - after));
      for (size_t i = updates.size(); i-- > 0 && !out->has_last_epoch();) {
        v1::TrainUpdate update;
        RETURN_IF_ERROR(EncodeUpdate(updates[i], &update));
        if (!out->has_last_update()) *out->mutable_last_update() = update;
        if (update.epoch() > 0) *out->mutable_last_epoch() = std::move(update);
      }
    }
    return absl::OkStatus();
  }

  const Runtime runtime_;
  jobs::JobManager* const jobs_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTrainingService(const Runtime& runtime) {
  return std::make_unique<TrainingService>(runtime);
}

}  // namespace sluiced::rpc
