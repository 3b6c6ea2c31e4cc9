/* Pooling in C++ for PyTensor's C backend: what symae/kernels/pooling.py and switches.py are for Numba.

   A maximum is the first one of its window in row-major order, and the first NaN counts as larger than every number. */

#include <algorithm>
#include <type_traits>
#include <vector>

/* Windows along an axis, as symae.ops.arguments.Axis. */
struct symae_axis {
    npy_intp size, stride, offset, extra, least, pad;
    bool same;

    npy_intp count(npy_intp n) const {
        npy_intp a = n + offset, quotient = a / stride;
        if (a % stride < 0) quotient--; /* Python's division rounds down */
        return std::max(quotient + extra, least);
    }
    npy_intp before(npy_intp n) const {
        return same ? std::max((count(n) - 1) * stride + size - n, (npy_intp)0) / 2 : pad;
    }
};

/* The windows of an image of n pixels along the axis. */
struct symae_windows {
    npy_intp n, size, stride, count, before;

    symae_windows(const symae_axis &axis, npy_intp n)
        : n(n), size(axis.size), stride(axis.stride), count(axis.count(n)), before(axis.before(n)) {}
    npy_intp begin(npy_intp i) const { return std::max(i * stride - before, (npy_intp)0); }
    npy_intp end(npy_intp i) const { return std::min(i * stride - before + size, n); }
    bool inside(npy_intp i) const { return i * stride >= before && i * stride - before + size <= n; }
};

/* A contiguous view or copy of an array, for as long as this object lives. */
struct symae_contiguous {
    PyArrayObject *array;

    explicit symae_contiguous(PyArrayObject *given)
        : array((PyArrayObject *)PyArray_FromArray(given, NULL, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED)) {}
    symae_contiguous(const symae_contiguous &) = delete;
    ~symae_contiguous() { Py_XDECREF(array); }
    npy_intp dim(int i) const { return PyArray_DIM(array, i); }
    template <typename T> T *data() const { return (T *)PyArray_DATA(array); }
};

/* Make *out a contiguous (n, c, h, w), the one that is there if it fits. */
static int symae_allocate(PyArrayObject **out, npy_intp n, npy_intp c, npy_intp h, npy_intp w, int type) {
    npy_intp dims[] = {n, c, h, w};
    if (*out && PyArray_NDIM(*out) == 4 && PyArray_ISCARRAY(*out) && PyArray_CompareLists(PyArray_DIMS(*out), dims, 4)) return 0;
    Py_XDECREF(*out);
    *out = (PyArrayObject *)PyArray_SimpleNew(4, dims, type);
    return *out ? 0 : -1;
}

/* Raise symae's InputError, whose message is "place: what: found …, expected …"; takes the references to both texts. */
static int symae_refuse(const char *place, const char *what, PyObject *found, PyObject *expected) {
    PyObject *errors = PyImport_ImportModule("symae.errors");
    PyObject *type = errors ? PyObject_GetAttrString(errors, "InputError") : NULL;
    PyObject *where = type ? PyUnicode_FromFormat("%s: %s", place, what) : NULL;
    PyObject *error = where && found && expected ? PyObject_CallFunctionObjArgs(type, where, found, expected, NULL) : NULL;
    if (error) PyErr_SetObject(type, error);
    Py_XDECREF(error);
    Py_XDECREF(where);
    Py_XDECREF(type);
    Py_XDECREF(errors);
    Py_XDECREF(found);
    Py_XDECREF(expected);
    return -1;
}

static PyObject *symae_shape(npy_intp n, npy_intp c, npy_intp h, npy_intp w) {
    return PyUnicode_FromFormat("shape (%zd, %zd, %zd, %zd)", n, c, h, w);
}

static int symae_pixels(const char *place, npy_intp n, npy_intp c, npy_intp h, npy_intp w) {
    if (h > 0 && w > 0) return 0;
    return symae_refuse(place, "input", symae_shape(n, c, h, w), PyUnicode_FromString("at least one row and one column"));
}

template <typename T>
static npy_intp symae_first_maximum(const T *image, npy_intp w, npy_intp top, npy_intp bottom, npy_intp left, npy_intp right) {
    npy_intp at = top * w + left;
    for (npy_intp r = top; r < bottom; r++)
        for (npy_intp c = left; c < right; c++)
            if (image[at] == image[at] && !(image[r * w + c] <= image[at])) at = r * w + c;
    return at;
}

/* (n, c, h, w) -> the maximum of each window, and its place as row * w + column; Q is the width
   of a window, STEP the columns from one to the next. */
template <typename T, int Q, int STEP>
static int symae_max_pool(PyArrayObject *input, PyArrayObject **pooled, PyArrayObject **switches, int type,
                          const symae_axis &row_axis, const symae_axis &column_axis, const char *place) {
    /* an integer as wide as the float, so that both fill a register alike */
    typedef typename std::conditional<sizeof(T) == 4, npy_int32, npy_int64>::type place_type;
    symae_contiguous images(input);
    if (!images.array) return -1;
    npy_intp n = images.dim(0), c = images.dim(1), h = images.dim(2), w = images.dim(3);
    if (symae_pixels(place, n, c, h, w)) return -1;
    symae_windows rows(row_axis, h), columns(column_axis, w);
    if (symae_allocate(pooled, n, c, rows.count, columns.count, type)) return -1;
    if (symae_allocate(switches, n, c, rows.count, columns.count, NPY_INT64)) return -1;
    npy_intp first = 0, last = columns.count;
    while (first < last && !columns.inside(first)) first++;
    while (last > first && !columns.inside(last - 1)) last--;
    std::vector<T> best(columns.count);
    std::vector<place_type> at(columns.count);
    const T *image = images.data<T>();
    T *value = (T *)PyArray_DATA(*pooled);
    npy_int64 *place_of = (npy_int64 *)PyArray_DATA(*switches);
    for (npy_intp m = 0; m < n * c; m++, image += h * w) {
        bool nan = false;
        for (npy_intp k = 0; k < h * w; k++) nan |= image[k] != image[k];
        npy_intp begin = nan ? last : first; /* the vectorised loop below compares with > alone */
        for (npy_intp i = 0; i < rows.count; i++, value += columns.count, place_of += columns.count) {
            npy_intp top = rows.begin(i), bottom = rows.end(i);
            for (npy_intp j = 0; j < columns.count; j++) {
                if (j == begin) j = last;
                if (j >= columns.count) break;
                place_of[j] = symae_first_maximum(image, w, top, bottom, columns.begin(j), columns.end(j));
                value[j] = image[place_of[j]];
            }
            for (npy_intp j = begin; j < last; j++) {
                best[j] = image[top * w + j * STEP - columns.before];
                at[j] = 0;
            }
            for (npy_intp r = top; r < bottom; r++) {
                const T *row = image + r * w - columns.before;
                place_type base = (place_type)((r - top) * w);
                for (npy_intp j = begin; j < last; j++) {
                    T b = best[j];
                    place_type a = at[j];
                    for (int l = 0; l < Q; l++) {
                        T v = row[j * STEP + l];
                        a = v > b ? base + l : a;
                        b = v > b ? v : b;
                    }
                    best[j] = b;
                    at[j] = a;
                }
            }
            for (npy_intp j = begin; j < last; j++) {
                value[j] = best[j];
                place_of[j] = top * w + j * STEP - columns.before + at[j];
            }
        }
    }
    return 0;
}

/* What the sum over a window is divided by: 1, its size, or how many of its pixels lie in the image. */
enum symae_divisor { SYMAE_ONE, SYMAE_WINDOW, SYMAE_PIXELS };

template <typename T>
static T symae_divide_by(symae_divisor divisor, const symae_windows &rows, npy_intp i, const symae_windows &columns, npy_intp j) {
    if (divisor == SYMAE_ONE) return 1;
    if (divisor == SYMAE_WINDOW) return (T)(rows.size * columns.size);
    return (T)((rows.end(i) - rows.begin(i)) * (columns.end(j) - columns.begin(j)));
}

/* (n, c, h, w) -> the sum of each window over the divisor. */
template <typename T>
static int symae_sum_pool(PyArrayObject *input, PyArrayObject **pooled, int type, const symae_axis &row_axis,
                          const symae_axis &column_axis, symae_divisor divisor, const char *place) {
    symae_contiguous images(input);
    if (!images.array) return -1;
    npy_intp n = images.dim(0), c = images.dim(1), h = images.dim(2), w = images.dim(3);
    if (symae_pixels(place, n, c, h, w)) return -1;
    symae_windows rows(row_axis, h), columns(column_axis, w);
    if (symae_allocate(pooled, n, c, rows.count, columns.count, type)) return -1;
    const T *image = images.data<T>();
    T *value = (T *)PyArray_DATA(*pooled);
    for (npy_intp m = 0; m < n * c; m++, image += h * w)
        for (npy_intp i = 0; i < rows.count; i++)
            for (npy_intp j = 0; j < columns.count; j++) {
                T total = 0;
                for (npy_intp r = rows.begin(i); r < rows.end(i); r++)
                    for (npy_intp k = columns.begin(j); k < columns.end(j); k++) total += image[r * w + k];
                *value++ = total / symae_divide_by<T>(divisor, rows, i, columns, j);
            }
    return 0;
}

/* The transpose of symae_sum_pool, (n, c, rows, columns) -> (n, c, h, w). */
template <typename T>
static int symae_spread(PyArrayObject *input, npy_intp h, npy_intp w, PyArrayObject **images, int type,
                        const symae_axis &row_axis, const symae_axis &column_axis, symae_divisor divisor, const char *place) {
    symae_contiguous pooled(input);
    if (!pooled.array) return -1;
    npy_intp n = pooled.dim(0), c = pooled.dim(1);
    if (symae_pixels(place, n, c, h, w)) return -1;
    symae_windows rows(row_axis, h), columns(column_axis, w);
    if (pooled.dim(2) != rows.count || pooled.dim(3) != columns.count) {
        return symae_refuse(place, "pooled", symae_shape(n, c, pooled.dim(2), pooled.dim(3)),
                            PyUnicode_FromFormat("(%zd, %zd, %zd, %zd), a value for each window of images of %zd x %zd pixels", n,
                                                 c, rows.count, columns.count, h, w));
    }
    if (symae_allocate(images, n, c, h, w, type)) return -1;
    const T *value = pooled.data<T>();
    T *image = (T *)PyArray_DATA(*images);
    std::fill(image, image + n * c * h * w, (T)0);
    for (npy_intp m = 0; m < n * c; m++, image += h * w)
        for (npy_intp i = 0; i < rows.count; i++)
            for (npy_intp j = 0; j < columns.count; j++) {
                T share = *value++ / symae_divide_by<T>(divisor, rows, i, columns, j);
                for (npy_intp r = rows.begin(i); r < rows.end(i); r++)
                    for (npy_intp k = columns.begin(j); k < columns.end(j); k++) image[r * w + k] += share;
            }
    return 0;
}

static int symae_in_range(const char *place, npy_int64 at, npy_intp h, npy_intp w) {
    if (at >= 0 && at < h * w) return 0;
    return symae_refuse(place, "switches", PyUnicode_FromFormat("%lld", (long long)at),
                        PyUnicode_FromFormat("positions from 0 to %zd, row * w + column in images of %zd x %zd pixels", h * w - 1, h,
                                             w));
}

/* (values (n, c, i, j), switches (n, c, i, j)) -> images (n, c, h, w), zero where nothing was put. */
template <typename T>
static int symae_put_at(PyArrayObject *given, PyArrayObject *given_switches, npy_intp h, npy_intp w, PyArrayObject **images,
                        int type, const char *place) {
    symae_contiguous values(given), switches(given_switches);
    if (!values.array || !switches.array) return -1;
    npy_intp n = values.dim(0), c = values.dim(1), windows = switches.dim(2) * switches.dim(3);
    if (!PyArray_CompareLists(PyArray_DIMS(values.array), PyArray_DIMS(switches.array), 4)) {
        return symae_refuse(place, "pooled", symae_shape(n, c, values.dim(2), values.dim(3)),
                            PyUnicode_FromFormat("(%zd, %zd, %zd, %zd), a value for each window", switches.dim(0),
                                                 switches.dim(1), switches.dim(2), switches.dim(3)));
    }
    if (h < 0 || w < 0)
        return symae_refuse(place, "shape", PyUnicode_FromFormat("(%zd, %zd)", h, w), PyUnicode_FromString("sizes of at least 0"));
    if (symae_allocate(images, n, c, h, w, type)) return -1;
    const T *value = values.data<T>();
    const npy_int64 *at = switches.data<npy_int64>();
    T *image = (T *)PyArray_DATA(*images);
    std::fill(image, image + n * c * h * w, (T)0);
    for (npy_intp m = 0; m < n * c; m++, image += h * w)
        for (npy_intp k = 0; k < windows; k++, at++) {
            if (symae_in_range(place, *at, h, w)) return -1;
            image[*at] += *value++;
        }
    return 0;
}

/* (images (n, c, h, w), switches (n, c, i, j)) -> values (n, c, i, j). */
template <typename T>
static int symae_take_at(PyArrayObject *given, PyArrayObject *given_switches, PyArrayObject **values, int type,
                         const char *place) {
    symae_contiguous images(given), switches(given_switches);
    if (!images.array || !switches.array) return -1;
    npy_intp n = switches.dim(0), c = switches.dim(1), h = images.dim(2), w = images.dim(3);
    npy_intp windows = switches.dim(2) * switches.dim(3);
    if (images.dim(0) != n || images.dim(1) != c) {
        return symae_refuse(place, "images", symae_shape(images.dim(0), images.dim(1), h, w),
                            PyUnicode_FromFormat("(%zd, %zd, h, w), as many as switches", n, c));
    }
    if (symae_allocate(values, n, c, switches.dim(2), switches.dim(3), type)) return -1;
    const T *image = images.data<T>();
    const npy_int64 *at = switches.data<npy_int64>();
    T *value = (T *)PyArray_DATA(*values);
    for (npy_intp m = 0; m < n * c; m++, image += h * w)
        for (npy_intp k = 0; k < windows; k++, at++) {
            if (symae_in_range(place, *at, h, w)) return -1;
            *value++ = image[*at];
        }
    return 0;
}
