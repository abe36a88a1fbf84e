// How the kernel ranks a thread among the others.
#pragma once

namespace sluiced {

// The calling thread, and those it starts from now on, give way to threads of a lower
// niceness: 0 (as others) to 19 (what others leave). Linux ranks threads, not processes. No
// effect where the kernel refuses, as it does to go back to a lower one.
void SetNiceness(int nice);
int Niceness();  // Of the calling thread.

}  // namespace sluiced
