#include <algorithm>

#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/names.h"
#include "client/src/status.h"
#include "client/src/streams.h"
#include "client/src/tensor.h"

namespace sluice {
namespace {

using InferenceStub = v1::InferenceService::StubInterface;

// A stream costs a round trip more than it needs for what one message holds.
constexpr int64_t kUnarySampleRows = 1024;
// Images after every layer make the reply many times the request.
constexpr int64_t kLayeredChunkBytes = kChunkBytes / 16;
// Of one request for draws, whose context is one message.
constexpr int64_t kContextBytes = 16 * kChunkBytes;

int64_t CountNotFinite(const std::string& mask) {
  return static_cast<int64_t>(mask.size()) - std::count(mask.begin(), mask.end(), '\0');
}

// Makes the requests of an exchange: `request` with its rows replaced, chunk by
// chunk.
template <typename Request>
auto Chunks(const Matrix& rows, int64_t step, const Request& request,
            v1::Tensor* (Request::*tensor)()) {
  return [&rows, step, &request, tensor, first = int64_t{0}](Request* out) mutable {
    if (first >= rows.rows) return false;
    if (first == 0) *out = request;
    const int64_t count = std::min(step, rows.rows - first);
    EncodeRows(rows, first, count, (out->*tensor)());
    first += count;
    return true;
  };
}

Status Take(const v1::LogProbResponse& reply, LogProbs* out) {
  if (reply.log_prob().shape_size() != 1) return MalformedReply("log_prob is no vector");
  out->version = reply.version();
  out->not_finite += CountNotFinite(reply.not_finite());
  return AppendVector(reply.log_prob(), reply.log_prob().shape(0), &out->log_prob);
}

Status Take(const v1::SampleResponse& reply, bool with_log_prob, Samples* out) {
  const Result<int64_t> rows = AppendRows(reply.x(), &out->x);
  if (!rows.ok()) return rows.status();
  out->version = reply.version();
  out->seed = reply.seed();
  out->not_finite += CountNotFinite(reply.not_finite());
  return with_log_prob ? AppendVector(reply.log_prob(), *rows, &out->log_prob) : Status{};
}

Status Take(const v1::TransformResponse& reply, Images* out) {
  const Result<int64_t> rows = AppendRows(reply.points(), &out->points);
  if (!rows.ok()) return rows.status();
  const auto layers = static_cast<size_t>(reply.layers_size());
  if (out->layers.empty()) out->layers.resize(layers);
  if (out->layers.size() != layers) return MalformedReply("the number of layers changed");
  for (size_t i = 0; i < layers; ++i) {
    const Result<int64_t> more = AppendRows(reply.layers(static_cast<int>(i)), &out->layers[i]);
    if (!more.ok()) return more.status();
    if (*more != *rows) return MalformedReply("a layer of another number of rows");
  }
  out->version = reply.version();
  out->not_finite += CountNotFinite(reply.not_finite());
  return AppendVector(reply.ladj(), *rows, &out->ladj);
}

Status CheckCount(int64_t got, int64_t wanted) {
  if (got == wanted) return Status{};
  return MalformedReply(std::to_string(got) + " rows for " + std::to_string(wanted));
}

}  // namespace

Result<LogProbs> ClientImpl::LogProb(const std::string& model, const Matrix& x) {
  if (Status status = CheckMatrix("x", x); !status.ok()) return status;
  v1::LogProbRequest request;
  request.set_model(ServableName(model));
  LogProbs out;
  Status status;
  const int64_t step = RowsPerChunk(x, kChunkBytes);
  if (x.rows <= step) {
    EncodeRows(x, 0, x.rows, request.mutable_x());
    const auto reply = Call(*stubs_.inference, &InferenceStub::LogProb, request, options_.timeout);
    status = reply.ok() ? Take(*reply, &out) : reply.status();
  } else {
    grpc::ClientContext context;
    status = Exchange<v1::LogProbRequest, v1::LogProbResponse>(
        &context, options_.timeout, [&] { return stubs_.inference->StreamLogProb(&context); },
        Chunks(x, step, request, &v1::LogProbRequest::mutable_x),
        [&](const v1::LogProbResponse& reply) { return Take(reply, &out); });
  }
  if (status.ok()) status = CheckCount(static_cast<int64_t>(out.log_prob.size()), x.rows);
  if (!status.ok()) return status;
  return out;
}

Status ClientImpl::DrawSamples(const std::string& model, int64_t rows, const SampleOptions& options,
                               const std::function<Status(const v1::SampleResponse&)>& take) {
  if (options.context.cols > 0) {
    if (Status status = CheckMatrix("context", options.context); !status.ok()) return status;
    if (options.context.rows != 1 && options.context.rows != rows) {
      return InvalidField("context", std::to_string(options.context.rows) + " rows for " +
                                         std::to_string(rows) + "; one for each, or one for all");
    }
  }
  v1::SampleRequest request;
  request.set_model(ServableName(model));
  if (options.seed) request.set_seed(*options.seed);
  request.set_with_log_prob(options.with_log_prob);
  const bool by_row = options.context.rows > 1;
  // Their context goes along, so that the rows are asked for in parts.
  const int64_t step = by_row ? RowsPerChunk(options.context, kContextBytes) : rows;
  for (int64_t first = 0; first == 0 || first < rows; first += step) {
    const int64_t count = std::min(step, rows - first);
    request.set_rows(count);
    request.set_first_row(options.first_row + first);
    if (options.context.cols > 0) {
      EncodeRows(options.context, by_row ? first : 0, by_row ? count : 1,
                 request.mutable_context());
    }
    const Status status = DrawPart(request, [&](const v1::SampleResponse& reply) {
      request.set_seed(reply.seed());
      return take(reply);
    });
    if (!status.ok() || step == 0) return status;
  }
  return Status{};
}

Status ClientImpl::DrawPart(const v1::SampleRequest& request,
                            const std::function<Status(const v1::SampleResponse&)>& take) {
  if (request.rows() <= kUnarySampleRows) {
    const auto reply = Call(*stubs_.inference, &InferenceStub::Sample, request, options_.timeout);
    return reply.ok() ? take(*reply) : reply.status();
  }
  grpc::ClientContext context;
  return ReadAll<v1::SampleResponse>(
      &context, options_.timeout, [&] { return stubs_.inference->StreamSample(&context, request); },
      take);
}

Result<Samples> ClientImpl::Sample(const std::string& model, int64_t rows,
                                   const SampleOptions& options) {
  Samples out;
  Status status = DrawSamples(model, rows, options, [&](const v1::SampleResponse& reply) {
    return Take(reply, options.with_log_prob, &out);
  });
  if (status.ok()) status = CheckCount(out.x.rows, rows);
  if (!status.ok()) return status;
  return out;
}

Status ClientImpl::StreamSample(const std::string& model, int64_t rows,
                                const SampleOptions& options,
                                const std::function<Status(const Samples&)>& on_chunk) {
  int64_t got = 0;
  const Status status = DrawSamples(model, rows, options, [&](const v1::SampleResponse& reply) {
    Samples chunk;
    const Status taken = Take(reply, options.with_log_prob, &chunk);
    if (!taken.ok()) return taken;
    got += chunk.x.rows;
    return on_chunk(chunk);
  });
  return status.ok() ? CheckCount(got, rows) : status;
}

Result<Images> ClientImpl::Transform(const std::string& model, Direction direction,
                                     const Matrix& points, bool with_layers) {
  if (Status status = CheckMatrix("points", points); !status.ok()) return status;
  v1::TransformRequest request;
  request.set_model(ServableName(model));
  request.set_direction(direction == Direction::kToBase ? v1::DIRECTION_TO_BASE
                                                        : v1::DIRECTION_FROM_BASE);
  request.set_with_layers(with_layers);
  Images out;
  Status status;
  const int64_t step = RowsPerChunk(points, with_layers ? kLayeredChunkBytes : kChunkBytes);
  if (points.rows <= step) {
    EncodeRows(points, 0, points.rows, request.mutable_points());
    const auto reply =
        Call(*stubs_.inference, &InferenceStub::Transform, request, options_.timeout);
    status = reply.ok() ? Take(*reply, &out) : reply.status();
  } else {
    grpc::ClientContext context;
    status = Exchange<v1::TransformRequest, v1::TransformResponse>(
        &context, options_.timeout, [&] { return stubs_.inference->StreamTransform(&context); },
        Chunks(points, step, request, &v1::TransformRequest::mutable_points),
        [&](const v1::TransformResponse& reply) { return Take(reply, &out); });
  }
  if (status.ok()) status = CheckCount(out.points.rows, points.rows);
  if (!status.ok()) return status;
  return out;
}

}  // namespace sluice
