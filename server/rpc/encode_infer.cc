#include "server/rpc/encode_infer.h"

#include <cstdint>
#include <span>
#include <string>

namespace sluiced::rpc {
namespace {

using Response = inference::ModelInferResponse;
using Contents = inference::InferTensorContents;

// One output: its head, and its numbers where the query wants them.
class Output {
 public:
  Output(const InferQuery& query, InferOutput output, DType dtype, std::span<const int64_t> shape,
         Response* out)
      : raw_(query.raw ? out->add_raw_output_contents() : nullptr), tensor_(out->add_outputs()) {
    tensor_->set_name(std::string(NameOf(output)));
    tensor_->set_datatype(std::string(DatatypeOf(output, dtype)));
    tensor_->mutable_shape()->Add(shape.begin(), shape.end());
  }

  void Put(const Array& array) {
    if (raw_ != nullptr) {
      raw_->assign(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
    } else if (array.dtype() == DType::kFloat32) {
      const std::span<const float> numbers = array.as<float>();
      typed()->mutable_fp32_contents()->Add(numbers.begin(), numbers.end());
    } else {
      const std::span<const double> numbers = array.as<double>();
      typed()->mutable_fp64_contents()->Add(numbers.begin(), numbers.end());
    }
  }
  // One byte a row; none when all are finite.
  void Put(const serving::Mask& mask, int64_t rows) {
    const auto size = static_cast<size_t>(rows);
    if (raw_ != nullptr) {
      *raw_ = mask.empty() ? std::string(size, '\0') : mask;
    } else {
      typed()->mutable_bool_contents()->Resize(static_cast<int>(rows), false);
      for (size_t i = 0; i < mask.size(); ++i) {
        typed()->set_bool_contents(static_cast<int>(i), mask[i] != 0);
      }
    }
  }
  void Put(uint64_t number) {
    if (raw_ != nullptr) {
      raw_->assign(reinterpret_cast<const char*>(&number), sizeof(number));
    } else {
      typed()->add_uint64_contents(number);
    }
  }

 private:
  Contents* typed() { return tensor_->mutable_contents(); }

  std::string* const raw_;  // Or null: typed.
  Response::InferOutputTensor* const tensor_;
};

struct Results {
  const Array* x;  // Of a sample.
  const Array& log_prob;
  const serving::Mask& not_finite;
  uint64_t seed;
};

void Encode(const InferQuery& query, const Results& results, Response* out) {
  const DType dtype = results.log_prob.dtype();
  const int64_t rows = results.log_prob.rows();
  const int64_t one = 1;
  for (const InferOutput output : query.outputs) {
    switch (output) {
      case InferOutput::kX:
        Output(query, output, dtype, results.x->shape(), out).Put(*results.x);
        break;
      case InferOutput::kLogProb:
        Output(query, output, dtype, {&rows, 1}, out).Put(results.log_prob);
        break;
      case InferOutput::kNotFinite:
        Output(query, output, dtype, {&rows, 1}, out).Put(results.not_finite, rows);
        break;
      case InferOutput::kSeed:
        Output(query, output, dtype, {&one, 1}, out).Put(results.seed);
        break;
    }
  }
}

}  // namespace

void EncodeAnswered(const models::Loaded& model, const inference::ModelInferRequest& in,
                    Response* out) {
  out->set_model_name(in.model_name());
  out->set_model_version(model.name.substr(model.name.rfind('/') + 1));
  out->set_id(in.id());
}

void EncodeInferScores(const InferQuery& query, const serving::Scores& scores, Response* out) {
  Encode(query, {nullptr, scores.log_prob, scores.not_finite, 0}, out);
}

void EncodeInferDraws(const InferQuery& query, const serving::Draws& draws, Response* out) {
  Encode(query, {&draws.x, draws.log_prob, draws.not_finite, query.sample->seed}, out);
}

}  // namespace sluiced::rpc
