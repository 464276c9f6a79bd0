/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making, filling and removing a private GnuPG home. */
#include "crypto/openpgp_home.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/openpgp_guard.h"

static bool remove_directory(const char *path)
{
    struct hallmark_error ignored = {0};
    const char *slash = strrchr(path, '/');
    char *parent = alloc_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = file_open_directory(parent, &ignored);
    bool ok = fd >= 0 && file_remove_tree(fd, slash + 1, &ignored);

    file_close(&fd);
    free(parent);
    return ok;
}

bool openpgp_home_make(struct openpgp_home *out, struct hallmark_error *err)
{
    const char *dir = file_temporary_directory("/tmp", err);
    char *path;
    int guard;

    if (!dir)
        return false;
    path = path_join(dir, "hallmark-XXXXXX");
    guard = openpgp_guard_start(path, remove_directory, err);
    if (guard < 0) {
        free(path);
        return false;
    }
    out->path = path;
    out->guard = guard;
    return true;
}

bool openpgp_home_add(const char *path, const char *name, struct bytes_view data,
                      struct hallmark_error *err)
{
    char *file = path_join(path, name);
    bool ok;
    int fd;

    /* Not file_create(): what never outlives the process needs no sync. */
    do
        fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    while (fd < 0 && errno == EINTR);
    ok = fd >= 0 && file_write_all(fd, data.data, data.len);
    if (!ok)
        error_set_errno(err, "%s: cannot write", file);
    file_close(&fd);
    free(file);
    return ok;
}

void openpgp_home_remove(struct openpgp_home *home)
{
    if (!home->path)
        return;
    remove_directory(home->path);
    if (home->other)
        remove_directory(home->other);
    openpgp_guard_end(&home->guard);
    free(home->other);
    free(home->path);
    *home = (struct openpgp_home){.guard = -1};
}

/* ---- The agent: libassuan takes a file of two lines in the place of a socket for a redirection
 * ---- */

/* Reads FD to its end. */
static bool read_line(int fd, struct bytes *out)
{
    enum { STEP = 512 };
    ssize_t n;

    do {
        n = file_read_some(fd, bytes_reserve(out, STEP), STEP);
        out->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && out->len <= LIMITS_PATH_BYTES);
    return n == 0;
}

static bool is_path_line(const struct bytes *line)
{
    return line->len > 1 && line->data[0] == '/' && !memchr(line->data, '\0', line->len) &&
           memchr(line->data, '\n', line->len) == line->data + line->len - 1;
}

/* GPGME would have gpgconf and all that it knows of tell much more, at every start. */
bool openpgp_home_ask_agent(const char *path, struct bytes *out, struct hallmark_error *err)
{
    char program[] = "gpgconf", option[] = "--homedir", command[] = "--list-dirs";
    char name[] = "agent-socket", *copy = path ? alloc_strdup(path) : NULL;
    char *const for_home[] = {program, option, copy, command, name, NULL};
    char *const for_user[] = {program, command, name, NULL};
    posix_spawn_file_actions_t actions;
    struct bytes line = {0};
    int fds[2], status = -1;
    bool ok = false;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        free(copy);
        return error_set_errno(err, "cannot make a pipe");
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    if (posix_spawnp(&pid, program, &actions, NULL, path ? for_home : for_user, environ) == 0) {
        file_close(&fds[1]);
        ok = read_line(fds[0], &line) && is_path_line(&line);
        file_close(&fds[0]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        ok = status == 0 && ok;
    }
    posix_spawn_file_actions_destroy(&actions);
    free(copy);
    file_close(&fds[0]);
    file_close(&fds[1]);
    if (ok)
        bytes_append(out, line.data, line.len - 1);
    bytes_free(&line);
    return ok ||
           error_set(err, HALLMARK_ERR_IO, "gpgconf does not tell where gpg-agent's socket is");
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

bool openpgp_home_own_agent(struct openpgp_home *home, struct bytes_view socket,
                            struct hallmark_error *err)
{
    char *path, *dir;

    if (socket.len == 0 || socket.len > LIMITS_PATH_BYTES || *socket.data != '/' ||
        memchr(socket.data, '\0', socket.len))
        return error_set(err, HALLMARK_ERR_IO, "gpgconf: what it tells is no path");
    path = alloc_strndup(socket.data, socket.len);
    dir = directory_of(path);
    if (strcmp(dir, home->path) != 0 && is_made_for_home(dir)) {
        openpgp_guard_add(home->guard, dir);
        home->other = alloc_strdup(dir);
    }
    free(dir);
    free(path);
    return true;
}

bool openpgp_home_redirect(const char *socket, struct hallmark_error *err)
{
    struct bytes redirect = {0}, target = {0};
    char *dir;
    bool ok;

    if (!openpgp_home_ask_agent(NULL, &target, err))
        return false;
    if (strcmp(socket, target.data) == 0) {
        bytes_free(&target);
        return true;
    }
    dir = directory_of(socket);
    bytes_printf(&redirect, "%%Assuan%%\nsocket=%s\n", target.data);
    ok = openpgp_home_add(dir, path_basename(socket), bytes_view(&redirect), err);
    bytes_free(&redirect);
    bytes_free(&target);
    free(dir);
    return ok;
}
