#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "data/dataset.h"
#include "kernels/error.h"

namespace karyon {

namespace {

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word && word.front() != '#';) words.push_back(word);
    return words;
}

void check_name(const std::string& where, const std::string& name) {
    if (name.find_first_of("/\\") != name.npos || name == "." || name == "..")
        throw Error(where, "expected a name without folder, got \"{}\"", name);
}

}  // namespace

Split read_split(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file || std::filesystem::is_directory(path))
        throw Error(path.string(), "expected a readable split file, got: {}", file ? "a folder" : std::strerror(errno));
    Split split{path.stem().string(), path, {}};
    std::map<std::string, int> line_of;
    int number = 0;
    for (std::string line; std::getline(file, line);) {
        const std::string where = fmt::format("{}, line {}", path.string(), ++number);
        if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
        const std::vector<std::string> words = words_of(line);
        if (words.empty()) continue;
        if (words.size() > 2) throw Error(where, "expected `name [organ]`, got {} words", words.size());
        check_name(where, words[0]);
        if (const auto [first, is_new] = line_of.emplace(words[0], number); !is_new)
            throw Error(where, "expected each name once, got {} again after line {}", words[0], first->second);
        split.entries.push_back({words[0], words.size() > 1 ? words[1] : "", number});
    }
    if (split.entries.empty()) throw Error(path.string(), "expected at least one `name [organ]` line, got none");
    return split;
}

}  // namespace karyon
