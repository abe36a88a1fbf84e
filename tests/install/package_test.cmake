# Makes the Debian package of a finished build and looks into it.
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
execute_process(COMMAND cpack -G DEB --config ${BUILD_DIR}/CPackConfig.cmake -B ${WORK_DIR}
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package ${WORK_DIR}/sluice_*.deb)

function(expect text)
  foreach(part ${ARGN})
    string(FIND "${text}" "${part}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "the package lacks ${part}:\n${text}")
    endif()
  endforeach()
endfunction()

execute_process(COMMAND dpkg-deb -c ${package} OUTPUT_VARIABLE files COMMAND_ERROR_IS_FATAL ANY)
expect("${files}" ./usr/bin/sluiced ./usr/bin/sluice ./etc/sluice/sluiced.toml
  ./usr/lib/systemd/system/sluiced.service)
execute_process(COMMAND dpkg-deb -I ${package} OUTPUT_VARIABLE control COMMAND_ERROR_IS_FATAL ANY)
expect("${control}" "Depends:" libopenblas0-pthread libtorch libgrpc++ libjemalloc2 conffiles postinst)

# What the service is started with is sound.
execute_process(COMMAND dpkg-deb -x ${package} ${WORK_DIR}/root COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK_DIR}/root/usr/bin/sluiced
  --config ${WORK_DIR}/root/etc/sluice/sluiced.toml --check COMMAND_ERROR_IS_FATAL ANY)
