#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/table_output.h"
#include "client/cli/files/files.h"
#include "client/cli/files/npy.h"
#include "client/cli/files/table_file.h"
#include "client/cli/plot/text_points.h"
#include "client/cli/term/format.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/listing.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

std::string Numbers(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : ", ") + FormatNumber(value, 4);
  return text;
}

void Show(const Context& context, const Dataset& dataset) {
  if (context.json()) return PrintJson(ToJson(dataset));
  std::string names;
  for (const std::string& name : dataset.column_names) names += (names.empty() ? "" : ", ") + name;
  std::string notes;
  for (const std::string& note : dataset.notes) notes += (notes.empty() ? "" : "; ") + note;
  PrintFields({{"name", dataset.id},
               {"rows", FormatCount(dataset.rows)},
               {"columns", FormatCount(dataset.columns)},
               {"column names", names},
               {"dtype", dataset.dtype == DType::kFloat64 ? "float64" : "float32"},
               {"source", dataset.source},
               {"description", dataset.description},
               {"created", FormatTime(dataset.create_time)},
               {"mean", Numbers(dataset.mean)},
               {"stddev", Numbers(dataset.stddev)},
               {"min", Numbers(dataset.min)},
               {"max", Numbers(dataset.max)},
               {"notes", notes},
               {"hash", dataset.hash}});
}

void SayMade(const Dataset& dataset) {
  Say("dataset " + dataset.id + ": " + FormatCount(dataset.rows) + " rows of " +
      FormatCount(dataset.columns) + (dataset.columns == 1 ? " column" : " columns"));
  for (const std::string& note : dataset.notes) Say("note: " + note);
}

void List(Context& context) {
  const std::vector<Dataset> datasets = OrFail(context.client().ListDatasets());
  if (context.json()) return PrintJson(ToJson(datasets));
  std::vector<Cells> rows;
  for (const Dataset& dataset : datasets) {
    rows.push_back({dataset.id, FormatCount(dataset.rows), FormatCount(dataset.columns),
                    FormatTime(dataset.create_time), dataset.source});
  }
  PrintTable({"NAME", "ROWS", "COLUMNS", "CREATED (UTC)", "SOURCE"}, rows);
}

void ListToys(Context& context) {
  const std::vector<Toy> toys = OrFail(context.client().ListToys());
  if (context.json()) return PrintJson(ToJson(toys));
  std::vector<Cells> rows;
  for (const Toy& toy : toys) {
    rows.push_back({toy.name, std::to_string(toy.columns), toy.description});
  }
  PrintTable({"TOY", "COLUMNS", "DESCRIPTION"}, rows);
}

struct GenerateOptions {
  std::string name, toy, text, target, description;
  int64_t rows = 5000;
  uint64_t seed = 0;
  std::optional<double> noise;
};

void Generate(Context& context, const GenerateOptions& options) {
  const std::string id = PlainId(options.name, "datasets");
  if (!options.text.empty()) {
    const Matrix points = OrFail(plot::TextPoints(options.text, options.rows, options.seed));
    const std::string source = "text " + options.text + " seed " + std::to_string(options.seed);
    return SayMade(OrFail(context.client().UploadRows(id, points, source, options.description)));
  }
  if (!options.target.empty()) {
    return SayMade(OrFail(context.client().DrawTarget(
        id, PlainId(options.target, "targets"), options.rows, options.seed, options.description)));
  }
  SayMade(OrFail(context.client().GenerateDataset(id, options.toy, options.rows, options.seed,
                                                  options.noise, options.description)));
}

void AddGenerate(CLI::App& group, Context& context) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      group.add_subcommand("generate", "Draw a text, make a toy, or sample a target");
  command->add_option("NAME", options->name, "The new dataset")->required();
  CLI::Option* toy = command->add_option("--toy", options->toy, "A name of `sluice dataset toys`");
  CLI::Option* text =
      command->add_option("--text", options->text, "Points spread over its letters");
  CLI::Option* noise = command->add_option("--noise", options->noise, "Standard deviation (toys)");
  CLI::Option* target = command->add_option(
      "--target", options->target, "Rows of a target, all its modes, by sequential Monte Carlo");
  toy->excludes(text)->excludes(target);
  target->excludes(text)->excludes(noise);
  noise->excludes(text);
  command->add_option("--rows", options->rows, "How many")
      ->check(AtLeastOne())
      ->capture_default_str();
  command->add_option("--seed", options->seed)->capture_default_str();
  command->add_option("--description", options->description);
  command->callback([&context, options] {
    if (options->toy.empty() && options->text.empty() && options->target.empty()) {
      FailUsage("give --toy, --text or --target");
    }
    Generate(context, *options);
  });
}

struct UploadOptions {
  std::string name, file, format, description;
};

// What is wrong with the rows, under the name that their file has here.
Status NamingTheFile(const std::string& file, Status status) {
  const std::string inner = status.field + ": ";
  if (status.field != "chunk" || status.message.rfind(inner, 0) != 0) return status;
  return FileError(status.code, file, status.message.substr(inner.size()));
}

void Upload(Context& context, const UploadOptions& options) {
  const std::string id = PlainId(options.name, "datasets");
  std::string format = options.format;
  std::ifstream file;
  std::istringstream piped;
  std::istream* in = &file;
  if (options.file == "-") {
    std::string bytes = OrFail(ReadFile("-"));
    if (format.empty()) format = LooksLikeNpy(bytes) ? "npy" : "csv";
    piped.str(std::move(bytes));
    in = &piped;
  } else {
    file.open(options.file, std::ios::binary);
    if (!file) Fail(FileError(Code::kNotFound, options.file, std::strerror(errno)));
  }
  const TableFormat table = OrFail(FormatOf(options.file, format));
  const auto sent =
      table == TableFormat::kNpy ? Client::FileFormat::kNpy : Client::FileFormat::kCsv;
  const std::string source =
      "upload " + (options.file == "-" ? std::string("stdin")
                                       : options.file.substr(options.file.rfind('/') + 1));
  const Result<Dataset> dataset =
      context.client().UploadFile(id, *in, sent, source, options.description);
  if (!dataset.ok()) Fail(NamingTheFile(options.file, dataset.status()));
  SayMade(*dataset);
}

void AddUpload(CLI::App& group, Context& context) {
  auto options = std::make_shared<UploadOptions>();
  CLI::App* command = group.add_subcommand("upload", "Store a .npy or .csv file as a dataset");
  command->add_option("NAME", options->name, "The new dataset")->required();
  command->add_option("FILE", options->file, "*.npy, *.csv, or - for stdin")->required();
  command->add_option("--format-in", options->format, "npy or csv, whatever the file's name");
  command->add_option("--description", options->description);
  command->callback([&context, options] { Upload(context, *options); });
}

void Download(Context& context, const std::string& id, const TableOutput& out) {
  CheckTableOutput(out);
  const Matrix rows = OrFail(context.client().DownloadDataset(id));
  std::vector<std::string> names = OrFail(context.client().GetDataset(id)).column_names;
  if (names.empty()) names = ColumnNames("x", rows.cols);
  OrFail(WriteTable(out.file, out.format, rows, names));
}

void AddDownload(CLI::App& group, Context& context) {
  auto name = std::make_shared<std::string>();
  auto out = std::make_shared<TableOutput>();
  CLI::App* command = group.add_subcommand("download", "Write a dataset's rows to a file");
  command->add_option("NAME", *name)->required();
  AddTableOutput(*command, out.get());
  command->callback([&context, name, out] { Download(context, PlainId(*name, "datasets"), *out); });
}

}  // namespace

void AddDatasetCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("dataset", "Make, upload and look at datasets");
  group->require_subcommand(1);
  AddGenerate(*group, context);
  AddUpload(*group, context);
  AddDownload(*group, context);
  group->add_subcommand("list", "All datasets")->callback([&context] { List(context); });
  group->add_subcommand("toys", "What `generate --toy` can make")->callback([&context] {
    ListToys(context);
  });
  auto name = std::make_shared<std::string>();
  CLI::App* get = group->add_subcommand("get", "One dataset");
  get->add_option("NAME", *name)->required();
  get->callback([&context, name] {
    Show(context, OrFail(context.client().GetDataset(PlainId(*name, "datasets"))));
  });
  CLI::App* remove = group->add_subcommand("delete", "Remove a dataset");
  remove->add_option("NAME", *name)->required();
  remove->callback([&context, name] {
    OrFail(context.client().DeleteDataset(PlainId(*name, "datasets")));
    Say("dataset " + PlainId(*name, "datasets") + " deleted");
  });
}

}  // namespace sluice::cli
