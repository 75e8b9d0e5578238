#include "data/aperio.h"

#include <charconv>
#include <cmath>
#include <pugixml.hpp>
#include <string_view>

#include "kernels/error.h"

namespace karyon {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The whole text as a finite number, whatever the locale; none when it is anything else.
std::optional<double> parse_number(std::string_view text) {
    text = trimmed(text);
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

/// Where in the file something stands, for messages.
struct Position {
    const std::string& file;
    std::string_view region;
    int vertex = 0;
};

double coordinate(const pugi::xml_node& vertex, const char* field, const Position& at) {
    const pugi::xml_attribute attribute = vertex.attribute(field);
    const std::optional<double> value = parse_number(attribute.value());
    if (!value || std::abs(*value) > max_coordinate)
        throw Error(at.file, "region {}, vertex {}, {}: expected a finite number of at most {:g}, got {}", at.region,
                    at.vertex, field, max_coordinate,
                    attribute ? fmt::format("\"{}\"", attribute.value()) : "no attribute");
    return *value;
}

Polygon read_polygon(const pugi::xml_node& region, const std::string& file) {
    Polygon polygon;
    Position at{file, region.attribute("Id").as_string("without Id")};
    for (const pugi::xml_node& vertex : region.child("Vertices").children("Vertex")) {
        ++at.vertex;
        polygon.push_back({coordinate(vertex, "X", at), coordinate(vertex, "Y", at)});
    }
    return polygon;
}

std::optional<double> read_scale(const pugi::xml_node& root, const std::string& file) {
    const std::string_view text = trimmed(root.attribute("MicronsPerPixel").value());
    if (text.empty()) return std::nullopt;
    const std::optional<double> value = parse_number(text);
    if (!value || *value < 0) throw Error(file, "MicronsPerPixel: expected a number of 0 or more, got \"{}\"", text);
    return *value > 0 ? value : std::nullopt;
}

}  // namespace

AperioOutlines read_aperio(const std::filesystem::path& path) {
    const std::string file = path.string();
    pugi::xml_document document;
    const pugi::xml_parse_result result = document.load_file(path.c_str());
    if (!result)
        throw Error(file, "expected well-formed Aperio XML, got at byte {}: {}", result.offset, result.description());
    const pugi::xml_node root = document.document_element();
    if (std::string_view(root.name()) != "Annotations")
        throw Error(file, "expected the root element <Annotations>, got <{}>", root.name());

    AperioOutlines outlines;
    outlines.microns_per_pixel = read_scale(root, file);
    for (const pugi::xml_node& layer : root.children("Annotation"))
        for (const pugi::xml_node& region : layer.child("Regions").children("Region")) {
            Polygon polygon = read_polygon(region, file);
            const bool hole = region.attribute("NegativeROA").as_int() != 0;
            if (polygon.size() < 3)
                ++outlines.skipped;
            else
                (hole ? outlines.holes : outlines.regions).push_back(std::move(polygon));
        }
    return outlines;
}

}  // namespace karyon
