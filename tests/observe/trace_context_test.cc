#include "server/observe/trace_context.h"

#include <string>

#include "gtest/gtest.h"

namespace sluiced::observe {
namespace {

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParent[] = "00f067aa0ba902b7";

std::string Header(const std::string& version, const std::string& trace, const std::string& parent,
                   const std::string& flags) {
  return version + "-" + trace + "-" + parent + "-" + flags;
}

TEST(TraceContext, IsReadOfATraceparent) {
  const auto trace = ParseTraceparent(Header("00", kTrace, kParent, "01"));
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, kTrace);
  EXPECT_EQ(trace->parent_id, kParent);
  EXPECT_TRUE(trace->sampled);
  EXPECT_FALSE(ParseTraceparent(Header("00", kTrace, kParent, "02"))->sampled);
}

TEST(TraceContext, LaterVersionsMayGoOn) {
  EXPECT_TRUE(ParseTraceparent(Header("cc", kTrace, kParent, "01")));
  EXPECT_TRUE(ParseTraceparent(Header("cc", kTrace, kParent, "01-what-comes")));
  EXPECT_FALSE(ParseTraceparent(Header("cc", kTrace, kParent, "01.what-comes")));
}

TEST(TraceContext, WhatTheRecommendationForbidsIsIgnored) {
  const std::string bad[] = {
      "",
      "00",
      Header("ff", kTrace, kParent, "01"),
      Header("0g", kTrace, kParent, "01"),
      Header("00", std::string(32, '0'), kParent, "01"),
      Header("00", kTrace, std::string(16, '0'), "01"),
      Header("00", "4BF92F3577B34DA6A3CE929D0E0E4736", kParent, "01"),
      Header("00", kTrace, "00F067AA0BA902B7", "01"),
      Header("00", kTrace, kParent, "0x"),
      Header("00", kTrace, kParent, "1"),
      Header("00", kTrace, kParent, "01-more"),
      Header("00", std::string(31, 'a'), kParent, "01"),
      Header("00", std::string(33, 'a'), kParent, "01"),
      Header("00", kTrace, kParent, "01") + " ",
      Header(" 00", kTrace, kParent, "01"),
      "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
      std::string(55, '-'),
      std::string(55, '\0'),
  };
  for (const std::string& header : bad) EXPECT_FALSE(ParseTraceparent(header)) << header;
}

}  // namespace
}  // namespace sluiced::observe
