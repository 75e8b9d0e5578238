#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/import/checkpoint.h"
#include "models/import/dialect.h"
#include "models/import/encoder_description.h"
#include "models/import/source.h"

namespace karyon {

/// What a user says about a file, where it does not say so itself.
struct EncoderHints {
    std::string source;    ///< Source::name; empty: recognised
    int padding_size = 0;  ///< EfficientNetOptions::padding_size
};

/// An EfficientNet in a checkpoint, recognised by the names and shapes of its tensors, whatever the container. It may
/// stand inside a larger model (a U-Net, DataParallel): what precedes its names is found and taken off.
class PublishedEncoder {
  public:
    /// Throws Error when no EfficientNet is found, or the hints contradict what is.
    explicit PublishedEncoder(Checkpoint, const EncoderHints& = {});
    static PublishedEncoder open(const std::filesystem::path& path, const EncoderHints& hints = {}) {
        return PublishedEncoder(Checkpoint::open(path), hints);
    }

    const Checkpoint& checkpoint() const { return checkpoint_; }
    Dialect dialect() const { return dialect_; }
    const std::string& prefix() const { return prefix_; }
    /// The tensors of the network, with or without head and classifier as the file has them.
    const std::vector<EncoderTensor>& tensors() const { return tensors_; }
    const EfficientNetOptions& network() const { return description_.network; }
    std::int64_t parameters() const;  ///< trained ones

    const std::vector<std::string>& missing() const { return missing_; }      ///< published names
    const std::vector<std::string>& misshaped() const { return misshaped_; }  ///< "NAME: expected ..., found ..."
    const std::vector<std::string>& unused() const { return unused_; }        ///< of the file
    const std::vector<std::string>& ignored() const { return ignored_; }  ///< known to have no meaning here: counters

    /// The sources it may come from; more than one: the user has to say.
    const std::vector<Source>& candidates() const { return candidates_; }
    /// Throws Error explaining why it matters when there are several candidates.
    const EncoderDescription& description() const;
    /// Throws Error naming the first tensor that is missing or of another shape.
    void require_complete() const;

    /// Elements of a tensor of tensors(), in karyon's layout. Throws Error where the file does not hold it so.
    void read(const EncoderTensor&, std::span<float> to) const;

  private:
    struct Match {
        Dialect dialect{};
        std::string prefix;
        EfficientNetOptions network;
        std::size_t found = 0, expected = 0;
    };
    Match best_match() const;
    void consider(Dialect, const std::string& prefix, Match& best) const;
    const CheckpointTensor* find(Dialect, const std::string& prefix, const EncoderTensor&) const;
    void compare();
    void choose_source(const EncoderHints&);

    Checkpoint checkpoint_;
    Dialect dialect_ = Dialect::timm;
    std::string prefix_;
    std::vector<EncoderTensor> tensors_;
    std::vector<std::string> missing_, misshaped_, unused_, ignored_;
    std::vector<Source> candidates_;
    EncoderDescription description_;
};

}  // namespace karyon
