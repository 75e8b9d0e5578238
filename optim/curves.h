#pragma once

#include <string>
#include <vector>

#include "data/draw.h"

namespace karyon {

struct Curve {
    std::string name;
    Color color{};
    std::vector<Point> points;  ///< in the units of the axes; points that are not finite are left out
    bool faint = false;         ///< thin and pale, without a legend entry: the raw values behind a smoothed curve
};

struct Chart {
    std::string title, x_label;
    std::vector<Curve> curves;
};

/// A line chart with axes, round ticks, grid and legend. Curves may be empty.
Image draw_chart(const Chart&, int width, int height);

/// Steps of 1, 2 or 5 times a power of ten inside [low, high], about `count` of them.
std::vector<double> round_ticks(double low, double high, int count);

/// One value of training at one epoch (fractions count steps within an epoch).
struct TrainingHistory {
    std::vector<Point> train_loss, validation_dice, validation_pooled_dice;  ///< x = epoch
};

/// Training loss (smoothed, raw behind it) on the left, validation Dice on the right: 900x500.
Image draw_training_curves(const TrainingHistory&, const std::string& title);

}  // namespace karyon
