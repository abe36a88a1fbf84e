#include "server/rpc/inference_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/exchange_reactor.h"
#include "server/rpc/find_model.h"
#include "server/rpc/sample_source.h"
#include "server/serving/inference.h"
#include "sluice/v1/inference.grpc.pb.h"

namespace sluiced::rpc {
namespace {

RowForm FormOf(const models::Loaded& model, const serving::Limits& limits) {
  const flows::FlowSpec& spec = model.flow->state().spec;
  return {.dim = spec.dim, .dtype = spec.dtype, .max_rows = limits.rows};
}

// Of `rows` rows of `numbers` numbers each, in the model's dtype.
absl::Status CheckReplySize(const models::Loaded& model, int64_t rows, int64_t numbers,
                            const serving::Limits& limits) {
  const auto width = numbers * static_cast<int64_t>(SizeOf(model.flow->state().spec.dtype));
  if (rows <= limits.reply_bytes / width) return absl::OkStatus();
  return Exhausted(absl::StrCat("the reply to ", rows, " rows exceeds ", limits.reply_bytes,
                                " bytes; ask for fewer at a time"),
                   absl::ZeroDuration());
}

absl::Status AnswerLogProb(const models::Loaded& model, const Runtime& runtime, Call& call,
                           const v1::LogProbRequest& in, v1::LogProbResponse* out) {
  call.AddRows(ClaimedRows(in.x()));
  ASSIGN_OR_RETURN(const Array x, DecodeRows("x", in.x(), FormOf(model, runtime.limits)));
  ASSIGN_OR_RETURN(serving::Scores scores,
                   serving::LogProb(*model.flow, x, call.caller(), runtime.compute));
  EncodeTensor(scores.log_prob, out->mutable_log_prob());
  out->set_version(model.name);
  out->set_not_finite(std::move(scores.not_finite));
  return absl::OkStatus();
}

absl::StatusOr<serving::Map> DecodeDirection(v1::Direction direction) {
  if (direction == v1::DIRECTION_TO_BASE) return serving::Map::kToBase;
  if (direction == v1::DIRECTION_FROM_BASE) return serving::Map::kFromBase;
  return FieldError("direction", "must be DIRECTION_TO_BASE or DIRECTION_FROM_BASE");
}

absl::Status AnswerTransform(const models::Loaded& model, const Runtime& runtime, Call& call,
                             const v1::TransformRequest& in, v1::TransformResponse* out) {
  const serving::Limits& limits = runtime.limits;
  call.AddRows(ClaimedRows(in.points()));
  ASSIGN_OR_RETURN(const serving::Map map, DecodeDirection(in.direction()));
  ASSIGN_OR_RETURN(const Array points, DecodeRows("points", in.points(), FormOf(model, limits)));
  const flows::FlowSpec& spec = model.flow->state().spec;
  const int64_t images = in.with_layers() ? spec.layers + 1 : 1;
  RETURN_IF_ERROR(CheckReplySize(model, points.rows(), images * spec.dim + 1, limits));
  const auto keep = in.with_layers() ? flows::KeepLayers::kYes : flows::KeepLayers::kNo;
  ASSIGN_OR_RETURN(serving::MappedRows mapped, serving::Transform(*model.flow, map, points, keep,
                                                                  call.caller(), runtime.compute));
  EncodeTensor(mapped.values, out->mutable_points());
  EncodeTensor(mapped.ladj, out->mutable_ladj());
  for (const Array& layer : mapped.layers) EncodeTensor(layer, out->add_layers());
  out->set_version(model.name);
  out->set_not_finite(std::move(mapped.not_finite));
  return absl::OkStatus();
}

absl::Status AnswerSample(const models::Loaded& model, const Runtime& runtime, Call& call,
                          const v1::SampleRequest& in, v1::SampleResponse* out) {
  const serving::Limits& limits = runtime.limits;
  ASSIGN_OR_RETURN(const SampleQuery query, DecodeSample(in));
  if (query.rows > limits.rows) {
    return Exhausted(absl::StrCat(query.rows, " rows; at most ", limits.rows,
                                  " in one reply, any number from StreamSample"),
                     absl::ZeroDuration());
  }
  RETURN_IF_ERROR(CheckReplySize(model, query.rows, model.flow->state().spec.dim + 1, limits));
  call.AddRows(query.rows);
  return SampleRows(model, runtime, query, /*first=*/0, query.rows, call.caller(), out);
}

// Answers with the version that the first request named.
template <typename Request, typename Reply, auto kAnswer>
class ModelResponder final : public Responder<Request, Reply> {
 public:
  explicit ModelResponder(const Runtime& runtime) : runtime_(runtime) {}

  void Answer(Call& call, const Request& request, Reply* reply,
              typename Responder<Request, Reply>::Answered answered) override {
    if (model_ != nullptr) return answered(Compute(call, request, reply));
    FindModel(runtime_, call, request.model(),
              [this, &call, &request, reply,
               answered = std::move(answered)](absl::StatusOr<models::ModelPtr> model) {
                if (!model.ok()) return answered(model.status());
                model_ = *std::move(model);
                answered(Compute(call, request, reply));
              });
  }

 private:
  absl::Status Compute(Call& call, const Request& request, Reply* reply) {
    return CatchAll([&] { return kAnswer(*model_, runtime_, call, request, reply); });
  }

  const Runtime& runtime_;
  models::ModelPtr model_;
};

class InferenceService final : public v1::InferenceService::CallbackService {
 public:
  explicit InferenceService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerUnaryReactor* LogProb(grpc::CallbackServerContext* context,
                                    const v1::LogProbRequest* in,
                                    v1::LogProbResponse* out) override {
    return Unary<AnswerLogProb>(Rpc("LogProb"), *context, *in, out);
  }

  grpc::ServerUnaryReactor* Transform(grpc::CallbackServerContext* context,
                                      const v1::TransformRequest* in,
                                      v1::TransformResponse* out) override {
    return Unary<AnswerTransform>(Rpc("Transform"), *context, *in, out);
  }

  grpc::ServerUnaryReactor* Sample(grpc::CallbackServerContext* context,
                                   const v1::SampleRequest* in, v1::SampleResponse* out) override {
    return Unary<AnswerSample>(Rpc("Sample"), *context, *in, out);
  }

  grpc::ServerBidiReactor<v1::LogProbRequest, v1::LogProbResponse>* StreamLogProb(
      grpc::CallbackServerContext* context) override {
    return Exchange<v1::LogProbRequest, v1::LogProbResponse, AnswerLogProb>(Rpc("StreamLogProb"),
                                                                            *context);
  }

  grpc::ServerBidiReactor<v1::TransformRequest, v1::TransformResponse>* StreamTransform(
      grpc::CallbackServerContext* context) override {
    return Exchange<v1::TransformRequest, v1::TransformResponse, AnswerTransform>(
        Rpc("StreamTransform"), *context);
  }

  grpc::ServerWriteReactor<v1::SampleResponse>* StreamSample(grpc::CallbackServerContext* context,
                                                             const v1::SampleRequest* in) override {
    return new WriteReactor<v1::SampleResponse>(
        runtime_, runtime_.compute, Rpc("StreamSample"), *context, *in,
        [this, in](std::function<void()> wake) {
          return StreamSamples(runtime_, *in, std::move(wake));
        });
  }

 private:
  template <auto kAnswer, typename Request, typename Reply>
  grpc::ServerUnaryReactor* Unary(const RpcInfo& rpc, const grpc::CallbackServerContext& context,
                                  const Request& in, Reply* out) {
    const auto answer = [this, &in, out](UnaryReactor* reactor, const models::Loaded& model) {
      reactor->End(CatchAll([&] { return kAnswer(model, runtime_, reactor->call(), in, out); }));
    };
    return StartUnaryCall(
        runtime_, runtime_.compute, rpc, context, in, [this, &in, answer](UnaryReactor* reactor) {
          FindModel(runtime_, reactor->call(), in.model(),
                    [reactor, answer](const absl::StatusOr<models::ModelPtr>& model) {
                      model.ok() ? answer(reactor, **model) : reactor->End(model.status());
                    });
        });
  }

  template <typename Request, typename Reply, auto kAnswer>
  grpc::ServerBidiReactor<Request, Reply>* Exchange(const RpcInfo& rpc,
                                                    const grpc::CallbackServerContext& context) {
    return new ExchangeReactor<Request, Reply>(
        runtime_, runtime_.compute, rpc, context,
        std::make_unique<ModelResponder<Request, Reply, kAnswer>>(runtime_));
  }

  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeInferenceService(const Runtime& runtime) {
  return std::make_unique<InferenceService>(runtime);
}

}  // namespace sluiced::rpc
