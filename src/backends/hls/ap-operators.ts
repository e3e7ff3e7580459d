/** The second half of kanc_ap_int.h: operators, with the widths and signs of their results. */
import { AP_TYPES } from './ap-types.js';

const AP_OPERATORS = `/* Operands are taken to a common number of 64 bits first; results never need more. */
template <typename A, typename B, bool S1 = traits<A>::sign, bool S2 = traits<B>::sign> struct result {
    static constexpr int w1 = traits<A>::width;
    static constexpr int w2 = traits<B>::width;
    static constexpr bool any = S1 || S2;
    /* An unsigned operand beside a signed one has a bit more. */
    static constexpr int common = larger(w1 + (S2 && !S1 ? 1 : 0), w2 + (S1 && !S2 ? 1 : 0));
    using plus = typed<common + 1, any>;
    using minus = typed<common + 1, true>;
    using times = typed<w1 + w2, any>;
    using over = typed<w1 + (S2 ? 1 : 0), any>;
    using rest = typed<smaller(w1, w2 + (!S2 && S1 ? 1 : 0)), S1>;
    using bitwise = typed<common, any>;
};

template <typename A> constexpr std::uint64_t bits_of(const A &a) { return traits<A>::bits(a); }
template <typename A> constexpr bool negative(const A &a)
{
    return traits<A>::sign && (bits_of(a) >> 63) != 0;
}
template <typename A> constexpr std::uint64_t magnitude(const A &a)
{
    return negative(a) ? ~bits_of(a) + 1 : bits_of(a);
}
/* -1, 0 or 1, by value: a negative number is below every unsigned one. */
template <typename A, typename B> constexpr int compare(const A &a, const B &b)
{
    if (negative(a) != negative(b)) return negative(a) ? -1 : 1;
    const std::uint64_t x = bits_of(a), y = bits_of(b);
    return x == y ? 0 : x < y ? -1 : 1;
}
template <typename A> constexpr A shifted(const A &a, std::int64_t left)
{
    constexpr int w = traits<A>::width;
    if (left >= w) return A(0);
    if (left >= 0) return A(bits_of(a) << left);
    if (-left >= w) return A(negative(a) ? -1 : 0);
    return A(negative(a) ? ~(~bits_of(a) >> -left) : bits_of(a) >> -left);
}

/* For operands of which one at least is an ap type. */
#define KANC_AP_OPERANDS                                                                                               \\
    template <typename A, typename B,                                                                                  \\
              typename = std::enable_if_t<traits<A>::known && traits<B>::known && (traits<A>::ap || traits<B>::ap)>>
#define KANC_AP_VALUE(op, name, bits)                                                                                  \\
    KANC_AP_OPERANDS constexpr typename result<A, B>::name operator op(const A &a, const B &b)                          \\
    {                                                                                                                  \\
        return typename result<A, B>::name(static_cast<std::uint64_t>(bits));                                          \\
    }
#define KANC_AP_COMPARE(op)                                                                                            \\
    KANC_AP_OPERANDS constexpr bool operator op(const A &a, const B &b) { return compare(a, b) op 0; }

KANC_AP_VALUE(+, plus, bits_of(a) + bits_of(b))
KANC_AP_VALUE(-, minus, bits_of(a) - bits_of(b))
KANC_AP_VALUE(*, times, bits_of(a) * bits_of(b))
KANC_AP_VALUE(&, bitwise, bits_of(a) & bits_of(b))
KANC_AP_VALUE(|, bitwise, bits_of(a) | bits_of(b))
KANC_AP_VALUE(^, bitwise, bits_of(a) ^ bits_of(b))
/* Quotients are rounded towards zero; remainders have the sign of the dividend. */
KANC_AP_VALUE(/, over,
              negative(a) != negative(b) ? ~(magnitude(a) / magnitude(b)) + 1 : magnitude(a) / magnitude(b))
KANC_AP_VALUE(%, rest, negative(a) ? ~(magnitude(a) % magnitude(b)) + 1 : magnitude(a) % magnitude(b))
KANC_AP_COMPARE(==)
KANC_AP_COMPARE(!=)
KANC_AP_COMPARE(<)
KANC_AP_COMPARE(<=)
KANC_AP_COMPARE(>)
KANC_AP_COMPARE(>=)

/* Shifts keep the type of what is shifted; by a negative count they go the other way. */
#define KANC_AP_SHIFT(op, sign)                                                                                        \\
    template <typename A, typename B, typename = std::enable_if_t<traits<A>::ap && traits<B>::known>>                  \\
    constexpr A operator op(const A &a, const B &b)                                                                    \\
    {                                                                                                                  \\
        return shifted(a, sign static_cast<std::int64_t>(bits_of(b)));                                                 \\
    }
KANC_AP_SHIFT(<<, +)
KANC_AP_SHIFT(>>, -)

} // namespace kanc_ap

/* Assignments truncate: they add, multiply and so on modulo 2^W. */
#define KANC_AP_ASSIGN(op, bits)                                                                                       \\
    template <typename T, typename = std::enable_if_t<kanc_ap::traits<T>::known>> constexpr self &operator op(const T &b) \\
    {                                                                                                                  \\
        const std::uint64_t x = kanc_ap::bits_of(*this), y = kanc_ap::bits_of(b);                                      \\
        return *this = self(static_cast<std::uint64_t>(bits));                                                         \\
    }
#define KANC_AP_TYPE(name, sign)                                                                                       \\
    template <int W> struct name : kanc_ap::base<W, sign> {                                                            \\
        using self = name;                                                                                             \\
        using kanc_ap::base<W, sign>::base;                                                                            \\
        constexpr name() = default;                                                                                    \\
        KANC_AP_ASSIGN(+=, x + y)                                                                                      \\
        KANC_AP_ASSIGN(-=, x - y)                                                                                      \\
        KANC_AP_ASSIGN(*=, x *y)                                                                                       \\
        KANC_AP_ASSIGN(&=, x &y)                                                                                       \\
        KANC_AP_ASSIGN(|=, x | y)                                                                                      \\
        KANC_AP_ASSIGN(^=, x ^ y)                                                                                      \\
        template <typename T> constexpr self &operator<<=(const T &b) { return *this = *this << b; }                   \\
        template <typename T> constexpr self &operator>>=(const T &b) { return *this = *this >> b; }                   \\
        constexpr self &operator++() { return *this += 1; }                                                            \\
        constexpr self &operator--() { return *this -= 1; }                                                            \\
        constexpr self operator++(int) { const self before = *this; *this += 1; return before; }                       \\
        constexpr self operator--(int) { const self before = *this; *this -= 1; return before; }                       \\
    };
KANC_AP_TYPE(ap_int, true)
KANC_AP_TYPE(ap_uint, false)

template <int W> constexpr auto operator-(const ap_int<W> &a) { return ap_uint<1>(0) - a; }
template <int W> constexpr auto operator-(const ap_uint<W> &a) { return ap_uint<1>(0) - a; }

#undef KANC_AP_OPERANDS
#undef KANC_AP_VALUE
#undef KANC_AP_COMPARE
#undef KANC_AP_SHIFT
#undef KANC_AP_ASSIGN
#undef KANC_AP_TYPE

#endif
`;

export const apHeader = (): string => AP_TYPES + AP_OPERATORS;
