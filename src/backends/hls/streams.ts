/** kanc_hls.h: hls::stream and AXI words for simulating designs without the vendor's headers. */
export const streamsHeader = (): string => `/*
 * hls::stream and ap_axiu as far as the designs of kanc use them, for simulating without the vendor's headers.
 */
#ifndef KANC_HLS_H
#define KANC_HLS_H

#include "kanc_ap_int.h"
#include <cstdio>
#include <cstdlib>
#include <deque>

namespace hls {
template <typename T> class stream {
  public:
    stream() = default;
    explicit stream(const char *) {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;
    bool empty() const { return items.empty(); }
    void write(const T &item) { items.push_back(item); }
    T read()
    {
        if (items.empty()) {
            std::fputs("a stream was read while it was empty\\n", stderr);
            std::abort();
        }
        const T item = items.front();
        items.pop_front();
        return item;
    }
    void read(T &item) { item = read(); }

  private:
    std::deque<T> items;
};
} // namespace hls

/* A word of an AXI4-Stream. The last three parameters are widths of side channels, which kanc leaves out. */
template <int D, int U, int TI, int TD> struct ap_axiu {
    static_assert(U == 0 && TI == 0 && TD == 0, "no side channels");
    ap_uint<D> data;
    ap_uint<(D + 7) / 8> keep;
    ap_uint<(D + 7) / 8> strb;
    ap_uint<1> last;
};

#endif
`;
