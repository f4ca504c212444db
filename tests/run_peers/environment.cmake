# Makes the Python environment once: -DPYTHON= -DVENV= -DPACKAGES=
if(EXISTS ${VENV}/complete)
  return()
endif()
execute_process(COMMAND ${PYTHON} -m venv --clear ${VENV} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${VENV}/bin/python -m pip install --quiet --disable-pip-version-check
                        ${PACKAGES} COMMAND_ERROR_IS_FATAL ANY)
file(TOUCH ${VENV}/complete)
