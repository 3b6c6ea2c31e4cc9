/* Sparse convolution and its gradients for PyTensor's C backend: what sparse.py is for Numba.

   Images are padded with their channels last: what a filter sees at a position is then rows of LENGTH = kw * channels
   numbers that lie beside each other, and so is the filter. Rows are padded to whole vectors; what the image has there belongs
   to others, is never changed, and reaches no result. */

#ifndef SYMAE_SPARSE_CONVOLUTION_H
#define SYMAE_SPARSE_CONVOLUTION_H

#include <vector>

namespace symae_sparse_convolution {

using namespace symae_convolution;

/* A row of `LENGTH` numbers in vectors, and the length with its padding. */
template <typename T, npy_intp LENGTH> struct row {
    typedef lanes<T> L;
    typedef typename L::vector vector;
    static const npy_intp COUNT = L::COUNT, VECTORS = (LENGTH + COUNT - 1) / COUNT, WIDTH = VECTORS * COUNT;
    vector parts[VECTORS];

    row() : parts() {}
    explicit row(const T *from) {
        for (npy_intp v = 0; v < VECTORS; v++) parts[v] = L::template load<1>(from + v * COUNT);
    }
    void store(T *to) const { std::memcpy(to, parts, sizeof parts); }
    void add(const row &a, const row &b) {
        for (npy_intp v = 0; v < VECTORS; v++) parts[v] += a.parts[v] * b.parts[v];
    }
    void add(T factor, const row &b) {
        for (npy_intp v = 0; v < VECTORS; v++) parts[v] += factor * b.parts[v];
    }
    /* Take the padding from another. */
    void keep(const row &other) {
        typename L::bits mask, mine, its;
        for (npy_intp l = 0; l < COUNT; l++) mask[l] = (VECTORS - 1) * COUNT + l < LENGTH ? -1 : 0;
        std::memcpy(&mine, &parts[VECTORS - 1], sizeof mine);
        std::memcpy(&its, &other.parts[VECTORS - 1], sizeof its);
        mine = (mine & mask) | (its & ~mask);
        std::memcpy(&parts[VECTORS - 1], &mine, sizeof mine);
    }
    T total() const {
        T sum = 0;
        for (npy_intp l = 0; l < LENGTH; l++) sum += parts[l / COUNT][l % COUNT];
        return sum;
    }
};

/* Copy an image into the middle of a padded one, channels last; and back. */
template <typename T> static void put_last(const problem &p, const T *image, T *padded) {
    if (p.channels == 1) return put(p, image, padded);
    for (npy_intp c = 0; c < p.channels; c++)
        for (npy_intp i = 0; i < p.h; i++, image += p.w) {
            T *line = padded + ((p.top + i) * p.width + p.left) * p.channels + c;
            for (npy_intp j = 0; j < p.w; j++) line[j * p.channels] = image[j];
        }
}

template <typename T> static void take_last(const problem &p, const T *padded, T *image) {
    if (p.channels == 1) return take(p, padded, image);
    for (npy_intp c = 0; c < p.channels; c++)
        for (npy_intp i = 0; i < p.h; i++, image += p.w) {
            const T *line = padded + ((p.top + i) * p.width + p.left) * p.channels + c;
            for (npy_intp j = 0; j < p.w; j++) image[j] = line[j * p.channels];
        }
}

/* Where element k of a channel of a map's filter, as correlation takes it, is among the padded rows. */
template <npy_intp WIDTH> static npy_intp where_in_rows(const problem &p, npy_intp m, npy_intp c, npy_intp k, bool flip) {
    const npy_intp at = flip ? p.kh * p.kw - 1 - k : k;
    return (m * p.kh + at / p.kw) * WIDTH + at % p.kw * p.channels_per_group + c;
}

template <typename T, npy_intp WIDTH> static std::vector<T> packed(const problem &p, const T *filters, bool flip) {
    std::vector<T> rows(p.m * p.kh * WIDTH);
    for (npy_intp m = 0; m < p.m; m++)
        for (npy_intp c = 0; c < p.channels_per_group; c++)
            for (npy_intp k = 0; k < p.kh * p.kw; k++) rows[where_in_rows<WIDTH>(p, m, c, k, flip)] = *filters++;
    return rows;
}

template <typename T, npy_intp WIDTH> static void unpacked(const problem &p, const std::vector<T> &rows, bool flip, T *filters) {
    for (npy_intp m = 0; m < p.m; m++)
        for (npy_intp c = 0; c < p.channels_per_group; c++)
            for (npy_intp k = 0; k < p.kh * p.kw; k++) *filters++ = rows[where_in_rows<WIDTH>(p, m, c, k, flip)];
}

template <typename T> static bool is_finite(const T *values, npy_intp count) {
    typedef lanes<T> L;
    typename L::vector sums = {};
    npy_intp k = 0;
    for (; k + L::COUNT <= count; k += L::COUNT) sums += L::template load<1>(values + k) * (T)0;
    T total = 0;
    for (; k < count; k++) total += values[k] * (T)0;
    for (int l = 0; l < L::COUNT; l++) total += sums[l];
    return total == 0;
}

/* Where in the padded image each position of a map begins. */
template <npy_intp S0, npy_intp S1> static std::vector<npy_intp> table_of(const problem &p) {
    std::vector<npy_intp> table;
    table.reserve(p.positions());
    for (npy_intp i = 0; i < p.rows; i++)
        for (npy_intp j = 0; j < p.columns; j++) table.push_back((i * S0 * p.width + j * S1) * p.channels);
    return table;
}

/* The positions of a map that count, with their values: those that are not zero, or all of the map. */
template <typename T> struct points {
    std::vector<T> values;
    std::vector<npy_intp> positions;
    npy_intp size;

    points(npy_intp map, npy_intp most) : values(std::max(map, most + 1)), positions(std::max(map, most + 1)), size(0) {}

    void list(const std::vector<npy_intp> &table, const T *given, const npy_int64 *switches, npy_intp count, bool everywhere) {
        if (everywhere) {
            size = (npy_intp)table.size();
            std::fill(values.begin(), values.end(), (T)0);
            std::copy(table.begin(), table.end(), positions.begin());
            for (npy_intp k = 0; k < count; k++) values[switches[k]] += given[k];
            return;
        }
        size = 0;
        for (npy_intp k = 0; k < count; k++) { /* no branch: nobody can foretell which are zero */
            values[size] = given[k];
            positions[size] = table[switches[k]];
            size += given[k] != 0;
        }
    }
};

/* The first of the switches that is no position of a map of h by w, or 0, which is one. */
static npy_intp outside(const contiguous &switches, npy_intp h, npy_intp w) {
    const npy_int64 *s = switches.data<npy_int64>(), *end = s + PyArray_SIZE(switches.array), positions = h * w;
    for (; s < end; s++)
        if (*s < 0 || *s >= positions) return *s;
    return 0;
}

static PyObject *four(const npy_intp *s) { return Py_BuildValue("(nnnn)", s[0], s[1], s[2], s[3]); }

/* Whether values and switches fit each other, and maps of `rows` and `columns`. */
static bool fit(const contiguous &values, const contiguous &switches, npy_intp rows, npy_intp columns) {
    return PyArray_CompareLists(values.shape(), switches.shape(), 4) && rows >= 0 && columns >= 0 &&
           !outside(switches, rows, columns) && (rows * columns || !PyArray_SIZE(switches.array));
}

/* (x, W, switches) -> y (n, m, i, j). */
template <typename T, npy_intp S0, npy_intp S1, npy_intp LENGTH>
static int forward(PyArrayObject *images, PyArrayObject *filters, PyArrayObject *where, PyArrayObject **out, int type,
                   const setup &s) try {
    typedef row<T, LENGTH> numbers;
    const npy_intp WIDTH = numbers::WIDTH;
    contiguous x(images), given(filters), switches(where);
    if (!x.array || !given.array || !switches.array) return -1;
    problem p(s, x.shape(), given.shape());
    const npy_intp *i = switches.shape();
    if (!p.fits || i[0] != p.n || i[1] != p.m || outside(switches, p.rows, p.columns))
        return refuse(s, Py_BuildValue("(NNNn)", four(x.shape()), four(given.shape()), four(i),
                                       p.fits ? outside(switches, p.rows, p.columns) : 0));
    if (allocate(out, type, i[0], i[1], i[2], i[3], x, given)) return -1;
    const std::vector<npy_intp> table = table_of<S0, S1>(p);
    const std::vector<T> W = packed<T, WIDTH>(p, given.data<T>(), s.flip);
    std::vector<T> padded(p.height * p.width * p.channels + WIDTH);
    const npy_int64 *position = switches.data<npy_int64>();
    T *y = (T *)PyArray_DATA(*out);
    for (npy_intp b = 0; b < p.n; b++) {
        put_last(p, x.data<T>() + b * p.channels * p.h * p.w, padded.data());
        for (npy_intp m = 0; m < p.m; m++)
            for (npy_intp k = 0; k < i[2] * i[3]; k++) {
                const T *weights = &W[m * p.kh * WIDTH], *line = &padded[table[*position++]];
                numbers sums;
                for (npy_intp r = 0; r < p.kh; r++, weights += WIDTH, line += p.width * p.channels)
                    sums.add(numbers(weights), numbers(line));
                *y++ = sums.total();
            }
    }
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

/* (W, values, switches, rows, columns, h, w) -> x. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp LENGTH>
static int input_gradient(PyArrayObject *filters, PyArrayObject *given_values, PyArrayObject *where, npy_intp rows, npy_intp columns,
                          npy_intp h, npy_intp w, PyArrayObject **out, int type, const setup &s) try {
    typedef row<T, LENGTH> numbers;
    const npy_intp WIDTH = numbers::WIDTH;
    contiguous given(filters), values(given_values), switches(where);
    if (!given.array || !values.array || !switches.array) return -1;
    const npy_intp *v = values.shape(), *f = given.shape(), images[] = {v[0], f[1], h, w}, maps[] = {v[0], v[1], rows, columns};
    problem p(s, images, f);
    if (!fit(values, switches, rows, columns) || !p.gives(maps))
        return refuse(s, Py_BuildValue("(NNNnnnnn)", four(f), four(v), four(switches.shape()), outside(switches, rows, columns),
                                       rows, columns, h, w));
    if (allocate(out, type, p.n, p.channels, h, w, values, given)) return -1;
    const std::vector<npy_intp> table = table_of<S0, S1>(p);
    const std::vector<T> W = packed<T, WIDTH>(p, given.data<T>(), s.flip);
    const npy_intp count = v[2] * v[3], apart = std::max(v[3] * 3 / 2, (npy_intp)1);
    const bool everywhere = !is_finite(W.data(), (npy_intp)W.size());
    std::vector<T> padded(p.height * p.width * p.channels + WIDTH);
    points<T> at((npy_intp)table.size(), count);
    for (npy_intp b = 0; b < p.n; b++) {
        std::fill(padded.begin(), padded.end(), (T)0);
        for (npy_intp m = 0; m < p.m; m++) {
            const npy_intp first = (b * p.m + m) * count;
            at.list(table, values.data<T>() + first, switches.data<npy_int64>() + first, count, everywhere);
            /* where patches overlap, a processor waits for what it has just stored: draw next what is `apart` */
            for (npy_intp start = 0; start < std::min(apart, at.size); start++)
                for (npy_intp k = start; k < at.size; k += apart) {
                    const T value = at.values[k], *weights = &W[m * p.kh * WIDTH];
                    T *line = &padded[at.positions[k]];
                    for (npy_intp r = 0; r < p.kh; r++, weights += WIDTH, line += p.width * p.channels) {
                        const numbers before(line);
                        numbers after = before;
                        after.add(value, numbers(weights));
                        after.keep(before);
                        after.store(line);
                    }
                }
        }
        take_last(p, padded.data(), (T *)PyArray_DATA(*out) + b * p.channels * h * w);
    }
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

/* (x, values, switches, rows, columns, kh, kw) -> W. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp LENGTH>
static int filter_gradient(PyArrayObject *images, PyArrayObject *given_values, PyArrayObject *where, npy_intp rows, npy_intp columns,
                           npy_intp kh, npy_intp kw, PyArrayObject **out, int type, const setup &s) try {
    typedef row<T, LENGTH> numbers;
    const npy_intp WIDTH = numbers::WIDTH;
    contiguous x(images), values(given_values), switches(where);
    if (!x.array || !values.array || !switches.array) return -1;
    const npy_intp *i = x.shape(), *v = values.shape(), filters[] = {v[1], i[1], kh, kw}, maps[] = {v[0], v[1], rows, columns};
    problem p(s, i, filters);
    if (!fit(values, switches, rows, columns) || !p.gives(maps))
        return refuse(s, Py_BuildValue("(NNNnnnnn)", four(i), four(v), four(switches.shape()), outside(switches, rows, columns),
                                       rows, columns, kh, kw));
    if (allocate(out, type, p.m, p.channels_per_group, kh, kw, x, values)) return -1;
    const std::vector<npy_intp> table = table_of<S0, S1>(p);
    const npy_intp count = v[2] * v[3], size = p.channels * p.h * p.w;
    std::vector<T> W(p.m * p.kh * WIDTH), padded(p.height * p.width * p.channels + WIDTH);
    points<T> at((npy_intp)table.size(), count);
    for (npy_intp b = 0; b < p.n; b++) {
        const T *image = x.data<T>() + b * size;
        const bool everywhere = !is_finite(image, size);
        put_last(p, image, padded.data());
        for (npy_intp m = 0; m < p.m; m++) {
            const npy_intp first = (b * p.m + m) * count;
            at.list(table, values.data<T>() + first, switches.data<npy_int64>() + first, count, everywhere);
            for (npy_intp r = 0; r < kh; r++) {
                numbers sums(&W[(m * kh + r) * WIDTH]);
                const T *first_line = &padded[r * p.width * p.channels];
                for (npy_intp k = 0; k < at.size; k++) sums.add(at.values[k], numbers(first_line + at.positions[k]));
                sums.store(&W[(m * kh + r) * WIDTH]);
            }
        }
    }
    unpacked<T, WIDTH>(p, W, s.flip, (T *)PyArray_DATA(*out));
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

} // namespace symae_sparse_convolution

#endif
