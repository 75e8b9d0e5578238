#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "kernels/error.h"
#include "tools/command.h"

namespace {

constexpr int failed = 1, wrong_usage = 2;

constexpr const char* description =
    "karyon finds cell nuclei in H&E-stained microscopy images: it trains the network, measures it and runs it.";

constexpr const char* examples = R"(A first run, on made-up images:
  karyon synth --out demo --images 16 --size 384
  karyon train --preset fast --data demo --split demo/splits/train.txt --out run --max-minutes 3
  karyon evaluate --model run/best.safetensors --data demo --split demo/splits/test.txt
  karyon predict --model run/best.safetensors --out masks demo/images

karyon COMMAND --help explains each command. Exit status: 0 done, 1 failed, 2 wrong usage.)";

/// OpenMP reads its settings before main: start over with threads that spin at barriers for some ten microseconds, then
/// sleep. Sleeping at once costs the small layers of one image dear; spinning on, as is the default, takes the
/// processor from the thread that everybody waits for where other programs are busy too.
void start_with_sleeping_threads(char** argv) {
    if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT") || ::setenv("GOMP_SPINCOUNT", "10000", 0) != 0)
        return;
    ::execv("/proc/self/exe", argv);  // returns only where it failed: then the threads spin
}

}  // namespace

int main(int argc, char** argv) {
    start_with_sleeping_threads(argv);
    CLI::App app(description, "karyon");
    app.footer(examples);
    app.set_version_flag("--version", "karyon " KARYON_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(34);
    karyon::tools::add_train(app);
    karyon::tools::add_evaluate(app);
    karyon::tools::add_predict(app);
    karyon::tools::add_normalize(app);
    karyon::tools::add_synth(app);
    karyon::tools::add_info(app);
    karyon::tools::add_inspect(app);
    karyon::tools::add_convert(app);
    karyon::tools::add_export(app);
    karyon::tools::add_classify(app);
    karyon::tools::add_doctor(app);
    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : wrong_usage;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "karyon: %s\n", error.what());
        return failed;
    }
}
