/* BLAS's names for what PyTensor's C code calls, answered by the BLAS that SciPy brings and gives to Cython.

   PyTensor links to a BLAS that is installed by itself; where it comes from wheels there is none. This file is included before
   PyTensor's declarations, which then are of the functions here. The first call looks one up; that it is there, with sizes of
   int, symae.patches.c_blas has made sure of. */
#ifndef SYMAE_SCIPY_BLAS_H
#define SYMAE_SCIPY_BLAS_H
#include <Python.h>

static void *symae_scipy_blas(const char *name) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *module = PyImport_ImportModule("scipy.linalg.cython_blas");
    PyObject *table = module ? PyObject_GetAttrString(module, "__pyx_capi__") : NULL;
    PyObject *capsule = table ? PyMapping_GetItemString(table, name) : NULL;
    void *found = capsule ? PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)) : NULL;
    if (!found) Py_FatalError("scipy.linalg.cython_blas has lost a function");
    Py_DECREF(capsule);
    Py_DECREF(table);
    Py_DECREF(module);
    PyGILState_Release(state);
    return found;
}

/* Define symae_<name>, and let <name>_ mean it. */
#define SYMAE_BLAS(result, name, parameters, arguments)                                                                        \
    extern "C" {                                                                                                               \
    static inline result symae_##name parameters {                                                                             \
        typedef result(*Function) parameters;                                                                                  \
        static Function function = NULL;                                                                                       \
        if (!function) function = (Function)symae_scipy_blas(#name);                                                           \
        return function arguments;                                                                                             \
    }                                                                                                                          \
    }

#define SYMAE_BLAS_OF(T, letter)                                                                                               \
    SYMAE_BLAS(void, letter##gemm,                                                                                             \
               (char *a, char *b, const int *m, const int *n, const int *k, const T *alpha, const T *A, const int *la,          \
                const T *B, const int *lb, const T *beta, T *C, const int *lc),                                                \
               (a, b, m, n, k, alpha, A, la, B, lb, beta, C, lc))                                                              \
    SYMAE_BLAS(void, letter##gemv,                                                                                             \
               (char *a, const int *m, const int *n, const T *alpha, const T *A, const int *la, const T *x, const int *ix,      \
                const T *beta, T *y, const int *iy),                                                                           \
               (a, m, n, alpha, A, la, x, ix, beta, y, iy))                                                                    \
    SYMAE_BLAS(void, letter##ger,                                                                                              \
               (const int *m, const int *n, const T *alpha, const T *x, const int *ix, const T *y, const int *iy, T *A,         \
                const int *la),                                                                                                \
               (m, n, alpha, x, ix, y, iy, A, la))                                                                             \
    SYMAE_BLAS(void, letter##axpy, (const int *n, const T *alpha, const T *x, const int *ix, T *y, const int *iy),              \
               (n, alpha, x, ix, y, iy))                                                                                       \
    SYMAE_BLAS(T, letter##dot, (const int *n, const T *x, const int *ix, const T *y, const int *iy), (n, x, ix, y, iy))

SYMAE_BLAS_OF(float, s)
SYMAE_BLAS_OF(double, d)

#define sgemm_ symae_sgemm
#define dgemm_ symae_dgemm
#define sgemv_ symae_sgemv
#define dgemv_ symae_dgemv
#define sger_ symae_sger
#define dger_ symae_dger
#define saxpy_ symae_saxpy
#define daxpy_ symae_daxpy
#define sdot_ symae_sdot
#define ddot_ symae_ddot
#endif
