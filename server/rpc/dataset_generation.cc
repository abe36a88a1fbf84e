#include "server/rpc/dataset_generation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/data/generators.h"
#include "server/rpc/decode_text.h"
#include "server/rpc/names.h"
#include "server/targets/smc.h"

namespace sluiced::rpc {
namespace {

// A minute of one core, or less.
constexpr int64_t kMostRowsOfTarget = 1'000'000;
// Of the rows, in memory while they are drawn.
constexpr int64_t kCopies = 8;

// The toy's number of columns; 1 for an unknown toy, which the generator refuses.
int64_t ColumnsOf(absl::string_view toy) {
  for (const data::Toy& known : data::AllToys()) {
    if (known.name == toy) return known.columns;
  }
  return 1;
}

absl::Status DecodeTarget(const v1::GenerateDatasetRequest& in, Generation* wanted) {
  if (!in.toy().empty()) return FieldError("target", "give a toy or a target, not both");
  if (in.has_noise()) return FieldError("noise", "is for toys: a target has none");
  ASSIGN_OR_RETURN(const std::string id, ParseName("target", kTargets, in.target()));
  ASSIGN_OR_RETURN(wanted->target, targets::FindTarget(id));
  if (in.rows() <= kMostRowsOfTarget) return absl::OkStatus();
  return FieldError(
      "rows", absl::StrCat("must be 1 to ", kMostRowsOfTarget, " of a target, is ", in.rows()));
}

absl::StatusOr<data::Table> RowsOfTarget(const Generation& wanted, Call& call) {
  const int64_t particles = std::max(wanted.rows, targets::kFewestParticles);
  const int64_t bytes =
      particles * wanted.target->dim() * kCopies * static_cast<int64_t>(sizeof(double));
  RETURN_IF_ERROR(call.HoldMore(static_cast<size_t>(bytes)));
  ASSIGN_OR_RETURN(const targets::SmcRows drawn,
                   targets::DrawBySmc(*wanted.target, wanted.rows, wanted.seed,
                                      [&call] { return call.caller().Check(); }));
  std::string note = absl::StrFormat("log Z %.4f found on the way", drawn.log_z);
  if (wanted.target->log_z())
    absl::StrAppendFormat(&note, " (known: %.4f)", *wanted.target->log_z());
  return data::Table{drawn.x.To(DType::kFloat32), {}, {note}};
}

}  // namespace

absl::StatusOr<Generation> DecodeGeneration(const v1::GenerateDatasetRequest& in,
                                            const serving::Limits& limits) {
  RETURN_IF_ERROR(CheckId("dataset_id", in.dataset_id()));
  RETURN_IF_ERROR(CheckText("description", in.description(), limits.text_bytes));
  if (in.rows() < 1) return FieldError("rows", "must be at least 1");
  Generation wanted{
      .toy = in.toy(), .target = nullptr, .rows = in.rows(), .seed = in.seed(), .noise = {}};
  if (in.has_noise()) wanted.noise = in.noise();
  if (!in.target().empty()) RETURN_IF_ERROR(DecodeTarget(in, &wanted));
  const int64_t columns = wanted.target != nullptr ? wanted.target->dim() : ColumnsOf(in.toy());
  if (in.rows() > limits.upload_bytes / (columns * static_cast<int64_t>(sizeof(float)))) {
    return Exhausted(absl::StrCat(in.rows(), " rows exceed ", limits.upload_bytes, " bytes"),
                     absl::ZeroDuration());
  }
  return wanted;
}

std::string Describe(const Generation& wanted) {
  const std::string what =
      wanted.target != nullptr ? absl::StrCat("target ", wanted.target->name()) : wanted.toy;
  std::string text = absl::StrCat("generate ", what, " rows=", wanted.rows, " seed=", wanted.seed);
  if (wanted.noise) absl::StrAppendFormat(&text, " noise=%g", *wanted.noise);
  return text;
}

absl::StatusOr<data::Table> GenerateTable(const Generation& wanted, Call& call) {
  if (wanted.target != nullptr) return RowsOfTarget(wanted, call);
  return data::Generate(wanted.toy, wanted.rows, wanted.seed, wanted.noise);
}

}  // namespace sluiced::rpc
