#include "server/common/thread_priority.h"

#include <sys/resource.h>

namespace sluiced {

// 0: the calling thread.
void SetNiceness(int nice) { setpriority(PRIO_PROCESS, 0, nice); }
int Niceness() { return getpriority(PRIO_PROCESS, 0); }

}  // namespace sluiced
