// The kinds of Transform that flows are made of.
#pragma once

#include <memory>

#include "server/flows/transform.h"

namespace sluiced::flows {

// The seed's coupling (Dinh et al. 2017): two nets, halves of the columns in turn.
std::unique_ptr<Transform> MakeSeedCoupling(const FlowSpec& spec, int64_t layer);
// Half of the columns mapped by parameters that one net makes of the other half.
std::unique_ptr<Transform> MakeCoupling(const FlowSpec& spec, int64_t layer);
// Every column mapped by parameters made of those before it. FromBase takes dim passes.
std::unique_ptr<Transform> MakeAutoregressive(const FlowSpec& spec, int64_t layer);

// u = x with its columns permuted.
std::unique_ptr<Transform> MakePermutation(const FlowSpec& spec, int64_t layer);
// u = L U x.
std::unique_ptr<Transform> MakeLu(const FlowSpec& spec, int64_t layer);
// u = (x - shift) * exp(-log_scale). Starts as the identity: the standardisation has
// done what its data-dependent start would (Kingma and Dhariwal 2018).
std::unique_ptr<Transform> MakeActNorm(const FlowSpec& spec, int64_t layer);
// z = x * exp(log_scale), the diagonal matrix that NICE ends with.
std::unique_ptr<Transform> MakeScaling(const FlowSpec& spec);

}  // namespace sluiced::flows
