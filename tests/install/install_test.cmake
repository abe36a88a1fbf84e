# Run by ctest: installs the client into WORK_DIR/prefix, then builds and runs
# CONSUMER_DIR against it.
set(prefix ${WORK_DIR}/prefix)
file(REMOVE_RECURSE ${WORK_DIR})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed (${result}): ${ARGN}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --component client --prefix ${prefix})

file(GLOB_RECURSE headers ${prefix}/include/*)
if(NOT headers)
  message(FATAL_ERROR "no headers were installed")
endif()
foreach(header IN LISTS headers)
  file(STRINGS ${header} foreign REGEX "#[ ]*include[ ]*[<\"](grpc|google|torch|absl|sluice/v1)")
  file(STRINGS ${header} names REGEX "(grpc|google|torch|absl)::")
  if(foreign OR names)
    message(FATAL_ERROR "${header} shows what it is built on: ${foreign} ${names}")
  endif()
endforeach()

run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CONSUMER_DIR} -B ${WORK_DIR}/build
  -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CXX_COMPILER}
  -DCMAKE_CXX_FLAGS=${CXX_FLAGS} -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON)
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)

# The tree that Sluice was built in must not be needed any more.
file(GLOB_RECURSE package_files ${prefix}/*.cmake)
foreach(package_file IN LISTS package_files)
  file(STRINGS ${package_file} leaks REGEX "${BUILD_DIR}")
  if(leaks)
    message(FATAL_ERROR "${package_file} names the build tree: ${leaks}")
  endif()
endforeach()

run(${WORK_DIR}/build/consumer)
