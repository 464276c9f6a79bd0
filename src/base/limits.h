/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every limit on what comes from outside, with its reason. Checked before anything is allocated or
 * looped over.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* apt refuses a larger Release or InRelease (Acquire::MaxReleaseFileSize, apt.conf(5)). */
#define LIMITS_MANIFEST_BYTES 10000000
/* A file at the root that another tool wrote and that becomes part of a generation, held in memory
 * meanwhile: Debian's largest Packages has 50 MB. */
#define LIMITS_ADOPTED_BYTES (64 * 1024 * 1024)
/* A detached signature file: LIMITS_SIGNATURES armoured RSA-4096 signatures fit ten times over. */
#define LIMITS_SIGNATURE_BYTES (256 * 1024)
/* Signatures over one manifest: Debian has three; each costs the verifier a public-key operation.
 */
#define LIMITS_SIGNATURES 16
/* One keyring, and all keyrings together: the Debian developers' keyring has 30 MB; gpg reads all.
 */
#define LIMITS_KEYRING_BYTES (64 * 1024 * 1024)
/* A line of a manifest; gpg cuts lines of more than 19,995 bytes silently. */
#define LIMITS_LINE_BYTES 4096
/* Fields of one deb822 stanza; Debian's own Release has 16. */
#define LIMITS_FIELDS 256
/* Entries of a manifest: as many lines as LIMITS_MANIFEST_BYTES can hold are bounded by it anyway.
 */
#define LIMITS_ENTRIES 200000
/* Files of a tree to publish, and packages of its indexes: the pool of all of Debian has 1,300,000. A
 * manifest that lists the files itself has room for less. */
#define LIMITS_TREE_FILES 2000000
/* The control file of one Debian package: the largest of Debian's own has 76,338 bytes, one line of
 * it 75,649. */
#define LIMITS_CONTROL_BYTES (512 * 1024)
/* What an index says of one: that, and a path, a size and two hashes. */
#define LIMITS_STANZA_BYTES (LIMITS_CONTROL_BYTES + 8 * 1024)
/* A Packages file, which is held in memory while it is made: Debian's largest has 50 MB. */
#define LIMITS_PACKAGES_BYTES (256 * 1024 * 1024)
/* A .dsc: that of the largest of Debian's sources, the Linux kernel, has about 200,000 bytes. */
#define LIMITS_DSC_BYTES (512 * 1024)
/* Files that one .dsc lists; Debian's largest number is below 100. */
#define LIMITS_DSC_FILES 1000
/* What an index says of one: that, the .dsc itself, and a second hash of each file. */
#define LIMITS_SOURCES_STANZA_BYTES (1024 * 1024)
/* A Sources file, held in memory: Debian's largest has 55 MB. */
#define LIMITS_SOURCES_BYTES (256 * 1024 * 1024)
/* The names of all files of one package, for the index Contents: icon themes of 200,000 files have
 * 16 MB. */
#define LIMITS_CONTENTS_BYTES (64 * 1024 * 1024)
/* A mirror's list of files that wait to be removed: LIMITS_ENTRIES of them with paths of 300 bytes. */
#define LIMITS_RETIRED_BYTES (64 * 1024 * 1024)
/* Files of a mirror: all of Debian's suites and architectures together have 1,300,000. */
#define LIMITS_MIRROR_FILES 4000000
/* Packages that are kept in memory to look for several, of 300 bytes each: all that we publish, where
 * Debian's main has 64,000 for an architecture. */
#define LIMITS_TABLE_PACKAGES LIMITS_TREE_FILES
/* NAME_MAX and PATH_MAX of Linux, less the final NUL. */
#define LIMITS_COMPONENT_BYTES 255
#define LIMITS_PATH_BYTES      4095
/* The file /etc/hallmark/repositories.d/NAME.conf and every state file. */
#define LIMITS_SETTINGS_BYTES (64 * 1024)
/* Keys that a verifier remembers as revoked, and their file: the Debian developers' keyring has some
 * hundred of a thousand; a key takes at most 66 bytes. */
#define LIMITS_REVOKED_KEYS  4096
#define LIMITS_REVOKED_BYTES (512 * 1024)
/* The file /etc/hallmark/sources.d/NAME.sources: a key of RSA-4096 with its signatures has 10 KB. */
#define LIMITS_SOURCE_BYTES (1024 * 1024)
/* Stanzas in it, and words in one field, such as mirrors: people write a few. */
#define LIMITS_SOURCE_STANZAS 64
#define LIMITS_SOURCE_WORDS   64
/* Manifests and indexes that a verifier keeps: all of Debian's for one architecture have 60 MB; and files
 * of the directory that are looked at. */
#define LIMITS_CACHE_BYTES (256 * 1024 * 1024)
#define LIMITS_CACHE_FILES 4096
/* Members of a bundle: a person names the packages. */
#define LIMITS_BUNDLE_FILES 10000
/* Directories below one another, in a tree to publish or an archive to unpack. */
#define LIMITS_DEPTH 64
/* Years that four digits can write (RFC 5322 section 3.3): 9999-12-31 23:59:59 UTC. */
#define LIMITS_TIMESTAMP_MAX 253402300799LL

/* Archives: what is accepted where no signed budget says better. The Linux source has 95,000
 * entries and 1.5 GB; the largest Debian packages unpack to 8 GB. */
#define LIMITS_ARCHIVE_ENTRIES 1000000ULL
#define LIMITS_ARCHIVE_BYTES   (64ULL << 30)
/* A compressor may expand this many times once the first LIMITS_RATIO_FREE_BYTES are out: xz
 * reaches about 7,000 on zeros, text and programs stay below 100. */
#define LIMITS_ARCHIVE_RATIO    1000ULL
#define LIMITS_RATIO_FREE_BYTES (64ULL << 20)
/* Address space that a process may use beyond what it starts with: xz -9 takes 65 MiB, zstd --ultra
 * -22 128 MiB; what a hostile header asks for ends there. */
#define LIMITS_WORKER_MEMORY (512ULL << 20)
/* Names that must be kept until the end of an archive: those of links, and of directories, whose
 * times are set last. The Linux source has 0.3 MB. */
#define LIMITS_ARCHIVE_NAMES (64ULL << 20)

/* A URL, and a path below it with every byte escaped. */
#define LIMITS_URL_BYTES 2048
/* Headers of all answers to one request, interim ones and redirects included: curl takes 300 KiB of
 * each; servers send 1. */
#define LIMITS_HTTP_HEADERS (64 * 1024)
/* Redirects that one request follows: archives that spread over mirrors need two. */
#define LIMITS_HTTP_REDIRECTS 10
/* Body of an answer that is not wanted, such as the page behind a 404. */
#define LIMITS_HTTP_UNWANTED (64 * 1024)
/* A bundle of certificates: that of Mozilla has 220 KB. */
#define LIMITS_CERTIFICATES_BYTES (16 * 1024 * 1024)
/* Seconds in which a server must have answered, and in which it must send LIMITS_HTTP_RATE bytes
 * each. */
#define LIMITS_HTTP_SECONDS 30
#define LIMITS_HTTP_RATE    1000
/* The whole of a file must come within ten times that, and a second more for so many bytes: a
 * modem's rate. */
#define LIMITS_HTTP_BYTES_PER_SECOND 5000

/* Seconds that one gpg run may take: verification takes 0.05, and a hanging gpg must not hang us.
 */
#define LIMITS_VERIFY_SECONDS 30
/* Signing without a person: a smart card takes 2. */
#define LIMITS_SIGN_SECONDS 60
/* Signing with a person who types a passphrase. */
#define LIMITS_SIGN_INTERACTIVE_SECONDS 600

#endif
