#include "models/import/unpickler.h"

#include <algorithm>

namespace karyon {
namespace {

/// A state dict of the largest EfficientNet has 40 thousand values, one with its optimiser's state four times that.
/// The stack, its marks and the memo cannot need more; the items of all containers together can, if they share values.
constexpr std::size_t kMaxValues = std::size_t(1) << 20, kMaxItems = 4 * kMaxValues;

}  // namespace

std::string_view Unpickler::take(std::uint64_t count) {
    if (count > bytes_.size() - at_) fail("expected {} more bytes, found {}", count, bytes_.size() - at_);
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, std::size_t(count));
    at_ += std::size_t(count);
    return text;
}

std::string_view Unpickler::line() {
    constexpr std::size_t most = 1000;
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_,
                                std::min(most, bytes_.size() - at_));
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) fail("expected a line of at most {} bytes, found none", most);
    at_ += end + 1;
    return rest.substr(0, end);
}

std::uint32_t Unpickler::add(PickleValue value) {
    if (values_.size() == kMaxValues) fail("expected at most {} values, found more", kMaxValues);
    count_items(value.items.size());
    values_.push_back(std::move(value));
    return static_cast<std::uint32_t>(values_.size() - 1);
}

void Unpickler::push(std::uint32_t value) {
    if (stack_.size() == kMaxValues) fail("expected a stack of at most {} values, found more", kMaxValues);
    stack_.push_back(value);
}

void Unpickler::mark() {
    if (marks_.size() == kMaxValues) fail("expected at most {} open marks, found more", kMaxValues);
    marks_.push_back(stack_.size());
}

void Unpickler::count_items(std::size_t count) {
    items_ += count;
    if (items_ > kMaxItems) fail("expected at most {} items in all containers, found more", kMaxItems);
}

void Unpickler::push_integer(std::int64_t integer, Kind kind) { push(add({kind, integer, {}, {}})); }
void Unpickler::push_text(std::string_view text, Kind kind) { push(add({kind, 0, text, {}})); }

void Unpickler::push_long(std::string_view little_endian) {
    PickleValue value{Kind::integer, 0, {}, {}};
    if (little_endian.size() > 8) {
        value.text = little_endian;
    } else {
        const bool negative = !little_endian.empty() && (static_cast<unsigned char>(little_endian.back()) & 0x80) != 0;
        std::uint64_t bits = negative ? ~std::uint64_t(0) : 0;
        for (std::size_t i = little_endian.size(); i-- > 0;)
            bits = bits << 8 | static_cast<unsigned char>(little_endian[i]);
        value.integer = static_cast<std::int64_t>(bits);
    }
    push(add(std::move(value)));
}

std::uint32_t Unpickler::pop() {
    const auto value = top();
    stack_.pop_back();
    return value;
}

std::uint32_t Unpickler::top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("expected a value on the stack, found none");
    return stack_.back();
}

std::vector<std::uint32_t> Unpickler::pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the stack, found none");
    const auto first = stack_.begin() + std::ptrdiff_t(marks_.back());
    std::vector<std::uint32_t> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
}

void Unpickler::push_tuple(std::size_t count) {
    std::vector<std::uint32_t> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(add({Kind::tuple, 0, {}, std::move(items)}));
}

void Unpickler::append(std::uint32_t container, Kind kind, const std::vector<std::uint32_t>& items) {
    PickleValue& value = values_[container];
    if (value.kind == Kind::uninteresting) return;
    if (value.kind != kind) fail("expected a {} to add to, found another value", kind == Kind::list ? "list" : "dict");
    count_items(items.size());
    value.items.insert(value.items.end(), items.begin(), items.end());
}

void Unpickler::remember(std::uint64_t key) {
    if (memo_.size() == kMaxValues) fail("expected at most {} values in the memo, found more", kMaxValues);
    memo_[key] = top();
}

void Unpickler::recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("expected a value in the memo at {}, found none", key);
    push(found->second);
}

}  // namespace karyon
