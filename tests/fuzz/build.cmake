# Builds the fuzz targets and unpacks what earlier fuzzing found: -DSOURCE= -DBUILD= -DCLANGXX= -DTARGETS=
if(NOT CLANGXX)
  message(FATAL_ERROR "fuzzing needs clang 16 or newer with its run-time libraries: "
          "bash third_party/setup.sh fuzz")
endif()
string(REPLACE "++" "" clang ${CLANGXX})
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G Ninja -DCMAKE_CXX_COMPILER=${CLANGXX}
          -DCMAKE_C_COMPILER=${clang} -DCMAKE_BUILD_TYPE=Release -DRETAKE_FUZZ=ON
          -DRETAKE_TESTS=OFF -DRETAKE_CUDA=OFF "-DRETAKE_SANITIZE=address;undefined;fuzzer-no-link"
  COMMAND_ERROR_IS_FATAL ANY)
foreach(name IN LISTS TARGETS)
  file(ARCHIVE_EXTRACT INPUT ${SOURCE}/tests/fuzz/found/${name}.tar.xz DESTINATION ${BUILD}/found)
endforeach()
list(TRANSFORM TARGETS PREPEND fuzz_)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target ${TARGETS}
                COMMAND_ERROR_IS_FATAL ANY)
