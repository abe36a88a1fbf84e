// Samples, scores and transforms through a running server.
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

class Inference : public ::testing::Test {
 protected:
  Inference() { MakeModel(server_, "wow", 3); }

  static v1::SampleRequest SampleRequest(int64_t rows, std::optional<uint64_t> seed,
                                         int64_t first_row = 0) {
    v1::SampleRequest request;
    request.set_model("models/wow");
    request.set_rows(rows);
    request.set_first_row(first_row);
    request.set_with_log_prob(true);
    if (seed) request.set_seed(*seed);
    return request;
  }
  v1::SampleResponse Sample(const v1::SampleRequest& request) {
    grpc::ClientContext context;
    v1::SampleResponse reply;
    const grpc::Status status = server_.inference->Sample(&context, request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return reply;
  }
  struct Streamed {
    std::string x, log_prob;
    int messages = 0;
    size_t largest = 0;
  };
  Streamed StreamSample(const v1::SampleRequest& request) {
    grpc::ClientContext context;
    const auto reader = server_.inference->StreamSample(&context, request);
    Streamed all;
    v1::SampleResponse reply;
    while (reader->Read(&reply)) {
      all.x += reply.x().data();
      all.log_prob += reply.log_prob().data();
      all.largest = std::max(all.largest, reply.ByteSizeLong());
      ++all.messages;
      EXPECT_EQ(reply.version(), "models/wow/versions/0");
      EXPECT_EQ(reply.seed(), request.seed());
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return all;
  }

  TestServer server_;
};

TEST_F(Inference, SamplesAreTheSameHoweverTheyAreCut) {
  constexpr int64_t kRows = 300'000;  // 3.6 MB: several messages.
  const v1::SampleResponse whole = Sample(SampleRequest(kRows, 7));
  ASSERT_EQ(whole.x().shape(0), kRows);
  const Streamed streamed = StreamSample(SampleRequest(kRows, 7));
  EXPECT_GT(streamed.messages, 3);
  EXPECT_LT(streamed.largest, size_t{3} << 19);
  EXPECT_TRUE(streamed.x == whole.x().data());
  EXPECT_TRUE(streamed.log_prob == whole.log_prob().data());
  for (const int64_t first : {int64_t{0}, int64_t{1}, int64_t{1000}, kRows - 17}) {
    const v1::SampleResponse part = Sample(SampleRequest(17, 7, first));
    EXPECT_TRUE(part.x().data() == whole.x().data().substr(12 * first, 12 * 17)) << first;
  }
}

TEST_F(Inference, SeedsTellSamplesApartAndAreDrawnWhenNoneIsGiven) {
  const v1::SampleResponse one = Sample(SampleRequest(100, 1));
  EXPECT_EQ(one.seed(), 1u);
  EXPECT_EQ(Sample(SampleRequest(100, 1)).x().data(), one.x().data());
  EXPECT_NE(Sample(SampleRequest(100, 2)).x().data(), one.x().data());
  const v1::SampleResponse drawn = Sample(SampleRequest(100, std::nullopt));
  EXPECT_NE(drawn.seed(), Sample(SampleRequest(100, std::nullopt)).seed());
  EXPECT_EQ(Sample(SampleRequest(100, drawn.seed())).x().data(), drawn.x().data());
}

TEST_F(Inference, NoRowsAreAnAnswerToo) {
  EXPECT_EQ(Sample(SampleRequest(0, 1)).x().shape(0), 0);
  EXPECT_EQ(StreamSample(SampleRequest(0, 1)).messages, 1);
}

TEST_F(Inference, AStreamAnswersEachRequestInOrder) {
  grpc::ClientContext context;
  const auto stream = server_.inference->StreamLogProb(&context);
  for (const int64_t rows : {3, 1, 1000, 0, 7}) {
    v1::LogProbRequest request;
    if (rows == 3) request.set_model("models/wow");  // The first names it for all.
    *request.mutable_x() = SmallNumbers(rows, 3);
    ASSERT_TRUE(stream->Write(request));
    v1::LogProbResponse reply;
    ASSERT_TRUE(stream->Read(&reply)) << stream->Finish().error_message();
    EXPECT_EQ(reply.log_prob().shape(0), rows);
    EXPECT_EQ(reply.version(), "models/wow/versions/0");
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Inference, AStreamEndsWithTheErrorOfABadRequest) {
  grpc::ClientContext context;
  const auto stream = server_.inference->StreamLogProb(&context);
  v1::LogProbRequest request;
  request.set_model("models/wow");
  *request.mutable_x() = SmallNumbers(2, 2);
  stream->Write(request);
  v1::LogProbResponse reply;
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(SeenBy(stream->Finish()).field, "x.shape");
}

TEST_F(Inference, TransformThereAndBack) {
  v1::TransformRequest request;
  request.set_model("models/wow");
  request.set_direction(v1::DIRECTION_TO_BASE);
  request.set_with_layers(true);
  *request.mutable_points() = SmallNumbers(50, 3);
  grpc::ClientContext there_context;
  v1::TransformResponse there;
  ASSERT_TRUE(server_.inference->Transform(&there_context, request, &there).ok());
  EXPECT_EQ(there.layers_size(), 4);
  EXPECT_EQ(there.layers(3).data(), there.points().data());
  request.set_direction(v1::DIRECTION_FROM_BASE);
  *request.mutable_points() = there.points();
  grpc::ClientContext back_context;
  v1::TransformResponse back;
  ASSERT_TRUE(server_.inference->Transform(&back_context, request, &back).ok());
  const std::string start = SmallNumbers(50, 3).data();
  for (size_t i = 0; i < start.size(); i += sizeof(float)) {
    float was, is;
    memcpy(&was, start.data() + i, sizeof(was));
    memcpy(&is, back.points().data().data() + i, sizeof(is));
    EXPECT_NEAR(was, is, 1e-5);
  }
}

}  // namespace
}  // namespace sluiced::testing
