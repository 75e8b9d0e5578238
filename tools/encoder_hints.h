#pragma once

#include <CLI/CLI.hpp>

#include "models/import/published_encoder.h"

namespace karyon::tools {

/// --source: what a published file may not say of itself.
inline void add_source(CLI::App& app, EncoderHints& hints) {
    app.add_option("--source", hints.source, "where the file comes from, where it does not tell")
        ->check(CLI::IsMember(source_names()))
        ->type_name("NAME");
}

/// --source and --padding-size.
inline void add_encoder_hints(CLI::App& app, EncoderHints& hints) {
    add_source(app, hints);
    app.add_option("--padding-size", hints.padding_size,
                   "SAME padding fixed for images of this side, as in lukemelas' and smp's networks (380 for B4)")
        ->check(CLI::Range(32, 4096))
        ->type_name("PIXELS");
}

}  // namespace karyon::tools
