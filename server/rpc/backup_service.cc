#include "server/rpc/backup_service.h"

#include <functional>
#include <optional>
#include <utility>

#include "server/common/status_macros.h"
#include "server/rpc/write_reactor.h"
#include "server/store/backup.h"
#include "sluice/v1/backup.grpc.pb.h"

namespace sluiced::rpc {
namespace {

namespace v1 = ::sluice::v1;

class BackupSource final : public Source<v1::BackupPart> {
 public:
  explicit BackupSource(std::unique_ptr<store::Backup> backup) : backup_(std::move(backup)) {}

  absl::StatusOr<Next> Produce(Call& /*call*/, v1::BackupPart* out) override {
    ASSIGN_OR_RETURN(std::optional<store::Backup::Part> part, backup_->Next());
    if (!part) return Next::kEnd;
    out->set_data(std::move(part->bytes));
    out->set_done_bytes(part->done);
    out->set_total_bytes(part->total);
    return Next::kMessage;
  }

 private:
  const std::unique_ptr<store::Backup> backup_;
};

class BackupService final : public v1::BackupService::CallbackService {
 public:
  explicit BackupService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerWriteReactor<v1::BackupPart>* Backup(grpc::CallbackServerContext* context,
                                                   const v1::BackupRequest* in) override {
    using Opened = absl::StatusOr<std::unique_ptr<Source<v1::BackupPart>>>;
    return new WriteReactor<v1::BackupPart>(
        runtime_, runtime_.io, Rpc("Backup"), *context, *in,
        [this](const std::function<void()>&) -> Opened {
          ASSIGN_OR_RETURN(std::unique_ptr<store::Backup> backup, runtime_.store->StartBackup());
          return std::make_unique<BackupSource>(std::move(backup));
        });
  }

 private:
  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeBackupService(const Runtime& runtime) {
  return std::make_unique<BackupService>(runtime);
}

}  // namespace sluiced::rpc
