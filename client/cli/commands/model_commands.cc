#include <functional>
#include <map>
#include <memory>
#include <sstream>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/spec_options.h"
#include "client/cli/files/files.h"
#include "client/cli/term/format.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/listing.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

using Labels = std::map<std::string, std::string>;

Labels ParseLabels(const std::vector<std::string>& pairs) {
  Labels labels;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) FailUsage("--label takes KEY=VALUE");
    labels[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return labels;
}

std::string SpecText(const FlowSpec& spec) {
  std::ostringstream text;
  text << spec.architecture << ", dim " << spec.dim << ", layers " << spec.layers << ", hidden "
       << spec.hidden << ", depth " << spec.depth << ", "
       << (spec.dtype == DType::kFloat64 ? "float64" : "float32");
  const bool is_spline = spec.architecture.find("spline") != std::string::npos;
  if (is_spline) {
    text << ", " << spec.bins << " bins in \u00b1" << FormatNumber(spec.bound.value_or(0), 4);
  } else if (spec.scale_bound && spec.architecture != "nice") {
    text << ", scale bound " << FormatNumber(*spec.scale_bound, 4);
  }
  if (spec.standardize) text << (*spec.standardize ? ", standardised" : ", not standardised");
  if (spec.context_dim > 0) text << ", context dim " << spec.context_dim;
  if (spec.mixing != Mixing::kAlternate) text << ", mixing " << NameOf(spec.mixing);
  if (spec.act_norm.value_or(false)) text << ", act norm";
  if (spec.base != Base::kNormal) text << ", base " << NameOf(spec.base);
  for (const Column& column : spec.columns) {
    text << ", column " << column.index << " " << NameOf(column.support);
  }
  return text.str();
}

std::string Pairs(const std::map<std::string, double>& values) {
  std::string text;
  for (const auto& [key, value] : values) {
    text += (text.empty() ? "" : ", ") + key + " " + FormatNumber(value, 5);
  }
  return text;
}

void Show(const Context& context, const Model& model) {
  if (context.json()) return PrintJson(ToJson(model));
  std::string labels, aliases, warnings;
  for (const auto& [key, value] : model.labels) {
    labels += (labels.empty() ? "" : ", ") + key + "=" + value;
  }
  for (const auto& [alias, version] : model.aliases) {
    aliases += (aliases.empty() ? "" : ", ") + alias + " -> " + std::to_string(version);
  }
  for (const std::string& warning : model.warnings) {
    warnings += (warnings.empty() ? "" : "; ") + warning;
  }
  PrintFields({{"name", model.id},
               {"flow", SpecText(model.spec)},
               {"parameters", FormatCount(model.parameter_count)},
               {"runs on", NameOf(model.executor)},
               {"latest version", std::to_string(model.latest_version)},
               {"aliases", aliases},
               {"labels", labels},
               {"description", model.description},
               {"created", FormatTime(model.create_time)},
               {"warnings", warnings}});
}

void SayMade(const Model& model) {
  Say("model " + model.id + ": " + SpecText(model.spec) + "; " +
      FormatCount(model.parameter_count) + " parameters");
  for (const std::string& warning : model.warnings) Say("warning: " + warning);
}

void List(Context& context) {
  const std::vector<Model> models = OrFail(context.client().ListModels());
  if (context.json()) return PrintJson(ToJson(models));
  std::vector<Cells> rows;
  for (const Model& model : models) {
    rows.push_back({model.id, std::to_string(model.latest_version), std::to_string(model.spec.dim),
                    FormatCount(model.parameter_count), FormatTime(model.create_time),
                    model.spec.architecture, model.description});
  }
  PrintTable(
      {"NAME", "LATEST", "DIM", "PARAMETERS", "CREATED (UTC)", "ARCHITECTURE", "DESCRIPTION"},
      rows);
}

void ListVersions(Context& context, const std::string& id) {
  const std::vector<Version> versions = OrFail(context.client().ListVersions(id));
  if (context.json()) return PrintJson(ToJson(versions));
  const Model model = OrFail(context.client().GetModel(id));
  std::vector<Cells> rows;
  for (const Version& version : versions) {
    std::string aliases;
    for (const auto& [alias, number] : model.aliases) {
      if (number == version.number) aliases += (aliases.empty() ? "" : ", ") + alias;
    }
    rows.push_back({std::to_string(version.number), aliases, FormatTime(version.create_time),
                    version.source, version.train_job, Pairs(version.metrics)});
  }
  PrintTable({"VERSION", "ALIASES", "CREATED (UTC)", "SOURCE", "JOB", "METRICS"}, rows);
}

struct CreateOptions {
  std::string name;
  SpecOptions spec;
  uint64_t seed = 0;
  std::string description;
  std::vector<std::string> labels;
};

void AddCreate(CLI::App& group, Context& context) {
  auto options = std::make_shared<CreateOptions>();
  CLI::App* command = group.add_subcommand("create", "Make a model with seeded initial parameters");
  command->add_option("NAME", options->name, "The new model")->required();
  command
      ->add_option("--dim", options->spec.spec.dim, "Coordinates of a point; needed without --spec")
      ->check(AtLeastOne());
  AddSpecOptions(*command, &options->spec);
  command->add_option("--seed", options->seed, "Of the initial parameters")->capture_default_str();
  command->add_option("--description", options->description);
  command->add_option("--label", options->labels, "KEY=VALUE; may be repeated")
      ->allow_extra_args(false);
  command->callback([&context, command, options] {
    if (options->spec.spec.dim == 0 && options->spec.file.empty()) FailUsage("--dim is required");
    Client::CreateModelOptions create{options->seed, options->description,
                                      ParseLabels(options->labels)};
    const Result<FlowSpec> spec = options->spec.ToSpec(*command);
    if (!spec.ok()) FailUsage(spec.status().message);
    SayMade(OrFail(context.client().CreateModel(PlainId(options->name, "models"), *spec, create)));
  });
}

void AddImport(CLI::App& group, Context& context) {
  auto name = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  auto description = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(
      "import", "Make a model from a safetensors file: an export, or a RealNVP state_dict");
  command->add_option("NAME", *name, "The new model")->required();
  command->add_option("FILE", *file, "*.safetensors, or - for stdin")->required();
  command->add_option("--description", *description);
  command->callback([&context, name, file, description] {
    const std::string bytes = OrFail(ReadFile(*file));
    SayMade(OrFail(context.client().ImportModel(PlainId(*name, "models"), bytes, *description)));
  });
}

void AddExport(CLI::App& group, Context& context) {
  auto name = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand("export", "Write a version as a safetensors file");
  command->add_option("MODEL", *name, "NAME or NAME@VERSION")->required();
  command->add_option("-o,--output", *out, "A file, or - for stdout")->required();
  command->callback([&context, name, out] {
    OrFail(WriteFile(*out, OrFail(context.client().ExportModel(PlainId(*name, "models")))));
  });
}

void AddAlias(CLI::App& group, Context& context) {
  auto name = std::make_shared<std::string>();
  auto alias = std::make_shared<std::string>();
  auto version = std::make_shared<int64_t>(-1);
  auto remove = std::make_shared<bool>(false);
  CLI::App* command = group.add_subcommand("alias", "Name a version, or forget such a name");
  command->add_option("NAME", *name, "The model")->required();
  command->add_option("ALIAS", *alias)->required();
  CLI::Option* number = command->add_option("VERSION", *version, "What the alias points to");
  CLI::Option* flag = command->add_flag("--delete", *remove, "Remove the alias");
  number->excludes(flag);
  command->callback([&context, name, alias, version, remove] {
    if (!*remove && *version < 0) FailUsage("give the VERSION, or --delete");
    const std::string id = PlainId(*name, "models");
    Show(context, OrFail(*remove ? context.client().DeleteAlias(id, *alias)
                                 : context.client().SetAlias(id, *alias, *version)));
  });
}

void AddUpdate(CLI::App& group, Context& context) {
  auto name = std::make_shared<std::string>();
  auto description = std::make_shared<std::optional<std::string>>();
  auto labels = std::make_shared<std::vector<std::string>>();
  auto clear = std::make_shared<bool>(false);
  CLI::App* command = group.add_subcommand("update", "Change a model's description and labels");
  command->add_option("NAME", *name)->required();
  command->add_option("--description", *description);
  command->add_option("--label", *labels, "KEY=VALUE; replaces all labels; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--clear-labels", *clear);
  command->callback([&context, name, description, labels, clear] {
    std::optional<Labels> replaced;
    if (*clear || !labels->empty()) replaced = ParseLabels(*labels);
    if (!*description && !replaced) FailUsage("nothing to update: give --description or --label");
    Show(context,
         OrFail(context.client().UpdateModel(PlainId(*name, "models"), *description, replaced)));
  });
}

void Delete(Context& context, const std::string& name) {
  const bool version = name.find('@') != std::string::npos;
  OrFail(version ? context.client().DeleteVersion(name) : context.client().DeleteModel(name));
  Say((version ? "version " : "model ") + name + " deleted");
}

void ShowNamed(Context& context, const std::string& name) {
  if (name.find('@') == std::string::npos) {
    return Show(context, OrFail(context.client().GetModel(name)));
  }
  const Version version = OrFail(context.client().GetVersion(name));
  if (context.json()) return PrintJson(ToJson(version));
  PrintFields({{"model", version.model},
               {"version", std::to_string(version.number)},
               {"flow", SpecText(version.spec)},
               {"created", FormatTime(version.create_time)},
               {"source", version.source},
               {"train job", version.train_job},
               {"seed", std::to_string(version.seed)},
               {"metrics", Pairs(version.metrics)},
               {"dataset hash", version.dataset_hash}});
}

// A subcommand whose one argument is a model.
void AddNamed(CLI::App& group, const char* verb, const char* help, const char* argument,
              const std::function<void(const std::string&)>& run) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(verb, help);
  command->add_option("NAME", *name, argument)->required();
  command->callback([name, run] { run(PlainId(*name, "models")); });
}

}  // namespace

void AddModelCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("model", "Make, import, export and look at models");
  group->require_subcommand(1);
  AddCreate(*group, context);
  AddImport(*group, context);
  AddExport(*group, context);
  group->add_subcommand("list", "All models")->callback([&context] { List(context); });
  AddNamed(*group, "get", "One model or version", "NAME or NAME@VERSION",
           [&context](const std::string& name) { ShowNamed(context, name); });
  AddNamed(*group, "versions", "A model's versions", "The model",
           [&context](const std::string& name) { ListVersions(context, name); });
  AddAlias(*group, context);
  AddUpdate(*group, context);
  AddNamed(*group, "delete", "Remove a model, or one version", "NAME or NAME@VERSION",
           [&context](const std::string& name) { Delete(context, name); });
}

}  // namespace sluice::cli
