/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where things are. */
#include "repo/location.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

/* The user's directory of one kind, by the XDG Base Directory Specification: relative values are to
 * be ignored. */
static char *user_directory(const char *variable, const char *below_home,
                            struct hallmark_error *err)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    const struct passwd *user;

    if (base && base[0] == '/')
        return path_join(base, "hallmark");
    if (!home || home[0] != '/') {
        user = getpwuid(geteuid());
        home = user ? user->pw_dir : NULL;
    }
    if (!home || home[0] != '/') {
        error_set(err, HALLMARK_ERR_USAGE, "neither %s nor HOME is set, and the user has no home",
                  variable);
        return NULL;
    }
    return alloc_printf("%s/%s/hallmark", home, below_home);
}

char *location_config(struct hallmark_error *err)
{
    if (geteuid() == 0)
        return alloc_strdup(HALLMARK_CONFIG_DIR);
    return user_directory("XDG_CONFIG_HOME", ".config", err);
}

char *location_state(struct hallmark_error *err)
{
    if (geteuid() == 0)
        return alloc_strdup(HALLMARK_STATE_DIR);
    return user_directory("XDG_STATE_HOME", ".local/state", err);
}

const char *location_keyrings(void)
{
    return HALLMARK_CONFIG_DIR "/keyrings";
}

const char *location_architecture(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
    return "x32";
#elif defined(__x86_64__)
    return "amd64";
#elif defined(__i386__)
    return "i386";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__arm__) && defined(__ARM_PCS_VFP)
    return "armhf";
#elif defined(__arm__)
    return "armel";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return "ppc64el";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__loongarch64)
    return "loong64";
#elif defined(__mips64) && defined(__MIPSEL__)
    return "mips64el";
#else
    return "";
#endif
}
