#include "models/import/pickle.h"

#include "models/import/checkpoint.h"
#include "models/import/unpickler.h"

namespace karyon {

Pickle::Pickle(const std::string& file, std::span<const std::byte> bytes) { Unpickler(file, bytes, *this).run(*this); }

const PickleValue* Pickle::find(const PickleValue& dict, std::string_view key) const {
    if (dict.kind != PickleValue::Kind::dict) return nullptr;
    for (std::size_t i = dict.items.size(); i >= 2; i -= 2)
        if (const PickleValue& name = at(dict.items[i - 2]); name.kind == PickleValue::Kind::text && name.text == key)
            return &at(dict.items[i - 1]);
    return nullptr;
}

void Unpickler::run(Pickle& out) {
    for (;;) {
        const auto opcode = static_cast<unsigned char>(take(1)[0]);
        if (opcode == '.') break;  // STOP
        if (opcode == 0x80) {      // PROTO
            if (const auto protocol = number<std::uint8_t>(); protocol > 5)
                fail("expected protocol 5 or before, found {}", protocol);
        } else if (opcode == 0x95) {  // FRAME: a hint for readers of streams
            take(8);
        } else if (!plain(opcode) && !container(opcode) && !memo(opcode) && !object(opcode)) {
            fail("expected an opcode that a state dict needs, found 0x{:02x}", opcode);
        }
    }
    out.root_ = pop();
    out.size_ = at_;
}

bool Unpickler::plain(unsigned char opcode) {
    switch (opcode) {
        case 'N':
            return push_integer(0, Kind::none), true;
        case 0x88:
        case 0x89:
            return push_integer(opcode == 0x88, Kind::boolean), true;
        case 'K':
            return push_integer(number<std::uint8_t>()), true;
        case 'M':
            return push_integer(number<std::uint16_t>()), true;
        case 'J':
            return push_integer(number<std::int32_t>()), true;
        case 0x8a:
            return push_long(take(number<std::uint8_t>())), true;
        case 0x8b:
            return push_long(take(number<std::uint32_t>())), true;
        case 'G':
            take(8);  // a real number: none is of use here
            return push_integer(0, Kind::real), true;
        case 'X':
        case 'T':
        case 'B':
            return push_text(take(number<std::uint32_t>())), true;
        case 0x8c:
        case 'U':
        case 'C':
            return push_text(take(number<std::uint8_t>())), true;
        case 0x8d:
        case 0x8e:
            return push_text(take(number<std::uint64_t>())), true;
        default:
            return false;
    }
}

bool Unpickler::container(unsigned char opcode) {
    switch (opcode) {
        case '(':
            return mark(), true;
        case ')':
            return push_tuple(0), true;
        case 0x85:
            return push_tuple(1), true;
        case 0x86:
            return push_tuple(2), true;
        case 0x87:
            return push_tuple(3), true;
        case 't':
            return push(add({Kind::tuple, 0, {}, pop_to_mark()})), true;
        case ']':
            return push(add({Kind::list, 0, {}, {}})), true;
        case '}':
            return push(add({Kind::dict, 0, {}, {}})), true;
        case 'a': {
            const auto item = pop();
            return append(top(), Kind::list, {item}), true;
        }
        case 'e': {
            const auto items = pop_to_mark();
            return append(top(), Kind::list, items), true;
        }
        case 's': {
            const auto value = pop(), key = pop();
            return append(top(), Kind::dict, {key, value}), true;
        }
        case 'u': {
            const auto items = pop_to_mark();
            if (items.size() % 2 != 0) fail("expected a value for each key, found {} items", items.size());
            return append(top(), Kind::dict, items), true;
        }
        case '0':
            return pop(), true;
        case '1':
            return pop_to_mark(), true;
        case '2':
            return push(top()), true;
        default:
            return false;
    }
}

bool Unpickler::memo(unsigned char opcode) {
    switch (opcode) {
        case 'q':
            return remember(number<std::uint8_t>()), true;
        case 'r':
            return remember(number<std::uint32_t>()), true;
        case 0x94:
            return remember(memo_.size()), true;
        case 'h':
            return recall(number<std::uint8_t>()), true;
        case 'j':
            return recall(number<std::uint32_t>()), true;
        default:
            return false;
    }
}

bool Unpickler::object(unsigned char opcode) {
    switch (opcode) {
        case 'c': {
            const auto module = line(), name = line();
            return global(module, name), true;
        }
        case 0x93: {
            const auto name = pop(), module = pop();
            if (values_[name].kind != Kind::text || values_[module].kind != Kind::text)
                fail("expected the name of a global, found other values");
            return global(values_[module].text, values_[name].text), true;
        }
        case 'R':
        case 0x81: {  // REDUCE, NEWOBJ
            const auto arguments = pop(), callable = pop();
            return call(callable, arguments), true;
        }
        case 'b': {  // BUILD: attributes of a state dict (its versions) or of a numpy type
            pop();
            if (const Kind kind = values_[top()].kind; kind != Kind::dict && kind != Kind::uninteresting)
                fail("expected attributes of a dict, found them for another value");
            return true;
        }
        case 'Q':
            return push(add({Kind::persistent, 0, {}, {pop()}})), true;
        default:
            return false;
    }
}

void Unpickler::global(std::string_view module, std::string_view name) {
    const auto call = allowed_global(file_, fmt::format("{} {}", module, name));
    push(add({Kind::global, static_cast<std::int64_t>(call), name, {}}));
}

void Unpickler::call(std::uint32_t callable, std::uint32_t arguments) {
    if (values_[callable].kind != Kind::global) fail("expected a call of a global, found one of another value");
    if (values_[arguments].kind != Kind::tuple) fail("expected a tuple of arguments, found another value");
    const std::vector<std::uint32_t>& items = values_[arguments].items;
    switch (static_cast<PickleCall>(values_[callable].integer)) {
        case PickleCall::refused:
            fail("expected a call that makes a tensor or a dict, found one of {}", shown(values_[callable].text));
        case PickleCall::uninteresting:
            return push(add({Kind::uninteresting, 0, {}, {}}));
        case PickleCall::tensor:
            if (items.size() > 16) fail("expected the arguments of a tensor, found {} of them", items.size());
            return push(add({Kind::tensor, 0, {}, items}));
        case PickleCall::first_argument:
            if (items.empty()) fail("expected an argument, found none");
            return push(items.front());
        case PickleCall::ordered_dict: {
            PickleValue dict{Kind::dict, 0, {}, {}};
            // Python 2 gave the items as one list of pairs.
            if (!items.empty())
                for (const auto pair : values_[items.front()].items) {
                    if (values_[pair].items.size() != 2) fail("expected pairs of key and value, found another value");
                    dict.items.insert(dict.items.end(), values_[pair].items.begin(), values_[pair].items.end());
                }
            return push(add(std::move(dict)));
        }
    }
}

}  // namespace karyon
