# The files of `make install` that depend on where it goes: the unit names the program; a configuration that is there stays.
set(BINDIR ${CMAKE_INSTALL_PREFIX}/bin)
set(unit $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/monomi.service)
configure_file(${SOURCE}/monomi.service ${unit} @ONLY)
set(config $ENV{DESTDIR}/etc/monomi/monomi.yaml)
if(NOT EXISTS ${config})
  configure_file(${SOURCE}/monomi.yaml ${config} COPYONLY)
endif()
