cmake_minimum_required(VERSION 3.25)
# cmake -DINCLUDE_DIR=... -DOUT_DIR=... -P hash_kinds.cmake
#
# For every retake/kinds/<kind>.hpp: a hash of the public headers that a plugin of this kind shares
# with the host, comments and blanks stripped. A header belongs to a kind when it is named in a
# header of that kind: by #include, or in the comment beside a forward declaration. Registration
# itself (retake/plugin.hpp) belongs to every kind.
#
# Writes OUT_DIR/kinds/<kind>.inc (the hash as a string literal, for stamps of plugins) and
# OUT_DIR/plugin/kind_hashes.hpp (all of them, for the host). A file is touched only when it changes.

function(retake_header_closure out)
  set(open ${ARGN})
  set(closed)
  while(open)
    list(POP_FRONT open header)
    if(header IN_LIST closed OR NOT EXISTS ${INCLUDE_DIR}/${header})
      continue()
    endif()
    list(APPEND closed ${header})
    file(READ ${INCLUDE_DIR}/${header} text)
    string(REGEX MATCHALL "retake/[a-z0-9_/]+\\.hpp" named "${text}")
    list(APPEND open ${named})
  endwhile()
  list(SORT closed)
  set(${out} ${closed} PARENT_SCOPE)
endfunction()

# A comment after code that holds a quote or a slash stays: it may be inside a string literal, and to
# take part of the code for a comment would hide a change.
function(retake_strip_header out header)
  file(READ ${INCLUDE_DIR}/${header} text)
  string(REGEX REPLACE "(\n[^\"/\n]*)//[^\n]*" "\\1" text "\n${text}")
  string(REGEX REPLACE "(\n[ \t]*)/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "\\1" text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
  string(STRIP "${text}" text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(retake_write_if_different file text)
  if(EXISTS ${file})
    file(READ ${file} old)
    if(old STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE ${file} "${text}")
endfunction()

file(GLOB headers RELATIVE ${INCLUDE_DIR}/retake/kinds ${INCLUDE_DIR}/retake/kinds/*.hpp)
list(SORT headers)
set(table)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "\\.hpp$" "" kind ${header})
  retake_header_closure(closure retake/plugin.hpp retake/kinds/${header})
  set(text)
  foreach(member IN LISTS closure)
    retake_strip_header(stripped ${member})
    string(APPEND text "${member}\n${stripped}\n")
  endforeach()
  string(SHA256 hash "${text}")
  string(SUBSTRING ${hash} 0 16 hash)
  retake_write_if_different(${OUT_DIR}/kinds/${kind}.inc "\"${hash}\"\n")
  list(FIND TORCH_KINDS ${kind} torch)
  if(torch LESS 0)
    set(torch false)
  else()
    set(torch true)
  endif()
  string(APPEND table "    {\"${kind}\", \"${hash}\", ${torch}},\n")
endforeach()
retake_write_if_different(${OUT_DIR}/plugin/kind_hashes.hpp "#pragma once
// Written by hash_kinds.cmake: the kinds of this host and the hash of the headers of each.

namespace retake::plugin {

struct KindHash {
  const char* kind;
  const char* hash;
  bool torch;  ///< its plugins are always built against LibTorch
};

inline constexpr KindHash kind_hashes[] = {
${table}};

}  // namespace retake::plugin
")
