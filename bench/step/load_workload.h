#pragma once

#include "bench/step/workload.h"

namespace karyon::bench {

constexpr int batches_a_run = 8;

/// One worker of the training loader, which makes `batches_a_run` batches a run as the preset `best` has them: both
/// views, with augmentation. The folder of the options is the data set, as `karyon train --data` takes it.
std::unique_ptr<Workload> make_loading(const WorkloadOptions&);

}  // namespace karyon::bench
