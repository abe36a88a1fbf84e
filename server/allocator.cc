// How jemalloc, which sluiced is linked with, works for a server: pages that were freed go
// back to the system within a second or two, on a thread of its own, and threads share few
// arenas, since what one frees another may then use.
// jemalloc reads this variable before main (jemalloc(3), "TUNING").
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4";
}
