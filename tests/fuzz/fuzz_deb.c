/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deb: the members of an accepted package lie one behind the other in the file and are all of it.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "invariant.h"
#include "system/deb.h"

/* "!<arch>\n", a header, "2.0\n", a header. */
enum { HEADER_LEN = 60, BEFORE_CONTROL = 8 + HEADER_LEN + 4 + HEADER_LEN, OFFSET = 7 };

static uint64_t behind(const struct decompress_window *window)
{
    return window->offset + window->len + window->len % 2;
}

/* Reads the package that is DATA, from the middle of a file. */
static void check_package(int fd, const uint8_t *data, size_t size)
{
    struct decompress_window window = {.fd = fd, .offset = OFFSET, .len = size};
    struct hallmark_error err = {0};
    struct deb deb;
    bool ok;

    INVARIANT(pwrite(fd, "before.", OFFSET, 0) == OFFSET);
    INVARIANT(pwrite(fd, data, size, OFFSET) == (ssize_t)size);
    INVARIANT(pwrite(fd, "behind", 6, (off_t)(OFFSET + size)) == 6);
    ok = deb_read(&deb, &window, &err);
    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (!ok)
        return;
    INVARIANT(deb.control.window.fd == fd && deb.data.window.fd == fd);
    INVARIANT(deb.control.window.offset >= OFFSET + BEFORE_CONTROL);
    INVARIANT(deb.data.window.offset == behind(&deb.control.window) + HEADER_LEN);
    INVARIANT(behind(&deb.data.window) == OFFSET + size);
    INVARIANT(deb.control.compression != PACKAGE_BZIP2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("deb", MFD_CLOEXEC);

    INVARIANT(fd >= 0);
    check_package(fd, data, size);
    close(fd);
    return 0;
}
