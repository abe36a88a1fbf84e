#include "server/rpc/evaluation_service.h"

#include <algorithm>
#include <vector>

#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/common/thread_priority.h"
#include "server/evaluation/rows_fit.h"
#include "server/evaluation/self_test.h"
#include "server/evaluation/target_fit.h"
#include "server/rpc/call.h"
#include "server/rpc/decode_evaluation.h"
#include "server/rpc/encode_evaluation.h"
#include "server/rpc/evaluated_rows.h"
#include "server/rpc/find_model.h"
#include "server/rpc/inference_call.h"
#include "sluice/v1/evaluation.grpc.pb.h"

namespace sluiced::rpc {
namespace {

// Of a model without context, beside however few rows: they cost little.
constexpr int64_t kFewestDraws = 10'000;

evaluation::KeepGoing WhileWanted(const Call& call) {
  return [&caller = call.caller()] { return caller.Check(); };
}

// What is computed with: some copies of this many rows.
absl::Status HoldWork(Call& call, const flows::FlowSpec& spec, int64_t rows) {
  constexpr int64_t kCopies = 4;
  const int64_t columns = flows::RowColumns(spec) + 2;
  int64_t bytes = 0;
  if (__builtin_mul_overflow(rows, kCopies * columns * int64_t{sizeof(double)}, &bytes)) {
    return Exhausted("so many rows of so many columns fit into no memory", absl::ZeroDuration());
  }
  return call.HoldMore(static_cast<size_t>(bytes));
}

class EvaluationService final : public v1::EvaluationService::CallbackService {
 public:
  explicit EvaluationService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context,
                                     const v1::EvaluateRequest* in,
                                     v1::EvaluateResponse* out) override {
    return OnModel(Rpc("Evaluate"), context, *in,
                   [this, in, out](const models::Loaded& model, Call& call) -> absl::Status {
                     ASSIGN_OR_RETURN(const EvaluateQuery query,
                                      DecodeEvaluate(*in, SpecOf(model), runtime_.limits));
                     out->set_version(model.name);
                     out->set_seed(query.seed);
                     return query.target != nullptr ? AgainstTarget(model, call, query, out)
                                                    : AgainstRows(model, call, query, out);
                   });
  }

  grpc::ServerUnaryReactor* SelfTest(grpc::CallbackServerContext* context,
                                     const v1::SelfTestRequest* in,
                                     v1::SelfTestResponse* out) override {
    return OnModel(
        Rpc("SelfTest"), context, *in,
        [this, in, out](const models::Loaded& model, Call& call) -> absl::Status {
          ASSIGN_OR_RETURN(const SelfTestQuery query, DecodeSelfTest(*in, runtime_.limits));
          // Beside the rows, the parameters once more in float64.
          const auto numbers = model.flow->state().parameters.size();
          RETURN_IF_ERROR(call.HoldMore(static_cast<size_t>(numbers) * sizeof(double)));
          RETURN_IF_ERROR(Take(call, model, query.draws));
          ASSIGN_OR_RETURN(
              const std::vector<evaluation::Law> laws,
              evaluation::TestFlow(*model.flow, query.draws, query.seed, WhileWanted(call)));
          EncodeLaws(laws, out);
          out->set_version(model.name);
          out->set_seed(query.seed);
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* SampleCorrected(grpc::CallbackServerContext* context,
                                            const v1::SampleCorrectedRequest* in,
                                            v1::SampleCorrectedResponse* out) override {
    return OnModel(Rpc("SampleCorrected"), context, *in,
                   [this, in, out](const models::Loaded& model, Call& call) -> absl::Status {
                     ASSIGN_OR_RETURN(const CorrectedQuery query,
                                      DecodeSampleCorrected(*in, SpecOf(model), runtime_.limits));
                     RETURN_IF_ERROR(CheckReplySize(model, query.plan.rows, SpecOf(model).dim + 2,
                                                    runtime_.limits));
                     RETURN_IF_ERROR(Take(call, model, evaluation::ProposalsOf(query.plan)));
                     ASSIGN_OR_RETURN(const evaluation::CorrectedSample sample,
                                      evaluation::SampleCorrected(*model.flow, *query.target,
                                                                  query.plan, WhileWanted(call)));
                     EncodeSample(query.plan, sample, out);
                     out->set_version(model.name);
                     out->set_seed(query.plan.seed);
                     return absl::OkStatus();
                   });
  }

 private:
  static const flows::FlowSpec& SpecOf(const models::Loaded& model) {
    return model.flow->state().spec;
  }

  // Finds the model and runs handle(model, call) on a thread of the evaluations.
  template <typename Request, typename Handle>
  grpc::ServerUnaryReactor* OnModel(const RpcInfo& rpc, grpc::CallbackServerContext* context,
                                    const Request& in, Handle handle) {
    return StartUnaryCall(runtime_, rpc, *context, in, [this, &in, handle](UnaryReactor* reactor) {
      FindModel(runtime_, reactor->call(), in.model(),
                [this, reactor, handle](const absl::StatusOr<models::ModelPtr>& model) {
                  if (!model.ok()) return reactor->End(model.status());
                  reactor->Post(
                      runtime_.evaluations, serving::Lane{reactor},
                      [this, reactor, handle, model = *model] {
                        SetNiceness(runtime_.evaluation_nice);
                        reactor->End(CatchAll([&] { return handle(*model, reactor->call()); }));
                      });
                });
    });
  }

  // Counts what the call computes.
  absl::Status Take(Call& call, const models::Loaded& model, int64_t rows) {
    RETURN_IF_ERROR(call.HoldRows(rows));
    call.AddRows(rows);
    return HoldWork(call, SpecOf(model), rows);
  }

  absl::Status AgainstTarget(const models::Loaded& model, Call& call, const EvaluateQuery& query,
                             v1::EvaluateResponse* out) {
    RETURN_IF_ERROR(Take(call, model, query.draws));
    ASSIGN_OR_RETURN(const evaluation::TargetFit fit,
                     evaluation::FitOfTarget(*model.flow, *query.target, query.draws, query.seed,
                                             WhileWanted(call)));
    EncodeFit(fit, out);
    return absl::OkStatus();
  }

  absl::Status AgainstRows(const models::Loaded& model, Call& call, const EvaluateQuery& query,
                           v1::EvaluateResponse* out) {
    ASSIGN_OR_RETURN(const Array rows, LoadEvaluatedRows(runtime_, model, query, call, out));
    const int64_t draws = query.draws > 0 ? query.draws : std::max(rows.rows(), kFewestDraws);
    RETURN_IF_ERROR(Take(call, model, SpecOf(model).context_dim > 0 ? draws * rows.rows() : draws));
    ASSIGN_OR_RETURN(
        const evaluation::RowsFit fit,
        evaluation::FitOfRows(*model.flow, rows, draws, query.seed, WhileWanted(call)));
    EncodeFit(fit, out);
    return absl::OkStatus();
  }

  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEvaluationService(const Runtime& runtime) {
  return std::make_unique<EvaluationService>(runtime);
}

}  // namespace sluiced::rpc
