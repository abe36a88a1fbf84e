// Distribution functions of bases, against tables and draws.
#include "server/evaluation/base_places.h"

#include <gtest/gtest.h>

namespace sluiced::evaluation {
namespace {

// Quantiles of the usual tables.
TEST(StudentTail, AgreesWithTables) {
  EXPECT_NEAR(StudentTail(0, 5), 0.5, 1e-12);
  EXPECT_NEAR(StudentTail(2.015048, 5), 0.95, 1e-6);
  EXPECT_NEAR(StudentTail(-2.015048, 5), 0.05, 1e-6);
  EXPECT_NEAR(StudentTail(6.313752, 1), 0.95, 1e-6);
  EXPECT_NEAR(StudentTail(2.750, 30), 0.995, 1e-4);
  EXPECT_NEAR(StudentTail(1.959964, 1e7), 0.975, 1e-6);
  EXPECT_NEAR(StudentTail(1e10, 2), 1, 1e-12);
}

}  // namespace
}  // namespace sluiced::evaluation
