#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/models/onnx_reader.h"

namespace karyon::test {

/// NCHW, in double precision.
struct OnnxTensor {
    std::vector<std::int64_t> shape;
    std::vector<double> values;

    std::int64_t size(std::size_t axis) const { return shape.at(axis); }
    /// An element of a tensor of 4 axes; 0 outside the image.
    double at(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
        if (y < 0 || x < 0 || y >= shape[2] || x >= shape[3]) return 0;
        return values[std::size_t(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
    }
};

/// Runs a graph as the specification of its operators says, as slowly as that is.
class OnnxInterpreter {
  public:
    explicit OnnxInterpreter(const OnnxFile& file) : file_(file) {}

    std::map<std::string, OnnxTensor> run(std::map<std::string, OnnxTensor> values) const {
        for (const auto& [name, constant] : file_.constants) values.emplace(name, tensor_of(constant));
        for (const OnnxFile::Node& node : file_.nodes) {
            std::vector<const OnnxTensor*> in;
            for (const std::string& name : node.inputs) in.push_back(name.empty() ? nullptr : &values.at(name));
            REQUIRE_MESSAGE(node.outputs.size() == 1, node.op);
            CHECK_MESSAGE(values.emplace(node.outputs[0], result_of(node, in)).second, node.outputs[0]);
        }
        return values;
    }

  private:
    using Inputs = std::vector<const OnnxTensor*>;

    static OnnxTensor tensor_of(const OnnxFile::Constant& constant) {
        OnnxTensor t{constant.shape, {}};
        const std::size_t width = constant.type == 7 ? 8 : 4;
        for (std::size_t at = 0; at < constant.raw.size(); at += width) {
            float real;
            std::int64_t integer;
            if (width == 8) std::memcpy(&integer, constant.raw.data() + at, 8);
            if (width == 4) std::memcpy(&real, constant.raw.data() + at, 4);
            t.values.push_back(width == 8 ? double(integer) : double(real));
        }
        std::size_t elements = 1;
        for (const std::int64_t size : t.shape) elements *= std::size_t(size);
        CHECK(t.values.size() == elements);
        return t;
    }

    /// f(n, c, y, x) for every element.
    template <typename F>
    static OnnxTensor filled(std::vector<std::int64_t> shape, F f) {
        OnnxTensor t{std::move(shape), {}};
        for (std::int64_t n = 0; n < t.shape[0]; ++n)
            for (std::int64_t c = 0; c < t.shape[1]; ++c)
                for (std::int64_t y = 0; y < t.shape[2]; ++y)
                    for (std::int64_t x = 0; x < t.shape[3]; ++x) t.values.push_back(f(n, c, y, x));
        return t;
    }

    template <typename F>
    static OnnxTensor each(const OnnxTensor& x, F f) {
        OnnxTensor y = x;
        for (double& value : y.values) value = f(value);
        return y;
    }

    /// b may have axes of size 1.
    template <typename F>
    static OnnxTensor both(const OnnxTensor& a, const OnnxTensor& b, F f) {
        return filled(a.shape, [&](auto n, auto c, auto y, auto x) {
            return f(a.at(n, c, y, x), b.at(n % b.size(0), c % b.size(1), y % b.size(2), x % b.size(3)));
        });
    }

    static OnnxTensor convolution(const OnnxFile::Node& node, const Inputs& in) {
        const OnnxTensor &x = *in[0], &w = *in[1];
        const auto ints = [&](const char* name, std::vector<std::int64_t> otherwise) {
            const auto found = node.attributes.find(name);
            return found == node.attributes.end() ? otherwise : found->second.integers;
        };
        const auto pads = ints("pads", {0, 0, 0, 0}), strides = ints("strides", {1, 1});
        const std::int64_t group = node.attributes.contains("group") ? node.attributes.at("group").integer : 1;
        const std::int64_t per_group = w.size(0) / group, kh = w.size(2), kw = w.size(3);
        CHECK(x.size(1) == w.size(1) * group);
        return filled({x.size(0), w.size(0), (x.size(2) + pads[0] + pads[2] - kh) / strides[0] + 1,
                       (x.size(3) + pads[1] + pads[3] - kw) / strides[1] + 1},
                      [&](auto n, auto o, auto p, auto q) {
                          double sum = in.size() > 2 ? in[2]->values.at(std::size_t(o)) : 0;
                          for (std::int64_t c = 0; c < w.size(1); ++c)
                              for (std::int64_t r = 0; r < kh; ++r)
                                  for (std::int64_t s = 0; s < kw; ++s)
                                      sum += w.at(o, c, r, s) * x.at(n, o / per_group * w.size(1) + c,
                                                                     p * strides[0] - pads[0] + r,
                                                                     q * strides[1] - pads[1] + s);
                          return sum;
                      });
    }

    static OnnxTensor resize(const OnnxFile::Node& node, const Inputs& in) {
        const OnnxTensor& x = *in[0];
        const std::vector<double>& scale = in[2]->values;
        const auto out = [&](std::size_t axis) { return std::int64_t(std::floor(double(x.size(axis)) * scale[axis])); };
        const std::vector<std::int64_t> shape{x.size(0), x.size(1), out(2), out(3)};
        if (node.attributes.at("mode").text == "nearest") {
            CHECK(node.attributes.at("coordinate_transformation_mode").text == "asymmetric");
            CHECK(node.attributes.at("nearest_mode").text == "floor");
            return filled(shape, [&](auto n, auto c, auto p, auto q) {
                return x.at(n, c, std::int64_t(double(p) / scale[2]), std::int64_t(double(q) / scale[3]));
            });
        }
        CHECK(node.attributes.at("coordinate_transformation_mode").text == "half_pixel");
        return filled(shape, [&](auto n, auto c, auto p, auto q) {
            const double v = (double(p) + 0.5) / scale[2] - 0.5, u = (double(q) + 0.5) / scale[3] - 0.5;
            const auto inside = [&](double at, std::size_t axis) {
                return std::clamp<std::int64_t>(std::int64_t(at), 0, x.size(axis) - 1);
            };
            const double top = std::floor(v), left = std::floor(u), fv = v - top, fu = u - left;
            const auto row = [&](double y) {
                return (1 - fu) * x.at(n, c, inside(y, 2), inside(left, 3)) +
                       fu * x.at(n, c, inside(y, 2), inside(left + 1, 3));
            };
            return (1 - fv) * row(top) + fv * row(top + 1);
        });
    }

    static OnnxTensor result_of(const OnnxFile::Node& node, const Inputs& in) {
        const OnnxTensor& x = *in.at(0);
        if (node.op == "Conv") return convolution(node, in);
        if (node.op == "Resize") return resize(node, in);
        if (node.op == "Identity") return x;
        if (node.op == "Relu") return each(x, [](double v) { return std::max(v, 0.0); });
        if (node.op == "Sigmoid") return each(x, [](double v) { return 1 / (1 + std::exp(-v)); });
        if (node.op == "Clip")
            return each(x, [&](double v) { return std::clamp(v, in.at(1)->values.at(0), in.at(2)->values.at(0)); });
        if (node.op == "Mul") return both(x, *in.at(1), std::multiplies<>());
        if (node.op == "Add") return both(x, *in.at(1), std::plus<>());
        if (node.op == "BatchNormalization") {
            const double eps = double(node.attributes.at("epsilon").real);
            return filled(x.shape, [&](auto n, auto c, auto p, auto q) {
                const auto of = [&](std::size_t i) { return in.at(i)->values.at(std::size_t(c)); };
                return (x.at(n, c, p, q) - of(3)) / std::sqrt(of(4) + eps) * of(1) + of(2);
            });
        }
        if (node.op == "GlobalAveragePool")
            return filled({x.size(0), x.size(1), 1, 1}, [&](auto n, auto c, auto, auto) {
                double sum = 0;
                for (std::int64_t p = 0; p < x.size(2); ++p)
                    for (std::int64_t q = 0; q < x.size(3); ++q) sum += x.at(n, c, p, q);
                return sum / double(x.size(2) * x.size(3));
            });
        if (node.op == "Concat") {
            CHECK(node.attributes.at("axis").integer == 1);
            const OnnxTensor& b = *in.at(1);
            return filled({x.size(0), x.size(1) + b.size(1), x.size(2), x.size(3)},
                          [&](auto n, auto c, auto p, auto q) {
                              return c < x.size(1) ? x.at(n, c, p, q) : b.at(n, c - x.size(1), p, q);
                          });
        }
        if (node.op == "Slice") {
            CHECK(in.at(3)->values == std::vector<double>{2, 3});
            const auto &from = in.at(1)->values, &to = in.at(2)->values;
            return filled({x.size(0), x.size(1), std::int64_t(to[0] - from[0]), std::int64_t(to[1] - from[1])},
                          [&](auto n, auto c, auto p, auto q) {
                              return x.at(n, c, p + std::int64_t(from[0]), q + std::int64_t(from[1]));
                          });
        }
        FAIL("an operator that this interpreter does not know: ", node.op);
        return {};
    }

    const OnnxFile& file_;
};

}  // namespace karyon::test
