// What importance weights say of a flow as a proposal for a target. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "server/evaluation/importance.h"

namespace sluiced::evaluation {

struct WeightSummary {
  int64_t draws = 0;
  int64_t outside = 0;  // Draws of weight zero: off the support, or lost.
  std::optional<double> log_z, log_z_error;
  double ess = 0;  // Kish's effective sample size.
  std::optional<double> pareto_k;
  double largest_share = 0;  // Of the largest weight in the sum.
  // The largest weights relative to the mean one, descending, as logs: the tail that
  // pareto_k is fitted to and some before it, kMostOfTail at most.
  std::vector<double> tail;
};
inline constexpr size_t kMostOfTail = 2000;

// log p - log q of each draw; -inf where that is not a number that a weight can be.
std::vector<double> LogWeights(std::span<const double> log_p, std::span<const double> log_q);
// Of what LogWeights makes.
WeightSummary SummaryOf(const std::vector<double>& log_weights);

}  // namespace sluiced::evaluation
