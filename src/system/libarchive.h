/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libarchive, loaded when something is read or written with it: with the libraries that it needs in
 * turn (an XML parser, tables of Unicode), that takes longer than to verify a signature. Include
 * this and not archive.h; a function that is called must be in the list.
 */
#ifndef SYSTEM_LIBARCHIVE_H
#define SYSTEM_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "base/error.h"

#define LIBARCHIVE_FUNCTIONS(F)                                                                    \
    F(entry_filetype)                                                                              \
    F(entry_free)                                                                                  \
    F(entry_hardlink)                                                                              \
    F(entry_mtime)                                                                                 \
    F(entry_mtime_nsec)                                                                            \
    F(entry_new)                                                                                   \
    F(entry_pathname)                                                                              \
    F(entry_perm)                                                                                  \
    F(entry_set_filetype)                                                                          \
    F(entry_set_pathname)                                                                          \
    F(entry_size)                                                                                  \
    F(entry_symlink)                                                                               \
    F(error_string)                                                                                \
    F(filter_bytes)                                                                                \
    F(read_append_filter)                                                                          \
    F(read_data_block)                                                                             \
    F(read_free)                                                                                   \
    F(read_header_position)                                                                        \
    F(read_new)                                                                                    \
    F(read_next_header)                                                                            \
    F(read_open)                                                                                   \
    F(read_support_format_raw)                                                                     \
    F(read_support_format_tar)                                                                     \
    F(set_error)                                                                                   \
    F(write_add_filter_zstd)                                                                       \
    F(write_close)                                                                                 \
    F(write_data)                                                                                  \
    F(write_free)                                                                                  \
    F(write_header)                                                                                \
    F(write_new)                                                                                   \
    F(write_open)                                                                                  \
    F(write_set_bytes_in_last_block)                                                               \
    F(write_set_bytes_per_block)                                                                   \
    F(write_set_filter_option)                                                                     \
    F(write_set_format_raw)

/* A member's name cannot stand in parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define LIBARCHIVE_MEMBER(name) __typeof__(archive_##name) *name;
struct libarchive {
    LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
};

/* The functions; all NULL before libarchive_load() has succeeded. */
extern struct libarchive libarchive;

/* Loads it into this process, for good; of all calls, by whatever thread, the first one does it. A
 * process that narrows itself calls this before. HALLMARK_ERR_IO where it is not installed. */
bool libarchive_load(struct hallmark_error *err);

#define archive_entry_filetype                libarchive.entry_filetype
#define archive_entry_free                    libarchive.entry_free
#define archive_entry_hardlink                libarchive.entry_hardlink
#define archive_entry_mtime                   libarchive.entry_mtime
#define archive_entry_mtime_nsec              libarchive.entry_mtime_nsec
#define archive_entry_new                     libarchive.entry_new
#define archive_entry_pathname                libarchive.entry_pathname
#define archive_entry_perm                    libarchive.entry_perm
#define archive_entry_set_filetype            libarchive.entry_set_filetype
#define archive_entry_set_pathname            libarchive.entry_set_pathname
#define archive_entry_size                    libarchive.entry_size
#define archive_entry_symlink                 libarchive.entry_symlink
#define archive_error_string                  libarchive.error_string
#define archive_filter_bytes                  libarchive.filter_bytes
#define archive_read_append_filter            libarchive.read_append_filter
#define archive_read_data_block               libarchive.read_data_block
#define archive_read_free                     libarchive.read_free
#define archive_read_header_position          libarchive.read_header_position
#define archive_read_new                      libarchive.read_new
#define archive_read_next_header              libarchive.read_next_header
#define archive_read_open                     libarchive.read_open
#define archive_read_support_format_raw       libarchive.read_support_format_raw
#define archive_read_support_format_tar       libarchive.read_support_format_tar
#define archive_set_error                     libarchive.set_error
#define archive_write_add_filter_zstd         libarchive.write_add_filter_zstd
#define archive_write_close                   libarchive.write_close
#define archive_write_data                    libarchive.write_data
#define archive_write_free                    libarchive.write_free
#define archive_write_header                  libarchive.write_header
#define archive_write_new                     libarchive.write_new
#define archive_write_open                    libarchive.write_open
#define archive_write_set_bytes_in_last_block libarchive.write_set_bytes_in_last_block
#define archive_write_set_bytes_per_block     libarchive.write_set_bytes_per_block
#define archive_write_set_filter_option       libarchive.write_set_filter_option
#define archive_write_set_format_raw          libarchive.write_set_format_raw

#endif
