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

enum class Architecture {
  kRealNvp,                     // Dinh, Sohl-Dickstein and Bengio 2017, arXiv:1605.08803.
  kNice,                        // Dinh, Krueger and Bengio 2015, arXiv:1410.8516.
  kCouplingAffine,              // RealNVP's coupling, scale and shift from one conditioner.
  kNeuralSpline,                // Durkan et al. 2019, arXiv:1906.04032, coupling form.
  kMaskedAutoregressive,        // Papamakarios, Pavlakou and Murray 2017, arXiv:1705.07057.
  kMaskedAutoregressiveSpline,  // Durkan et al. 2019, autoregressive form.
};
absl::string_view NameOf(Architecture architecture);  // "real-nvp", "neural-spline"
const std::vector<Architecture>& AllArchitectures();
bool IsAutoregressive(Architecture architecture);
bool IsSpline(Architecture architecture);

enum class Initialization {
  kIdentity,  // Last layer of every conditioner zero: the flow starts as the identity.
  kUniform,   // Every layer uniform in +-1/sqrt(fan_in), as torch.nn.Linear.
};

// What computes a flow. Not a property of the density.
enum class Executor {
  kAuto,    // The engine, for every flow it has.
  kEngine,  // server/engine: kernels of our own.
  kTorch,   // LibTorch, the reference.
};
absl::string_view NameOf(Executor executor);  // "auto", "engine", "torch"

// What stands between two layers. Layers take turns in which columns they
// transform, whatever the mixing.
enum class Mixing {
  kAlternate,  // Nothing.
  kPermute,    // A fixed permutation of the columns before every second layer.
  kLu,         // A learnt linear map L U, L of unit diagonal (Kingma and Dhariwal 2018).
};

// The distribution of z. Periodic columns have a uniform one, whatever the others have.
enum class Base {
  kNormal,    // Standard normal.
  kDiagonal,  // Normal, its mean and scale in each column learnt.
  kMixture,   // `components` of those, their weights learnt.
  kStudentT,  // Independent columns of `degrees_of_freedom`.
  kUniform,   // On the box [-bound, bound]; for columns that all are bounded.
};

// Where a column's values lie, and the map that its flow begins with.
enum class Support {
  kReal,
  kPositive,  // u = log x
  // u = log(x - low) - log(high - x); affine, onto [-bound, bound], under a uniform base.
  kInterval,
  kPeriodic,  // [low, high) wrapped round, onto [-bound, bound).
};
struct Column {
  int64_t index = 0;
  Support support = Support::kReal;
  double low = 0, high = 0;  // Of kInterval and kPeriodic.
  friend bool operator==(const Column&, const Column&) = default;
};

struct FlowSpec {
  Architecture architecture = Architecture::kRealNvp;
  int64_t dim = 0;
  int64_t layers = 8;
  int64_t hidden = 32;
  int64_t depth = 2;  // Hidden layers of each conditioner.
  DType dtype = DType::kFloat32;
  double scale_bound = 2.0;  // s is bounded as b*tanh(s/b); 0: raw.
  bool standardize = true;   // Fit a standardisation at the first training on rows.
  Initialization initialization = Initialization::kIdentity;
  Executor executor = Executor::kAuto;
  // Columns of context that the density is conditional on. A row of such a flow is
  // x or z with its context behind it: dim + context_dim numbers.
  int64_t context_dim = 0;
  Base base = Base::kNormal;
  int64_t components = 1;         // Of kMixture.
  double degrees_of_freedom = 5;  // Of kStudentT.
  std::vector<Column> columns;    // Those that are not kReal, by ascending index.
  // Of every architecture but real-nvp, which is the seed's.
  Mixing mixing = Mixing::kAlternate;
  bool act_norm = false;  // A learnt shift and scale of each column in every layer.
  // Of splines: pieces in [-bound, bound]; beyond it they are the identity.
  int64_t bins = 8;
  double bound = 5;

  friend bool operator==(const FlowSpec&, const FlowSpec&) = default;
};

// Whether a new flow of this kind has act norm unless it is told otherwise.
bool UsualActNorm(const FlowSpec& spec);
int64_t RowColumns(const FlowSpec& spec);  // dim + context_dim
// The support of every column, [dim].
std::vector<Column> ColumnsOf(const FlowSpec& spec);
std::string TextOf(const Column& column);  // "interval [0, 1]", for people.

// INVALID_ARGUMENT naming the field ("layers"). A valid spec has at most
// kMaxParameters parameters, so that no count of its numbers overflows.
inline constexpr int64_t kMaxParameters = int64_t{1} << 28;
inline constexpr int64_t kMaxDim = 65536;
inline constexpr int64_t kMaxLayers = 1024;
inline constexpr int64_t kMaxHidden = 65536;
inline constexpr int64_t kMaxDepth = 64;
inline constexpr int64_t kMaxBins = 256;
inline constexpr int64_t kMaxComponents = 4096;
inline constexpr size_t kMaxDeclaredColumns = 1024;
// A smaller bound vanishes in float32, and s/b with it.
inline constexpr double kMinScaleBound = 1e-6;
inline constexpr double kMaxScaleBound = 1e6;
absl::Status Validate(const FlowSpec& spec);

// Whether server/engine has kernels for it.
bool IsInEngine(const FlowSpec& spec);
// kEngine or kTorch.
Executor ExecutorFor(const FlowSpec& spec);

// What a valid spec cannot do, in sentences for people: one dimension makes
// RealNVP an affine map; one layer leaves half of the coordinates untouched.
std::vector<std::string> Warnings(const FlowSpec& spec);

// Stable JSON, as stored and as written into exported files: what an architecture
// does not have, and what later releases added and has its default, is left out.
// FromJson validates; a field that is missing takes its default, one that is
// unknown is an error.
std::string ToJson(const FlowSpec& spec);
absl::StatusOr<FlowSpec> SpecFromJson(absl::string_view json);

}  // namespace sluiced::flows
