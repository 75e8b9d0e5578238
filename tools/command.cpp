#include "tools/command.h"

#include <omp.h>

#include <map>

#include "kernels/error.h"

namespace karyon::tools {

namespace fs = std::filesystem;

void add_json(CLI::App& app, bool& json) { app.add_flag("--json", json, "print JSON instead of text"); }

void add_threads(CLI::App& app, int& threads) {
    app.add_option("--threads", threads, "0: one for every core")->check(CLI::Range(0, 1024))->capture_default_str();
}

void use_threads(int threads) {
    if (threads > 0) omp_set_num_threads(threads);
}

void make_folder(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (!fs::is_directory(path, failure))
        throw Error(path.string(), "expected a folder that can be made, got: {}",
                    failure ? failure.message() : "a file of that name");
}

void check_distinct_names(const std::vector<fs::path>& inputs) {
    std::map<fs::path, fs::path> by_name;
    for (const fs::path& input : inputs) {
        const auto [found, added] = by_name.emplace(input.stem(), input);
        if (!added)
            throw Error(input.string(), "expected inputs with different names, got one named like {}",
                        found->second.string());
    }
}

}  // namespace karyon::tools
