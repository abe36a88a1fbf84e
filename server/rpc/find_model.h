// The model that a call names: found where it is loaded, waited for without a thread
// where it is not.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/rpc/call.h"
#include "server/rpc/runtime.h"

namespace sluiced::rpc {

// On a thread of runtime.compute. Calls `then` once, on such a thread: now when the
// model is loaded; else once it is, or with DEADLINE_EXCEEDED or CANCELLED as soon as
// nobody wants the answer any more. The call must last until then.
void FindModel(const Runtime& runtime, Call& call, const std::string& name, models::Found then);

// The same for the source of a stream, which looks again when it is woken. One thread
// at a time; the destructor may wait for a call of `wake` that is under way.
class ModelArrival {
 public:
  ModelArrival(models::Registry* registry, std::string name, std::function<void()> wake);
  ~ModelArrival();

  // Null: not yet, `wake` is called when there is more. Not again after a model.
  absl::StatusOr<models::ModelPtr> TryTake();

 private:
  struct State;

  models::Registry* const registry_;
  const std::string name_;
  const std::shared_ptr<State> state_;
  bool asked_ = false;
};

}  // namespace sluiced::rpc
