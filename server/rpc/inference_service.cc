#include "server/rpc/inference_service.h"

#include <functional>
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

// Of a request that a thread of gRPC's decodes itself, in microseconds.
constexpr size_t kBytesDecodedHere = 64 << 10;

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

using Answered = std::function<void(absl::Status)>;

// Gives `answered` what encode(result) returns.
template <typename Result, typename Encode>
serving::Done<Result> EncodeInto(Answered answered, Encode encode) {
  return [answered = std::move(answered), encode](absl::StatusOr<Result> result) {
    if (!result.ok()) return answered(result.status());
    answered(CatchAll([&] { return encode(*std::move(result)), absl::OkStatus(); }));
  };
}

int64_t RowsOf(const v1::LogProbRequest& in) { return ClaimedRows(in.x()); }
int64_t RowsOf(const v1::TransformRequest& in) { return ClaimedRows(in.points()); }
int64_t RowsOf(const v1::SampleRequest& in) { return in.rows(); }

template <typename Request>
bool IsTiny(const models::Loaded& model, const Request& in) {
  // The images between the layers are LibTorch's, which is never quick.
  if constexpr (requires { in.with_layers(); }) {
    if (in.with_layers()) return false;
  }
  return serving::LoadOf(*model.flow, RowsOf(in)) == serving::Load::kTiny;
}

// Scores the rows of the request with score(rows, done).
template <typename Score>
void ScoreRows(const models::ModelPtr& model, const Runtime& runtime, const v1::LogProbRequest& in,
               v1::LogProbResponse* out, Answered answered, Score score) {
  absl::StatusOr<Array> x =
      CatchAll([&] { return DecodeRows("x", in.x(), FormOf(*model, runtime.limits)); });
  if (!x.ok()) return answered(x.status());
  score(*std::move(x), EncodeInto<serving::Scores>(std::move(answered), [model, out](auto scores) {
    EncodeTensor(scores.log_prob, out->mutable_log_prob());
    out->set_version(model->name);
    out->set_not_finite(std::move(scores.not_finite));
  }));
}

void AnswerLogProb(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                   const v1::LogProbRequest& in, v1::LogProbResponse* out, Answered answered) {
  call.AddRows(RowsOf(in));
  ScoreRows(model, runtime, in, out, std::move(answered), [&](Array x, auto done) {
    serving::LogProb(model->flow, std::move(x), call.caller(), runtime.compute, std::move(done));
  });
}

void AnswerInBatch(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                   const v1::LogProbRequest& in, v1::LogProbResponse* out, Answered answered) {
  call.AddRows(RowsOf(in));
  ScoreRows(model, runtime, in, out, std::move(answered), [&](Array x, auto done) {
    runtime.batcher->LogProb(model->flow, std::move(x), call.caller(), std::move(done));
  });
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
  call.AddRows(RowsOf(in));
  const absl::StatusOr<serving::Map> map = DecodeDirection(in.direction());
  if (!map.ok()) return answered(map.status());
  absl::StatusOr<Array> points =
      CatchAll([&] { return DecodeRows("points", in.points(), FormOf(*model, runtime.limits)); });
  if (!points.ok()) return answered(points.status());
  const absl::Status size = CheckTransform(*model, in, points->rows(), runtime.limits);
  if (!size.ok()) return answered(size);
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

absl::Status CheckSample(const models::Loaded& model, int64_t rows, const serving::Limits& limits) {
  if (rows > limits.rows) {
    return Exhausted(absl::StrCat(rows, " rows; at most ", limits.rows,
                                  " in one reply, any number from StreamSample"),
                     absl::ZeroDuration());
  }
  return CheckReplySize(model, rows, model.flow->state().spec.dim + 1, limits);
}

void AnswerSample(const models::ModelPtr& model, const Runtime& runtime, Call& call,
                  const v1::SampleRequest& in, v1::SampleResponse* out, Answered answered) {
  const absl::StatusOr<SampleQuery> query = DecodeSample(in);
  if (!query.ok()) return answered(query.status());
  const absl::Status size = CheckSample(*model, query->rows, runtime.limits);
  if (!size.ok()) return answered(size);
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

class InferenceService final : public v1::InferenceService::CallbackService {
 public:
  explicit InferenceService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerUnaryReactor* LogProb(grpc::CallbackServerContext* context,
                                    const v1::LogProbRequest* in,
                                    v1::LogProbResponse* out) override {
    return Unary<AnswerLogProb, AnswerInBatch>(Rpc("LogProb"), *context, *in, out);
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
  // `kTogether` answers calls that may wait for others of their kind.
  template <auto kAnswer, auto kTogether = nullptr, typename Request, typename Reply>
  grpc::ServerUnaryReactor* Unary(const RpcInfo& rpc, const grpc::CallbackServerContext& context,
                                  const Request& in, Reply* out) {
    return StartUnaryCall(runtime_, rpc, context, in, [this, &in, out](UnaryReactor* reactor) {
      const absl::Status held = reactor->call().HoldRows(RowsOf(in));
      if (!held.ok()) return reactor->End(held);
      FindModel(runtime_, reactor->call(), in.model(),
                [this, &in, out, reactor](const absl::StatusOr<models::ModelPtr>& model) {
                  if (!model.ok()) return reactor->End(model.status());
                  Begin<kAnswer, kTogether>(reactor, *model, in, out);
                });
    });
  }

  // Where the work is less than that of handing it over, it is done at once, here.
  template <auto kAnswer, auto kTogether, typename Request, typename Reply>
  void Begin(UnaryReactor* reactor, const models::ModelPtr& model, const Request& in, Reply* out) {
    const auto answer = [this, reactor, model, &in, out] {
      kAnswer(model, runtime_, reactor->call(), in, out,
              [reactor](const absl::Status& status) { reactor->End(status); });
    };
    if (in.ByteSizeLong() <= kBytesDecodedHere) {
      if (IsTiny(*model, in)) return answer();
      if constexpr (kTogether != nullptr) {
        return kTogether(model, runtime_, reactor->call(), in, out,
                         [reactor](const absl::Status& status) { reactor->End(status); });
      }
    }
    reactor->Post(runtime_.compute, serving::Lane{model->flow.get()}, answer);
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
