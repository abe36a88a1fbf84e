// What the callers of a soak do, over and over.
#pragma once

#include <cstdint>

#include "sluice/client.h"
#include "tests/bench/soak_tally.h"
#include "tests/e2e/hostile_random.h"

namespace sluice::testing {

// The model and dataset that the rounds below ask and train with, one of each.
void MakeSoakResources(Client& client, SoakTally* tally);

// One round each. `client` may be another one each time.
void Ask(Client& client, Dice* dice, SoakTally* tally);
void RunAJob(Client& client, Dice* dice, SoakTally* tally);
void PassADatasetThrough(Client& client, Dice* dice, SoakTally* tally);
void PassAModelThrough(Client& client, Dice* dice, SoakTally* tally);

// Deletes what malformed calls that were sound after all have made: jobs without an end,
// models and datasets of any name.
void Sweep(Client& client, SoakTally* tally);

}  // namespace sluice::testing
