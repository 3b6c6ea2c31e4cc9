/* The Mersenne Twister and numpy's legacy draws from it: the C twin of mt19937.py, which says what and why.
   Compile without contraction of multiply-add: the draws have to agree with RandomState in all bits. */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MT_N = 624, MT_M = 397, MT_POSITION = 624, MT_CACHED = 625, MT_GAUSSIAN = 626, MT_STATE = 628 };

static inline uint32_t mt_twisted(uint32_t here, uint32_t following, uint32_t far) {
    uint32_t y = (here & 0x80000000u) | (following & 0x7fffffffu);
    return far ^ (y >> 1) ^ (0x9908b0dfu & (0u - (y & 1u))); /* all bits or none: a product takes ten cycles */
}

static void mt_refill(uint32_t *state) {
    int i;
    for (i = 0; i < MT_N - MT_M; i++) state[i] = mt_twisted(state[i], state[i + 1], state[i + MT_M]);
    for (; i < MT_N - 1; i++) state[i] = mt_twisted(state[i], state[i + 1], state[i + MT_M - MT_N]);
    state[MT_N - 1] = mt_twisted(state[MT_N - 1], state[0], state[MT_M - 1]);
}

static inline uint32_t mt_word(uint32_t *state) {
    uint32_t y;
    if (state[MT_POSITION] >= MT_N) {
        mt_refill(state);
        state[MT_POSITION] = 0;
    }
    y = state[state[MT_POSITION]++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static inline double mt_double(uint32_t *state) {
    int32_t a = mt_word(state) >> 5, b = mt_word(state) >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
}

static double mt_gaussian(uint32_t *state) {
    double x, y, square, scale, waiting;
    if (state[MT_CACHED]) {
        memcpy(&waiting, state + MT_GAUSSIAN, sizeof(waiting));
        memset(state + MT_CACHED, 0, (MT_STATE - MT_CACHED) * sizeof(*state));
        return waiting;
    }
    do {
        x = 2.0 * mt_double(state) - 1.0;
        y = 2.0 * mt_double(state) - 1.0;
        square = x * x + y * y;
    } while (square >= 1.0 || square == 0.0);
    scale = sqrt(-2.0 * log(square) / square);
    waiting = scale * x;
    memcpy(state + MT_GAUSSIAN, &waiting, sizeof(waiting));
    state[MT_CACHED] = 1;
    return scale * y;
}

/* What the draws of one (n, p) share; less is min(p, 1 - p). */
typedef struct {
    int64_t n, bound;
    double p, less, q, nothing;
} mt_binomial_table;

static mt_binomial_table mt_table(int64_t n, double p) {
    mt_binomial_table t;
    double mean, bound;
    t.n = n;
    t.p = p;
    t.less = p <= 0.5 ? p : 1.0 - p;
    t.q = 1.0 - t.less;
    t.nothing = exp(n * log(t.q));
    mean = n * t.less;
    bound = mean + 10.0 * sqrt(mean * t.q + 1);
    t.bound = (int64_t)(n < bound ? n : bound);
    return t;
}

static int64_t mt_search(uint32_t *state, const mt_binomial_table *t) {
    int64_t x = 0;
    double probability = t->nothing, u = mt_double(state);
    while (u > probability) {
        if (++x > t->bound) {
            x = 0;
            probability = t->nothing;
            u = mt_double(state);
        } else {
            u -= probability;
            probability = ((t->n - x + 1) * t->less * probability) / (x * t->q);
        }
    }
    return x;
}

static inline double mt_stirling(double f) {
    double f2 = f * f;
    return (13680. - (462. - (132. - (99. - 140. / f2) / f2) / f2) / f2) / f / 166320.;
}

static int64_t mt_btpe(uint32_t *state, int64_t n, double p) {
    double q = 1.0 - p, mode_real = n * p + p;
    int64_t mode = (int64_t)floor(mode_real), y, k, i;
    double p1 = floor(2.195 * sqrt(n * p * q) - 4.6 * q) + 0.5;
    double middle = mode + 0.5, left = middle - p1, right = middle + p1;
    double c = 0.134 + 20.5 / (15.3 + mode);
    double a = (mode_real - left) / (mode_real - left * p);
    double slope_left = a * (1.0 + a / 2.0), slope_right, p2, p3, p4, variance = n * p * q;
    a = (right - mode_real) / (right * q);
    slope_right = a * (1.0 + a / 2.0);
    p2 = p1 * (1.0 + 2.0 * c);
    p3 = p2 + c / slope_left;
    p4 = p3 + c / slope_right;
    for (;;) {
        double u = mt_double(state) * p4, v = mt_double(state);
        double rho, t, log_v, x1, f1, z, w;
        if (u <= p1) return (int64_t)floor(middle - p1 * v + u);
        if (u <= p2) {
            double x = left + (u - p1) / c;
            v = v * c + 1.0 - fabs(mode - x + 0.5) / p1;
            if (v > 1.0) continue;
            y = (int64_t)floor(x);
        } else if (v == 0.0) {
            continue;
        } else if (u <= p3) {
            y = (int64_t)floor(left + log(v) / slope_left);
            if (y < 0) continue;
            v = v * (u - p2) * slope_left;
        } else {
            y = (int64_t)floor(right - log(v) / slope_right);
            if (y > n) continue;
            v = v * (u - p3) * slope_right;
        }
        k = y > mode ? y - mode : mode - y;
        if (k <= 20 || k >= variance / 2.0 - 1) {
            double s = p / q, b = s * (n + 1), ratio = 1.0;
            for (i = mode + 1; i <= y; i++) ratio *= b / i - s;
            for (i = y + 1; i <= mode; i++) ratio /= b / i - s;
            if (v <= ratio) return y;
            continue;
        }
        rho = (k / variance) * ((k * (k / 3.0 + 0.625) + 0.16666666666666666) / variance + 0.5);
        t = -k * k / (2 * variance);
        log_v = log(v);
        if (log_v < t - rho) return y;
        if (log_v > t + rho) continue;
        x1 = y + 1, f1 = mode + 1, z = n + 1 - mode, w = n - y + 1;
        if (log_v <= middle * log(f1 / x1) + (n - mode + 0.5) * log(z / w) + (y - mode) * log(w * p / (x1 * q))
                         + mt_stirling(f1) + mt_stirling(z) + mt_stirling(x1) + mt_stirling(w))
            return y;
    }
}

static inline int64_t mt_binomial(uint32_t *state, const mt_binomial_table *t) {
    int64_t x = t->less * t->n <= 30.0 ? mt_search(state, t) : mt_btpe(state, t->n, t->less);
    return t->p <= 0.5 ? x : t->n - x;
}

/* a 2^26 + b of the next number of the stream, (a 2^26 + b) / 2^53, from two words of key side by side, the first one the lower
   half. */
static inline uint64_t mt_numerator(uint64_t pair) {
    pair ^= (pair >> 11) & UINT64_C(0x001fffff001fffff);
    pair ^= (pair << 7) & UINT64_C(0x9d2c56809d2c5680);
    pair ^= (pair << 15) & UINT64_C(0xefc60000efc60000);
    pair ^= (pair >> 18) & UINT64_C(0x00003fff00003fff);
    return ((pair & UINT64_C(0xffffffe0)) << 21) | (pair >> 38);
}

/* Fill out with `rest` where the numerator of the stream's next number is more than `most`, else `likely`: binomial(1, p) where
   its search never starts again. The position has to be even, on a machine whose lower half comes first. */
template <typename T> static void mt_compared(uint32_t *state, int64_t most, T likely, T rest, T *out, int64_t size) {
    int64_t i = 0, j, position = state[MT_POSITION];
    uint64_t pairs[MT_N / 2]; /* its own memory, so that compilers know that out is another, and take eight at once */
    while (i < size) {
        int64_t count;
        if (position >= MT_N) {
            mt_refill(state);
            position = 0;
        }
        count = (MT_N - position) / 2 < size - i ? (MT_N - position) / 2 : size - i;
        memcpy(pairs, state + position, 2 * count * sizeof(*state));
        for (j = 0; j < count; j++) pairs[j] = (int64_t)mt_numerator(pairs[j]) > most;
        for (j = 0; j < count; j++) out[i + j] = pairs[j] ? rest : likely;
        position += 2 * count;
        i += count;
    }
    state[MT_POSITION] = (uint32_t)position;
}

/* Fill out with draws of binomial(1, p) by comparing; 0 if the table is of something else, or its search may start again. */
template <typename T> static int mt_bernoullis(uint32_t *state, const mt_binomial_table *t, T *out, int64_t size) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const double highest = 1.0 - 1.0 / 9007199254740992.0, something = (1 * t->less * t->nothing) / (1 * t->q);
    const T likely = t->p > 0.5;
    if (t->n == 1 && state[MT_POSITION] % 2 == 0 && highest - t->nothing <= something) {
        mt_compared(state, (int64_t)(t->nothing * 9007199254740992.0), likely, (T)(1 - likely), out, size);
        return 1;
    }
#endif
    return 0;
}
