#pragma once

#include <omp.h>

#include <functional>
#include <future>
#include <utility>

namespace karyon::tools {

/// Makes items one by one, each on another thread while its predecessor is used: reading overlaps the network, to which
/// the cores belong, so that it has one thread.
template <typename Item>
class Ahead {
  public:
    /// Calls make(0) ... make(count - 1), in that order, one at a time.
    Ahead(std::size_t count, std::function<Item(std::size_t)> make) : count_(count), make_(std::move(make)) { begin(); }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;

    /// The next item; waits for it. Throws what `make` threw for it, and goes on with the one after. At most `count`
    /// calls.
    Item next() {
        std::future<Item> current = std::move(following_);
        current.wait();
        begin();
        return current.get();
    }

  private:
    void begin() {
        if (begun_ == count_) return;
        following_ = std::async(std::launch::async, [this, i = begun_++] {
            omp_set_num_threads(1);
            return make_(i);
        });
    }

    std::size_t count_, begun_ = 0;
    std::function<Item(std::size_t)> make_;
    std::future<Item> following_;  ///< its destructor waits, so that make_ outlives its last call
};

}  // namespace karyon::tools
