#include "server/rpc/open_inference_service.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "inference/open_inference.grpc.pb.h"
#include "server/common/status_macros.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_infer.h"
#include "server/rpc/encode_infer.h"
#include "server/rpc/inference_call.h"

namespace sluiced::rpc {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

constexpr char kServerName[] = "sluice";
constexpr char kPlatform[] = "sluice_flow";
constexpr int64_t kVersionsAtOnce = 1000;

using QueryPtr = std::shared_ptr<const InferQuery>;

void AnswerScores(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                  Batching batching, const QueryPtr& query, const ModelInferRequest& in,
                  ModelInferResponse* out, Answered answered) {
  absl::StatusOr<Array> x =
      CatchAll([&] { return DecodeInferRows(in, FormOf(*model, runtime.limits)); });
  if (!x.ok()) return answered(x.status());
  call.AddRows(x->rows());
  Score(model, runtime, call, *std::move(x), batching,
        EncodeInto<serving::Scores>(std::move(answered), [query, out](const auto& scores) {
          EncodeInferScores(*query, scores, out);
        }));
}

void AnswerDraws(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                 const QueryPtr& query, const ModelInferRequest& in, ModelInferResponse* out,
                 Answered answered) {
  const absl::Status size = CheckSample(*model, query->rows, runtime.limits);
  if (!size.ok()) return answered(size);
  SampleQuery sample = *query->sample;
  auto context =
      CatchAll([&] { return DecodeInferContext(in, query->rows, FormOf(*model, runtime.limits)); });
  if (!context.ok()) return answered(context.status());
  sample.context = *std::move(context);
  call.AddRows(query->rows);
  DrawRows(*model, runtime, sample, /*first=*/0, query->rows, call.caller(),
           EncodeInto<serving::Draws>(std::move(answered), [query, out](const auto& draws) {
             EncodeInferDraws(*query, draws, out);
           }));
}

class OpenInferenceService final : public inference::GRPCInferenceService::CallbackService {
 public:
  explicit OpenInferenceService(const Runtime& runtime) : runtime_(runtime) {}

  // A server that stops answers none of these: Admit refuses.
  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context,
                                       const inference::ServerLiveRequest* in,
                                       inference::ServerLiveResponse* out) override {
    out->set_live(true);
    return AnswerAtOnce(Rpc("ServerLive"), *context, *in);
  }

  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context,
                                        const inference::ServerReadyRequest* in,
                                        inference::ServerReadyResponse* out) override {
    out->set_ready(true);
    return AnswerAtOnce(Rpc("ServerReady"), *context, *in);
  }

  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const inference::ServerMetadataRequest* in,
                                           inference::ServerMetadataResponse* out) override {
    out->set_name(kServerName);
    out->set_version(SLUICE_VERSION);
    return AnswerAtOnce(Rpc("ServerMetadata"), *context, *in);
  }

  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const inference::ModelReadyRequest* in,
                                       inference::ModelReadyResponse* out) override {
    return IoCall(runtime_, Rpc("ModelReady"), *context, *in, [this, in, out](Call&) {
      const absl::Status found = FindVersion(in->name(), in->version()).status();
      out->set_ready(found.ok());
      return absl::IsNotFound(found) ? absl::OkStatus() : found;
    });
  }

  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* in,
                                          inference::ModelMetadataResponse* out) override {
    return IoCall(runtime_, Rpc("ModelMetadata"), *context, *in,
                  [this, in, out](Call&) { return Describe(*in, out); });
  }

  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const ModelInferRequest* in,
                                       ModelInferResponse* out) override {
    return StartUnaryCall(runtime_, Rpc("ModelInfer"), *context, *in,
                          [this, in, out](UnaryReactor* reactor) { Infer(reactor, *in, out); });
  }

 private:
  template <typename Request>
  grpc::ServerUnaryReactor* AnswerAtOnce(const RpcInfo& rpc, grpc::CallbackServerContext& context,
                                         const Request& in) {
    return StartUnaryCall(runtime_, rpc, context, in,
                          [](UnaryReactor* reactor) { reactor->End(absl::OkStatus()); });
  }

  void Infer(UnaryReactor* reactor, const ModelInferRequest& in, ModelInferResponse* out) {
    absl::StatusOr<InferQuery> decoded = CatchAll([&] { return DecodeInfer(in); });
    if (!decoded.ok()) return reactor->End(decoded.status());
    const auto query = std::make_shared<const InferQuery>(*std::move(decoded));
    const Asked asked = {.model = query->target.version,
                         .rows = query->rows,
                         .bytes = in.ByteSizeLong(),
                         .may_wait = !query->sample};
    BeginInference(
        runtime_, reactor, asked,
        [this, reactor, query, &in, out](const models::ModelPtr& model, Batching batching) {
          const auto end = [reactor](const absl::Status& status) { reactor->End(status); };
          EncodeAnswered(*model, in, out);
          if (query->sample) {
            return AnswerDraws(model, runtime_, reactor->call(), query, in, out, end);
          }
          AnswerScores(model, runtime_, reactor->call(), batching, query, in, out, end);
        });
  }

  absl::StatusOr<InferTarget> FindVersion(const std::string& name, const std::string& version) {
    ASSIGN_OR_RETURN(const InferTarget target, DecodeTarget({"name", "version"}, name, version));
    if (version.empty()) {
      RETURN_IF_ERROR(runtime_.registry->GetModel(target.id).status());
    } else {
      RETURN_IF_ERROR(runtime_.registry->GetVersion(target.version).status());
    }
    return target;
  }

  absl::Status Describe(const inference::ModelMetadataRequest& in,
                        inference::ModelMetadataResponse* out) {
    ASSIGN_OR_RETURN(const InferTarget target, FindVersion(in.name(), in.version()));
    ASSIGN_OR_RETURN(const store::ModelRecord model, runtime_.registry->GetModel(target.id));
    ASSIGN_OR_RETURN(const flows::FlowSpec spec, flows::SpecFromJson(model.spec_json));
    out->set_name(in.name());
    out->set_platform(kPlatform);
    EncodeTensors(target.method, spec, out);
    return ListVersions(target.id, out);
  }

  absl::Status ListVersions(const std::string& id, inference::ModelMetadataResponse* out) {
    for (int64_t after = -1;;) {
      ASSIGN_OR_RETURN(const std::vector<store::VersionRecord> versions,
                       runtime_.registry->ListVersions(id, after, kVersionsAtOnce));
      if (versions.empty()) return absl::OkStatus();
      for (const auto& version : versions) out->add_versions(absl::StrCat(version.number));
      after = versions.back().number;
    }
  }

  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOpenInferenceService(const Runtime& runtime) {
  return std::make_unique<OpenInferenceService>(runtime);
}

}  // namespace sluiced::rpc
