#include "server/flows/torch_setup.h"

#include <dlfcn.h>
#include <torch/torch.h>

#include <mutex>

namespace sluiced::flows {

void SetUpTorch() {
  static std::once_flag once;
  std::call_once(once, [] {
    at::set_num_threads(1);
    at::set_num_interop_threads(1);
    at::globalContext().setFlushDenormal(false);
    // Debian's LibTorch leaves its BLAS's own threads alone.
    using SetThreads = void (*)(int);
    if (void* set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
      reinterpret_cast<SetThreads>(set)(1);
    }
  });
}

std::string BlasName() {
  using GetConfig = const char* (*)();
  if (void* config = dlsym(RTLD_DEFAULT, "openblas_get_config")) {
    return reinterpret_cast<GetConfig>(config)();
  }
  Dl_info info;
  for (const char* symbol : {"cblas_sgemm", "sgemm_"}) {
    void* address = dlsym(RTLD_DEFAULT, symbol);
    if (address != nullptr && dladdr(address, &info) != 0 && info.dli_fname != nullptr) {
      return info.dli_fname;
    }
  }
  return "unknown";
}

}  // namespace sluiced::flows
