#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

/// What a run of the program left behind.
struct Outcome {
    int status = -1;
    std::string out, err;

    nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// A folder that goes when it is out of scope, and the program run in it.
class Workplace {
  public:
    Workplace() {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("karyon-tools-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
        std::filesystem::create_directories(path_);
    }
    ~Workplace() { std::filesystem::remove_all(path_); }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

    const std::filesystem::path& root() const { return path_; }

    /// `arguments` go through the shell.
    Outcome karyon(const std::string& arguments) const { return shell("'" KARYON_BINARY "' " + arguments); }

    Outcome shell(const std::string& script) const {
        const std::string command = "cd '" + path_.string() + "' && (" + script + ") >.out 2>.err </dev/null";
        const int raw = std::system(command.c_str());
        return {WIFEXITED(raw) ? WEXITSTATUS(raw) : -1, read(".out"), read(".err")};
    }

    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path_ / name, std::ios::binary).rdbuf();
        return text.str();
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
    }

  private:
    std::filesystem::path path_;
};
