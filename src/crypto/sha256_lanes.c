/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain C over GCC's vectors, compiled once for each set of instructions. The names are those of
 * FIPS 180-4. */
#define OPENSSL_SUPPRESS_DEPRECATED    /* no other interface lets a computation be begun in the    \
                                          middle */
#include "crypto/sha256_lanes.h"

#include <openssl/sha.h>
#include <string.h>

static const uint32_t start[SHA256_LANES_WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#ifdef __x86_64__
#include <cpuid.h>

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define ROTR(x, n)     (((x) >> (n)) | ((x) << (32 - (n))))
#define BIG_SIGMA_0(x) (ROTR(x, 2) ^ ROTR(x, 13) ^ ROTR(x, 22))
#define BIG_SIGMA_1(x) (ROTR(x, 6) ^ ROTR(x, 11) ^ ROTR(x, 25))
#define SIGMA_0(x)     (ROTR(x, 7) ^ ROTR(x, 18) ^ ((x) >> 3))
#define SIGMA_1(x)     (ROTR(x, 17) ^ ROTR(x, 19) ^ ((x) >> 10))
#define CH(x, y, z)    (((x) & (y)) ^ (~(x) & (z)))
#define MAJ(x, y, z)   (((x) & (y)) | ((z) & ((x) | (y))))
#define NEXT_W(w, t)                                                                               \
    ((w)[(t)&15] +=                                                                                \
     (w)[((t) + 9) & 15] + SIGMA_0((w)[((t) + 1) & 15]) + SIGMA_1((w)[((t) + 14) & 15]))

/* One block in each of N lanes; V has a word of each. */
#define DEFINE_RUN(name, target_text, n_lanes)                                                     \
    typedef uint32_t name##_vector __attribute__((vector_size(4 * (n_lanes))));                    \
                                                                                                   \
    __attribute__((target(target_text))) static inline void name##_load(                           \
        name##_vector *w, const unsigned char *const *data, size_t offset)                         \
    {                                                                                              \
        uint32_t word;                                                                             \
        size_t t, lane;                                                                            \
                                                                                                   \
        for (t = 0; t < 16; t++) {                                                                 \
            for (lane = 0; lane < (n_lanes); lane++) {                                             \
                memcpy(&word, data[lane] + offset + 4 * t, sizeof word);                           \
                w[t][lane] = __builtin_bswap32(word);                                              \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    __attribute__((target(target_text))) static void name(                                         \
        struct sha256_lanes *lanes, const unsigned char *const *data, size_t n_blocks)             \
    {                                                                                              \
        name##_vector state[SHA256_LANES_WORDS], w[16], s[SHA256_LANES_WORDS], t1, t2;             \
        size_t i, t;                                                                               \
                                                                                                   \
        for (i = 0; i < SHA256_LANES_WORDS; i++)                                                   \
            memcpy(&state[i], lanes->words[i], sizeof state[i]);                                   \
        for (i = 0; i < n_blocks; i++) {                                                           \
            name##_load(w, data, i *SHA256_LANES_BLOCK);                                           \
            memcpy(s, state, sizeof s);                                                            \
            _Pragma("GCC unroll 64") for (t = 0; t < 64; t++)                                      \
            {                                                                                      \
                t1 = s[7] + BIG_SIGMA_1(s[4]) + CH(s[4], s[5], s[6]) + k[t] +                      \
                     (t < 16 ? w[t & 15] : NEXT_W(w, t));                                          \
                t2 = BIG_SIGMA_0(s[0]) + MAJ(s[0], s[1], s[2]);                                    \
                s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1;                           \
                s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;                             \
            }                                                                                      \
            for (t = 0; t < SHA256_LANES_WORDS; t++)                                               \
                state[t] += s[t];                                                                  \
        }                                                                                          \
        for (i = 0; i < SHA256_LANES_WORDS; i++)                                                   \
            memcpy(lanes->words[i], &state[i], sizeof state[i]);                                   \
    }

DEFINE_RUN(run_avx2, "avx2", 8)
DEFINE_RUN(run_avx512, "avx512f,avx512vl,avx512bw", 16)

bool sha256_lanes_has(enum sha256_lanes_kind kind)
{
    __builtin_cpu_init();
    if (kind == SHA256_LANES_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw");
    return kind == SHA256_LANES_OPENSSL || __builtin_cpu_supports("avx2");
}

bool sha256_lanes_has_instructions(void)
{
    enum { LEAF = 7, SHA_BIT = 29 };
    unsigned a, b, c, d;

    return __get_cpuid_count(LEAF, 0, &a, &b, &c, &d) && (b >> SHA_BIT & 1);
}
#else
bool sha256_lanes_has(enum sha256_lanes_kind kind)
{
    return kind == SHA256_LANES_OPENSSL;
}

bool sha256_lanes_has_instructions(void)
{
    return false;
}
#endif

size_t sha256_lanes_count(enum sha256_lanes_kind kind)
{
    enum { IN_AVX2 = 8, IN_AVX512 = 16 };

    if (kind == SHA256_LANES_OPENSSL)
        return 1;
    return kind == SHA256_LANES_AVX2 ? IN_AVX2 : IN_AVX512;
}

void sha256_lanes_start(struct sha256_lanes *lanes, size_t lane)
{
    size_t i;

    for (i = 0; i < SHA256_LANES_WORDS; i++)
        lanes->words[i][lane] = start[i];
}

static void run_openssl(struct sha256_lanes *lanes, const unsigned char *data, size_t n_blocks)
{
    SHA256_CTX ctx;
    size_t i;

    SHA256_Init(&ctx);
    for (i = 0; i < SHA256_LANES_WORDS; i++)
        ctx.h[i] = lanes->words[i][0];
    SHA256_Update(&ctx, data, n_blocks * SHA256_LANES_BLOCK);
    for (i = 0; i < SHA256_LANES_WORDS; i++)
        lanes->words[i][0] = ctx.h[i];
}

void sha256_lanes_run(enum sha256_lanes_kind kind, struct sha256_lanes *lanes,
                      const unsigned char *const *data, size_t n_blocks)
{
#ifdef __x86_64__
    if (kind == SHA256_LANES_AVX512)
        run_avx512(lanes, data, n_blocks);
    else if (kind == SHA256_LANES_AVX2)
        run_avx2(lanes, data, n_blocks);
    else
#else
    (void)kind;
#endif
        run_openssl(lanes, data[0], n_blocks);
}

void sha256_lanes_get(const struct sha256_lanes *lanes, size_t lane, unsigned char out[32])
{
    size_t i;

    for (i = 0; i < SHA256_LANES_WORDS; i++) {
        out[4 * i] = (unsigned char)(lanes->words[i][lane] >> 24);
        out[4 * i + 1] = (unsigned char)(lanes->words[i][lane] >> 16);
        out[4 * i + 2] = (unsigned char)(lanes->words[i][lane] >> 8);
        out[4 * i + 3] = (unsigned char)lanes->words[i][lane];
    }
}
