#include "tests/bench/job_work.h"

#include <algorithm>
#include <fstream>
#include <memory>

#include "server/common/check.h"
#include "sluice/client.h"
#include "tests/support/server_process.h"
#include "tests/support/temp_dir.h"

namespace sluiced::bench {
namespace {

struct Served {
  Served() {
    SLUICED_CHECK(server.Start({.data_dir = directory.path()}));
    client = server.Connect();
    sluice::FlowSpec spec;
    spec.dim = 2;
    spec.layers = 8;
    spec.hidden = 32;
    std::ifstream file(SLUICE_TEST_DATA "/wow.npy", std::ios::binary);
    SLUICED_CHECK(client->UploadFile("wow", file, sluice::Client::FileFormat::kNpy, "", "").ok());
    SLUICED_CHECK(client->CreateModel("wow", spec, {}).ok());
  }

  sluice::testing::TempDir directory;
  sluice::testing::ServerProcess server;
  std::unique_ptr<sluice::Client> client;
};

}  // namespace

Work WatchedJob() {
  auto served = std::make_shared<Served>();
  return [served] {
    sluice::Client::TrainRequest request;
    request.model = "wow";
    request.dataset = "wow";
    request.config.epochs = kJobEpochs;
    request.config.batch_size = kJobBatch;
    request.config.validation_fraction = 0;
    const auto job = served->client->CreateTrainJob(request);
    SLUICED_CHECK(job.ok());
    int64_t epochs = 0;
    const auto count = [&](const sluice::TrainUpdate& update) {
      epochs = std::max(epochs, update.epoch);
      return true;
    };
    SLUICED_CHECK(served->client->WatchTrainJob(job->id, 0, count).ok() && epochs == kJobEpochs);
  };
}

Work CalledLogProb(int64_t rows) {
  auto served = std::make_shared<Served>();
  sluice::Matrix x;
  x.rows = rows;
  x.cols = 2;
  const Array points = Points(rows, {2, 8, 32, DType::kFloat32});
  for (int64_t i = 0; i < points.size(); ++i) x.values.push_back(points.At(i));
  return [served, x] {
    const auto scores = served->client->LogProb("wow", x);
    SLUICED_CHECK(scores.ok() && scores->log_prob.size() == static_cast<size_t>(x.rows));
  };
}

}  // namespace sluiced::bench
