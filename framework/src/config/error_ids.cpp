#include "config/error_ids.hpp"

#include <algorithm>
#include <array>

namespace retake::config {
namespace {

constexpr std::array kDocs = {
    ErrorDoc{"E001", "an unexpected failure inside the program or a plugin",
             "run again with -v and report it"},
    ErrorDoc{"E002", "there is no such command", "see `retake --help`"},
    ErrorDoc{"E003", "there is no such option", "see `retake COMMAND --help`"},
    ErrorDoc{"E004", "an option lacks its value or has an unusable one",
             "see `retake COMMAND --help`"},
    ErrorDoc{"E005", "arguments are missing or too many", "see `retake COMMAND --help`"},
    ErrorDoc{"E006", "standard output cannot be written", "free space or redirect elsewhere"},
    ErrorDoc{"E100", "an experiment file cannot be read", "check its path and permissions"},
    ErrorDoc{"E101", "a file is no valid TOML 1.0 in UTF-8, too large or nested too deeply",
             "mend the text at the place shown"},
    ErrorDoc{"E102", "a table that neither the host nor a plugin kind knows",
             "use the name of a kind (model, loss, ...) or of a host table (train, run, ...)"},
    ErrorDoc{"E103", "an unknown key in a host table", "use one of the table's keys"},
    ErrorDoc{"E104", "an unknown parameter of a plugin", "see `retake plugins params KIND/NAME`"},
    ErrorDoc{"E105", "a table where a value belongs, or a value where a table belongs",
             "write `[name]` for tables and `name = value` for values"},
    ErrorDoc{"E106", "a required key is missing", "add it to the table shown"},
    ErrorDoc{"E107", "a value of the wrong type or outside its range",
             "write a value of the type and range shown"},
    ErrorDoc{"E108", "a value that is none of the choices", "use one of the choices shown"},
    ErrorDoc{"E109", "several values where one belongs",
             "`retake sweep EXP -s 'key=[a, b]'` tries several"},
    ErrorDoc{"E110", "parameters that do not go together", "change one of them as shown"},
    ErrorDoc{"E111", "an override that cannot be read", "write path=value or path+=value"},
    ErrorDoc{"E112", "an override of something that is not there", "check the path"},
    ErrorDoc{"E113", "a plugin of another version than the experiment asks for",
             "install the version asked for, or widen `version`"},
    ErrorDoc{"E115", "a parameter under its old and its new name at once", "delete the old one"},
    ErrorDoc{"E120", "an interpolation that cannot be read",
             "only ${path.to.key}, ${env:NAME}, ${env:NAME:-default} and ${run:id|dir|name} exist; "
             "write $${ for a literal ${"},
    ErrorDoc{"E121", "an interpolation of a path that does not exist", "check the path"},
    ErrorDoc{"E122", "an interpolation of an environment variable that is not set",
             "set it, or give a default: ${env:NAME:-default}"},
    ErrorDoc{"E123", "interpolations that go round", "break the circle shown"},
    ErrorDoc{"E124", "an interpolation of a whole table, or of an array inside a text",
             "name a single value"},
    ErrorDoc{"E130", "a base that `extends` names is not there",
             "bases are sought beside the file that names them, then in --config-path"},
    ErrorDoc{"E131", "inheritance goes round", "break the circle shown"},
    ErrorDoc{"E132", "`extends` is no path and no list of paths",
             "extends = \"base.toml\" or extends = [\"a.toml\", \"b.toml\"]"},
    ErrorDoc{"E133", "a [merge] rule that does nothing or cannot be read",
             "name a path that the bases have; only append, delete and keep exist"},
    ErrorDoc{"E142", "a metric that no plugin of the experiment declares",
             "use one of the declared metrics"},
    ErrorDoc{"E201", "a plugin that is not installed",
             "see `retake plugins list`; give its folder with --plugin-path"},
    ErrorDoc{"E207", "a plugin library that an earlier folder holds in a broken form",
             "mend or remove the earlier one: a later copy would hide what is wrong with it"},
    ErrorDoc{"E208", "one component in two libraries of one folder", "remove one of them"},
    ErrorDoc{"E209", "a folder of --plugin-path that does not exist", "check the path"},
    ErrorDoc{"E210", "a plugin's file cannot be read", "check its path and permissions"},
    ErrorDoc{"E211", "a file in a plugin folder that is no ELF shared library",
             "move it out of the folder, or build it again"},
    ErrorDoc{"E212", "a plugin's file is truncated or damaged", "build or copy it again"},
    ErrorDoc{"E213", "a plugin built for another architecture", "build it on this kind of machine"},
    ErrorDoc{"E214", "a library without a stamp: no plugin, or not built as one",
             "build it with retake_add_plugin (CMake)"},
    ErrorDoc{"E215", "a plugin built for another ABI: other headers, compiler or LibTorch",
             "rebuild it against this host; every difference is listed"},
    ErrorDoc{"E216", "a plugin without its embedded component table",
             "build it with retake_add_plugin, which embeds it after the link"},
    ErrorDoc{"E217", "a damaged component table", "build the plugin again"},
    ErrorDoc{"E218", "the system's loader refuses a plugin",
             "rebuild it; `ldd` shows a library that is missing"},
    ErrorDoc{"E219", "a plugin without registration", "write one with RETAKE_PLUGIN"},
    ErrorDoc{"E220", "a plugin whose registration is that of another library",
             "write its own, and do not link one plugin to another"},
    ErrorDoc{"E221", "a plugin whose registration throws", "mend its RETAKE_PLUGIN body"},
    ErrorDoc{"E222", "a plugin that gives one name twice", "give each its own name"},
    ErrorDoc{"E223", "a component or parameter with a bad name", "use a-z, 0-9 and _"},
    ErrorDoc{"E224", "a plugin that registers something else than its table says",
             "rebuild it; a default must not depend on the machine"},
    ErrorDoc{"E226", "a plugin that registers other kinds than it is built for",
             "name its kinds in retake_add_plugin(... KIND ...)"},
    ErrorDoc{"E227", "a parameter with a name that experiment files reserve",
             "choose another name"},
    ErrorDoc{"E228", "a parameter whose default breaks its own type, range, choices or rules",
             "change the default or the range"},
    ErrorDoc{"E229", "a component's constructor threw", "check its parameters; report the defect"},
    ErrorDoc{"E230", "a component whose class is not of its kind",
             "derive it from the kind it is registered for"},
    ErrorDoc{"E231", "loading a plugin to list its components failed or did not end",
             "see the message printed before it; move work out of registration"},
    ErrorDoc{"E232", "objcopy could not embed the component table",
             "GNU binutils 2.36 or newer is needed"},
    ErrorDoc{"E233", "a plugin's name in its source and in CMake differ", "make them equal"},
    ErrorDoc{"W12", "a changed plugin dropped the inherited parameters of the old one",
             "carry them with merge.keep"},
    ErrorDoc{"W13", "a deprecated parameter", "use the one named instead"},
    ErrorDoc{"W14", "a parameter read under its old name", "rename it in the file"},
    ErrorDoc{"W15", "a watched metric that no plugin of the experiment declares",
             "check the name under [watch]"},
    ErrorDoc{"W208", "a component that an earlier plugin folder shadows",
             "nothing, if that is meant"},
};
static_assert(std::is_sorted(kDocs.begin(), kDocs.end(),
                             [](const ErrorDoc& a, const ErrorDoc& b) { return a.id < b.id; }));

}  // namespace

std::span<const ErrorDoc> error_docs() {
  return kDocs;
}

const ErrorDoc* find_error_doc(std::string_view id) {
  const auto it =
      std::find_if(kDocs.begin(), kDocs.end(), [&](const ErrorDoc& doc) { return doc.id == id; });
  return it == kDocs.end() ? nullptr : &*it;
}

}  // namespace retake::config
