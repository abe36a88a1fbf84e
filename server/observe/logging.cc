#include "server/observe/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"

namespace sluiced::observe {
namespace {

std::string Dump(const nlohmann::ordered_json& line) {
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The logger of lines whose payload is an object itself.
constexpr char kObjects[] = "objects";

class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    nlohmann::ordered_json line;
    line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromChrono(message.time),
                                    absl::UTCTimeZone());
    line["level"] = std::string(level.data(), level.size());
    const std::string payload(message.payload.data(), message.payload.size());
    const std::string name(message.logger_name.data(), message.logger_name.size());
    if (name != kObjects) line["message"] = payload;
    std::string text = Dump(line);
    // Two objects become one.
    if (name == kObjects) {
      text.back() = ',';
      text.append(payload, 1);
    }
    text += '\n';
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

void LogFromGrpc(gpr_log_func_args* message) {
  auto level = spdlog::level::debug;
  // Anybody can make handshakes fail, as often as he likes: not for every log.
  const bool of_strangers = absl::StartsWith(message->message, "Handshake failed");
  if (message->severity == GPR_LOG_SEVERITY_ERROR && !of_strangers) level = spdlog::level::warn;
  spdlog::log(level, "gRPC: {}", message->message);
}

std::string TextOf(const LogField& field) {
  return std::visit([](const auto& value) { return absl::StrCat(value); }, field.value);
}

// Beside the default one, to the same place.
void AddLoggerOfObjects(const spdlog::logger& logger) {
  auto objects = std::make_shared<spdlog::logger>(kObjects, logger.sinks().front());
  objects->set_level(logger.level());
  objects->flush_on(spdlog::level::trace);
  spdlog::register_logger(std::move(objects));
}

// Says of messages what strangers may send as often as they like, and their calls end with.
void LogFromProtobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  spdlog::debug("protobuf: {}", message);
}

}  // namespace

void LogDebug(const std::string& message, const std::vector<LogField>& fields) {
  const std::shared_ptr<spdlog::logger> objects = spdlog::get(kObjects);
  if (objects == nullptr) {
    std::string text = message;
    for (const LogField& field : fields) {
      if (field.place == LogField::kInMessage) continue;
      absl::StrAppend(&text, " ", field.name, "=", TextOf(field));
    }
    return spdlog::debug("{}", text);
  }
  nlohmann::ordered_json object{{"message", message}};
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { object[field.name] = value; }, field.value);
  }
  objects->debug("{}", Dump(object));
}

absl::Status SetUpLogging(const LogOptions& options) {
  const auto level = spdlog::level::from_str(options.level);
  if (level == spdlog::level::off && options.level != "off") {
    return FieldError("log-level", absl::StrCat("\"", options.level, "\" is no level"));
  }
  auto logger = std::make_shared<spdlog::logger>("sluiced",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (options.format == "json") {
    logger->set_formatter(std::make_unique<JsonFormatter>());
  } else if (options.format == "text") {
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  } else {
    return FieldError("log-format", absl::StrCat("\"", options.format, "\" is not text or json"));
  }
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);
  spdlog::drop(kObjects);
  if (options.format == "json") AddLoggerOfObjects(*logger);
  spdlog::set_default_logger(std::move(logger));
  gpr_set_log_function(LogFromGrpc);
  google::protobuf::SetLogHandler(LogFromProtobuf);
  return absl::OkStatus();
}

}  // namespace sluiced::observe
