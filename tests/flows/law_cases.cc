#include "tests/flows/law_cases.h"

#include <algorithm>
#include <cmath>

#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "server/flows/spec_names.h"

namespace sluiced::flows {
namespace {

constexpr uint64_t kSeed = 7;

FlowSpec PlainSpec(Architecture architecture, int64_t dim, DType dtype) {
  FlowSpec spec;
  spec.architecture = architecture;
  spec.dim = dim;
  spec.layers = 3;
  spec.hidden = 9;
  spec.dtype = dtype;
  spec.initialization = Initialization::kUniform;
  spec.bins = 5;
  spec.bound = 3;
  return spec;
}

Standardization MapOf(const FlowSpec& spec) {
  Standardization map;
  for (const Column& column : ColumnsOf(spec)) {
    const bool moves = column.support != Support::kPeriodic && spec.base != Base::kUniform;
    map.shift.push_back(moves ? 0.25 * static_cast<double>(column.index) - 0.3 : 0);
    map.scale.push_back(moves ? 0.75 + 0.25 * static_cast<double>(column.index) : 1);
  }
  for (int64_t i = 0; i < spec.context_dim; ++i) {
    map.context_shift.push_back(0.5);
    map.context_scale.push_back(2);
  }
  return map;
}

Column ColumnOf(int64_t index, Support support) {
  const bool bounded = support == Support::kInterval || support == Support::kPeriodic;
  return {.index = index, .support = support, .low = bounded ? -1.0 : 0, .high = bounded ? 3.0 : 0};
}

// Each support in turn, as far as the architecture has it.
std::vector<Column> MixedColumns(const FlowSpec& spec) {
  std::vector<Column> columns;
  for (int64_t i = 0; i < spec.dim; ++i) {
    const int64_t turn = (i + spec.dim) % 4;
    if (turn == 0) columns.push_back(ColumnOf(i, Support::kInterval));
    if (turn == 1) columns.push_back(ColumnOf(i, Support::kPositive));
    if (turn == 2 && IsSpline(spec.architecture)) {
      columns.push_back(ColumnOf(i, Support::kPeriodic));
    }
  }
  return columns;
}

class Table {
 public:
  void Add(const FlowSpec& spec, const std::string& variant) {
    std::string name(NameOf(spec.architecture));
    std::replace(name.begin(), name.end(), '-', '_');
    name += "_dim" + std::to_string(spec.dim);
    name += spec.dtype == DType::kFloat32 ? "_f32" : "_f64";
    if (!variant.empty()) name += "_" + variant;
    cases.push_back({name, spec, MapOf(spec)});
  }

  void AddVariants(const FlowSpec& plain) {
    Add(plain, "");
    FlowSpec spec = plain;
    spec.context_dim = 2;
    Add(spec, "context");
    spec.columns = MixedColumns(spec);
    if (!spec.columns.empty()) Add(spec, "context_columns");
    AddMixings(plain);
    AddBases(plain);
  }

  std::vector<LawCase> cases;

 private:
  void AddMixings(const FlowSpec& plain) {
    if (plain.architecture == Architecture::kRealNvp) return;
    for (const Mixing mixing : {Mixing::kPermute, Mixing::kLu}) {
      FlowSpec spec = plain;
      spec.mixing = mixing;
      spec.act_norm = mixing == Mixing::kLu;
      Add(spec, std::string(NameOf(mixing)));
    }
  }

  void AddBases(const FlowSpec& plain) {
    for (const Base base : {Base::kDiagonal, Base::kMixture, Base::kStudentT}) {
      FlowSpec spec = plain;
      spec.base = base;
      spec.components = base == Base::kMixture ? 3 : 1;
      std::string name(NameOf(base));
      std::replace(name.begin(), name.end(), '-', '_');
      Add(spec, name);
      spec.columns = MixedColumns(spec);
      if (base == Base::kMixture && !spec.columns.empty()) Add(spec, name + "_columns");
    }
    if (!IsSpline(plain.architecture)) return;
    FlowSpec spec = plain;
    spec.base = Base::kUniform;
    for (int64_t i = 0; i < spec.dim; ++i) {
      spec.columns.push_back(ColumnOf(i, i % 2 == 0 ? Support::kInterval : Support::kPeriodic));
    }
    Add(spec, "uniform");
  }
};

}  // namespace

std::vector<LawCase> LawCases() {
  Table table;
  for (const Architecture architecture : AllArchitectures()) {
    for (const int64_t dim : {1, 2, 3, 5}) {
      for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
        table.AddVariants(PlainSpec(architecture, dim, dtype));
      }
    }
  }
  return table.cases;
}

Array LawParameters(const FlowSpec& spec) {
  Array moved = InitialParameters(spec, kSeed).To(DType::kFloat64);
  PhiloxReader random(kSeed, Stream::kEvaluate);
  for (double& number : moved.as<double>()) number += 0.2 * random.Normal();
  return moved.To(spec.dtype);
}

Array LawContext(const FlowSpec& spec, int64_t rows) {
  Array context(DType::kFloat64, {rows, spec.context_dim});
  PhiloxReader random(kSeed, Stream::kTrainDraws);
  for (double& number : context.as<double>()) number = random.Normal();
  return context.To(spec.dtype);
}

}  // namespace sluiced::flows
