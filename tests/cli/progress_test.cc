#include "client/cli/term/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Clock = ProgressView::Clock;

const Clock::time_point kStart{std::chrono::hours(1)};

TrainUpdate Epoch(int64_t epoch, int64_t epochs) {
  TrainUpdate update;
  update.sequence = epoch;
  update.epoch = epoch;
  update.epochs = epochs;
  update.train_loss = 4.0 - 0.001 * static_cast<double>(epoch);
  update.validation_loss = 4.1;
  update.learning_rate = 1e-3;
  update.rows_per_second = 85'000;
  update.seconds_left = 250;
  return update;
}

Terminal Tty(int columns, bool color) { return {true, color, columns}; }

TEST(ProgressLine, SaysWhatIsKnown) {
  TrainUpdate update = Epoch(12, 600);
  EXPECT_EQ(ProgressLine(update),
            "epoch 12/600  loss 3.9880  validation 4.1000  lr 0.001  85 k rows/s  4 min 10 s left");
  update.validation_loss.reset();
  update.kl = 0.0312;
  update.ess_fraction = 0.93;
  EXPECT_THAT(ProgressLine(update), HasSubstr("loss 3.9880  KL 0.0312  ESS 93 %"));
}

TEST(ProgressBlock, FitsEveryWidth) {
  const std::vector<double> losses(300, 3.5);
  for (const int columns : {1, 10, 25, 40, 80, 200}) {
    for (const std::string job : {"a", "a-name-of-a-job-that-is-much-longer-than-a-bar"}) {
      for (const std::string& line :
           ProgressBlock(job, Epoch(300, 600), losses, Tty(columns, false))) {
        EXPECT_LE(DisplayWidth(line), static_cast<size_t>(std::max(columns, 11)) - 1) << line;
      }
    }
  }
}

TEST(ProgressBlock, HasColoursOnlyWhenAskedFor) {
  const auto text = [](bool color) {
    std::string all;
    for (const std::string& line : ProgressBlock("a", Epoch(3, 6), {1, 2, 3}, Tty(80, color))) {
      all += line;
    }
    return all;
  };
  EXPECT_THAT(text(true), HasSubstr("\x1b[34m"));
  EXPECT_THAT(text(false), Not(HasSubstr("\x1b")));
}

TEST(ProgressView, PipedIsPlainAndSparse) {
  std::ostringstream out;
  ProgressView view("job", Terminal{}, out);
  for (int epoch = 1; epoch <= 600; ++epoch) {
    view.Show(Epoch(epoch, 600), kStart + std::chrono::milliseconds(20 * epoch));
  }
  view.Finish();
  const std::string text = out.str();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GE(lines, 8);
  EXPECT_LE(lines, 14);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("epoch 1/600"));
  // The last epoch shows, however soon it follows.
  EXPECT_THAT(text, HasSubstr("epoch 600/600"));
}

TEST(ProgressView, EventsShowAtOnceAndCannotSteerTheTerminal) {
  std::ostringstream out;
  ProgressView view("job", Terminal{}, out);
  TrainUpdate event;
  event.message = "rolled back\x1b[2J\nto epoch 3";
  view.Show(event, kStart);
  EXPECT_EQ(out.str(), "job: rolled back [2J to epoch 3\n");
}

TEST(ProgressView, TheLastEpochIsSaidOnceWhateverEndsTheJob) {
  std::ostringstream out;
  ProgressView view("job", Terminal{}, out);
  view.Show(Epoch(1, 2), kStart);
  TrainUpdate last = Epoch(2, 2);
  view.Show(last, kStart + std::chrono::milliseconds(1));
  last.message = "published";
  view.Show(last, kStart + std::chrono::milliseconds(2));
  view.Finish();
  const std::string text = out.str();
  EXPECT_EQ(text.find("epoch 2/2"), text.rfind("epoch 2/2")) << text;
  EXPECT_TRUE(text.ends_with("job: published\n")) << text;
}

TEST(ProgressView, ATerminalIsRedrawnAtMostTenTimesASecond) {
  std::ostringstream out;
  ProgressView view("job", Tty(80, false), out);
  for (int epoch = 1; epoch <= 1000; ++epoch) {
    view.Show(Epoch(epoch, 1000), kStart + std::chrono::milliseconds(epoch));
  }
  view.Finish();
  const std::string text = out.str();
  size_t redraws = 0;
  for (size_t at = text.find("epoch "); at != std::string::npos; at = text.find("epoch ", at + 1)) {
    ++redraws;
  }
  EXPECT_GE(redraws, 9u);
  EXPECT_LE(redraws, 12u);
  // The cursor comes back.
  EXPECT_GT(text.rfind("\x1b[?25h"), text.rfind("\x1b[?25l"));
}

}  // namespace
}  // namespace sluice::cli
