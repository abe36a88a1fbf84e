#include "server/rpc/watch_source.h"

#include <string>
#include <utility>

#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/rpc/encode_training.h"
#include "server/rpc/names.h"

namespace sluiced::rpc {
namespace {

class WatchSource final : public Source<v1::TrainUpdate> {
 public:
  explicit WatchSource(std::unique_ptr<jobs::Watch> watch) : watch_(std::move(watch)) {}

  absl::StatusOr<Next> Produce(Call& /*call*/, v1::TrainUpdate* update) override {
    ASSIGN_OR_RETURN(const jobs::Watch::Next next, watch_->TryNext());
    if (next.update) {
      RETURN_IF_ERROR(EncodeUpdate(*next.update, update));
      return Next::kMessage;
    }
    return next.ended ? Next::kEnd : Next::kLater;
  }

 private:
  const std::unique_ptr<jobs::Watch> watch_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Source<v1::TrainUpdate>>> WatchJob(
    jobs::JobManager* jobs, const v1::WatchTrainJobRequest& request, std::function<void()> wake) {
  ASSIGN_OR_RETURN(const std::string id, ParseName("name", kTrainJobs, request.name()));
  if (request.after_sequence() < 0) return FieldError("after_sequence", "must not be negative");
  ASSIGN_OR_RETURN(std::unique_ptr<jobs::Watch> watch,
                   jobs->StartWatch(id, request.after_sequence(), std::move(wake)));
  return std::make_unique<WatchSource>(std::move(watch));
}

}  // namespace sluiced::rpc
