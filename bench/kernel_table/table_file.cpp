#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <type_traits>

#include "bench/kernel_table/fields.h"
#include "kernels/error.h"

namespace karyon::kernel_table {
namespace {

using Texts = std::vector<std::string>;

Texts split(const std::string& text, char at) {
    Texts parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) parts.push_back(part);
    return parts;
}

template <typename Value>
constexpr bool is_text = std::is_same_v<std::decay_t<Value>, std::string>;

/// What stands in each column for one row.
Texts texts_of(const Row& row) {
    Texts texts;
    for_each_field(row, [&](const char*, const auto& value) { texts.push_back(fmt::format("{}", value)); });
    return texts;
}

Texts titles() {
    Texts names;
    const Row row;
    for_each_field(row, [&](const char* key, const auto&) { names.push_back(key); });
    return names;
}

bool same_kernel(const Row& a, const Row& b) {
    return a.case_name == b.case_name && a.kernel == b.kernel && a.file == b.file;
}

/// `a`, or `a b c` where rows differ.
std::string over_rows(const std::vector<Texts>& rows, std::size_t column) {
    std::string text = rows.front()[column];
    bool same = true;
    for (const Texts& row : rows) same = same && row[column] == text;
    for (std::size_t i = 1; i < rows.size() && !same; ++i) text += ' ' + rows[i][column];
    return text;
}

void read_value(const std::string& text, std::string& value) { value = text; }
void read_value(const std::string& text, int& value) { value = std::stoi(text); }
void read_value(const std::string& text, double& value) { value = std::stod(text); }

}  // namespace

std::string to_tsv(const std::vector<Row>& rows) {
    std::string text = fmt::format("{}\n", fmt::join(titles(), "\t"));
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        std::vector<Texts> of_kernel;
        for (; end < rows.size() && same_kernel(rows[begin], rows[end]); ++end)
            of_kernel.push_back(texts_of(rows[end]));
        Texts columns;
        for (std::size_t column = 0; column < of_kernel.front().size(); ++column)
            columns.push_back(over_rows(of_kernel, column));
        text += fmt::format("{}\n", fmt::join(columns, "\t"));
    }
    return text;
}

std::vector<Row> read_table(const std::filesystem::path& path) {
    std::ifstream in(path);
    const Texts columns = titles();
    const std::size_t arch =
        static_cast<std::size_t>(std::find(columns.begin(), columns.end(), "arch") - columns.begin());
    std::string line;
    if (!std::getline(in, line) || split(line, '\t') != columns)
        throw Error(path.string(), "expected a kernel table with the columns {}, got {}", fmt::join(columns, " "),
                    line);
    std::vector<Row> rows;
    while (std::getline(in, line)) {
        const Texts fields = split(line, '\t');
        if (fields.size() != columns.size())
            throw Error(path.string(), "expected {} fields, got {} in: {}", columns.size(), fields.size(), line);
        const std::size_t count = split(fields[arch], ' ').size();
        for (std::size_t i = 0; i < count; ++i) {
            std::size_t column = 0;
            for_each_field(rows.emplace_back(), [&](const char*, auto& value) {
                const std::string& field = fields[column];
                const bool is_list = column == arch || !is_text<decltype(value)>;
                ++column;
                const Texts parts = is_list ? split(field, ' ') : Texts{field};
                if (parts.size() != 1 && parts.size() != count)
                    throw Error(path.string(), "expected 1 or {} values, got {}", count, field);
                read_value(parts[parts.size() == 1 ? 0 : i], value);
            });
        }
    }
    return rows;
}

}  // namespace karyon::kernel_table
