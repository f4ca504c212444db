# cmake -DSOURCE_DIR=... -DOUT=... -P git_commit.cmake
#
# Writes the commit that is being built, so that a run can tell which sources its host was made of.
# Outside a git repository (a release archive) both texts stay empty. OUT is touched only on a change.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse HEAD
                OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND git -C ${SOURCE_DIR} status --porcelain --untracked-files=no
                OUTPUT_VARIABLE changes ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
set(dirty false)
if(NOT changes STREQUAL "")
  set(dirty true)
endif()
set(text "#pragma once
// Written by git_commit.cmake.

namespace retake::build_info {
inline constexpr const char* git_commit = \"${commit}\";
inline constexpr bool git_dirty = ${dirty};
}  // namespace retake::build_info
")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT text STREQUAL "${old}")
  file(WRITE ${OUT} "${text}")
endif()
