#include "server/rpc/find_model.h"

#include <mutex>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace sluiced::rpc {
namespace {

// Who comes first, the model or the caller's leave, goes on; the other finds nothing to
// do. Thread-safe.
class Wait {
 public:
  explicit Wait(models::Found next) : next_(std::move(next)) {}

  void End(absl::StatusOr<models::ModelPtr> model) {
    models::Found next;
    {
      std::lock_guard<std::mutex> lock(mu_);
      next = std::exchange(next_, nullptr);
    }
    if (next) next(std::move(model));
  }

 private:
  std::mutex mu_;
  models::Found next_ ABSL_GUARDED_BY(mu_);
};

// Off the compute threads, and back to one of them.
void Await(const Runtime& runtime, Call& call, const std::string& name, models::Found then) {
  const std::string model_name = name;  // The call may be over before Find returns.
  call.Rest();
  const auto wait =
      std::make_shared<Wait>([compute = runtime.compute, &call, then = std::move(then)](
                                 const absl::StatusOr<models::ModelPtr>& model) {
        call.Continue(compute, [then, model](const absl::Status& wanted) {
          then(wanted.ok() ? model : wanted);
        });
      });
  call.OnLeave([wait] { wait->End(absl::CancelledError("the caller is gone")); });
  runtime.registry->Find(
      model_name, [wait](absl::StatusOr<models::ModelPtr> model) { wait->End(std::move(model)); });
}

}  // namespace

void FindModel(const Runtime& runtime, Call& call, const std::string& name, models::Found then) {
  if (models::ModelPtr model = runtime.registry->FindLoaded(name)) return then(std::move(model));
  Await(runtime, call, name, std::move(then));
}

absl::StatusOr<models::ModelPtr> ModelArrival::TryTake() {
  if (!std::exchange(asked_, true)) {
    if (models::ModelPtr model = registry_->FindLoaded(name_)) return model;
    registry_->Find(name_, found_.Receiver());
  }
  std::optional<absl::StatusOr<models::ModelPtr>> found = found_.TryTake();
  return found ? *std::move(found) : absl::StatusOr<models::ModelPtr>(nullptr);
}

}  // namespace sluiced::rpc
