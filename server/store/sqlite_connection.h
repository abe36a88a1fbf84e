// Connection: one SQLite connection with its prepared statements.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluiced::store {

// Bytes bound without a copy: they must outlive the statement's run.
struct Blob {
  absl::string_view bytes;
};

// The rows of a running statement, which is free for its next run once this is
// gone. Throws SQLite::Exception.
class Rows {
 public:
  explicit Rows(SQLite::Statement* statement) : statement_(statement) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  bool Next() { return statement_->executeStep(); }
  bool IsNull(int column) const { return statement_->isColumnNull(column); }
  int64_t Int(int column) const { return statement_->getColumn(column).getInt64(); }
  double Real(int column) const;  // NULL is NaN: SQLite stores NaN as NULL.
  std::string Text(int column) const { return statement_->getColumn(column).getString(); }
  absl::Time Time(int column) const { return absl::FromUnixNanos(Int(column)); }

 private:
  SQLite::Statement* statement_;
};

enum class Access {
  kRead,
  kWrite,          // A commit is on disk when it returns (synchronous=FULL).
  kWriteDeferred,  // A commit is on disk at the next one of kWrite (synchronous=NORMAL).
};

// Used by one thread at a time. Throws SQLite::Exception, except where it says
// otherwise; InTransaction is the edge where exceptions become Status.
class Connection {
 public:
  Connection(const std::string& path, Access access);

  // `sql` is a literal: its statement is prepared once and kept.
  template <typename... Args>
  Rows Query(std::string_view sql, const Args&... args) {
    return Rows(&Bound(sql, args...));
  }
  // Returns the number of rows changed.
  template <typename... Args>
  int64_t Execute(std::string_view sql, const Args&... args) {
    SQLite::Statement& statement = Bound(sql, args...);
    const Rows reset_at_end(&statement);
    return statement.exec();
  }
  // A first row exists.
  template <typename... Args>
  bool Exists(std::string_view sql, const Args&... args) {
    return Query(sql, args...).Next();
  }
  int64_t LastInsertedKey() const { return database_.getLastInsertRowid(); }

  // For statements without arguments or rows, outside of a transaction.
  void ExecuteOnce(const char* sql) { database_.exec(sql); }
  absl::Status TryExecuteOnce(const char* sql) noexcept;

  // Runs `body(connection)`, which returns a Status or StatusOr, in one
  // transaction: committed when it is OK, else rolled back. Throws nothing.
  template <typename Body>
  auto InTransaction(Body&& body) -> decltype(body(*this)) {
    errno = 0;  // StatusOf looks for what failed since.
    try {
      Execute(access_ == Access::kRead ? "BEGIN" : "BEGIN IMMEDIATE");
      auto result = body(*this);
      if (result.ok()) {
        Execute("COMMIT");
      } else {
        Rollback();
      }
      return result;
    } catch (const SQLite::Exception& exception) {
      absl::Status status = StatusOf(exception);
      Rollback();
      return status;
    }
  }

 private:
  template <typename... Args>
  SQLite::Statement& Bound(std::string_view sql, const Args&... args) {
    SQLite::Statement& statement = Prepared(sql);
    int index = 0;
    (Bind(statement, ++index, args), ...);
    return statement;
  }
  SQLite::Statement& Prepared(std::string_view sql);
  static void Bind(SQLite::Statement& statement, int index, int64_t value);
  static void Bind(SQLite::Statement& statement, int index, int value);
  static void Bind(SQLite::Statement& statement, int index, double value);
  static void Bind(SQLite::Statement& statement, int index, absl::string_view value);
  static void Bind(SQLite::Statement& statement, int index, const std::string& value);
  static void Bind(SQLite::Statement& statement, int index, absl::Time value);
  static void Bind(SQLite::Statement& statement, int index, Blob value);
  template <typename T>
  static void Bind(SQLite::Statement& statement, int index, const std::optional<T>& value) {
    value ? Bind(statement, index, *value) : statement.bind(index);
  }
  absl::Status StatusOf(const SQLite::Exception& exception) const;
  void Rollback() noexcept;

  const Access access_;
  SQLite::Database database_;
  std::unordered_map<std::string_view, SQLite::Statement> statements_;
};

// What SQLite's result code means to a caller of the store. `system_error`: the
// errno behind it, or 0.
absl::Status StatusOfSqlite(int extended_code, int system_error, absl::string_view message);

}  // namespace sluiced::store
