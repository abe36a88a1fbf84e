// Malformed calls by the thousand, many at once, beside a caller who behaves: whose every
// call is answered, and with the same bits.
//   SLUICE_HOSTILE_CALLS (20000)   SLUICE_HOSTILE_SEED (1)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/v1/dataset.pb.h"
#include "tests/e2e/hostile_caller.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

constexpr int kCallers = 12;
#ifdef __SANITIZE_ADDRESS__
constexpr int64_t kSlack = int64_t{1} << 30;  // AddressSanitizer keeps freed memory back.
#else
constexpr int64_t kSlack = int64_t{160} << 20;
#endif
// Small, so that messages beyond the limit are cheap to send, and what strangers may
// have loaded and stored does not hide a leak.
const std::vector<std::string> kFlags = {"--max-message-bytes=1mb", "--model-memory=32mb",
                                         "--max-reply-bytes=16mb",  "--max-upload-bytes=4mb",
                                         "--max-import-bytes=4mb",  "--max-queued-jobs=8",
                                         "--log-level=warn"};

std::string Hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 200)) {
    char two[3];
    std::snprintf(two, sizeof(two), "%02x", static_cast<unsigned char>(c));
    text += two;
  }
  return text;
}

// What came of the calls, by code, and the first few that should not have come.
class Tally {
 public:
  void Add(const HostileCall& call, const grpc::Status& status) {
    const std::lock_guard<std::mutex> lock(mu_);
    ++by_code_[status.error_code()];
    if (Intended(call, status.error_code()) || defects_.size() >= 20) return;
    std::string text = call.method + ": " + std::to_string(status.error_code()) + " '" +
                       status.error_message() + "'";
    for (const std::string& message : call.messages) text += "\n    " + Hex(message);
    defects_.push_back(text);
  }
  const std::vector<std::string>& defects() const { return defects_; }
  std::string Counts() const {
    std::string text;
    for (const auto& [code, count] : by_code_) {
      text += " code " + std::to_string(code) + ": " + std::to_string(count) + ",";
    }
    return text;
  }

 private:
  std::mutex mu_;
  std::map<int, int64_t> by_code_;
  std::vector<std::string> defects_;
};

class HostileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start({.data_dir = dir_.path(), .flags = kFlags})) << server_.Log();
    client_ = server_.Connect();
    ASSERT_SLUICE_OK(client_->CreateModel("good", SmallFlow(), {}).status());
    ASSERT_NO_FATAL_FAILURE(Ask(&expected_));
  }

  struct Answers {
    std::vector<double> log_prob, draws, points;
    bool operator==(const Answers&) const = default;
  };

  void Ask(Answers* answers) {
    const Matrix rows = CountingRows(16, 3, 0.25);
    const auto scores = client_->LogProb("good", rows);
    ASSERT_SLUICE_OK(scores.status());
    const auto samples = client_->Sample("good", 64, {.seed = 7});
    ASSERT_SLUICE_OK(samples.status());
    const auto images = client_->Transform("good", Direction::kToBase, rows, false);
    ASSERT_SLUICE_OK(images.status());
    *answers = {scores->log_prob, samples->x.values, images->points.values};
  }

  // Returns the number of rounds of calls.
  void Behave(const std::atomic<bool>* until, int64_t* rounds) {
    for (; !until->load(); ++*rounds) {
      Answers answers;
      ASSERT_NO_FATAL_FAILURE(Ask(&answers));
      ASSERT_EQ(answers, expected_) << "in round " << *rounds;
    }
  }

  void Attack(uint64_t seed, int64_t calls) {
    HostileMessages messages(seed);
    HostileCaller caller(server_.address());
    for (int64_t i = 0; i < calls; ++i) {
      if (i % 100 == 0) SendGarbage(server_.port(), &messages.dice());
      HostileCall call = messages.Next();
      if (i % 1000 == 0) call.messages.push_back(std::string(2 << 20, 'x'));
      tally_.Add(call, caller.Send(call, &messages.dice()));
    }
  }

  void AttackFromAllSides(uint64_t seed, int64_t calls) {
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([this, seed, i, calls] {
        Attack(seed * 1000 + static_cast<uint64_t>(i), calls / kCallers);
      });
    }
    for (std::thread& caller : callers) caller.join();
  }

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
  Answers expected_;
  Tally tally_;
};

TEST_F(HostileTest, MalformedCallsHarmNobody) {
  const auto seed = static_cast<uint64_t>(FromEnvironment("SLUICE_HOSTILE_SEED", 1));
  const int64_t calls = FromEnvironment("SLUICE_HOSTILE_CALLS", 20000);
  AttackFromAllSides(seed + 1, calls / 4);
  const int64_t before = server_.ResidentBytes();

  std::atomic<bool> over = false;
  int64_t rounds = 0;
  std::thread behaved([&] { Behave(&over, &rounds); });
  const auto start = std::chrono::steady_clock::now();
  AttackFromAllSides(seed, calls);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  over = true;
  behaved.join();

  const int64_t grown = server_.ResidentBytes() - before;
  std::printf("%.0f calls a second, %lld rounds of good ones, %lld KiB more;%s\n",
              static_cast<double>(calls) / took.count(), static_cast<long long>(rounds),
              static_cast<long long>(grown / 1024), tally_.Counts().c_str());
  for (const std::string& defect : tally_.defects()) ADD_FAILURE() << defect;
  ASSERT_FALSE(server_.EndsWithin(std::chrono::seconds(0)))
      << "ended by signal " << server_.Wait().signal.value_or(0) << "; " << server_.Log();
  EXPECT_GT(rounds, 0);
  EXPECT_LT(grown, kSlack);
  Answers after;
  ASSERT_NO_FATAL_FAILURE(Ask(&after));
  EXPECT_EQ(after, expected_);
  EXPECT_EQ(server_.Terminate().code, 0) << server_.Log();
  // Strangers cannot fill the log of a server that logs warnings and above.
  EXPECT_LT(server_.Log().size(), 64 << 10) << server_.Log().substr(0, 4000);
}

// gRPC takes a message that it cannot parse for the end of the stream; half a file would
// have been stored as the whole.
TEST_F(HostileTest, APartThatIsNoMessageIsNotTheEndOfAnUpload) {
  v1::UploadDatasetRequest header, chunk;
  header.mutable_header()->set_dataset_id("half");
  header.mutable_header()->set_format(v1::FILE_FORMAT_CSV);
  chunk.set_chunk("1,2\n3,4\n");
  const std::string part = chunk.SerializeAsString();
  for (const std::vector<std::string>& rest :
       {std::vector<std::string>{"\xff"}, {"\xff", part}, {part.substr(0, 5), part}}) {
    HostileCall call{
        "/sluice.v1.DatasetService/UploadDataset", true, {header.SerializeAsString(), part}};
    call.messages.insert(call.messages.end(), rest.begin(), rest.end());
    const grpc::Status status = HostileCaller(server_.address()).SendWhole(call);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(client_->GetDataset("half").status().code, Code::kNotFound);
  }
}

}  // namespace
}  // namespace sluice::testing
