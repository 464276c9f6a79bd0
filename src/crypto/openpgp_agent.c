/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpg-agent's sockets, and libassuan's redirection of them: a file of two lines in the place of
 * one. */
#include "crypto/openpgp_agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_process.h"

static const char asking[] = "gpgconf";

/* In the helper: what gpgconf says of the home that the environment names. */
static bool ask(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const char *socket;

    (void)request;
    openpgp_engine_init(OPENPGP_ENGINE_GPGCONF);
    socket = gpgme_get_dirinfo("agent-socket");
    if (!socket || *socket != '/')
        return error_set(err, HALLMARK_ERR_IO, "does not tell where gpg-agent's socket is");
    bytes_append_str(out, socket);
    return true;
}

/* The directory part of PATH, which is absolute; free(3) releases it. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return alloc_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* gpg makes one directory for each home: "d." and a digest of the home's name. */
static bool is_made_for_home(const char *dir)
{
    return strncmp(path_basename(dir), "d.", 2) == 0;
}

char *openpgp_agent_find(struct openpgp_home *home, struct hallmark_error *err)
{
    struct openpgp_process process = {
        .what = asking,
        .home = home->path,
        .env = OPENPGP_PROCESS_USER,
        .seconds = LIMITS_VERIFY_SECONDS,
        .max_len = LIMITS_PATH_BYTES,
        .work = ask,
    };
    struct bytes in = {0};
    char *dir;

    if (!openpgp_process_run(&process, &in, err))
        return NULL;
    if (in.len == 0 || *in.data != '/' || strlen(in.data) != in.len) {
        error_set(err, HALLMARK_ERR_IO, "%s: what it tells is no path", asking);
        bytes_free(&in);
        return NULL;
    }
    dir = directory_of(in.data);
    if (strcmp(dir, home->path) != 0 && is_made_for_home(dir))
        openpgp_home_own(home, dir);
    free(dir);
    return in.data;
}

bool openpgp_agent_redirect(const char *socket, struct hallmark_error *err)
{
    const char *target = gpgme_get_dirinfo("agent-socket");
    struct bytes redirect = {0};
    char *dir;
    bool ok;

    if (!target || *target != '/')
        return error_set(err, HALLMARK_ERR_IO, "gpgconf does not tell where gpg-agent's socket is");
    if (strcmp(socket, target) == 0)
        return true;
    dir = directory_of(socket);
    bytes_printf(&redirect, "%%Assuan%%\nsocket=%s\n", target);
    ok = openpgp_home_add(dir, path_basename(socket), bytes_view(&redirect), err);
    bytes_free(&redirect);
    free(dir);
    return ok;
}
