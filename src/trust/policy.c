/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verifier's policy. */
#include "trust/policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

enum { FINGERPRINT_V4_LEN = 40 };

static bool pin_parse(struct policy_pin *out, const char *text, struct hallmark_error *err)
{
    size_t len = strlen(text), i;
    bool is_exact = len > 0 && text[len - 1] == '!';

    if (is_exact)
        len--;
    if (len != FINGERPRINT_V4_LEN && len != POLICY_FINGERPRINT_LEN)
        goto bad;
    for (i = 0; i < len; i++) {
        if (!isxdigit((unsigned char)text[i]))
            goto bad;
        out->fingerprint[i] = (char)toupper((unsigned char)text[i]);
    }
    out->fingerprint[len] = '\0';
    out->is_exact = is_exact;
    return true;
bad:
    return error_set(err, HALLMARK_ERR_USAGE,
                     "\"%s\" is not a full fingerprint of 40 or 64 hexadecimal digits "
                     "(key ids can be forged)",
                     text);
}

static bool times_check(const struct hallmark_policy *in, struct hallmark_error *err)
{
    if (in->max_age < 0 || in->max_age > LIMITS_TIMESTAMP_MAX)
        return error_set(err, HALLMARK_ERR_USAGE, "the greatest age is out of range");
    if (in->clock_skew < 0 || in->clock_skew > LIMITS_TIMESTAMP_MAX)
        return error_set(err, HALLMARK_ERR_USAGE, "the clock skew is out of range");
    if (in->now < 0 || in->now > LIMITS_TIMESTAMP_MAX)
        return error_set(err, HALLMARK_ERR_USAGE, "the current time is out of range");
    return true;
}

bool policy_from(struct policy *out, const struct hallmark_policy *in, struct hallmark_error *err)
{
    size_t n = 0, i;

    while (in->signed_by && in->signed_by[n])
        n++;
    if (!times_check(in, err))
        return false;
    if (in->threshold == 0 || in->threshold > LIMITS_SIGNATURES)
        return error_set(err, HALLMARK_ERR_USAGE, "the threshold is %u, it must be from 1 to %d",
                         in->threshold, LIMITS_SIGNATURES);
    if (n && in->threshold > n)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "the threshold is %u, but only %zu keys are trusted to sign",
                         in->threshold, n);
    out->threshold = in->threshold;
    out->expiry = in->expiry;
    out->max_age = in->max_age;
    out->clock_skew = in->clock_skew;
    out->now = in->now;
    out->suite = in->suite;
    out->codename = in->codename;
    out->origin = in->origin;
    out->accept_change = in->accept_change;
    out->pins = alloc_array(n, sizeof *out->pins);
    for (i = 0; i < n; i++)
        if (!pin_parse(&out->pins[i], in->signed_by[i], err)) {
            policy_free(out);
            return false;
        }
    out->n_pins = n;
    return true;
}

void policy_free(struct policy *policy)
{
    free(policy->pins);
    policy->pins = NULL;
    policy->n_pins = 0;
}

bool policy_has_pin(const struct policy *policy, const char *fingerprint, const char *primary)
{
    size_t i;

    for (i = 0; i < policy->n_pins; i++) {
        const struct policy_pin *pin = &policy->pins[i];

        if (strcmp(pin->fingerprint, pin->is_exact ? fingerprint : primary) == 0)
            return true;
    }
    return policy->n_pins == 0;
}
