/* One axis of a convolution in C++: what symae.geometry.convolution.Geometry is in Python. */

#ifndef SYMAE_CONVOLUTION_GEOMETRY_H
#define SYMAE_CONVOLUTION_GEOMETRY_H

#include <algorithm>
#include <climits>

namespace symae_convolution {

enum border { GIVEN, VALID, FULL, HALF, SAME };

struct axis {
    border mode;
    npy_intp before, after, stride, dilation;

    /* Zeros before an image axis, its length with all zeros, and the positions of the kernel; false where there are none. */
    bool measure(npy_intp size, npy_intp kernel, npy_intp *lead, npy_intp *length, npy_intp *positions) const {
        const npy_intp limit = INT_MAX; /* keeps the sums below from overflowing */
        if (size < 0 || kernel < 1 || size > limit || kernel > limit) return false;
        npy_intp reach = (kernel - 1) * dilation + 1, first = before, last = after;
        if (mode == VALID) first = last = 0;
        if (mode == FULL) first = last = reach - 1;
        if (mode == HALF) first = last = reach / 2;
        if (mode == SAME) {
            npy_intp total = std::max(((size + stride - 1) / stride - 1) * stride + reach - size, (npy_intp)0);
            first = total / 2;
            last = total - first;
            if (!size) return false;
        }
        *lead = first;
        *length = size + first + last;
        *positions = *length < reach ? 0 : (*length - reach) / stride + 1;
        return *positions >= 1;
    }
};

} // namespace symae_convolution

#endif
