// What gramdex bench asks of the SDSL library, as functions that Python calls through ctypes.
//
// The library ends a text with a 0 of its own, so symbols are raised by one, and its suffix arrays
// have one entry more, the first, which is left out here. What fails returns -1 or a null pointer
// and leaves its reason in sdsl_error().

#include <cstdint>
#include <exception>
#include <ios>
#include <string>

#include <sdsl/suffix_arrays.hpp>

// Huffman-shaped wavelet tree over plain bits: fewest levels for frequent tokens, no decoding.
using Index = sdsl::csa_wt<sdsl::wt_huff_int<>, 32, 64, sdsl::sa_order_sa_sampling<>,
                           sdsl::isa_sampling<>, sdsl::int_alphabet<>>;
// The field's reference for compressed text: bytes, with every bit vector compressed as well.
using Bytes = sdsl::csa_wt<sdsl::wt_huff<sdsl::rrr_vector<127>>, 32, 64>;
// Words of 32 bits sort faster than the library's default of as many bits as needed.
using Words = sdsl::int_vector<32>;

namespace {

std::string message;

template <typename Action>
int64_t attempt(Action action) {
    try {
        return action();
    } catch (const std::exception& error) {
        message = error.what();
    } catch (...) {
        message = "an exception of an unknown kind";
    }
    return -1;
}

// Symbols of 1, 2 or 4 bytes as the library's sorter reads them.
template <typename Symbol>
struct Text {
    const Symbol* symbols;
    uint64_t length;

    uint64_t size() const { return length + 1; }
    uint64_t operator[](uint64_t i) const { return i < length ? uint64_t(symbols[i]) + 1 : 0; }
};

template <typename Symbol>
void sort(Words& suffixes, const void* symbols, uint64_t length) {
    Text<Symbol> text{static_cast<const Symbol*>(symbols), length};
    sdsl::qsufsort::construct_sa(suffixes, text);
}

// Build an index of a file of symbols of `width` bytes; temporary files go to folder.
template <typename Csa>
int64_t build(const char* text, const char* folder, const char* output, uint8_t width) {
    return attempt([&] {
        Csa csa;
        sdsl::cache_config config(true, folder, "gramdex");
        sdsl::construct(csa, text, config, width);
        return sdsl::store_to_file(csa, output) ? 0 : throw std::ios_base::failure(output);
    });
}

template <typename Csa>
void* open(const char* path) {
    Csa* csa = new Csa();
    bool loaded = 0 == attempt([&] {
        return sdsl::load_from_file(*csa, path) ? 0 : throw std::ios_base::failure(path);
    });
    if (!loaded) {
        delete csa;
        csa = nullptr;
    }
    return csa;
}

}  // namespace

extern "C" {

const char* sdsl_error() { return message.c_str(); }

// Sort symbols of `width` bytes each; fewer than 2^31 - 1 of them.
void* sdsl_sort(const void* symbols, uint64_t width, uint64_t length) {
    Words* suffixes = new Words();
    bool sorted = 0 == attempt([&] {
        (width == 1 ? sort<uint8_t> : width == 2 ? sort<uint16_t> : sort<uint32_t>)(
            *suffixes, symbols, length);
        return 0;
    });
    if (!sorted) {
        delete suffixes;
        suffixes = nullptr;
    }
    return suffixes;
}

// The positions of the sorted suffixes, without the first.
const uint32_t* sdsl_words(const void* words) {
    return reinterpret_cast<const uint32_t*>(static_cast<const Words*>(words)->data()) + 1;
}

void sdsl_free_words(void* words) { delete static_cast<Words*>(words); }

// Build an index of a file of 32-bit symbols, raised already; its own temporary files go to folder.
int64_t sdsl_build(const char* text, const char* folder, const char* output) {
    return build<Index>(text, folder, output, 4);
}

void* sdsl_open(const char* path) { return open<Index>(path); }

void sdsl_close(void* index) { delete static_cast<Index*>(index); }

uint64_t sdsl_count(const void* index, const uint64_t* pattern, uint64_t length) {
    return sdsl::count(*static_cast<const Index*>(index), pattern, pattern + length);
}

// Counts of many patterns of one length, laid one after the other.
void sdsl_count_batch(const void* index, const uint64_t* patterns, uint64_t length, uint64_t many,
                      uint64_t* counts) {
    for (uint64_t i = 0; i < many; ++i) {
        counts[i] = sdsl_count(index, patterns + i * length, length);
    }
}

// Positions of at most `most` occurrences, in the order of their suffixes; how many there are.
uint64_t sdsl_locate(const void* index, const uint64_t* pattern, uint64_t length, uint64_t most,
                     uint64_t* positions) {
    const Index& csa = *static_cast<const Index*>(index);
    uint64_t begin = 0, end = 0;
    uint64_t found =
        sdsl::backward_search(csa, 0, csa.size() - 1, pattern, pattern + length, begin, end);
    for (uint64_t i = 0; i < found && i < most; ++i) {
        positions[i] = csa[begin + i];
    }
    return found;
}

// The same of bytes, none of which is 0.
int64_t sdsl_bytes_build(const char* text, const char* folder, const char* output) {
    return build<Bytes>(text, folder, output, 1);
}

void* sdsl_bytes_open(const char* path) { return open<Bytes>(path); }

void sdsl_bytes_close(void* index) { delete static_cast<Bytes*>(index); }

// Bytes in memory of the wavelet tree, the samples of the suffix array and of its inverse.
void sdsl_bytes_sizes(const void* index, uint64_t* sizes) {
    const Bytes& csa = *static_cast<const Bytes*>(index);
    sizes[0] = sdsl::size_in_bytes(csa.wavelet_tree);
    sizes[1] = sdsl::size_in_bytes(csa.sa_sample);
    sizes[2] = sdsl::size_in_bytes(csa.isa_sample);
}

uint64_t sdsl_bytes_count(const void* index, const uint8_t* pattern, uint64_t length) {
    return sdsl::count(*static_cast<const Bytes*>(index), pattern, pattern + length);
}

// Counts of patterns that begin at `starts`, which has one more entry for the end.
void sdsl_bytes_count_batch(const void* index, const uint8_t* patterns, const uint64_t* starts,
                            uint64_t many, uint64_t* counts) {
    for (uint64_t i = 0; i < many; ++i) {
        counts[i] = sdsl_bytes_count(index, patterns + starts[i], starts[i + 1] - starts[i]);
    }
}

// Occurrences, and the rank of the first in the order of suffixes.
uint64_t sdsl_bytes_find(const void* index, const uint8_t* pattern, uint64_t length,
                         uint64_t* first) {
    const Bytes& csa = *static_cast<const Bytes*>(index);
    uint64_t last = 0;
    return sdsl::backward_search(csa, 0, csa.size() - 1, pattern, pattern + length, *first, last);
}

uint64_t sdsl_bytes_locate(const void* index, uint64_t rank) {
    return (*static_cast<const Bytes*>(index))[rank];
}

// The text positions of many ranks.
void sdsl_bytes_locate_batch(const void* index, const uint64_t* ranks, uint64_t many,
                             uint64_t* positions) {
    for (uint64_t i = 0; i < many; ++i) {
        positions[i] = sdsl_bytes_locate(index, ranks[i]);
    }
}

// The text [start, start + length), which must lie inside it; `text` has room for that.
void sdsl_bytes_extract(const void* index, uint64_t start, uint64_t length, uint8_t* text) {
    sdsl::extract(*static_cast<const Bytes*>(index), start, start + length - 1, text);
}
}
