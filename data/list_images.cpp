#include <glob.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <set>

#include "data/dataset.h"
#include "kernels/error.h"

namespace karyon {

namespace fs = std::filesystem;

namespace {

bool is_image_file(const fs::path& path) {
    std::string suffix = path.extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    const bool known =
        suffix == ".tif" || suffix == ".tiff" || suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
    std::error_code unreadable;
    return known && fs::is_regular_file(path, unreadable);
}

std::vector<fs::path> expand_folder(const fs::path& folder) {
    std::error_code failure;
    std::vector<fs::path> paths;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure))
        if (is_image_file(entry.path())) paths.push_back(entry.path());
    if (failure) throw Error(folder.string(), "expected a readable folder, got: {}", failure.message());
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::vector<fs::path> expand_pattern(const std::string& pattern) {
    glob_t found{};
    const std::unique_ptr<glob_t, decltype(&globfree)> release(&found, globfree);
    std::vector<fs::path> paths;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
        std::copy_if(found.gl_pathv, found.gl_pathv + found.gl_pathc, std::back_inserter(paths), is_image_file);
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::vector<fs::path> expand(const std::string& input) {
    std::error_code unreadable;
    if (fs::is_directory(input, unreadable)) return expand_folder(input);
    // A file may have the signs of a pattern in its name.
    if (fs::exists(input, unreadable)) return {input};
    return expand_pattern(input);
}

}  // namespace

std::vector<fs::path> list_images(std::span<const std::string> inputs) {
    std::vector<fs::path> paths;
    std::set<fs::path> seen;
    for (const std::string& input : inputs) {
        const std::vector<fs::path> found = expand(input);
        if (found.empty())
            throw Error(input, "expected a TIFF, PNG or JPEG file, a folder of them or a pattern, got no such file");
        for (const fs::path& path : found)
            if (seen.insert(path.lexically_normal()).second) paths.push_back(path);
    }
    if (paths.empty()) throw Error("inputs", "expected at least one file, folder or pattern, got none");
    return paths;
}

}  // namespace karyon
