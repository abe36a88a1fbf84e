// What the terminal behind stderr, or stdout, can do.
#pragma once

namespace sluice::cli {

struct Terminal {
  bool interactive = false;  // A terminal that moves its cursor: animation is welcome.
  bool color = false;        // And NO_COLOR is not set.
  int columns = 80;
};

Terminal DetectStderr();
Terminal DetectStdout();

}  // namespace sluice::cli
