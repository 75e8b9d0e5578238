# What every target of the project is compiled with.
function(karyon_compile_options target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
    # For nvcc: -std by hand, since CMake 3.25 knows no CUDA_STANDARD 20 of it; and fmt without the compile-time check
    # of format strings (its names before and from version 11), which nvcc's front end does not get through.
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -fno-math-errno -fno-trapping-math>
        $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 -lineinfo -Xcompiler=-Wall,-Wextra,-Wshadow
                                   -DFMT_USE_CONSTEXPR=1>)
    if(KARYON_WERROR)
        target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>
                                                 $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
    endif()
    if(KARYON_SANITIZE)
        target_compile_options(${target} PUBLIC
            $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined -fno-omit-frame-pointer>)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()

# karyon_library(folder PUBLIC libs... PRIVATE libs...): the library karyon::folder from every .cpp below folder/,
# and every .cu where CUDA is built.
function(karyon_library folder)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    if(KARYON_HAS_CUDA)
        file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cu)
    endif()
    add_library(karyon_${folder} STATIC ${sources} ${cuda_sources})
    add_library(karyon::${folder} ALIAS karyon_${folder})
    set_target_properties(karyon_${folder} PROPERTIES EXPORT_NAME ${folder})
    target_include_directories(karyon_${folder} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                       $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/karyon>)
    target_link_libraries(karyon_${folder} ${ARGN})
    karyon_compile_options(karyon_${folder})
    install(TARGETS karyon_${folder} EXPORT karyonTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/karyon
            FILES_MATCHING PATTERN "*.h" PATTERN "*.cuh")
endfunction()

# karyon_test(folder libs...): one doctest program from tests/folder, every case of it known to ctest.
function(karyon_test folder)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*.cpp)
    if(NOT sources)
        return()
    endif()
    add_executable(test_${folder} ${sources} ${PROJECT_SOURCE_DIR}/tests/main.cpp)
    target_link_libraries(test_${folder} PRIVATE ${ARGN} doctest::doctest)
    target_compile_definitions(test_${folder} PRIVATE KARYON_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    karyon_compile_options(test_${folder})
    # The code under test is optimised; its tests are compiled more often than they are run.
    target_compile_options(test_${folder} PRIVATE -O1)
    doctest_discover_tests(test_${folder} TEST_PREFIX "${folder}: " ADD_LABELS 0)
endfunction()
