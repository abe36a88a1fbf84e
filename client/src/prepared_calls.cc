#include "client/src/prepared_calls.h"

#include "client/src/names.h"
#include "client/src/tensor.h"
#include "grpc/health/v1/health.pb.h"
#include "sluice/v1/inference.pb.h"

namespace sluice {

PreparedCall PrepareLogProb(const std::string& model, const Matrix& x, int64_t first,
                            int64_t count) {
  v1::LogProbRequest request;
  request.set_model(ServableName(model));
  EncodeRows(x, first, count, request.mutable_x());
  return {"/sluice.v1.InferenceService/LogProb", request.SerializeAsString()};
}

PreparedCall PrepareSample(const std::string& model, int64_t rows, uint64_t seed) {
  v1::SampleRequest request;
  request.set_model(ServableName(model));
  request.set_rows(rows);
  request.set_seed(seed);
  return {"/sluice.v1.InferenceService/Sample", request.SerializeAsString()};
}

PreparedCall PrepareHealthCheck() {
  return {"/grpc.health.v1.Health/Check",
          grpc::health::v1::HealthCheckRequest().SerializeAsString()};
}

}  // namespace sluice
