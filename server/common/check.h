// SLUICED_CHECK: ends the process on a broken promise of our own code, in every
// build type. Never for what a caller sent.
#pragma once

#include <cstdio>
#include <cstdlib>

#define SLUICED_CHECK(condition)                                                         \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
