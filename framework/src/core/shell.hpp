#pragma once
// Command lines as a shell reads them.

#include <string>
#include <vector>

namespace retake {

/// Words joined by spaces, quoted for a POSIX shell where needed.
std::string shell_quote(const std::vector<std::string>& words);

}  // namespace retake
