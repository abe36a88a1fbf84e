// TimedStore: a store whose operations are timed.
#pragma once

#include <memory>

#include "server/observe/metrics.h"
#include "server/store/store.h"

namespace sluiced {

// As `store`. The metrics must outlive it.
std::unique_ptr<store::Store> MakeTimedStore(std::unique_ptr<store::Store> store,
                                             observe::Metrics* metrics);

}  // namespace sluiced
