#include "client/src/client_impl.h"
#include "client/src/streams.h"

namespace sluice {

Status ClientImpl::Backup(const std::function<Status(const BackupPart&)>& on_part) {
  grpc::ClientContext context;
  return ReadAll<v1::BackupPart>(
      &context, options_.timeout,
      [&] { return stubs_.backup->Backup(&context, v1::BackupRequest()); },
      [&](const v1::BackupPart& part) {
        return on_part({part.data(), part.done_bytes(), part.total_bytes()});
      });
}

}  // namespace sluice
