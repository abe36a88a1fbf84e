// Small things that the end-to-end tests train and upload.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "sluice/client.h"

namespace sluice::testing {

#define ASSERT_SLUICE_OK(expr)                                            \
  do {                                                                    \
    const ::sluice::Status ok_status = (expr);                            \
    ASSERT_TRUE(ok_status.ok()) << #expr << ": " << ok_status.ToString(); \
  } while (false)

// An integer from the environment, so that a long run needs no other build.
inline int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

// Rows that tell their number apart: value = salt + index.
inline Matrix CountingRows(int64_t rows, int64_t cols, double salt) {
  Matrix matrix{rows, cols, {}, DType::kFloat64};
  for (int64_t i = 0; i < rows * cols; ++i) matrix.values.push_back(salt + static_cast<double>(i));
  return matrix;
}

inline FlowSpec SmallFlow() {
  FlowSpec spec;
  spec.dim = 3;
  spec.layers = 4;
  spec.hidden = 8;
  return spec;
}

// A model `id`, of SmallFlow, and a dataset `id` of `rows` rows for it.
inline Status MakeModelAndDataset(Client& client, const std::string& id, int64_t rows) {
  auto dataset = client.GenerateDataset(id, "swiss-roll", rows, /*seed=*/1, std::nullopt, "");
  if (!dataset.ok()) return dataset.status();
  return client.CreateModel(id, SmallFlow(), {}).status();
}

inline Client::TrainRequest TrainRequestFor(const std::string& id, int64_t epochs) {
  Client::TrainRequest request;
  request.model = id;
  request.dataset = id;
  request.config.epochs = epochs;
  request.config.batch_size = 256;
  request.config.seed = 3;
  return request;
}

}  // namespace sluice::testing
