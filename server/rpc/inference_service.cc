#include "server/rpc/inference_service.h"

#include <functional>
#include <utility>

#include "server/common/errors.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/encode_tensor.h"
#include "server/rpc/exchange_reactor.h"
#include "server/rpc/find_model.h"
#include "server/rpc/inference_call.h"
#include "server/rpc/sample_source.h"
#include "server/serving/inference.h"
#include "sluice/v1/inference.grpc.pb.h"

namespace sluiced::rpc {
namespace {

int64_t RowsOf(const v1::LogProbRequest& in) { return ClaimedRows(in.x()); }
int64_t RowsOf(const v1::TransformRequest& in) { return ClaimedRows(in.points()); }
int64_t RowsOf(const v1::SampleRequest& in) { return in.rows(); }

template <typename Request>
const v1::Tensor* ContextOf(const Request& in) {
  return in.has_context() ? &in.context() : nullptr;
}

// The images between the layers are LibTorch's, which is never quick.
template <typename Request>
bool MayBeTiny(const Request& in) {
  if constexpr (requires { in.with_layers(); }) return !in.with_layers();
  return true;
}

template <Batching kBatching>
void AnswerLogProb(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                   const v1::LogProbRequest& in, v1::LogProbResponse* out, Answered answered) {
  absl::StatusOr<Array> x = CatchAll(
      [&] { return DecodeRows("x", in.x(), ContextOf(in), FormOf(*model, runtime.limits)); });
  if (!x.ok()) return answered(x.status());
  call.AddRows(x->rows());
  Score(model, runtime, call, *std::move(x), kBatching,
        EncodeInto<serving::Scores>(std::move(answered), [model, out](auto scores) {
          EncodeTensor(scores.log_prob, out->mutable_log_prob());
          out->set_version(model->name);
          out->set_not_finite(std::move(scores.not_finite));
        }));
}

absl::StatusOr<serving::Map> DecodeDirection(v1::Direction direction) {
  if (direction == v1::DIRECTION_TO_BASE) return serving::Map::kToBase;
  if (direction == v1::DIRECTION_FROM_BASE) return serving::Map::kFromBase;
  return FieldError("direction", "must be DIRECTION_TO_BASE or DIRECTION_FROM_BASE");
}

absl::Status CheckTransform(const models::Loaded& model, const v1::TransformRequest& in,
                            int64_t rows, const serving::Limits& limits) {
  const flows::FlowSpec& spec = model.flow->state().spec;
  const int64_t images = in.with_layers() ? spec.layers + 1 : 1;
  return CheckReplySize(model, rows, images * spec.dim + 1, limits);
}

void AnswerTransform(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                     const v1::TransformRequest& in, v1::TransformResponse* out,
                     Answered answered) {
  const absl::StatusOr<serving::Map> map = DecodeDirection(in.direction());
  if (!map.ok()) return answered(map.status());
  absl::StatusOr<Array> points = CatchAll([&] {
    return DecodeRows("points", in.points(), ContextOf(in), FormOf(*model, runtime.limits));
  });
  if (!points.ok()) return answered(points.status());
  const absl::Status size = CheckTransform(*model, in, points->rows(), runtime.limits);
  if (!size.ok()) return answered(size);
  call.AddRows(points->rows());
  serving::Transform(
      model->flow, *map, *std::move(points),
      in.with_layers() ? flows::KeepLayers::kYes : flows::KeepLayers::kNo, call.caller(),
      runtime.compute,
      EncodeInto<serving::MappedRows>(std::move(answered), [model, out](auto mapped) {
        EncodeTensor(mapped.values, out->mutable_points());
        EncodeTensor(mapped.ladj, out->mutable_ladj());
        for (const Array& layer : mapped.layers) EncodeTensor(layer, out->add_layers());
        out->set_version(model->name);
        out->set_not_finite(std::move(mapped.not_finite));
      }));
}

void AnswerSample(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                  const v1::SampleRequest& in, v1::SampleResponse* out, Answered answered) {
  absl::StatusOr<SampleQuery> query = DecodeSample(in);
  if (!query.ok()) return answered(query.status());
  absl::Status fits = CheckSample(*model, query->rows, runtime.limits);
  if (fits.ok()) {
    fits = CatchAll([&] { return DecodeSampleContext(in, *model, runtime.limits, &*query); });
  }
  if (!fits.ok()) return answered(fits);
  call.AddRows(query->rows);
  DrawRows(
      *model, runtime, *query, /*first=*/0, query->rows, call.caller(),
      EncodeInto<serving::Draws>(std::move(answered), [model, query = *query, out](auto draws) {
        EncodeDraws(*model, query, std::move(draws), out);
      }));
}

// Answers with the version that the first request named.
template <typename Request, typename Reply, auto kAnswer>
class ModelResponder final : public Responder<Request, Reply> {
 public:
  explicit ModelResponder(const Runtime& runtime) : runtime_(runtime) {}

  void Answer(Call& call, const Request& request, Reply* reply,
              typename Responder<Request, Reply>::Answered answered) override {
    if (model_ != nullptr) return Compute(call, request, reply, std::move(answered));
    FindModel(runtime_, call, request.model(),
              [this, &call, &request, reply,
               answered = std::move(answered)](absl::StatusOr<models::ModelPtr> model) {
                if (!model.ok()) return answered(model.status());
                model_ = *std::move(model);
                Compute(call, request, reply, answered);
              });
  }

 private:
  void Compute(Call& call, const Request& request, Reply* reply, Answered answered) {
    const absl::Status held = call.HoldRows(RowsOf(request));
    if (!held.ok()) return answered(held);
    kAnswer(model_, runtime_, call, request, reply, std::move(answered));
  }

  const Runtime& runtime_;
  models::ModelPtr model_;
};

// Of exchanges, bytes; of the rest, messages.
template <typename Methods>
using WithMethods = typename Methods::template WithCallbackMethod_LogProb<
    typename Methods::template WithCallbackMethod_Sample<
        typename Methods::template WithCallbackMethod_Transform<
            typename Methods::template WithCallbackMethod_StreamSample<
                typename Methods::template WithRawCallbackMethod_StreamLogProb<
                    typename Methods::template WithRawCallbackMethod_StreamTransform<
                        typename Methods::Service>>>>>>;

class InferenceService final : public WithMethods<v1::InferenceService> {
 public:
  explicit InferenceService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerUnaryReactor* LogProb(grpc::CallbackServerContext* context,
                                    const v1::LogProbRequest* in,
                                    v1::LogProbResponse* out) override {
    return Unary<AnswerLogProb<Batching::kAlone>, AnswerLogProb<Batching::kTogether>>(
        Rpc("LogProb"), *context, *in, out);
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

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamLogProb(
      grpc::CallbackServerContext* context) override {
    return Exchange<v1::LogProbRequest, v1::LogProbResponse, AnswerLogProb<Batching::kAlone>>(
        Rpc("StreamLogProb"), *context);
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamTransform(
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
  // `kTogether` answers calls that may wait for others of their kind.
  template <auto kAnswer, auto kTogether = nullptr, typename Request, typename Reply>
  grpc::ServerUnaryReactor* Unary(const RpcInfo& rpc, grpc::CallbackServerContext& context,
                                  const Request& in, Reply* out) {
    return StartUnaryCall(runtime_, rpc, context, in, [this, &in, out](UnaryReactor* reactor) {
      const Asked asked = {.model = in.model(),
                           .rows = RowsOf(in),
                           .bytes = in.ByteSizeLong(),
                           .may_be_tiny = MayBeTiny(in),
                           .may_wait = kTogether != nullptr};
      BeginInference(runtime_, reactor, asked,
                     [this, &in, out, reactor](const models::ModelPtr& model, Batching batching) {
                       const auto answer = [&](auto how) {
                         how(model, runtime_, reactor->call(), in, out,
                             [reactor](const absl::Status& status) { reactor->End(status); });
                       };
                       if constexpr (kTogether != nullptr) {
                         if (batching == Batching::kTogether) return answer(kTogether);
                       }
                       answer(kAnswer);
                     });
    });
  }

  template <typename Request, typename Reply, auto kAnswer>
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Exchange(
      const RpcInfo& rpc, grpc::CallbackServerContext& context) {
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
