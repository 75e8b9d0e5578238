#include "kernels/error.h"
#include "models/import/readers.h"

namespace karyon {

Checkpoint read_hdf5(const std::filesystem::path& path) {
    throw Error(path.string(),
                "expected a build with HDF5 to read a Keras .h5 file, found one without: install libhdf5-dev and build "
                "karyon again");
}

}  // namespace karyon
