/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the lanes filled: each takes the blocks of one input, pads its end, and goes on with the
 * next. When there are too few left to be worth it, OpenSSL finishes them one by one. */
#include "crypto/digest_batch.h"

#include <string.h>

struct lane {
    void *input; /* NULL: idle */
    struct bytes_view data;
    const unsigned char *blocks; /* that come next */
    size_t n_blocks;
    uint64_t n_bytes;
    unsigned char carry[2 * SHA256_LANES_BLOCK]; /* what is no whole block yet, then the padding */
    size_t carry_len;
    bool is_last; /* the padding is what comes next */
};

struct batch {
    enum sha256_lanes_kind kind;
    const struct digest_batch_source *source;
    size_t n_lanes, n_active;
    struct lane lanes[SHA256_LANES_MAX];
    struct sha256_lanes state;
};

bool digest_batch_find(const char *name, enum sha256_lanes_kind *out, struct hallmark_error *err)
{
    static const char *const names[] = {[SHA256_LANES_OPENSSL] = "openssl",
                                        [SHA256_LANES_AVX2] = "avx2",
                                        [SHA256_LANES_AVX512] = "avx512"};
    size_t i;

    if (!name || strcmp(name, "auto") == 0) {
        *out = SHA256_LANES_OPENSSL;
        if (sha256_lanes_has(SHA256_LANES_AVX512))
            *out = SHA256_LANES_AVX512;
        else if (sha256_lanes_has(SHA256_LANES_AVX2) && !sha256_lanes_has_instructions())
            *out = SHA256_LANES_AVX2;
        if (!digest_batch_is_sound(*out))
            *out = SHA256_LANES_OPENSSL;
        return true;
    }
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            break;
    if (i == sizeof names / sizeof *names)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "\"%s\" is no way to hash: auto, openssl, avx2 or avx512", name);
    *out = (enum sha256_lanes_kind)i;
    if (!sha256_lanes_has(*out))
        return error_set(err, HALLMARK_ERR_USAGE, "this processor cannot hash by %s", name);
    return digest_batch_is_sound(*out) ||
           error_set(err, HALLMARK_ERR_IO, "hashing by %s gives something else than OpenSSL", name);
}

/* How many inputs must be left for the lanes to be faster than OpenSSL, one after the other;
 * measured. */
static size_t worth(enum sha256_lanes_kind kind)
{
    enum { AGAINST_INSTRUCTIONS = 10, AGAINST_CODE_512 = 4, AGAINST_CODE_256 = 3 };

    if (kind == SHA256_LANES_OPENSSL)
        return 1;
    if (sha256_lanes_has_instructions())
        return kind == SHA256_LANES_AVX512 ? AGAINST_INSTRUCTIONS : sha256_lanes_count(kind);
    return kind == SHA256_LANES_AVX512 ? AGAINST_CODE_512 : AGAINST_CODE_256;
}

/* ---- One lane ------------------------------------------------------------------------------- */

static void pad(struct lane *lane)
{
    enum { LENGTH = 8 };
    size_t len = lane->carry_len, end, i;
    uint64_t n_bits = lane->n_bytes * 8;

    end = len + 1 + LENGTH <= SHA256_LANES_BLOCK ? SHA256_LANES_BLOCK : 2 * SHA256_LANES_BLOCK;
    memset(lane->carry + len, 0, end - len);
    lane->carry[len] = 0x80;
    for (i = 0; i < LENGTH; i++)
        lane->carry[end - 1 - i] = (unsigned char)(n_bits >> (8 * i));
    lane->blocks = lane->carry;
    lane->n_blocks = end / SHA256_LANES_BLOCK;
    lane->is_last = true;
}

/* Takes what is there of whole blocks. False: there are none, and data is empty. */
static bool take_blocks(struct lane *lane)
{
    size_t n;

    if (lane->carry_len == 0 && lane->data.len >= SHA256_LANES_BLOCK) {
        lane->blocks = (const unsigned char *)lane->data.data;
        lane->n_blocks = lane->data.len / SHA256_LANES_BLOCK;
        n = lane->n_blocks * SHA256_LANES_BLOCK;
        lane->data = bytes_view_of(lane->data.data + n, lane->data.len - n);
        return true;
    }
    n = SHA256_LANES_BLOCK - lane->carry_len;
    if (n > lane->data.len)
        n = lane->data.len;
    if (n)
        memcpy(lane->carry + lane->carry_len, lane->data.data, n);
    lane->carry_len += n;
    lane->data = bytes_view_of(lane->data.data + n, lane->data.len - n);
    if (lane->carry_len < SHA256_LANES_BLOCK)
        return false;
    lane->blocks = lane->carry;
    lane->n_blocks = 1;
    lane->carry_len = 0;
    return true;
}

/* Whether INPUT goes on: there are blocks of it. */
static bool has_blocks(struct batch *b, struct lane *lane)
{
    while (!take_blocks(lane)) {
        if (!b->source->read(b->source->ctx, lane->input, &lane->data)) {
            b->source->done(b->source->ctx, lane->input, NULL);
            return false;
        }
        lane->n_bytes += lane->data.len;
        if (lane->data.len == 0) {
            pad(lane);
            return true;
        }
    }
    return true;
}

/* Gives lane I, whose blocks are done, something to do. */
static void refill(struct batch *b, size_t i)
{
    struct lane *lane = &b->lanes[i];
    unsigned char sha256[DIGEST_SHA256_LEN];

    if (lane->input && !lane->is_last && has_blocks(b, lane))
        return;
    if (lane->input && lane->is_last) {
        sha256_lanes_get(&b->state, i, sha256);
        b->source->done(b->source->ctx, lane->input, sha256);
    }
    do {
        *lane = (struct lane){.input = b->source->next(b->source->ctx), .data = {"", 0}};
        if (!lane->input)
            return;
        sha256_lanes_start(&b->state, i);
    } while (!has_blocks(b, lane));
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* As many blocks as all that are active have. */
static void step(struct batch *b)
{
    const unsigned char *data[SHA256_LANES_MAX], *some = NULL;
    size_t i, n = SIZE_MAX;

    for (i = 0; i < b->n_lanes; i++) {
        if (!b->lanes[i].input)
            continue;
        some = b->lanes[i].blocks;
        if (b->lanes[i].n_blocks < n)
            n = b->lanes[i].n_blocks;
    }
    for (i = 0; i < b->n_lanes; i++)
        data[i] = b->lanes[i].input ? b->lanes[i].blocks : some; /* nobody asks for that */
    sha256_lanes_run(b->kind, &b->state, data, n);
    for (i = 0; i < b->n_lanes; i++) {
        if (!b->lanes[i].input)
            continue;
        b->lanes[i].blocks += n * SHA256_LANES_BLOCK;
        b->lanes[i].n_blocks -= n;
        if (b->lanes[i].n_blocks == 0)
            refill(b, i);
    }
}

static size_t count_active(const struct batch *b)
{
    size_t i, n = 0;

    for (i = 0; i < b->n_lanes; i++)
        n += b->lanes[i].input != NULL;
    return n;
}

/* Goes on with lane I alone. */
static void finish(struct batch *b, size_t i)
{
    struct batch *one = &(struct batch){
        .kind = SHA256_LANES_OPENSSL, .source = b->source, .n_lanes = 1, .lanes = {b->lanes[i]}};
    const struct lane *from = &b->lanes[i];
    struct lane *to = &one->lanes[0];
    size_t word;

    if (from->blocks >= from->carry && from->blocks <= from->carry + sizeof from->carry)
        to->blocks = to->carry + (from->blocks - from->carry);
    for (word = 0; word < SHA256_LANES_WORDS; word++)
        one->state.words[word][0] = b->state.words[word][i];
    while (to->input)
        step(one);
}

void digest_batch_run(enum sha256_lanes_kind kind, const struct digest_batch_source *source)
{
    struct batch b = {.kind = kind, .source = source, .n_lanes = sha256_lanes_count(kind)};
    size_t i, enough = worth(kind);

    for (i = 0; i < b.n_lanes; i++)
        refill(&b, i);
    while (count_active(&b) >= enough)
        step(&b);
    for (i = 0; i < b.n_lanes; i++)
        if (b.lanes[i].input)
            finish(&b, i);
}

/* ---- The comparison with OpenSSL ------------------------------------------------------------ */

enum { SOUND_INPUTS = 3 * SHA256_LANES_MAX };

struct trial {
    unsigned char text[SOUND_INPUTS * 5];
    unsigned char results[SOUND_INPUTS][DIGEST_SHA256_LEN];
    struct bytes_view inputs[SOUND_INPUTS];
    size_t n_begun, n_done;
};

static void *next_trial(void *ctx)
{
    struct trial *trial = ctx;

    return trial->n_begun < SOUND_INPUTS ? &trial->inputs[trial->n_begun++] : NULL;
}

static bool read_trial(void *ctx, void *input, struct bytes_view *out)
{
    struct bytes_view *view = input;

    (void)ctx;
    *out = *view;
    view->len = 0;
    return true;
}

static void end_trial(void *ctx, void *input, const unsigned char *sha256)
{
    struct trial *trial = ctx;
    struct bytes_view *view = input;

    memcpy(trial->results[view - trial->inputs], sha256, DIGEST_SHA256_LEN);
    trial->n_done++;
}

bool digest_batch_is_sound(enum sha256_lanes_kind kind)
{
    struct trial trial = {.n_begun = 0};
    struct digest_batch_source source = {
        .next = next_trial, .read = read_trial, .done = end_trial, .ctx = &trial};
    struct digest_value value;
    size_t i;

    for (i = 0; i < sizeof trial.text; i++)
        trial.text[i] = (unsigned char)(i * i + i / 3);
    for (i = 0; i < SOUND_INPUTS; i++)
        trial.inputs[i] = bytes_view_of(trial.text + i, 4 * i);
    digest_batch_run(kind, &source);
    for (i = 0; i < SOUND_INPUTS; i++)
        if (!digest_bytes(DIGEST_SHA256, bytes_view_of(trial.text + i, 4 * i), &value, NULL) ||
            memcmp(value.sha256, trial.results[i], sizeof value.sha256) != 0)
            return false;
    return trial.n_done == SOUND_INPUTS;
}
