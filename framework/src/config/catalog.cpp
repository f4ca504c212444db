#include "config/catalog.hpp"

namespace retake::config {

Catalog::~Catalog() = default;

}  // namespace retake::config
