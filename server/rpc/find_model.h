// The model that a call names: found where it is loaded, waited for without a thread
// where it is not.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/rpc/arrival.h"
#include "server/rpc/call.h"
#include "server/rpc/runtime.h"

namespace sluiced::rpc {

// Calls `then` once: now when the model is loaded; else on a thread of runtime.compute
// once it is, or with DEADLINE_EXCEEDED or CANCELLED as soon as nobody wants the answer any
// more, or with RESOURCE_EXHAUSTED when too much waits. The call must last until then.
void FindModel(const Runtime& runtime, Call& call, const std::string& name, models::Found then);

// The same for the source of a stream, which looks again when it is woken.
class ModelArrival {
 public:
  ModelArrival(models::Registry* registry, std::string name, std::function<void()> wake)
      : registry_(registry), name_(std::move(name)), found_(std::move(wake)) {}

  // Null: not yet. Not again after a model.
  absl::StatusOr<models::ModelPtr> TryTake();

 private:
  models::Registry* const registry_;
  const std::string name_;
  Arrival<models::ModelPtr> found_;
  bool asked_ = false;
};

}  // namespace sluiced::rpc
