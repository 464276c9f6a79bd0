/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_unpack(): a package is copied into a private file while it is verified, and
 * unpacked from that very file. */
#include <unistd.h>

#include "base/file.h"
#include "repo/failover.h"
#include "repo/package_format.h"
#include "repo/repository.h"
#include "repo/signed_sizes.h"
#include "system/unpack.h"

static bool copy(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    const int *fd = ctx;

    return file_write_all(*fd, data, len) ||
           error_set_errno(err, "cannot write the private copy of the package");
}

static bool copy_again(void *ctx, struct hallmark_error *err)
{
    const int *fd = ctx;

    return (ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0) ||
           error_set_errno(err, "cannot write the private copy of the package");
}

/* Verifies the package into FD. */
static bool verify_into(const struct hallmark_repository *repository, const struct content *content,
                        int fd, struct hallmark_error *err)
{
    struct content_sink sink = {.take = copy, .restart = copy_again, .ctx = &fd};

    return failover_get(repository, content, &sink, err) && repository_check_fresh(repository, err);
}

bool hallmark_repository_unpack(const struct hallmark_repository *repository,
                                const struct hallmark_package *package,
                                const struct hallmark_unpack_options *options,
                                struct hallmark_unpack_report *report, struct hallmark_error *err)
{
    struct unpack_options how = {
        .links = options->links,
        .sandbox = options->sandbox,
        .max_entries = options->max_entries,
        .max_bytes = options->max_bytes,
        .progress = options->progress,
        .ctx = options->ctx,
    };
    struct hallmark_unpack_report done = {0};
    struct package_totals sizes;
    struct package_format format;
    struct unpack *unpack;
    int fd = -1;
    bool ok = false, has_sizes;

    error_clear(err);
    if (!package_format_from_path(package->path, &format))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s: is no archive that can be unpacked (.tar, .tar.gz, .tar.bz2, "
                         ".tar.xz, .tar.lzma, .tar.zst, .deb)",
                         package->path);
    if (!signed_sizes_find(repository, content_of(package), &sizes, &has_sizes, err))
        return false;
    how.exact = has_sizes ? &sizes : NULL;
    unpack = unpack_open(options->into, err);
    if (!unpack)
        return false;
    fd = unpack_private_file(unpack, err);
    ok = fd >= 0 && verify_into(repository, content_of(package), fd, err) &&
         unpack_run(unpack, fd, package->path, &format, &how, &done, err);
    file_close(&fd);
    unpack_close(unpack);
    if (ok && report)
        *report = done;
    return ok;
}
