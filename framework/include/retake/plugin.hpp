#pragma once
// Registering components from a shared library:
//
//   RETAKE_PLUGIN("log_energy", "0.1.0", registrar) {
//     registrar.add<LogEnergy>("log_energy", "Logarithm of the frame energy.");
//   }
//
// and one line of CMake: retake_add_plugin(log_energy KIND feature_extractor SOURCES
// log_energy.cpp)
//
// The component's kind is the base class; its header is retake/kinds/<kind>.hpp. A header of a kind
// names every header whose types cross the border, by #include or in the comment beside a forward
// declaration: the stamp's hash of the kind covers exactly these.

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "retake/component.hpp"
#include "retake/context.hpp"

namespace retake {

/// A component as registered: its description and how to make one.
struct Registration {
  ComponentInfo info;
  std::function<std::unique_ptr<Component>(const Table& params, Context&)> create;
  /// The component's own cross-field check; runs only under `check --build` and in a run.
  std::function<void(const Table& params, Problems&)> check;
};

namespace detail {
template <class T>
struct params_of {
  using type = NoParams;
};
template <class T>
requires requires {
  typename T::Params;
}
struct params_of<T> {
  using type = typename T::Params;
};
}  // namespace detail

/// Collects what a plugin registers. The host hands out a staging one and commits it only when
/// registration ended cleanly, so a plugin that throws halfway leaves nothing behind.
class Registrar {
 public:
  /// T derives from a kind (which names itself by `T::kind`), may have `Params` with `describe`
  /// (and a static `check(const Params&, Problems&)`), and `static Traits traits()`. Constructed as
  /// T(const Params&, Context&), T(const Params&) or T().
  template <class T>
  void add(std::string name, std::string doc) {
    using Params = typename detail::params_of<T>::type;
    static_assert(std::derived_from<T, Component>, "a component derives from its kind's interface");
    static_assert(
        std::is_constructible_v<T, const Params&, Context&> ||
            std::is_constructible_v<T, const Params&> || std::is_default_constructible_v<T>,
        "a component is made as T(const Params&, Context&), T(const Params&) or T(), with "
        "`struct Params` inside the class");
    Registration r;
    r.info.kind = T::kind;
    r.info.name = std::move(name);
    r.info.doc = std::move(doc);
    r.info.schema = Schema<Params>::make().info();
    if constexpr (requires { T::traits(); }) r.info.traits = T::traits();
    r.create = [](const Table& table,
                  [[maybe_unused]] Context& context) -> std::unique_ptr<Component> {
      ParamReads reads;
      const Params params = Schema<Params>::make().read(table, &reads);
      std::unique_ptr<T> made;
      if constexpr (std::is_constructible_v<T, const Params&, Context&>) {
        made = std::make_unique<T>(params, context);
      } else if constexpr (std::is_constructible_v<T, const Params&>) {
        made = std::make_unique<T>(params);
      } else {
        made = std::make_unique<T>();
      }
      made->count_reads(std::move(reads));
      return made;
    };
    if constexpr (requires(const Params& p, Problems& q) { Params::check(p, q); }) {
      r.check = [](const Table& table, Problems& problems) {
        Params::check(Schema<Params>::make().read(table), problems);
      };
    }
    add(std::move(r));
  }

  void add(Registration registration) { staged_.push_back(std::move(registration)); }
  const std::vector<Registration>& staged() const { return staged_; }
  std::vector<Registration> take() { return std::move(staged_); }

 private:
  std::vector<Registration> staged_;
};

}  // namespace retake

// ---- The stamp: `key=value` lines that the host reads from the file before it loads anything.
// ----

#define RETAKE_TEXT_OF_(x) #x
#define RETAKE_TEXT_(x) RETAKE_TEXT_OF_(x)

#if defined(__clang__)
#define RETAKE_STAMP_COMPILER_ "clang " RETAKE_TEXT_(__clang_major__)
#else
#define RETAKE_STAMP_COMPILER_ "gcc " RETAKE_TEXT_(__GNUC__)
#endif
#if defined(_GLIBCXX_DEBUG)
#define RETAKE_STAMP_DEBUG_ "1"
#else
#define RETAKE_STAMP_DEBUG_ "0"
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RETAKE_STAMP_SANITIZER_ "address"
#elif defined(__SANITIZE_THREAD__)
#define RETAKE_STAMP_SANITIZER_ "thread"
#else
#define RETAKE_STAMP_SANITIZER_ "none"
#endif

/// What decides whether two C++ objects understand each other, as this file is compiled.
#define RETAKE_STAMP_TOOLCHAIN                                                               \
  "cplusplus=" RETAKE_TEXT_(                                                                 \
      __cplusplus) "\ncompiler=" RETAKE_STAMP_COMPILER_                                      \
                   "\ngxx_abi=" RETAKE_TEXT_(__GXX_ABI_VERSION) "\ncxx11_abi=" RETAKE_TEXT_( \
                       _GLIBCXX_USE_CXX11_ABI) "\nglibcxx_debug=" RETAKE_STAMP_DEBUG_        \
                                               "\nsanitizer=" RETAKE_STAMP_SANITIZER_ "\n"

/// Once per plugin, at namespace scope, followed by the body of the registration:
/// RETAKE_PLUGIN("log_energy", "0.1.0", registrar) { registrar.add<LogEnergy>(...); }
/// Name (that of retake_add_plugin: a-z, 0-9, _) and version (1.2.3) are string literals.
#define RETAKE_PLUGIN(plugin_name, plugin_version, registrar)                      \
  [[gnu::section(".retake.stamp"), gnu::used,                                      \
    gnu::retain]] static const char retake_stamp_of_source[] =                     \
      "name=" plugin_name "\nversion=" plugin_version "\n" RETAKE_STAMP_TOOLCHAIN; \
  extern "C" [[gnu::visibility("default")]] void retake_register_plugin(           \
      [[maybe_unused]] ::retake::Registrar& registrar)
