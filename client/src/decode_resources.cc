#include "client/src/decode.h"
#include "client/src/names.h"
#include "client/src/times.h"

namespace sluice {
namespace {

DType DecodeDType(v1::DType dtype) {
  return dtype == v1::DTYPE_FLOAT64 ? DType::kFloat64 : DType::kFloat32;
}

// The wire's choices stand in the same order, behind one that says nothing; `last` is
// the last that we know.
template <typename Ours, typename Wire>
Ours FromWire(Wire value, Ours last) {
  const int index = static_cast<int>(value) - 1;
  return index < 0 || index > static_cast<int>(last) ? Ours{} : static_cast<Ours>(index);
}

}  // namespace

FlowSpec DecodeSpec(const v1::FlowSpec& in) {
  FlowSpec out;
  out.architecture = in.architecture();
  out.dim = in.dim();
  out.layers = in.layers();
  out.hidden = in.hidden();
  out.depth = in.depth();
  out.dtype = DecodeDType(in.dtype());
  if (in.has_scale_bound()) out.scale_bound = in.scale_bound();
  if (in.has_standardize()) out.standardize = in.standardize();
  if (in.initialization() == v1::INITIALIZATION_IDENTITY) {
    out.initialization = Initialization::kIdentity;
  } else if (in.initialization() == v1::INITIALIZATION_UNIFORM) {
    out.initialization = Initialization::kUniform;
  }
  out.executor = FromWire(in.executor(), Executor::kTorch);
  out.context_dim = in.context_dim();
  out.base = FromWire(in.base(), Base::kUniform);
  out.components = in.components();
  if (in.has_degrees_of_freedom()) out.degrees_of_freedom = in.degrees_of_freedom();
  for (const v1::Column& column : in.columns()) {
    out.columns.push_back({column.index(), FromWire(column.support(), Support::kPeriodic),
                           column.low(), column.high()});
  }
  out.mixing = FromWire(in.mixing(), Mixing::kLu);
  out.act_norm = in.act_norm();
  out.bins = in.bins();
  if (in.has_bound()) out.bound = in.bound();
  return out;
}

Model DecodeModel(const v1::Model& in) {
  Model out;
  out.id = IdOf("models/", in.name());
  out.spec = DecodeSpec(in.spec());
  out.description = in.description();
  out.labels = {in.labels().begin(), in.labels().end()};
  out.create_time = DecodeTime(in.create_time());
  out.latest_version = in.latest_version();
  for (const auto& [alias, version] : in.aliases()) out.aliases[alias] = version;
  out.parameter_count = in.parameter_count();
  out.warnings = {in.warnings().begin(), in.warnings().end()};
  out.executor = FromWire(in.executor(), Executor::kTorch);
  return out;
}

Version DecodeVersion(const v1::Version& in) {
  Version out;
  out.model = IdOf("models/", in.name());
  out.number = in.number();
  out.spec = DecodeSpec(in.spec());
  out.create_time = DecodeTime(in.create_time());
  out.metrics = {in.metrics().begin(), in.metrics().end()};
  out.train_job = IdOf("trainJobs/", in.train_job());
  out.source = in.source();
  out.dataset_hash = in.dataset_hash();
  out.seed = in.seed();
  out.shift = {in.shift().begin(), in.shift().end()};
  out.scale = {in.scale().begin(), in.scale().end()};
  return out;
}

Dataset DecodeDataset(const v1::Dataset& in) {
  Dataset out;
  out.id = IdOf("datasets/", in.name());
  out.rows = in.rows();
  out.columns = in.columns();
  out.dtype = DecodeDType(in.dtype());
  out.column_names = {in.column_names().begin(), in.column_names().end()};
  out.source = in.source();
  out.hash = in.hash();
  out.description = in.description();
  out.create_time = DecodeTime(in.create_time());
  out.mean = {in.mean().begin(), in.mean().end()};
  out.stddev = {in.stddev().begin(), in.stddev().end()};
  out.min = {in.min().begin(), in.min().end()};
  out.max = {in.max().begin(), in.max().end()};
  out.notes = {in.notes().begin(), in.notes().end()};
  return out;
}

Toy DecodeToy(const v1::Toy& in) { return Toy{in.toy(), in.columns(), in.description()}; }

Target DecodeTarget(const v1::Target& in) {
  Target out;
  out.id = IdOf("targets/", in.target());
  out.dim = in.dim();
  if (in.has_log_z()) out.log_z = in.log_z();
  out.description = in.description();
  out.low = {in.low().begin(), in.low().end()};
  out.high = {in.high().begin(), in.high().end()};
  return out;
}

}  // namespace sluice
