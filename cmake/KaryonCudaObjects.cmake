# cuda_objects: every CUDA source of the project, compiled and not linked. Beside each object X.o stands X.o.ptxas, what
# ptxas -v said of it: registers, spills and shared memory of each kernel on each architecture.
set(cuda_object_sources)
foreach(folder kernels tensor layers models data optim)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cu)
    list(APPEND cuda_object_sources ${sources})
endforeach()
add_library(cuda_objects OBJECT EXCLUDE_FROM_ALL ${cuda_object_sources})
target_include_directories(cuda_objects PRIVATE ${PROJECT_SOURCE_DIR} ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(cuda_objects PRIVATE fmt::fmt)
karyon_compile_options(cuda_objects)
set_target_properties(cuda_objects PROPERTIES CUDA_COMPILER_LAUNCHER
    "bash;${PROJECT_SOURCE_DIR}/cmake/ptxas_log.sh;${CMAKE_CUDA_COMPILER_LAUNCHER}")
