#include <exception>
#include <limits>
#include <optional>

#include "kernels/error.h"
#include "models/import/hdf5_handle.h"
#include "models/import/readers.h"

namespace karyon {
namespace {

constexpr std::size_t kMaxTensors = 100'000;
constexpr int kMaxRank = 8;
constexpr const char* kModelWeights = "model_weights";  // a whole model keeps its weights in this group

/// The library prints every failure to standard error unless told not to.
class QuietHdf5 {
  public:
    QuietHdf5() {
        H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
    QuietHdf5(const QuietHdf5&) = delete;
    QuietHdf5& operator=(const QuietHdf5&) = delete;

  private:
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

std::optional<ElementType> element_type(hid_t dataset) {
    const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
    const std::size_t size = type.valid() ? H5Tget_size(type) : 0;
    const H5T_class_t kind = type.valid() ? H5Tget_class(type) : H5T_NO_CLASS;
    if (kind == H5T_FLOAT)
        return size == 2   ? std::optional(ElementType::f16)
               : size == 4 ? std::optional(ElementType::f32)
               : size == 8 ? std::optional(ElementType::f64)
                           : std::nullopt;
    if (kind != H5T_INTEGER) return {};
    const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    switch (size) {
        case 1:
            return is_signed ? ElementType::i8 : ElementType::u8;
        case 2:
            return is_signed ? ElementType::i16 : ElementType::u16;
        case 4:
            return is_signed ? ElementType::i32 : ElementType::u32;
        case 8:
            return is_signed ? ElementType::i64 : ElementType::u64;
        default:
            return {};
    }
}

/// "block1a_dwconv/block1a_dwconv/depthwise_kernel:0" -> "block1a_dwconv/depthwise_kernel".
std::string keras_name(std::string path) {
    const auto last = path.rfind('/');
    if (const auto colon = path.rfind(':'); colon != std::string::npos && (last == std::string::npos || colon > last))
        path.resize(colon);
    if (last == std::string::npos || last == 0) return path;
    const auto before = path.rfind('/', last - 1);
    return before == std::string::npos ? path : path.substr(before + 1);
}

/// Collects the datasets below a group. What it throws waits here while the library, which is C, returns.
struct Collector {
    std::string file;
    std::shared_ptr<const Hdf5Handle> root;
    std::uint64_t file_size = 0;
    std::vector<CheckpointTensor> tensors;
    std::exception_ptr failure;

    void add(const std::string& path);
    Shape shape_of(hid_t dataset, const std::string& path) const;
    void check_storage(hid_t dataset, const std::string& path, std::uint64_t bytes) const;
};

Shape Collector::shape_of(hid_t dataset, const std::string& path) const {
    const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = space.valid() ? H5Sget_simple_extent_ndims(space) : -1;
    if (rank < 0 || rank > kMaxRank)
        throw Error(file, "dataset {}: expected at most {} dimensions, found {}", shown(path), kMaxRank, rank);
    hsize_t sizes[kMaxRank] = {};
    H5Sget_simple_extent_dims(space, sizes, nullptr);
    Shape shape;
    std::uint64_t elements = 1;
    for (int axis = 0; axis < rank; ++axis) {
        const auto size = std::uint64_t(sizes[axis]);
        if (size > 0 && elements > (std::uint64_t(1) << 40) / size)
            throw Error(file, "dataset {}: expected at most 2^40 elements, found more", shown(path));
        elements *= size;
        shape.push_back(std::int64_t(size));
    }
    return shape;
}

/// A dataset may have its bytes in other files, or none at all, or so large a chunk that the library would allocate
/// more than the tensor itself.
void Collector::check_storage(hid_t dataset, const std::string& path, std::uint64_t bytes) const {
    const Hdf5Handle plan(H5Dget_create_plist(dataset), H5Pclose);
    if (!plan.valid()) throw Error(file, "dataset {}: expected a storage layout, found none", shown(path));
    const H5D_layout_t layout = H5Pget_layout(plan);
    if ((layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) ||
        H5Pget_external_count(plan) != 0)
        throw Error(file, "dataset {}: expected its elements in this file, found them in another", shown(path));
    const std::uint64_t stored = H5Dget_storage_size(dataset);
    if (layout != H5D_CHUNKED) {
        if (stored < bytes || stored > file_size)
            throw Error(file, "dataset {}: expected {} bytes in a file of {}, found {}", shown(path), bytes, file_size,
                        stored);
        return;
    }
    hsize_t chunk[kMaxRank] = {};
    const int rank = H5Pget_chunk(plan, kMaxRank, chunk);
    std::uint64_t elements = 1;
    for (int axis = 0; axis < std::min(rank, kMaxRank); ++axis) elements *= std::max<std::uint64_t>(1, chunk[axis]);
    // Deflate packs at most 1032 to 1; a chunk is at most 4 GiB by the format.
    if (rank < 1 || elements > (std::uint64_t(1) << 26) || stored > file_size || bytes / 1033 > stored)
        throw Error(file, "dataset {}: expected chunks of at most 2^26 elements that hold {} bytes, found {} in {}",
                    shown(path), bytes, elements, stored);
}

void Collector::add(const std::string& path) {
    const Hdf5Handle dataset(H5Dopen2(*root, path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) throw Error(file, "dataset {}: expected to open it, found damage", shown(path));
    const auto type = element_type(dataset);
    if (!type) return;  // texts: not weights
    if (tensors.size() == kMaxTensors) throw Error(file, "expected at most {} datasets, found more", kMaxTensors);
    const Shape shape = shape_of(dataset, path);
    const std::int64_t elements = element_count(shape);
    check_storage(dataset, path, std::uint64_t(elements) * size_of(*type));
    const auto read = [parent = root, where = file, path, elements](std::span<float> to) {
        const QuietHdf5 quiet;
        const Hdf5Handle opened(H5Dopen2(*parent, path.c_str(), H5P_DEFAULT), H5Dclose);
        if (std::int64_t(to.size()) != elements || !opened.valid() ||
            H5Dread(opened, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, to.data()) < 0)
            throw Error(where, "dataset {}: expected {} elements that can be read, found damage", shown(path),
                        elements);
    };
    tensors.push_back({keras_name(path), *type, shape, read});
}

herr_t visit(hid_t, const char* name, const H5O_info_t* info, void* context) {
    auto& collector = *static_cast<Collector*>(context);
    if (info->type != H5O_TYPE_DATASET) return 0;
    try {
        collector.add(name);
        return 0;
    } catch (...) {
        collector.failure = std::current_exception();
        return 1;
    }
}

/// The group of the weights keeps the file open as long as a tensor may be read.
std::shared_ptr<const Hdf5Handle> weights_group(const std::string& file) {
    const Hdf5Handle opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!opened.valid()) throw Error(file, "expected an HDF5 file, found one that is damaged or cannot be read");
    const bool whole = H5Lexists(opened, kModelWeights, H5P_DEFAULT) > 0;
    auto group =
        std::make_shared<const Hdf5Handle>(H5Gopen2(opened, whole ? kModelWeights : "/", H5P_DEFAULT), H5Gclose);
    if (!group->valid()) throw Error(file, "/{}: expected a group, found damage", whole ? kModelWeights : "");
    return group;
}

}  // namespace

Checkpoint read_hdf5(const std::filesystem::path& path) {
    const QuietHdf5 quiet;
    const std::string file = path.string();
    Collector collector{file, weights_group(file), std::filesystem::file_size(path), {}, nullptr};
    const herr_t status = H5Ovisit2(*collector.root, H5_INDEX_NAME, H5_ITER_NATIVE, visit, &collector, H5O_INFO_BASIC);
    if (collector.failure) std::rethrow_exception(collector.failure);
    if (status < 0) throw Error(file, "expected groups and datasets of an HDF5 file, found damage");
    return Checkpoint(path, "hdf5", std::move(collector.tensors));
}

}  // namespace karyon
