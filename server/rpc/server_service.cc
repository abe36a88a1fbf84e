#include "server/rpc/server_service.h"

#include "absl/time/clock.h"
#include "server/rpc/call.h"
#include "server/rpc/encode_statistics.h"
#include "sluice/v1/server.grpc.pb.h"

namespace sluiced::rpc {
namespace {

class ServerService final : public v1::ServerService::CallbackService {
 public:
  explicit ServerService(const Runtime& runtime) : runtime_(runtime) {}

  // Reads /proc and asks the parts of the server, whose locks may be held while the store
  // writes: off gRPC's threads.
  grpc::ServerUnaryReactor* GetStatistics(grpc::CallbackServerContext* context,
                                          const v1::GetStatisticsRequest* in,
                                          v1::Statistics* out) override {
    return IoCall(runtime_, Rpc("GetStatistics"), *context, *in, [this, out](Call&) {
      EncodeStatistics(*runtime_.metrics, absl::Now(), out);
      return absl::OkStatus();
    });
  }

 private:
  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeServerService(const Runtime& runtime) {
  return std::make_unique<ServerService>(runtime);
}

}  // namespace sluiced::rpc
