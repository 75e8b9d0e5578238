#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/image.h"

namespace karyon {

/// A list of images, from a text file of one `name [organ]` a line; `#` begins a comment.
struct Split {
    struct Entry {
        std::string name;   ///< of images/NAME.tif, without folder and suffix
        std::string organ;  ///< may be empty
        int line = 0;       ///< in the split file, from 1
    };
    std::string name;  ///< the file's, without folder and suffix
    std::filesystem::path path;
    std::vector<Entry> entries;
};

/// Throws Error naming file and line for a name that comes twice or holds a folder, for a third word, and for a file
/// without names.
Split read_split(const std::filesystem::path&);

/// An image with its ground truth.
struct Case {
    std::string name, organ;
    Image image;
    Mask mask;
    std::optional<Labels> labels;
};

/// A folder of images and what was drawn on them:
/// `images/NAME.{tif,tiff,png,jpg,jpeg}`, `masks/NAME.png`, `labels/NAME.{png,tif}`, `annotations/NAME.xml` (Aperio).
class DataFolder {
  public:
    /// Throws Error when root/images is not a folder.
    explicit DataFolder(std::filesystem::path root);

    const std::filesystem::path& root() const { return root_; }

    /// The image file of a name: the first that exists, in the order of suffixes above (small or capital letters).
    /// Throws Error naming the paths that were tried.
    std::filesystem::path find_image(const std::string& name) const;

    /// The image files of a split, in its order. Throws Error naming the split file, the line and the paths tried.
    std::vector<std::filesystem::path> find_images(const Split&) const;

    /// Reads an image with its ground truth. The mask is taken from masks/, else labels/, else annotations/; the labels
    /// from labels/, else annotations/, and there are none when only masks/ has the name. Throws Error where none of
    /// the three has it, and where a size differs from the image's.
    Case read_case(const std::string& name, const std::string& organ = "") const;

  private:
    std::optional<std::filesystem::path> find(const char* folder, const std::string& name,
                                              std::span<const char* const> suffixes) const;

    std::filesystem::path root_;
};

/// The image files that the arguments of a command stand for: a file as it is, the images directly in a folder, the
/// images that match a pattern with `*`, `?` or `[...]`. Images are told by the suffixes above. Folders and patterns
/// are sorted by name; no file comes twice. Throws Error for an argument that stands for nothing.
std::vector<std::filesystem::path> list_images(std::span<const std::string> inputs);

}  // namespace karyon
