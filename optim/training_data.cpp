#include "optim/training_data.h"

#include <algorithm>
#include <map>
#include <set>

namespace karyon {
namespace {

void normalise_stains(TrainingCase& item, const StainModel& target, std::vector<std::string>& warnings) {
    const StainModel stains = estimate_stains(item.image);
    if (stains.fallback) warnings.push_back(fmt::format("{}: stains not normalised: {}", item.name, stains.fallback));
    item.image = normalise(item.image, stains, target);
}

}  // namespace

std::vector<std::string> held_out_names(const Split& split, const std::vector<std::string>& requested) {
    const auto& entries = split.entries;
    if (!requested.empty()) {
        for (const std::string& name : requested)
            if (std::none_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name == name; }))
                throw Error(split.path.string(), "expected the validation image {} among its names, found none", name);
        return requested;
    }
    std::map<std::string, std::string> last_of_organ;
    for (const Split::Entry& entry : entries) last_of_organ[entry.organ] = entry.name;
    std::vector<std::string> names;
    if (last_of_organ.size() > 1 && last_of_organ.size() < entries.size()) {
        for (const auto& [organ, name] : last_of_organ) names.push_back(name);
    } else if (entries.size() > 1) {
        for (std::size_t i = entries.size() - std::max<std::size_t>(1, entries.size() / 5); i < entries.size(); ++i)
            names.push_back(entries[i].name);
    }
    return names;
}

TrainingData read_training_data(const DataFolder& folder, const Split& split, const std::vector<std::string>& held_out,
                                const StainModel* stain_target) {
    const auto names = held_out_names(split, held_out);
    const std::set<std::string> validation(names.begin(), names.end());
    if (validation.size() >= split.entries.size())
        throw Error(split.path.string(), "expected at least one image beside the {} for validation, found none",
                    validation.size());
    folder.find_images(split);

    TrainingData data;
    auto training = std::make_shared<std::vector<TrainingCase>>();
    std::set<std::string> organs;
    for (const Split::Entry& entry : split.entries) {
        if (!entry.organ.empty()) organs.insert(entry.organ);
        Case read = folder.read_case(entry.name, entry.organ);
        (validation.contains(entry.name) ? data.validation : *training)
            .push_back({entry.name, entry.organ, std::move(read.image), std::move(read.mask)});
    }
    if (data.validation.empty()) {
        data.warnings.push_back("one image only: validated on what it is trained on");
        data.validation = *training;
    }
    if (stain_target)
        for (TrainingCase& item : *training) normalise_stains(item, *stain_target, data.warnings);
    data.training = std::move(training);
    data.organs.assign(organs.begin(), organs.end());
    return data;
}

}  // namespace karyon
