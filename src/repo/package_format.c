/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the name of a package to the format of its bytes. */
#include "repo/package_format.h"

#include "format/package_name.h"

bool package_format_from_path(const char *path, struct package_format *out)
{
    static const enum package_compression compressions[] = {
        [PACKAGE_NAME_PLAIN] = PACKAGE_PLAIN, [PACKAGE_NAME_GZIP] = PACKAGE_GZIP,
        [PACKAGE_NAME_BZIP2] = PACKAGE_BZIP2, [PACKAGE_NAME_XZ] = PACKAGE_XZ,
        [PACKAGE_NAME_LZMA] = PACKAGE_LZMA,   [PACKAGE_NAME_ZSTD] = PACKAGE_ZSTD,
    };
    struct package_name name;

    package_name_parse(&name, path);
    if (name.kind == PACKAGE_NAME_OTHER)
        return false;
    out->kind = name.kind == PACKAGE_NAME_DEB ? PACKAGE_DEB : PACKAGE_TAR;
    out->compression = compressions[name.compression];
    return true;
}
