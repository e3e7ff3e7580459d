/**
 * The first half of kanc_ap_int.h: storage, conversions, bits and ranges of ap_int and ap_uint. The header is C++17
 * of our own, written from the documented behaviour of the types, for simulating designs without the vendor's tools.
 */
export const AP_TYPES = `/*
 * ap_int and ap_uint of up to 64 bits, for simulating designs where the vendor's ap_int.h is not at hand. Written from
 * the documented behaviour of those types (UG1399): widths and signs of results, truncation on assignment, shifts that
 * keep their type, bits and ranges, comparisons by value. A result that would need more than 64 bits does not compile.
 */
#ifndef KANC_AP_INT_H
#define KANC_AP_INT_H

#include <cstdint>
#include <type_traits>

template <int W> struct ap_int;
template <int W> struct ap_uint;

namespace kanc_ap {

constexpr int larger(int a, int b) { return a > b ? a : b; }
constexpr int smaller(int a, int b) { return a < b ? a : b; }

/* The native type that a value converts to. */
template <int W, bool S> struct native {
    using type = std::conditional_t<
        W <= 8, std::conditional_t<S, signed char, unsigned char>,
        std::conditional_t<W <= 16, std::conditional_t<S, short, unsigned short>,
                           std::conditional_t<W <= 32, std::conditional_t<S, int, unsigned int>,
                                              std::conditional_t<S, std::int64_t, std::uint64_t>>>>;
};

/* The lowest W bits, as a number. */
template <int W, bool S> constexpr std::int64_t wrap(std::uint64_t bits)
{
    constexpr std::uint64_t mask = W == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (W % 64)) - 1;
    const std::uint64_t low = bits & mask;
    if (S && W < 64 && ((low >> (W - 1)) & 1) != 0) {
        return static_cast<std::int64_t>(low | ~mask);
    }
    return static_cast<std::int64_t>(low);
}

template <int W, bool S> struct base;
template <int W, bool S> using typed = std::conditional_t<S, ap_int<W>, ap_uint<W>>;

/* Width and sign of an operand: an ap type, or a native integer. */
template <typename T, typename = void> struct traits {
    static constexpr bool known = false;
};
template <typename T> struct traits<T, std::enable_if_t<std::is_integral<T>::value>> {
    static constexpr bool known = true;
    static constexpr bool ap = false;
    static constexpr bool sign = std::is_signed<T>::value;
    static constexpr int width = std::is_same<T, bool>::value ? 1 : static_cast<int>(8 * sizeof(T));
    static constexpr std::uint64_t bits(T v) { return static_cast<std::uint64_t>(v); }
};
template <int W, bool S> struct ap_traits {
    static constexpr bool known = true;
    static constexpr bool ap = true;
    static constexpr bool sign = S;
    static constexpr int width = W;
    static constexpr std::uint64_t bits(const base<W, S> &v) { return static_cast<std::uint64_t>(v.value); }
};
template <int W> struct traits<ap_int<W>, void> : ap_traits<W, true> {};
template <int W> struct traits<ap_uint<W>, void> : ap_traits<W, false> {};

/* One bit or some neighbouring bits of a value, to read and to assign. */
template <int W, bool S> struct range_ref {
    base<W, S> &whole;
    const int high;
    const int low;
    constexpr std::uint64_t get() const
    {
        const int count = high - low + 1;
        const std::uint64_t mask = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
        return (static_cast<std::uint64_t>(whole.value) >> low) & mask;
    }
    constexpr operator std::uint64_t() const { return get(); }
    constexpr range_ref &operator=(std::uint64_t v)
    {
        const int count = high - low + 1;
        const std::uint64_t mask = count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
        const std::uint64_t rest = static_cast<std::uint64_t>(whole.value) & ~(mask << low);
        whole.value = wrap<W, S>(rest | ((v & mask) << low));
        return *this;
    }
    constexpr range_ref &operator=(const range_ref &other) { return *this = other.get(); }
};

template <int W, bool S> struct base {
    static_assert(W >= 1 && W <= 64, "ap types of this header have 1 to 64 bits; use the vendor's ap_int.h for more");
    static constexpr int width = W;
    static constexpr bool sign_flag = S;
    using native_type = typename native<W, S>::type;

    /* The number itself; of an unsigned 64-bit value its bits. */
    std::int64_t value;

    constexpr base() : value(0) {}
    template <typename T, typename = std::enable_if_t<traits<T>::known>>
    constexpr base(const T &v) : value(wrap<W, S>(traits<T>::bits(v)))
    {
    }
    template <int W2, bool S2> constexpr base(const range_ref<W2, S2> &v) : value(wrap<W, S>(v.get())) {}

    constexpr operator native_type() const { return static_cast<native_type>(value); }
    constexpr int to_int() const { return static_cast<int>(value); }
    constexpr unsigned to_uint() const { return static_cast<unsigned>(value); }
    constexpr std::int64_t to_int64() const { return value; }
    constexpr std::uint64_t to_uint64() const { return static_cast<std::uint64_t>(value); }
    constexpr bool to_bool() const { return value != 0; }
    constexpr double to_double() const
    {
        return S ? static_cast<double>(value) : static_cast<double>(static_cast<std::uint64_t>(value));
    }
    constexpr int length() const { return W; }
    constexpr bool operator!() const { return value == 0; }

    constexpr range_ref<W, S> range(int high, int low) { return {*this, high, low}; }
    constexpr range_ref<W, S> operator()(int high, int low) { return {*this, high, low}; }
    constexpr range_ref<W, S> operator[](int bit) { return {*this, bit, bit}; }
    constexpr bool operator[](int bit) const { return ((static_cast<std::uint64_t>(value) >> bit) & 1) != 0; }
    constexpr bool test(int bit) const { return (*this)[bit]; }
};

`;
