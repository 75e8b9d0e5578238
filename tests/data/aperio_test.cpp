#include "data/aperio.h"

#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

std::string region(const std::string& id, const std::vector<std::pair<std::string, std::string>>& vertices,
                   const std::string& attributes = "") {
    std::string text = "<Region Id=\"" + id + "\" " + attributes + "><Attributes/><Vertices>";
    for (const auto& [x, y] : vertices) text += "<Vertex X=\"" + x + "\" Y=\"" + y + "\"/>";
    return text + "</Vertices></Region>";
}

std::string document(const std::string& regions, const std::string& attributes = "") {
    return "<Annotations " + attributes + "><Annotation><Attributes/><Regions><RegionAttributeHeaders/>" + regions +
           "</Regions><Plots/></Annotation></Annotations>";
}

const std::string triangle = region("1", {{"0", "0"}, {"4.5", "0"}, {"0", "-3.25"}}, "NegativeROA=\"0\"");

AperioOutlines parse(const std::string& text) {
    const TemporaryFolder folder;
    write_bytes(folder / "a.xml", text);
    return read_aperio(folder / "a.xml");
}

}  // namespace

TEST_CASE("aperio: regions, holes, layers and scale") {
    const AperioOutlines outlines =
        parse("<?xml version=\"1.0\"?>\n" +
              document(triangle + region("2", {{"1", "1"}, {"2", "1"}, {"2", "2"}}, "NegativeROA=\"1\""),
                       "MicronsPerPixel=\"0.252\""));
    REQUIRE(outlines.regions.size() == 1);
    REQUIRE(outlines.regions[0].size() == 3);
    CHECK(outlines.regions[0][1].x == 4.5);
    CHECK(outlines.regions[0][2].y == -3.25);
    CHECK(outlines.holes.size() == 1);
    CHECK(outlines.microns_per_pixel == 0.252);
    const std::string layer = "<Annotation><Regions>" + triangle + "</Regions></Annotation>";
    CHECK(parse("<Annotations>" + layer + layer + "</Annotations>").regions.size() == 2);
}

TEST_CASE("aperio: regions of fewer than three vertices are skipped, no regions are valid") {
    const AperioOutlines outlines = parse(document(region("1", {{"1", "1"}, {"2", "2"}}) + region("2", {}) + triangle));
    CHECK(outlines.regions.size() == 1);
    CHECK(outlines.skipped == 2);
    CHECK(!outlines.microns_per_pixel);
    CHECK(parse(document("")).regions.empty());
    CHECK(parse("<Annotations/>").regions.empty());
    CHECK(!parse(document("", "MicronsPerPixel=\"0.000\"")).microns_per_pixel);
}

TEST_CASE("aperio: coordinates that are not finite numbers name region, vertex and attribute") {
    for (const std::string bad : {"abc", "nan", "inf", "1,5", "", "1e400", "1e12", "3 4", "0x10"})
        check_error(
            [&] {
                parse(document(triangle + region("7", {{"1", "1"}, {bad, "2"}, {"3", "3"}})));
            },
            {"a.xml", "region 7, vertex 2, X", "expected a finite number", "got \"" + bad + "\""});
    check_error([&] { parse(document("<Region Id=\"9\"><Vertices><Vertex X=\"1\"/></Vertices></Region>")); },
                {"region 9, vertex 1, Y", "got no attribute"});
    check_error([&] { parse(document("", "MicronsPerPixel=\"small\"")); }, {"MicronsPerPixel", "got \"small\""});
    CHECK(parse(document(region("1", {{" 1.5 ", "1e1"}, {"2", "-0"}, {"3", "3"}}))).regions[0][0].y == 10);
}

TEST_CASE("aperio: anything but well-formed Aperio XML is an error") {
    const std::string whole = document(triangle);
    for (std::size_t length = 0; length < whole.size(); length += 7)
        check_error([&] { parse(whole.substr(0, length)); }, {"a.xml", "expected well-formed", "got at byte"});
    check_error([&] { parse("<html></html>"); }, {"root element <Annotations>", "got <html>"});
    check_error([&] { parse("not XML"); }, {"a.xml", "expected"});
    check_error([&] { read_aperio("/nowhere/a.xml"); }, {"/nowhere/a.xml", "File was not found"});
    check_error([&] { parse(std::string(100000, '<')); }, {"a.xml", "expected well-formed"});
}
