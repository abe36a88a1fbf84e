// Context: what every command of one run shares.
#pragma once

#include <memory>
#include <string>

#include "sluice/client.h"

namespace sluice::cli {

inline constexpr const char* kDefaultServer = "127.0.0.1:50051";

// Outlives the commands that refer to it. One thread.
class Context {
 public:
  std::string server = kDefaultServer;
  std::string format = "table";
  double timeout_seconds = 60;
  bool tls = false;  // With the system's authorities, unless tls_files names some.
  TlsOptions tls_files;
  std::string token_file;
  bool insecure = false;

  bool json() const { return format == "json"; }
  bool wants_tls() const;
  // How to connect to `server`.
  ClientOptions Options() const;
  // Connects at the first call: commands that need no server never try.
  Client& client();

 private:
  // Of token_file, else of SLUICE_TOKEN: never of the command line, which every user of
  // the machine can read.
  std::string Token() const;
  // Of SLUICE_TRACEPARENT, else of TRACEPARENT, which others set for their own ends: what
  // is there and is none is passed over.
  static std::string Traceparent();

  std::unique_ptr<Client> client_;
};

// "wow" of "datasets/wow": every name is accepted with and without its collection.
std::string PlainId(const std::string& name, const std::string& collection);

// A line on stderr: "sluice: MESSAGE".
void Say(const std::string& message);

}  // namespace sluice::cli
