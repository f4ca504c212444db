// What entry_via_dependency links to.
#include "steady.hpp"

extern "C" int of_the_dependency() {
  return 1;
}

extern "C" void retake_register_plugin(retake::Registrar& registrar) {
  registrar.add<hostile::Steady>("entry_via_dependency", "Never used.");
}
