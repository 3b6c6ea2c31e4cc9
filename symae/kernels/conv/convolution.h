/* The three convolution ops in C++ for PyTensor's C backend: what symae/kernels/conv/direct.py is for Numba.

   All compute a correlation; filters are flipped when they are copied. Each image in turn goes through the same buffers, so
   that memory does not grow with the batch. Few maps or channels: direct loops over rows of the zero-padded image, which
   compilers make vectors of. Many: what the filters see at each position becomes the columns of a buffer (im2col), and BLAS
   multiplies: SciPy's, since PyTensor's wheels link none.

   The GIL is held throughout: a compiled function may change shared arrays in place, and its callers count on that being one
   step for other threads. */

#ifndef SYMAE_CONVOLUTION_H
#define SYMAE_CONVOLUTION_H

#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace symae_convolution {

/* The settings of an op, and its name: class, module and settings as Python writes them. */
struct setup {
    axis rows, columns;
    npy_intp groups;
    bool flip;
    const char *module, *kind, *settings;
};

/* Sizes of one call; `maps` are those of a group. */
struct problem {
    npy_intp n, channels, h, w, m, channels_per_group, kh, kw, groups, maps;
    npy_intp top, left, height, width, rows, columns;
    bool fits;

    problem(const setup &s, const npy_intp *x, const npy_intp *filters)
        : n(x[0]), channels(x[1]), h(x[2]), w(x[3]), m(filters[0]), channels_per_group(filters[1]), kh(filters[2]),
          kw(filters[3]), groups(s.groups), maps(m / groups) {
        fits = channels == channels_per_group * groups && m == maps * groups && s.rows.measure(h, kh, &top, &height, &rows) &&
               s.columns.measure(w, kw, &left, &width, &columns);
    }
    bool gives(const npy_intp *y) const { return fits && y[0] == n && y[1] == m && y[2] == rows && y[3] == columns; }
    npy_intp column() const { return channels_per_group * kh * kw; }
    npy_intp positions() const { return rows * columns; }
    /* Whether BLAS is faster than the direct loops, by the limits of tuning.py. */
    bool by_blas() const {
        return maps >= SYMAE_MAPS_FOR_BLAS && column() >= SYMAE_COLUMN_FOR_BLAS && maps < INT_MAX && column() < INT_MAX &&
               positions() < INT_MAX;
    }
};

/* Raise the ValueError that the op's perform raises: Python itself finds the text. Takes over the reference. */
static int refuse(const setup &s, PyObject *sizes) {
    PyObject *module = sizes ? PyImport_ImportModule(s.module) : NULL;
    PyObject *kind = module ? PyObject_GetAttrString(module, s.kind) : NULL;
    PyObject *text = kind ? PyObject_CallMethod(kind, "complaint", "sO", s.settings, sizes) : NULL;
    /* PyTensor makes the exception anew from its type and text, which InputError does not allow. */
    if (text) PyErr_SetObject(PyExc_ValueError, text);
    Py_XDECREF(text);
    Py_XDECREF(kind);
    Py_XDECREF(module);
    Py_XDECREF(sizes);
    return -1;
}

/* A contiguous view or copy of an array, for as long as this object lives. */
struct contiguous {
    PyArrayObject *array;

    explicit contiguous(PyArrayObject *given)
        : array((PyArrayObject *)PyArray_FromArray(given, NULL, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED)) {}
    contiguous(const contiguous &) = delete;
    ~contiguous() { Py_XDECREF(array); }
    const npy_intp *shape() const { return PyArray_DIMS(array); }
    template <typename T> const T *data() const { return (const T *)PyArray_DATA(array); }
    bool overlaps(PyArrayObject *other) const {
        const char *mine = PyArray_BYTES(array), *its = PyArray_BYTES(other);
        return mine < its + PyArray_NBYTES(other) && its < mine + PyArray_NBYTES(array);
    }
};

/* Make *out a contiguous (a, b, c, d): the one that is there if it fits and is no input. */
static int allocate(PyArrayObject **out, int type, npy_intp a, npy_intp b, npy_intp c, npy_intp d, const contiguous &first,
                    const contiguous &second) {
    npy_intp dims[] = {a, b, c, d};
    if (*out && PyArray_NDIM(*out) == 4 && PyArray_TYPE(*out) == type && PyArray_ISCARRAY(*out) &&
        PyArray_CompareLists(PyArray_DIMS(*out), dims, 4) && !first.overlaps(*out) && !second.overlaps(*out))
        return 0;
    Py_XDECREF(*out);
    *out = (PyArrayObject *)PyArray_SimpleNew(4, dims, type);
    return *out ? 0 : -1;
}

/* Room for a * b * c + extra numbers. */
template <typename T> static std::unique_ptr<T[]> room(npy_intp a, npy_intp b, npy_intp c = 1, npy_intp extra = 0) {
    if (a && b && c && a > NPY_MAX_INTP / 16 / b / c) throw std::bad_alloc();
    return std::unique_ptr<T[]>(new T[a * b * c + extra]);
}

template <typename T> static std::unique_ptr<T[]> zeros(npy_intp a, npy_intp b, npy_intp c = 1, npy_intp extra = 0) {
    std::unique_ptr<T[]> made = room<T>(a, b, c, extra);
    std::fill(made.get(), made.get() + a * b * c + extra, (T)0);
    return made;
}

template <typename T> struct gemm_of {
    typedef void (*type)(char *, char *, int *, int *, int *, T *, T *, int *, T *, int *, T *, T *, int *);
};

/* The [sd]gemm that SciPy gives to Cython, NULL with an error set if there is none. */
template <typename T> static typename gemm_of<T>::type blas_gemm() {
    static typename gemm_of<T>::type found = NULL;
    if (found) return found;
    PyObject *module = PyImport_ImportModule("scipy.linalg.cython_blas");
    PyObject *table = module ? PyObject_GetAttrString(module, "__pyx_capi__") : NULL;
    PyObject *capsule = table ? PyMapping_GetItemString(table, sizeof(T) == 4 ? "sgemm" : "dgemm") : NULL;
    const char *signature = capsule ? PyCapsule_GetName(capsule) : NULL;
    if (signature) {
        if (std::strstr(signature, "(char *, char *, int *, int *, int *, "))
            found = (typename gemm_of<T>::type)PyCapsule_GetPointer(capsule, signature);
        else
            PyErr_Format(PyExc_ImportError, "scipy.linalg.cython_blas: found gemm of signature %s, expected sizes as int", signature);
    }
    Py_XDECREF(capsule);
    Py_XDECREF(table);
    Py_XDECREF(module);
    return found;
}

/* C (m, n) <- op(A) op(B) + beta C, all row-major; op(A) is (m, k). */
template <typename T>
static void multiply(typename gemm_of<T>::type gemm, npy_intp m, npy_intp n, npy_intp k, const T *A, bool transpose_a, const T *B,
                     bool transpose_b, T beta, T *C) {
    /* BLAS's matrices are column-major: row-major C is column-major C', and C' = op(B)' op(A)'. */
    int rows = (int)n, columns = (int)m, inner = (int)k;
    int step_b = (int)(transpose_b ? k : n), step_a = (int)(transpose_a ? m : k);
    char letter_b = transpose_b ? 't' : 'n', letter_a = transpose_a ? 't' : 'n';
    T one = 1;
    gemm(&letter_b, &letter_a, &rows, &columns, &inner, &one, const_cast<T *>(B), &step_b, const_cast<T *>(A), &step_a, &beta, C,
         &rows);
}

/* Copy an image into the middle of a padded one. */
template <typename T> static void put(const problem &p, const T *image, T *padded) {
    for (npy_intp c = 0; c < p.channels; c++)
        for (npy_intp i = 0; i < p.h; i++, image += p.w)
            std::copy(image, image + p.w, padded + (c * p.height + p.top + i) * p.width + p.left);
}

template <typename T> static void take(const problem &p, const T *padded, T *image) {
    for (npy_intp c = 0; c < p.channels; c++)
        for (npy_intp i = 0; i < p.h; i++, image += p.w) {
            const T *line = padded + (c * p.height + p.top + i) * p.width + p.left;
            std::copy(line, line + p.w, image);
        }
}

/* im2col for the channels c of a group: padded (c, height, width) -> (c * kh * kw, rows * columns). */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static void gather(const problem &p, const T *padded, T *__restrict__ out) {
    for (npy_intp c = 0; c < p.channels_per_group; c++)
        for (npy_intp r = 0; r < p.kh; r++)
            for (npy_intp s = 0; s < p.kw; s++)
                for (npy_intp i = 0; i < p.rows; i++, out += p.columns) {
                    const T *__restrict__ line = padded + (c * p.height + i * S0 + r * D0) * p.width + s * D1;
                    for (npy_intp j = 0; j < p.columns; j++) out[j] = line[j * S1];
                }
}

/* Its transpose, added to the padded image. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static void scatter(const problem &p, const T *__restrict__ values, T *padded) {
    for (npy_intp c = 0; c < p.channels_per_group; c++)
        for (npy_intp r = 0; r < p.kh; r++)
            for (npy_intp s = 0; s < p.kw; s++)
                for (npy_intp i = 0; i < p.rows; i++, values += p.columns) {
                    T *__restrict__ line = padded + (c * p.height + i * S0 + r * D0) * p.width + s * D1;
                    for (npy_intp j = 0; j < p.columns; j++) line[j * S1] += values[j];
                }
}

/* row[j] += sum_s weights[s] line[j S1 + s D1], five, three or one weight for each pass over the row. */
template <typename T, npy_intp S1, npy_intp D1>
static void add_row(const T *weights, npy_intp count, const T *__restrict__ line, T *__restrict__ row, npy_intp columns) {
    for (; count >= 5; count -= 5, weights += 5, line += 5 * D1) {
        const T a = weights[0], b = weights[1], c = weights[2], d = weights[3], e = weights[4];
        for (npy_intp j = 0; j < columns; j++) {
            const T *at = line + j * S1;
            row[j] += a * at[0] + b * at[D1] + c * at[2 * D1] + d * at[3 * D1] + e * at[4 * D1];
        }
    }
    for (; count >= 3; count -= 3, weights += 3, line += 3 * D1) {
        const T a = weights[0], b = weights[1], c = weights[2];
        for (npy_intp j = 0; j < columns; j++) {
            const T *at = line + j * S1;
            row[j] += a * at[0] + b * at[D1] + c * at[2 * D1];
        }
    }
    for (; count > 0; count--, weights++, line += D1) {
        const T a = weights[0];
        for (npy_intp j = 0; j < columns; j++) row[j] += a * line[j * S1];
    }
}

/* `maps` maps (rows, columns) of a padded image (channels, height, width) that is correlated with W (maps, channels, kh, kw). */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static void direct(const T *padded, npy_intp height, npy_intp width, npy_intp channels, const T *W, npy_intp kh, npy_intp kw, T *out,
                   npy_intp maps, npy_intp rows, npy_intp columns) {
    for (npy_intp o = 0; o < maps; o++, W += channels * kh * kw)
        for (npy_intp i = 0; i < rows; i++, out += columns) {
            std::fill(out, out + columns, (T)0);
            for (npy_intp c = 0; c < channels; c++)
                for (npy_intp r = 0; r < kh; r++)
                    add_row<T, S1, D1>(W + (c * kh + r) * kw, kw, padded + (c * height + i * S0 + r * D0) * width, out, columns);
        }
}

/* The filters as correlation takes them. */
template <typename T> static std::unique_ptr<T[]> correlated(const problem &p, const T *filters, bool flip) {
    npy_intp size = p.kh * p.kw;
    std::unique_ptr<T[]> W = room<T>(p.m, p.channels_per_group, size);
    for (npy_intp k = 0; k < p.m * p.channels_per_group; k++) {
        const T *from = filters + k * size;
        if (flip)
            std::reverse_copy(from, from + size, &W[k * size]);
        else
            std::copy(from, from + size, &W[k * size]);
    }
    return W;
}

/* (x, W) -> y. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static int forward(PyArrayObject *images, PyArrayObject *filters, PyArrayObject **out, int type, const setup &s) try {
    contiguous x(images), given(filters);
    if (!x.array || !given.array) return -1;
    const npy_intp *f = given.shape();
    problem p(s, x.shape(), f);
    if (!p.fits) return refuse(s, Py_BuildValue("((nnnn)(nnnn))", p.n, p.channels, p.h, p.w, f[0], f[1], f[2], f[3]));
    if (allocate(out, type, p.n, p.m, p.rows, p.columns, x, given)) return -1;
    typename gemm_of<T>::type gemm = p.by_blas() ? blas_gemm<T>() : NULL;
    if (p.by_blas() && !gemm) return -1;
    std::unique_ptr<T[]> W = correlated(p, given.data<T>(), s.flip), padded = zeros<T>(p.channels, p.height, p.width);
    std::unique_ptr<T[]> buffer = room<T>(gemm ? p.column() : 0, p.positions());
    T *y = (T *)PyArray_DATA(*out);
    for (npy_intp b = 0; b < p.n; b++) {
        put(p, x.data<T>() + b * p.channels * p.h * p.w, padded.get());
        for (npy_intp g = 0; g < p.groups; g++, y += p.maps * p.positions()) {
            const T *seen = &padded[g * p.channels_per_group * p.height * p.width], *matrix = &W[g * p.maps * p.column()];
            if (gemm) {
                gather<T, S0, S1, D0, D1>(p, seen, buffer.get());
                multiply<T>(gemm, p.maps, p.positions(), p.column(), matrix, false, buffer.get(), false, 0, y);
            } else {
                direct<T, S0, S1, D0, D1>(seen, p.height, p.width, p.channels_per_group, matrix, p.kh, p.kw, y, p.maps, p.rows,
                                          p.columns);
            }
        }
    }
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

/* The filters of the transposed correlation with stride 1: maps and channels exchanged, rows and columns reversed. */
template <typename T> static std::unique_ptr<T[]> turned(const problem &p, const T *W) {
    npy_intp size = p.kh * p.kw;
    std::unique_ptr<T[]> made = room<T>(p.m, p.channels_per_group, size);
    for (npy_intp g = 0; g < p.groups; g++)
        for (npy_intp o = 0; o < p.maps; o++)
            for (npy_intp c = 0; c < p.channels_per_group; c++, W += size)
                std::reverse_copy(W, W + size, &made[((g * p.channels_per_group + c) * p.maps + o) * size]);
    return made;
}

/* padded[c, i, j] <- values[c, i - down, j - right] for values (count, h, w), zero outside; the shifts may be negative. */
template <typename T>
static void put_shifted(const T *values, npy_intp count, npy_intp h, npy_intp w, npy_intp down, npy_intp right, T *padded,
                        npy_intp height, npy_intp width) {
    std::fill(padded, padded + count * height * width, (T)0);
    npy_intp begin = std::max((npy_intp)0, right), end = std::min(width, w + right);
    if (begin >= end) return;
    for (npy_intp c = 0; c < count; c++)
        for (npy_intp i = std::max((npy_intp)0, down); i < std::min(height, h + down); i++) {
            const T *row = values + (c * h + i - down) * w;
            std::copy(row + (begin - right), row + (end - right), padded + (c * height + i) * width + begin);
        }
}

/* Add what one group's maps give to its channels in the padded image, where a stride leaves gaps between their positions. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static void add_rows(const problem &p, const T *values, const T *W, T *padded) {
    for (npy_intp o = 0; o < p.maps; o++, W += p.column())
        for (npy_intp i = 0; i < p.rows; i++, values += p.columns)
            for (npy_intp c = 0; c < p.channels_per_group; c++)
                for (npy_intp r = 0; r < p.kh; r++)
                    for (npy_intp s = 0; s < p.kw; s++) {
                        T *__restrict__ line = padded + (c * p.height + i * S0 + r * D0) * p.width + s * D1;
                        const T *__restrict__ row = values;
                        const T weight = W[(c * p.kh + r) * p.kw + s];
                        for (npy_intp j = 0; j < p.columns; j++) line[j * S1] += weight * row[j];
                    }
}

/* (W, y, h, w) -> x. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static int input_gradient(PyArrayObject *filters, PyArrayObject *maps, npy_intp h, npy_intp w, PyArrayObject **out, int type,
                          const setup &s) try {
    contiguous given(filters), values(maps);
    if (!given.array || !values.array) return -1;
    const npy_intp *f = given.shape(), *y = values.shape(), shape[] = {y[0], f[1] * s.groups, h, w};
    problem p(s, shape, f);
    if (!p.gives(y))
        return refuse(s, Py_BuildValue("((nnnn)(nnnn)nn)", f[0], f[1], f[2], f[3], y[0], y[1], y[2], y[3], h, w));
    if (allocate(out, type, p.n, p.channels, h, w, given, values)) return -1;
    typename gemm_of<T>::type gemm = p.by_blas() ? blas_gemm<T>() : NULL;
    if (p.by_blas() && !gemm) return -1;
    /* With stride 1 and without BLAS the result is a correlation of y and needs no padded one of its own. But that multiplies the
       weights with zeros around y too, and an infinite one would spoil positions that it does not reach. */
    const T *first = given.data<T>();
    const bool finite = std::all_of(first, first + p.m * p.column(), [](T weight) { return weight - weight == 0; });
    const bool framed = S0 > 1 || S1 > 1 || gemm || !finite;
    const npy_intp reach0 = (p.kh - 1) * D0, reach1 = (p.kw - 1) * D1, seen_height = h + reach0, seen_width = w + reach1;
    const npy_intp size = p.height * p.width;
    std::unique_ptr<T[]> W = correlated(p, given.data<T>(), s.flip);
    if (!framed) W = turned(p, W.get());
    std::unique_ptr<T[]> padded = framed ? room<T>(p.channels, p.height, p.width) : room<T>(p.m, seen_height, seen_width);
    std::unique_ptr<T[]> buffer = room<T>(gemm ? p.column() : 0, p.positions());
    T *x = (T *)PyArray_DATA(*out);
    for (npy_intp b = 0; b < p.n; b++, x += p.channels * h * w) {
        const T *image = values.data<T>() + b * p.m * p.positions();
        if (framed)
            std::fill(padded.get(), padded.get() + p.channels * size, (T)0);
        else
            put_shifted(image, p.m, p.rows, p.columns, reach0 - p.top, reach1 - p.left, padded.get(), seen_height, seen_width);
        for (npy_intp g = 0; g < p.groups; g++) {
            const T *part = image + g * p.maps * p.positions(), *matrix = &W[g * p.maps * p.column()];
            if (gemm) {
                multiply<T>(gemm, p.column(), p.positions(), p.maps, matrix, true, part, false, 0, buffer.get());
                scatter<T, S0, S1, D0, D1>(p, buffer.get(), &padded[g * p.channels_per_group * size]);
            } else if (framed) {
                add_rows<T, S0, S1, D0, D1>(p, part, matrix, &padded[g * p.channels_per_group * size]);
            } else {
                direct<T, 1, 1, D0, D1>(&padded[g * p.maps * seen_height * seen_width], seen_height, seen_width, p.maps, matrix,
                                        p.kh, p.kw, x + g * p.channels_per_group * h * w, p.channels_per_group, h, w);
            }
        }
        if (framed) take(p, padded.get(), x);
    }
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

/* As many numbers as fill a register, and arithmetic on them: a sum over a row is no vector for compilers, which may not
   reorder it. */
template <typename T> struct lanes {
#ifdef _WIN32
    static const int BYTES = 16; /* GCC does not align the stack for wider ones there (its bug 54412) */
#else
    static const int BYTES = 32;
#endif
    static const int COUNT = BYTES / sizeof(T);
    typedef typename std::conditional<sizeof(T) == 4, npy_int32, npy_int64>::type integer;
    typedef T vector __attribute__((vector_size(BYTES)));
    typedef integer bits __attribute__((vector_size(BYTES)));

    template <npy_intp STEP> static vector load(const T *from) {
        vector v;
        if (STEP == 1)
            std::memcpy(&v, from, sizeof v);
        else
            for (int l = 0; l < COUNT; l++) v[l] = from[l * STEP];
        return v;
    }
};

/* totals[t] += sum_ij y[i, j] seen[i S0, j S1 + t D1]. The rows of y are `spaced_row` long with zeros at the end. What a row sees
   beyond its end belongs to other positions: it is masked, for 0 times infinity is not 0. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D1, int TAPS>
static void add_products(const problem &p, const T *y, npy_intp spaced_row, const T *seen, T *totals) {
    typedef lanes<T> L;
    typename L::vector sums[TAPS] = {};
    typename L::bits mask;
    for (int l = 0; l < L::COUNT; l++) mask[l] = l < p.columns - (spaced_row - L::COUNT) ? -1 : 0;
    for (npy_intp i = 0; i < p.rows; i++, y += spaced_row, seen += S0 * p.width) {
        npy_intp j = 0;
        for (; j < spaced_row - L::COUNT; j += L::COUNT) {
            typename L::vector v = L::template load<1>(y + j);
            for (int t = 0; t < TAPS; t++) sums[t] += v * L::template load<S1>(seen + j * S1 + t * D1);
        }
        typename L::vector v = L::template load<1>(y + j);
        for (int t = 0; t < TAPS; t++)
            sums[t] += v * (typename L::vector)((typename L::bits)L::template load<S1>(seen + j * S1 + t * D1) & mask);
    }
    for (int t = 0; t < TAPS; t++) {
        T total = 0;
        for (int l = 0; l < L::COUNT; l++) total += sums[t][l];
        totals[t] += total;
    }
}

/* (x, y, kh, kw) -> W. */
template <typename T, npy_intp S0, npy_intp S1, npy_intp D0, npy_intp D1>
static int filter_gradient(PyArrayObject *images, PyArrayObject *maps, npy_intp kh, npy_intp kw, PyArrayObject **out, int type,
                           const setup &s) try {
    contiguous x(images), values(maps);
    if (!x.array || !values.array) return -1;
    const npy_intp *i = x.shape(), *y = values.shape(), filters[] = {y[1], i[1] / s.groups, kh, kw};
    problem p(s, i, filters);
    if (!p.gives(y))
        return refuse(s, Py_BuildValue("((nnnn)(nnnn)nn)", i[0], i[1], i[2], i[3], y[0], y[1], y[2], y[3], kh, kw));
    if (allocate(out, type, p.m, p.channels_per_group, kh, kw, x, values)) return -1;
    typename gemm_of<T>::type gemm = p.by_blas() ? blas_gemm<T>() : NULL;
    if (p.by_blas() && !gemm) return -1;
    const npy_intp size = p.height * p.width, count = lanes<T>::COUNT, spaced_row = (p.columns + count - 1) / count * count;
    /* vectors read beyond the last row */
    std::unique_ptr<T[]> padded = zeros<T>(p.channels, p.height, p.width, count * S1);
    std::unique_ptr<T[]> buffer = room<T>(gemm ? p.column() : 0, p.positions());
    std::unique_ptr<T[]> spaced = zeros<T>(gemm ? 0 : p.m, p.rows, spaced_row);
    T *W = (T *)PyArray_DATA(*out);
    std::fill(W, W + p.m * p.column(), (T)0);
    for (npy_intp b = 0; b < p.n; b++) {
        put(p, x.data<T>() + b * p.channels * p.h * p.w, padded.get());
        const T *image = values.data<T>() + b * p.m * p.positions();
        for (npy_intp k = 0; !gemm && k < p.m * p.rows; k++)
            std::copy(image + k * p.columns, image + (k + 1) * p.columns, &spaced[k * spaced_row]);
        for (npy_intp g = 0; g < p.groups; g++) {
            const T *seen = &padded[g * p.channels_per_group * size];
            if (gemm) {
                gather<T, S0, S1, D0, D1>(p, seen, buffer.get());
                multiply<T>(gemm, p.maps, p.column(), p.positions(), image + g * p.maps * p.positions(), false, buffer.get(), true, 1,
                            W + g * p.maps * p.column());
                continue;
            }
            for (npy_intp o = g * p.maps; o < (g + 1) * p.maps; o++)
                for (npy_intp c = 0; c < p.channels_per_group; c++)
                    for (npy_intp r = 0; r < kh; r++) {
                        const T *map = &spaced[o * p.rows * spaced_row], *line = seen + c * size + r * D0 * p.width;
                        T *totals = W + ((o * p.channels_per_group + c) * kh + r) * kw;
                        npy_intp t = 0;
                        for (; t + 5 <= kw; t += 5) add_products<T, S0, S1, D1, 5>(p, map, spaced_row, line + t * D1, totals + t);
                        for (; t + 3 <= kw; t += 3) add_products<T, S0, S1, D1, 3>(p, map, spaced_row, line + t * D1, totals + t);
                        for (; t < kw; t++) add_products<T, S0, S1, D1, 1>(p, map, spaced_row, line + t * D1, totals + t);
                    }
        }
    }
    for (npy_intp k = 0; s.flip && k < p.m * p.channels_per_group; k++) std::reverse(W + k * kh * kw, W + (k + 1) * kh * kw);
    return 0;
} catch (const std::bad_alloc &) {
    PyErr_NoMemory();
    return -1;
}

} // namespace symae_convolution

#endif
