#include "data/dataset.h"

#include <algorithm>

#include "data/image_io.h"
#include "data/labels.h"
#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

struct SampleFolder : TemporaryFolder {
    SampleFolder() {
        for (const char* name : {"images", "masks", "labels", "annotations"}) fs::create_directory(*this / name);
        write_png(*this / "images/a.png", noise_image(4, 3));
    }
    void add_mask(int width, int height) { write_mask(*this / "masks/a.png", Mask(width, height)); }
    void add_labels(int width, int height, int id) {
        Labels labels(width, height);
        std::fill(labels.ids.begin(), labels.ids.end(), id);
        write_labels(*this / "labels/a.png", labels);
    }
    void add_annotation() {
        write_bytes(*this / "annotations/a.xml",
                    "<Annotations><Annotation><Regions><Region Id=\"1\"><Vertices><Vertex X=\"0\" Y=\"0\"/>"
                    "<Vertex X=\"2\" Y=\"0\"/><Vertex X=\"2\" Y=\"1\"/><Vertex X=\"0\" Y=\"1\"/></Vertices></Region>"
                    "</Regions></Annotation></Annotations>");
    }
};

int sum(const Mask& mask) { return int(std::count(mask.pixels.begin(), mask.pixels.end(), 1)); }

Split parse_split(const std::string& text) {
    const TemporaryFolder folder;
    write_bytes(folder / "my-split.txt", text);
    return read_split(folder / "my-split.txt");
}

std::vector<std::string> names(const std::vector<fs::path>& paths) {
    std::vector<std::string> result;
    for (const fs::path& path : paths) result.push_back(path.filename().string());
    return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("split: names, organs, comments, blank lines, Windows line ends") {
    const Split split = parse_split("\xef\xbb\xbf# title\r\nTCGA-1.x Breast\r\n\r\n  b # no organ\nc\tKidney");
    CHECK(split.name == "my-split");
    REQUIRE(split.entries.size() == 3);
    CHECK(split.entries[0].name == "TCGA-1.x");
    CHECK(split.entries[0].organ == "Breast");
    CHECK(split.entries[0].line == 2);
    CHECK(split.entries[1].organ.empty());
    CHECK(split.entries[2].organ == "Kidney");
    CHECK(split.entries[2].line == 5);
}

TEST_CASE("split: errors name file and line") {
    check_error([] { parse_split("a\nb\n\na Breast\n"); }, {"my-split.txt, line 4", "got a again after line 1"});
    check_error([] { parse_split("a Breast 5\n"); }, {"my-split.txt, line 1", "`name [organ]`", "got 3 words"});
    check_error([] { parse_split("../a\n"); }, {"my-split.txt, line 1", "without folder", "../a"});
    check_error([] { parse_split("# nothing\n"); }, {"my-split.txt", "at least one"});
    check_error([] { read_split("/nowhere/s.txt"); }, {"/nowhere/s.txt", "No such file"});
    check_error([] { read_split("/"); }, {"a folder"});
}

TEST_CASE("data folder: ground truth from masks, else labels, else annotations") {
    SampleFolder folder;
    const DataFolder data(folder.path());
    check_error([&] { data.read_case("a"); },
                {"images/a.png", "masks/a.png", "labels/a{.png,.tif}", "annotations/a.xml", "got none"});
    folder.add_annotation();
    CHECK(sum(data.read_case("a").mask) == 2);
    CHECK(data.read_case("a").labels->ids[1] == 1);
    folder.add_labels(4, 3, 5);
    CHECK(sum(data.read_case("a").mask) == 12);
    CHECK(data.read_case("a").labels->ids[1] == 5);
    folder.add_mask(4, 3);
    const Case both = data.read_case("a", "Breast");
    CHECK(sum(both.mask) == 0);
    CHECK(both.labels->ids[1] == 5);
    CHECK(both.organ == "Breast");
    CHECK(both.image.pixels == noise_image(4, 3).pixels);
    fs::remove(folder / "labels/a.png");
    fs::remove(folder / "annotations/a.xml");
    CHECK(!data.read_case("a").labels);
}

TEST_CASE("data folder: a mask or labels of another size name both sizes") {
    SampleFolder folder;
    const DataFolder data(folder.path());
    folder.add_mask(3, 4);
    check_error([&] { data.read_case("a"); }, {"masks/a.png", "expected 4 x 3", "images/a.png", "got 3 x 4"});
    folder.add_mask(4, 3), folder.add_labels(5, 3, 1);
    check_error([&] { data.read_case("a"); }, {"labels/a.png", "expected 4 x 3", "got 5 x 3"});
}

TEST_CASE("data folder: missing images") {
    SampleFolder folder;
    const DataFolder data(folder.path());
    write_png(folder / "images/B.PNG", noise_image(1, 1));
    CHECK(data.find_image("B") == folder / "images/B.PNG");
    write_bytes(folder / "s.txt", "a\nB\n# two\nmissing Liver\n");
    check_error([&] { data.find_images(read_split(folder / "s.txt")); },
                {"s.txt, line 4", "expected an image", "images/missing{.tif,.tiff,.png,.jpg,.jpeg}", "got none"});
    write_bytes(folder / "s.txt", "B\na\n");
    CHECK(names(data.find_images(read_split(folder / "s.txt"))) == Names{"B.PNG", "a.png"});
    check_error([&] { data.find_image("missing"); }, {"images/missing{.tif"});
    check_error([&] { DataFolder(folder / "labels"); }, {"labels", "`images`"});
}

TEST_CASE("inputs: files, folders and patterns, sorted, each once") {
    const TemporaryFolder folder;
    for (const char* name : {"b.png", "a.TIF", "c.jpeg", "notes.txt", "[x].png"}) write_bytes(folder / name, "x");
    fs::create_directory(folder / "d.png");
    const auto list = [&](const Names& inputs) {
        Names full;
        for (const std::string& input : inputs) full.push_back((folder / input).string());
        return names(list_images(full));
    };
    CHECK(list({""}) == Names{"[x].png", "a.TIF", "b.png", "c.jpeg"});
    CHECK(list({"*"}) == Names{"[x].png", "a.TIF", "b.png", "c.jpeg"});
    CHECK(list({"[bc].*"}) == Names{"b.png", "c.jpeg"});
    CHECK(list({"[x].png"}) == Names{"[x].png"});
    CHECK(list({"notes.txt", "c.jpeg", "./c.jpeg", "?.*"}) == Names{"notes.txt", "c.jpeg", "a.TIF", "b.png"});
    for (const char* nothing : {"none.png", "*.bmp", "notes.*", "d.png"})
        check_error([&] { list({nothing}); }, {nothing, "got no such file"});
    check_error([&] { list({}); }, {"at least one"});
}
