// What a flow is, short of its parameters. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/common/array.h"

namespace sluiced::flows {

enum class Initialization {
  kIdentity,  // Last layer of every conditioner zero: the flow starts as the identity.
  kUniform,   // Every layer uniform in +-1/sqrt(fan_in), as torch.nn.Linear.
};

// What computes a flow. Not a property of the density.
enum class Executor {
  kAuto,    // The engine, for every architecture it has.
  kEngine,  // server/engine: kernels of our own.
  kTorch,   // LibTorch, the reference.
};
absl::string_view NameOf(Executor executor);  // "auto", "engine", "torch"

struct FlowSpec {
  std::string architecture = "real-nvp";
  int64_t dim = 0;
  int64_t layers = 8;
  int64_t hidden = 32;
  int64_t depth = 2;  // Hidden layers of each conditioner.
  DType dtype = DType::kFloat32;
  double scale_bound = 2.0;  // s is bounded as b*tanh(s/b); 0: raw.
  bool standardize = true;   // Fit a standardisation at the first training on rows.
  Initialization initialization = Initialization::kIdentity;
  Executor executor = Executor::kAuto;

  friend bool operator==(const FlowSpec&, const FlowSpec&) = default;
};

// INVALID_ARGUMENT naming the field ("layers"). A valid spec has at most
// kMaxParameters parameters, so that no count of its numbers overflows.
inline constexpr int64_t kMaxParameters = int64_t{1} << 28;
inline constexpr int64_t kMaxDim = 65536;
inline constexpr int64_t kMaxLayers = 1024;
inline constexpr int64_t kMaxHidden = 65536;
inline constexpr int64_t kMaxDepth = 64;
// A smaller bound vanishes in float32, and s/b with it.
inline constexpr double kMinScaleBound = 1e-6;
inline constexpr double kMaxScaleBound = 1e6;
absl::Status Validate(const FlowSpec& spec);

// kEngine or kTorch.
Executor ExecutorFor(const FlowSpec& spec);

// What a valid spec cannot do, in sentences for people: one dimension makes
// RealNVP an affine map; one layer leaves half of the coordinates untouched.
std::vector<std::string> Warnings(const FlowSpec& spec);

// Stable JSON, as stored and as written into exported files. FromJson validates;
// a field that is missing takes its default, one that is unknown is an error.
std::string ToJson(const FlowSpec& spec);
absl::StatusOr<FlowSpec> SpecFromJson(absl::string_view json);

}  // namespace sluiced::flows
