/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OpenPGP packets: RFC 4880 sections 4 and 5.2, RFC 9580. Bounds everything before gpg parses it,
 * and reads what GPGME does not tell. No cryptography.
 */
#include "format/packet.h"

#include <string.h>

#include "base/encoding.h"

/* RFC 4880 section 4.3. */
enum tag {
    TAG_SIGNATURE = 2,
    TAG_SECRET_KEY = 5,
    TAG_PUBLIC_KEY = 6,
    TAG_SECRET_SUBKEY = 7,
    TAG_TRUST = 12,
    TAG_USER_ID = 13,
    TAG_PUBLIC_SUBKEY = 14,
    TAG_USER_ATTRIBUTE = 17,
};

/* RFC 4880 section 5.2.3.1, RFC 9580 section 5.2.3.7. */
enum subpacket { SUBPACKET_CREATED = 2, SUBPACKET_ISSUER = 16, SUBPACKET_FINGERPRINT = 33 };

enum { KEY_ID_LEN = 8, FINGERPRINT_LEN = 20 };

struct packet {
    unsigned tag;
    struct bytes_view body;
};

/* What is walked, and where messages are to point. */
struct walk {
    struct bytes_view rest;
    size_t number; /* of the current packet, from 1 */
    const char *what;
    enum hallmark_errcode code;
    struct hallmark_error *err;
};

/* What the subpackets of one signature say. */
struct claims {
    struct bytes_view created, key_id, fingerprint;
};

static bool fail(const struct walk *w, const char *fault)
{
    return error_set(w->err, w->code, "%s: OpenPGP packet %zu %s", w->what, w->number, fault);
}

/* Takes LEN bytes off *REST. */
static bool take(struct bytes_view *rest, size_t len, struct bytes_view *out)
{
    if (len > rest->len)
        return false;
    *out = bytes_view_of(rest->data, len);
    rest->data += len;
    rest->len -= len;
    return true;
}

/* Takes a number of LEN (at most 4) bytes, the most significant first. */
static bool take_number(struct bytes_view *rest, size_t len, uint32_t *out)
{
    struct bytes_view bytes;
    size_t i;

    if (!take(rest, len, &bytes))
        return false;
    for (*out = 0, i = 0; i < len; i++)
        *out = *out << 8 | (unsigned char)bytes.data[i];
    return true;
}

/* The length of a packet (RFC 4880 section 4.2.2) or a subpacket (5.2.3.1), where first bytes from
 * TWO_BYTES_END on, except 255, are not lengths. */
static bool take_length(struct bytes_view *rest, uint32_t two_bytes_end, uint32_t *out)
{
    enum { TWO_BYTES = 192, FOUR_BYTES = 255 };
    uint32_t low;

    if (!take_number(rest, 1, out))
        return false;
    if (*out < TWO_BYTES)
        return true;
    if (*out == FOUR_BYTES)
        return take_number(rest, 4, out);
    if (*out >= two_bytes_end || !take_number(rest, 1, &low))
        return false;
    *out = ((*out - TWO_BYTES) << 8) + low + TWO_BYTES;
    return true;
}

/* RFC 4880 section 4.2. */
static bool next_packet(struct walk *w, struct packet *out)
{
    enum { ALWAYS = 0x80, NEW = 0x40, PARTIAL = 224 };
    uint32_t first, len;
    bool ok;

    w->number++;
    if (!take_number(&w->rest, 1, &first) || !(first & ALWAYS))
        return fail(w, "has no header");
    if (first & NEW) {
        out->tag = first & 0x3f;
        ok = take_length(&w->rest, PARTIAL, &len);
    } else {
        out->tag = first >> 2 & 0x0f;
        ok = (first & 3) != 3 && take_number(&w->rest, (size_t)1 << (first & 3), &len);
    }
    if (!ok)
        return fail(w, "has no definite length");
    if (!take(&w->rest, len, &out->body))
        return fail(w, "is cut short");
    return true;
}

/* Notes CLAIM in *SLOT, which holds none or the same. */
static bool claim(struct bytes_view *slot, struct bytes_view found)
{
    if (slot->data)
        return slot->len == found.len && memcmp(slot->data, found.data, found.len) == 0;
    *slot = found;
    return true;
}

static bool read_issuer(struct walk *w, struct bytes_view body, struct claims *claims)
{
    if (body.len == 0)
        return fail(w, "has an empty issuer fingerprint");
    if (body.data[0] != 4)
        return true; /* of a key that cannot make version 4 signatures; the key id decides */
    if (body.len != 1 + FINGERPRINT_LEN)
        return fail(w, "has an issuer fingerprint of a wrong length");
    body = bytes_view_of(body.data + 1, FINGERPRINT_LEN);
    return claim(&claims->fingerprint, body) || fail(w, "names two issuers");
}

static bool read_subpacket(struct walk *w, unsigned type, struct bytes_view body, bool hashed,
                           struct claims *claims)
{
    switch (type) {
    case SUBPACKET_CREATED:
        if (!hashed)
            return true; /* nobody has signed it */
        if (body.len != 4 || claims->created.data)
            return fail(w, "has a creation time of a wrong length, or two");
        claims->created = body;
        return true;
    case SUBPACKET_ISSUER:
        if (body.len != KEY_ID_LEN)
            return fail(w, "has an issuer key id of a wrong length");
        return claim(&claims->key_id, body) || fail(w, "names two issuers");
    case SUBPACKET_FINGERPRINT:
        return read_issuer(w, body, claims);
    default:
        return true;
    }
}

static bool walk_subpackets(struct walk *w, struct bytes_view area, bool hashed,
                            struct claims *claims)
{
    enum { NO_PARTIAL = 255, CRITICAL = 0x80 };
    struct bytes_view body;
    uint32_t len, type;

    while (area.len) {
        if (!take_length(&area, NO_PARTIAL, &len) || !take(&area, len, &body) ||
            !take_number(&body, 1, &type))
            return fail(w, "has a subpacket of a wrong length");
        if (!read_subpacket(w, type & ~(unsigned)CRITICAL, body, hashed, claims))
            return false;
    }
    return true;
}

/* N multiprecision integers and nothing else: RFC 4880 section 3.2. */
static bool is_integers(struct bytes_view rest, int n)
{
    struct bytes_view body;
    uint32_t bits;

    while (n-- > 0)
        if (!take_number(&rest, 2, &bits) || bits == 0 || !take(&rest, (bits + 7) / 8, &body))
            return false;
    return rest.len == 0;
}

/* The algorithm's own part of a signature: RFC 4880 section 5.2.2, RFC 9580 section 5.2.3. */
static bool is_value(unsigned pubkey, struct bytes_view value)
{
    enum { RSA = 1, RSA_SIGN = 3, DSA = 17, ECDSA = 19, EDDSA = 22, ED25519 = 27, ED448 = 28 };

    switch (pubkey) {
    case RSA:
    case RSA_SIGN:
        return is_integers(value, 1);
    case DSA:
    case ECDSA:
    case EDDSA:
        return is_integers(value, 2);
    case ED25519:
        return value.len == 64;
    case ED448:
        return value.len == 114;
    default:
        return value.len > 0; /* gpg's to judge */
    }
}

static void write_upper_hex(char *out, struct bytes_view bytes)
{
    encoding_hex(out, bytes.data, bytes.len);
    for (; *out; out++)
        if (*out >= 'a' && *out <= 'f')
            *out = (char)(*out - 'a' + 'A');
}

static bool read_claims(struct walk *w, const struct claims *claims, struct packet_signature *out)
{
    struct bytes_view created = claims->created, id = claims->key_id;
    struct bytes_view fingerprint = claims->fingerprint;

    if (!created.data)
        return fail(w, "is a signature without a signed creation time");
    if (!id.data && !fingerprint.data)
        return fail(w, "is a signature without an issuer");
    /* RFC 4880 section 12.2: the key id is the end of the fingerprint. */
    if (id.data && fingerprint.data &&
        memcmp(fingerprint.data + FINGERPRINT_LEN - KEY_ID_LEN, id.data, KEY_ID_LEN) != 0)
        return fail(w, "names two issuers");
    take_number(&created, 4, &out->created);
    write_upper_hex(out->issuer, fingerprint.data ? fingerprint : id);
    return true;
}

/* RFC 4880 section 5.2.3. */
static bool read_signature(struct walk *w, struct bytes_view body, struct packet_signature *out)
{
    struct bytes_view hashed, unhashed, check;
    struct claims claims = {0};
    uint32_t version, len;

    if (!take_number(&body, 1, &version) || version != 4)
        return fail(w, "is not a version 4 signature");
    if (!take_number(&body, 1, &out->type) || !take_number(&body, 1, &out->pubkey) ||
        !take_number(&body, 1, &out->digest) || !take_number(&body, 2, &len) ||
        !take(&body, len, &hashed) || !take_number(&body, 2, &len) ||
        !take(&body, len, &unhashed) || !take(&body, 2, &check))
        return fail(w, "is a signature that is cut short");
    if (!is_value(out->pubkey, body))
        return fail(w, "is a signature whose value has a wrong length");
    return walk_subpackets(w, hashed, true, &claims) &&
           walk_subpackets(w, unhashed, false, &claims) && read_claims(w, &claims, out);
}

static bool walk_signatures(struct walk *w, struct packet_signatures *out)
{
    struct packet packet;

    if (w->rest.len == 0)
        return error_set(w->err, w->code, "%s: no signature", w->what);
    while (w->rest.len) {
        if (out->n_items == LIMITS_SIGNATURES)
            return error_set(w->err, w->code, "%s: more than %d signatures", w->what,
                             LIMITS_SIGNATURES);
        if (!next_packet(w, &packet))
            return false;
        if (packet.tag != TAG_SIGNATURE)
            return error_set(w->err, w->code,
                             "%s: OpenPGP packet %zu has tag %u; only signatures are wanted",
                             w->what, w->number, packet.tag);
        if (!read_signature(w, packet.body, &out->items[out->n_items]))
            return false;
        out->n_items++;
    }
    return true;
}

bool packet_walk_signatures(struct packet_signatures *out, struct bytes_view data, const char *what,
                            struct hallmark_error *err)
{
    struct walk walk = {.rest = data, .what = what, .code = HALLMARK_ERR_SIGNATURE, .err = err};
    struct packet_signatures found = {0};

    if (!walk_signatures(&walk, &found))
        return false;
    *out = found;
    return true;
}

static bool check_keyring_packet(struct walk *w, const struct packet *packet)
{
    switch (packet->tag) {
    case TAG_SECRET_KEY:
    case TAG_SECRET_SUBKEY:
        return fail(w, "is a secret key; a keyring must hold public keys only");
    case TAG_PUBLIC_KEY:
    case TAG_PUBLIC_SUBKEY:
    case TAG_USER_ID:
    case TAG_USER_ATTRIBUTE:
    case TAG_SIGNATURE:
    case TAG_TRUST:
        break;
    default:
        return error_set(w->err, w->code,
                         "%s: OpenPGP packet %zu has tag %u; a keyring must hold public keys only",
                         w->what, w->number, packet->tag);
    }
    if (w->number == 1 && packet->tag != TAG_PUBLIC_KEY)
        return fail(w, "is not a public key, with which a keyring must begin");
    return true;
}

/* What is often given for a keyring: GnuPG's own container (kbx, "KBXf" at offset 8). */
static bool is_keybox(struct bytes_view data)
{
    return data.len >= 12 && memcmp(data.data + 8, "KBXf", 4) == 0;
}

bool packet_walk_keyring(struct bytes_view data, const char *what, size_t *n_keys,
                         struct hallmark_error *err)
{
    struct walk walk = {.rest = data, .what = what, .code = HALLMARK_ERR_USAGE, .err = err};
    struct packet packet;
    size_t n = 0;

    if (data.len == 0)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: holds no public key", what);
    if (is_keybox(data))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s: is a keybox of GnuPG; what \"gpg --export\" writes is wanted", what);
    while (walk.rest.len) {
        if (!next_packet(&walk, &packet) || !check_keyring_packet(&walk, &packet))
            return false;
        n += packet.tag == TAG_PUBLIC_KEY;
    }
    *n_keys = n;
    return true;
}

const char *packet_digest_name(unsigned digest)
{
    static const char *const names[] = {
        [1] = "MD5",    [2] = "SHA1",    [3] = "RIPEMD160", [8] = "SHA256",
        [9] = "SHA384", [10] = "SHA512", [11] = "SHA224",
    };

    if (digest < sizeof names / sizeof *names && names[digest])
        return names[digest];
    return "an unknown digest";
}
