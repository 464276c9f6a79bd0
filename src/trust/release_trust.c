/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures and dates of a Release, judged. */
#include "trust/release_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "format/armor.h"
#include "format/clearsign.h"
#include "format/packet.h"

/* Public-key algorithms, RFC 9580 section 9.1. */
enum {
    PUBKEY_RSA = 1,
    PUBKEY_RSA_SIGN = 3,
    PUBKEY_ECDSA = 19,
    PUBKEY_EDDSA_LEGACY = 22,
    PUBKEY_ED25519 = 27,
    PUBKEY_ED448 = 28,
};

/* apt 2.6 and 3.1 assert the same today (secure-apt's APT::Key::Assert-Pubkey-Algo). */
enum { RSA_BITS_MIN = 2048, CURVE_BITS_MIN = 255 };

static const char key_expired[] = "the key has expired";

/* The parts of a document while it is being judged. */
struct judgement {
    const struct release_document *document;
    const struct policy *policy;
    const struct release_floor *floor;
    struct clearsign split; /* of an InRelease */
    struct bytes detached;  /* the packets of a Release.gpg */
    struct bytes_view text; /* what is covered by the signatures, newline at the end */
    struct bytes_view packets;
    struct packet_signatures claims;
    struct openpgp_signatures found;
    struct verified_release *verified;
    unsigned n_counted;
    bool is_ahead; /* a signature of a known key is dated ahead of the clock */
};

static bool is_inline(const struct judgement *j)
{
    return j->document->signature.data == NULL;
}

static bool split_inline(struct judgement *j, struct hallmark_error *err)
{
    if (!clearsign_split(&j->split, j->document->text, j->document->name, err))
        return false;
    j->text = j->split.text;
    j->packets = bytes_view(&j->split.signatures);
    return true;
}

static bool split_detached(struct judgement *j, struct hallmark_error *err)
{
    struct bytes_view rest = j->document->signature;
    char *name;
    bool ok;

    if (!clearsign_check_text(j->document->text, j->document->name, err))
        return false;
    name = alloc_printf("%s.gpg", j->document->name);
    do
        ok = armor_decode(&rest, "SIGNATURE", name, &j->detached, err);
    while (ok && rest.len);
    free(name);
    j->text = j->document->text;
    j->packets = bytes_view(&j->detached);
    return ok;
}

/* What the packets claim must fit the form of the document before gpg is asked. */
static bool check_claims(const struct judgement *j, struct hallmark_error *err)
{
    unsigned type = is_inline(j) ? PACKET_TEXT : PACKET_BINARY;
    size_t i;

    for (i = 0; i < j->claims.n_items; i++) {
        const struct packet_signature *claim = &j->claims.items[i];

        if (claim->type != type)
            return error_set(err, HALLMARK_ERR_SIGNATURE,
                             "%s: signature %zu is of type 0x%02x, must be 0x%02x",
                             j->document->name, i + 1, claim->type, type);
        if (is_inline(j) && strcmp(packet_digest_name(claim->digest), j->split.digest) != 0)
            return error_set(
                err, HALLMARK_ERR_SIGNATURE, "%s: signature %zu uses %s, the Hash header says %s",
                j->document->name, i + 1, packet_digest_name(claim->digest), j->split.digest);
    }
    return true;
}

static bool is_strong_key(unsigned pubkey, unsigned bits)
{
    switch (pubkey) {
    case PUBKEY_RSA:
    case PUBKEY_RSA_SIGN:
        return bits >= RSA_BITS_MIN;
    case PUBKEY_ECDSA:
    case PUBKEY_EDDSA_LEGACY:
    case PUBKEY_ED25519:
    case PUBKEY_ED448:
        return bits >= CURVE_BITS_MIN;
    default:
        return false;
    }
}

static bool is_strong_digest(unsigned digest)
{
    return digest == PACKET_SHA256 || digest == PACKET_SHA384 || digest == PACKET_SHA512;
}

/* Why gpg's verdict alone keeps a signature from counting; NULL when it does not. */
static const char *verdict_fault(enum openpgp_verdict verdict)
{
    switch (verdict) {
    case OPENPGP_GOOD:
        return NULL;
    case OPENPGP_BAD:
        return "does not fit the text";
    case OPENPGP_NO_KEY:
        return "by a key that is not in the keyring";
    case OPENPGP_KEY_EXPIRED:
        return key_expired;
    case OPENPGP_KEY_REVOKED:
        return "the key is revoked";
    case OPENPGP_SIGNATURE_EXPIRED:
        return "the signature has expired";
    case OPENPGP_KEY_UNUSABLE:
        return "the key cannot be used";
    case OPENPGP_REFUSED:
        break;
    }
    return "refused by gpg";
}

/* Whether the key FINGERPRINT was seen revoked before, by a newer keyring than that of today. */
static bool was_revoked(const struct judgement *j, const char *fingerprint)
{
    return j->floor->revoked && strlist_has(j->floor->revoked, fingerprint);
}

/* Why a signature that gpg calls good does not count; NULL when it does. */
static const char *policy_fault(const struct judgement *j, const struct openpgp_signature *s,
                                const struct packet_signature *claim)
{
    int64_t latest = j->policy->now + j->policy->clock_skew;

    if (s->digest != claim->digest || s->created != (int64_t)claim->created)
        return "gpg and the packet disagree about it";
    if (!policy_has_pin(j->policy, s->fingerprint, s->primary))
        return "by a key that is not trusted for this repository";
    if (was_revoked(j, s->fingerprint) || was_revoked(j, s->primary))
        return "the key was seen revoked before, and the keyring is an older one";
    if (!is_strong_digest(s->digest))
        return "its digest is too weak";
    if (!is_strong_key(s->pubkey, s->key_bits) ||
        !is_strong_key(s->primary_pubkey, s->primary_bits))
        return "its key is too weak";
    if (s->created > latest)
        return "made in the future; is the clock right?";
    if (s->key_created > latest)
        return "its key is from the future; is the clock right?";
    if (s->created < s->key_created)
        return "older than its key";
    if (s->expires && s->expires <= j->policy->now)
        return "the signature has expired";
    if (s->key_expires && s->key_expires <= j->policy->now)
        return key_expired;
    return NULL;
}

static bool has_voted(const struct verified_release *verified, const char *primary)
{
    size_t i;

    for (i = 0; i < verified->n_signatures; i++)
        if (verified->signatures[i].is_counted &&
            strcmp(verified->signatures[i].openpgp.primary, primary) == 0)
            return true;
    return false;
}

/* The verdict in words, with what helps a person to tell a bad key from a bad clock. */
static void describe(struct release_signature *out, const char *fault, const struct policy *policy)
{
    const struct openpgp_signature *s = &out->openpgp;
    char then[TIMESTAMP_TEXT_LEN], now[TIMESTAMP_TEXT_LEN];
    const char *hint = "";

    timestamp_write_rfc1123(s->key_expires, then);
    timestamp_write_rfc1123(policy->now, now);
    if (s->key_created > policy->now + policy->clock_skew)
        hint = "; it is from the future: is the clock right?";
    if (s->verdict == OPENPGP_REFUSED || s->verdict == OPENPGP_KEY_UNUSABLE)
        snprintf(out->verdict, sizeof out->verdict, "%s (%.100s)%s", fault, s->text, hint);
    else if (fault == key_expired && s->key_expires)
        snprintf(out->verdict, sizeof out->verdict, "%s, on %s (the clock says %s)", fault, then,
                 now);
    else
        snprintf(out->verdict, sizeof out->verdict, "%s", fault ? fault : "good");
}

static void judge_signature(struct judgement *j, size_t index)
{
    const struct packet_signature *claim = &j->claims.items[index];
    const struct openpgp_signature *s = &j->found.items[index];
    struct release_signature *out = &j->verified->signatures[index];
    const char *fault = verdict_fault(s->verdict);

    if (!fault)
        fault = policy_fault(j, s, claim);
    if (!fault && has_voted(j->verified, s->primary))
        fault = "by a key that has signed already";
    if (s->verdict != OPENPGP_NO_KEY &&
        (int64_t)claim->created > j->policy->now + j->policy->clock_skew)
        j->is_ahead = true;
    out->openpgp = *s;
    if (!*out->openpgp.fingerprint)
        snprintf(out->openpgp.fingerprint, sizeof out->openpgp.fingerprint, "%s", claim->issuer);
    out->is_counted = fault == NULL;
    j->n_counted += out->is_counted;
    j->verified->n_signatures = index + 1;
    describe(out, fault, j->policy);
}

/* The signature that best explains why there are too few: one of a known key, if there is any. */
static const struct release_signature *best_reason(const struct verified_release *verified)
{
    const struct release_signature *best = NULL;
    size_t i;

    for (i = 0; i < verified->n_signatures; i++) {
        const struct release_signature *s = &verified->signatures[i];

        if (!s->is_counted && (!best || (best->openpgp.verdict == OPENPGP_NO_KEY &&
                                         s->openpgp.verdict != OPENPGP_NO_KEY)))
            best = s;
    }
    return best;
}

static bool clock_error(const struct judgement *j, int64_t when, const char *what,
                        struct hallmark_error *err)
{
    char then[TIMESTAMP_TEXT_LEN], now[TIMESTAMP_TEXT_LEN];

    timestamp_write_rfc1123(when, then);
    timestamp_write_rfc1123(j->policy->now, now);
    return error_set(err, HALLMARK_ERR_FUTURE, "%s: %s %s, but the clock says %s",
                     j->document->name, what, then, now);
}

static bool check_threshold(const struct judgement *j, struct hallmark_error *err)
{
    const struct release_signature *reason;
    size_t i;

    /* A bad signature by a key that we have is evidence of tampering, whatever the others say. */
    for (i = 0; i < j->verified->n_signatures; i++)
        if (j->verified->signatures[i].openpgp.verdict == OPENPGP_BAD)
            return error_set(err, HALLMARK_ERR_SIGNATURE,
                             "%s: bad signature by key %s: the text is not what was signed",
                             j->document->name, j->verified->signatures[i].openpgp.fingerprint);
    if (j->n_counted >= j->policy->threshold)
        return true;
    for (i = 0; j->is_ahead && i < j->claims.n_items; i++)
        if ((int64_t)j->claims.items[i].created > j->policy->now + j->policy->clock_skew)
            return clock_error(j, j->claims.items[i].created, "was signed on", err);
    reason = best_reason(j->verified);
    if (!reason)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "%s: good signatures by trusted keys: %u, needed: %u", j->document->name,
                         j->n_counted, j->policy->threshold);
    return error_set(err, HALLMARK_ERR_SIGNATURE,
                     "%s: %u of %u needed signatures are good; the one by key %s is not: %s",
                     j->document->name, j->n_counted, j->policy->threshold,
                     reason->openpgp.fingerprint, reason->verdict);
}

static bool check_signatures(struct judgement *j, struct openpgp *keys, struct hallmark_error *err)
{
    struct bytes_view covered = j->text;
    size_t i;

    if (!packet_walk_signatures(&j->claims, j->packets, j->document->name, err) ||
        !check_claims(j, err))
        return false;
    /* The newline before the signature block is not part of the signed text, RFC 9580 section 7. */
    if (is_inline(j))
        covered.len--;
    if (!openpgp_verify(keys, j->packets, j->claims.n_items, covered, &j->found, err))
        return error_prefix(err, "%s", j->document->name);
    for (i = 0; i < j->found.n_items; i++)
        judge_signature(j, i);
    return check_threshold(j, err);
}

static bool take_text(struct judgement *j, struct hallmark_error *err)
{
    struct digest_value digest;

    if (!digest_bytes(DIGEST_SHA256, j->text, &digest, err))
        return false;
    encoding_hex(j->verified->sha256, digest.sha256, sizeof digest.sha256);
    j->verified->text = j->text;
    return release_parse(&j->verified->release, j->text, err) ||
           error_prefix(err, "%s", j->document->name);
}

static bool check_rollback(const struct judgement *j, struct hallmark_error *err)
{
    const struct release_floor *floor = j->floor;
    char ours[TIMESTAMP_TEXT_LEN], seen[TIMESTAMP_TEXT_LEN];
    int64_t date = j->verified->release.date;

    if (floor->date == 0 || date > floor->date)
        return true;
    timestamp_write_rfc1123(date, ours);
    timestamp_write_rfc1123(floor->date, seen);
    if (date < floor->date)
        return error_set(err, HALLMARK_ERR_ROLLBACK,
                         "%s: is dated %s, but one dated %s was seen before: this is an old one",
                         j->document->name, ours, seen);
    if (strcmp(j->verified->sha256, floor->sha256) != 0)
        return error_set(err, HALLMARK_ERR_ROLLBACK,
                         "%s: is dated %s and has SHA256 %s, but one of the same date with SHA256 "
                         "%s was seen before",
                         j->document->name, ours, j->verified->sha256, floor->sha256);
    return true;
}

/* ---- Which release it is -------------------------------------------------------------------- */

static bool is_text(const char *found, const char *wanted)
{
    return found && strcmp(found, wanted) == 0;
}

/* Whether the suite that a person asks for is this one: by Suite or Codename, which may lack what
 * stands behind the last "/", as those of Debian's old "buster/updates" do. */
static bool is_suite(const struct release *release, const char *wanted)
{
    const char *slash = strrchr(wanted, '/');
    char *above;
    bool is;

    if (is_text(release->suite, wanted) || is_text(release->codename, wanted))
        return true;
    if (!slash)
        return false;
    above = alloc_strndup(wanted, (size_t)(slash - wanted));
    is = is_text(release->suite, above) || is_text(release->codename, above);
    free(above);
    return is;
}

static bool check_pins(const struct judgement *j, struct hallmark_error *err)
{
    const struct release *release = &j->verified->release;
    const struct policy *policy = j->policy;

    if (policy->suite && !is_suite(release, policy->suite))
        return error_set(err, HALLMARK_ERR_ROLLBACK,
                         "%s: is of the suite \"%s\", codename \"%s\"; \"%s\" is wanted",
                         j->document->name, release->suite ? release->suite : "",
                         release->codename ? release->codename : "", policy->suite);
    if (policy->codename && !is_text(release->codename, policy->codename))
        return error_set(err, HALLMARK_ERR_ROLLBACK, "%s: has Codename \"%s\"; \"%s\" is wanted",
                         j->document->name, release->codename ? release->codename : "",
                         policy->codename);
    if (policy->origin && !is_text(release->origin, policy->origin))
        return error_set(err, HALLMARK_ERR_ROLLBACK, "%s: has Origin \"%s\"; \"%s\" is wanted",
                         j->document->name, release->origin ? release->origin : "", policy->origin);
    return true;
}

/* What was accepted before and is another release now: a person has to look at that, as with apt.
 */
static bool check_change(const struct judgement *j, struct hallmark_error *err)
{
    const struct release_floor *floor = j->floor;
    const struct release *release = &j->verified->release;
    const struct {
        const char *name, *before, *now;
    } fields[] = {{"Origin", floor->origin, release->origin},
                  {"Label", floor->label, release->label},
                  {"Codename", floor->codename, release->codename}};
    size_t i;

    if (j->policy->accept_change)
        return true;
    for (i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].before && strcmp(fields[i].before, fields[i].now ? fields[i].now : "") != 0)
            return error_set(err, HALLMARK_ERR_ROLLBACK,
                             "%s: has %s \"%s\", but the one seen before had \"%s\"; "
                             "--accept-change accepts the new one",
                             j->document->name, fields[i].name, fields[i].now ? fields[i].now : "",
                             fields[i].before);
    return true;
}

/* ---- Dates ---------------------------------------------------------------------------------- */

static void set_expiry(struct verified_release *verified, const struct policy *policy)
{
    int64_t by_age = policy->max_age ? verified->release.date + policy->max_age : 0;

    verified->expires = verified->release.valid_until;
    if (by_age && (!verified->expires || by_age < verified->expires))
        verified->expires = by_age;
}

bool release_trust_check_fresh(const struct verified_release *verified, int64_t now,
                               struct hallmark_error *err)
{
    char expires[TIMESTAMP_TEXT_LEN], clock[TIMESTAMP_TEXT_LEN], ago[TIMESTAMP_TEXT_LEN];

    if (!verified->expires || now <= verified->expires)
        return true;
    timestamp_write_rfc1123(verified->expires, expires);
    timestamp_write_rfc1123(now, clock);
    timestamp_write_duration(now - verified->expires, ago);
    return error_set(err, HALLMARK_ERR_STALE,
                     "%s on %s, %s ago (the clock says %s): either the repository is not kept up, "
                     "or somebody shows an old one, or the clock is wrong",
                     verified->expires == verified->release.valid_until
                         ? "expired"
                         : "became older than is allowed",
                     expires, ago, clock);
}

static bool check_dates(struct judgement *j, struct hallmark_error *err)
{
    const struct policy *policy = j->policy;
    const struct release_floor *floor = j->floor;
    struct verified_release *verified = j->verified;

    if (verified->release.date > policy->now + policy->clock_skew)
        return clock_error(j, verified->release.date, "is dated", err);
    if (floor->date > policy->now + policy->clock_skew)
        return clock_error(j, floor->date, "one was accepted before that is dated", err);
    if (!check_rollback(j, err) || !check_change(j, err))
        return false;
    set_expiry(verified, policy);
    if (!verified->expires && policy->expiry == HALLMARK_EXPIRY_REQUIRED)
        return error_set(err, HALLMARK_ERR_STALE,
                         "%s: has no Valid-Until, so an old one could be shown for ever; "
                         "--max-age sets a limit, --allow-no-expiry accepts it",
                         j->document->name);
    return release_trust_check_fresh(verified, policy->now, err) ||
           error_prefix(err, "%s", j->document->name);
}

struct verified_release *release_trust_verify(const struct release_document *document,
                                              struct openpgp *keys, const struct policy *policy,
                                              const struct release_floor *floor,
                                              struct hallmark_error *err)
{
    struct verified_release *verified = alloc_array(1, sizeof *verified);
    struct judgement *j = alloc_array(1, sizeof *j);

    j->document = document;
    j->policy = policy;
    j->floor = floor;
    j->verified = verified;
    if (!(is_inline(j) ? split_inline(j, err) : split_detached(j, err)) ||
        !check_signatures(j, keys, err) || !take_text(j, err) || !check_pins(j, err) ||
        !check_dates(j, err)) {
        release_trust_free(verified);
        verified = NULL;
    }
    clearsign_free(&j->split);
    bytes_free(&j->detached);
    free(j);
    return verified;
}

void release_trust_free(struct verified_release *verified)
{
    if (!verified)
        return;
    release_free(&verified->release);
    free(verified);
}
