#include "server/access/address.h"

#include "gtest/gtest.h"

namespace sluiced::access {
namespace {

TEST(Address, LocalOnesReachNobodyElse) {
  for (const char* address : {"127.0.0.1:50051", "127.1.2.3:0", "localhost:50051", "[::1]:50051",
                              "unix:/run/sluice.sock"}) {
    EXPECT_TRUE(IsLocal(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:50051", "[::]:50051", "192.168.1.2:50051", "10.0.0.1:1", "[fe80::1]:1",
        "example.org:50051", "localhost.example.org:1", "127.0.0.1.example.org:1", "127.1:1",
        "0127.0.0.1:1", "[::ffff:127.0.0.1]:1", "[::1:1", "", ":1", "*:1"}) {
    EXPECT_FALSE(IsLocal(address)) << address;
  }
}

TEST(Address, APeerIsTheSameOverItsConnections) {
  EXPECT_EQ(PeerAddress("ipv4:10.0.0.1:4711"), "10.0.0.1");
  EXPECT_EQ(PeerAddress("ipv4:10.0.0.1:4712"), "10.0.0.1");
  EXPECT_EQ(PeerAddress("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:4711"), "2001:db8:1:2::/64");
  EXPECT_EQ(PeerAddress("ipv6:[2001:db8:1:2:ffff::1]:1"), "2001:db8:1:2::/64");
  EXPECT_EQ(PeerAddress("ipv6:%5B::ffff:10.0.0.1%5D:4711"), "10.0.0.1");
  EXPECT_EQ(PeerAddress("unix:"), "unix:");
  EXPECT_EQ(PeerAddress(""), "");
}

}  // namespace
}  // namespace sluiced::access
