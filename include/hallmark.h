/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hallmark: signed-release repositories, from C. The tools repo-release, repo-verify and repo-mirror are
 * built on nothing else. The formats are those of apt-secure(8); hallmark-repository(5) describes them.
 *
 * Every function that can fail returns false or NULL and fills *err, whose category is what a caller
 * would do differently and equals the exit status of the tools. The library prints nothing, never
 * exits (but for a lack of memory), and keeps no global state. It starts helper processes with
 * fork(2): call it while the process has one thread, or accept what fork(2) says about threads.
 */
#ifndef HALLMARK_H
#define HALLMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HALLMARK_API __attribute__((visibility("default")))
#else
#define HALLMARK_API
#endif

/* Categories of failure; the numbers are the exit statuses of the tools. */
enum hallmark_errcode {
    HALLMARK_OK = 0,
    HALLMARK_ERR_IO = 1,         /* could not decide: input/output, space, memory, internal */
    HALLMARK_ERR_USAGE = 2,      /* usage or configuration */
    HALLMARK_ERR_SIGNATURE = 3,  /* missing, bad, by nobody who is trusted, threshold not met */
    HALLMARK_ERR_STALE = 4,      /* expired, older than allowed, or without a required expiry */
    HALLMARK_ERR_FUTURE = 5,     /* dated ahead of the clock, or the clock is wrong */
    HALLMARK_ERR_ROLLBACK = 6,   /* older than what was seen before, or same date, other content */
    HALLMARK_ERR_CONTENT = 7,    /* size or hash differs, or a listed file is missing */
    HALLMARK_ERR_MALFORMED = 8,  /* cannot be parsed, or breaks a limit */
    HALLMARK_ERR_UNSAFE = 9,     /* an archive that tried to leave its directory or broke a limit */
    HALLMARK_ERR_BUSY = 10,      /* another run holds the lock */
    HALLMARK_ERR_NO_PACKAGE = 11, /* no such package in the repository */
    HALLMARK_ATTENTION = 12,     /* works today, expires or breaks soon */
};

/* One line of text: where, what was found, what was wanted. Untrusted bytes in it are escaped. */
struct hallmark_error {
    enum hallmark_errcode code;
    char text[2048];
};

/* What a person writes for a time. */
enum hallmark_time {
    HALLMARK_TIME_DATE,   /* 2026-11-22, 2026-11-22T10:00:00Z, @1795341600, or RFC 1123's form */
    HALLMARK_TIME_LENGTH, /* 90s, 15m, 12h, 7d, 2w */
};

/* Number of bytes done of all. Called at least once for each 1 MiB that is read. */
typedef void hallmark_progress_fn(void *ctx, uint64_t done, uint64_t total);

/* The version of the library, such as "0.1.0". Static. */
HALLMARK_API const char *hallmark_version(void);

/* Reads TEXT into *OUT: seconds, of a date those since 1970-01-01 UTC. HALLMARK_ERR_USAGE. */
HALLMARK_API bool hallmark_time_parse(const char *text, enum hallmark_time kind, int64_t *out,
                                      struct hallmark_error *err);

/* ---- For those who verify ------------------------------------------------------------------- */

/* Whether a manifest must say until when it may be believed. */
enum hallmark_expiry {
    HALLMARK_EXPIRY_REQUIRED = 0, /* Valid-Until in the manifest, or max_age in the policy */
    HALLMARK_EXPIRY_OPTIONAL,     /* a manifest without any expiry is accepted for ever */
};

/* What to do when the kernel cannot confine the processes that read and write archives. */
enum hallmark_sandbox {
    HALLMARK_SANDBOX_REQUIRED = 0,
    HALLMARK_SANDBOX_BEST_EFFORT,
    HALLMARK_SANDBOX_OFF,
};

/* What must hold before anything is believed. Strings are borrowed for the time of the call. */
struct hallmark_policy {
    const char *const *keyrings;  /* NULL-terminated paths of OpenPGP keyrings, binary or armoured;
                                     NULL: every *.gpg, *.pgp and *.asc in the system's directory */
    const char *const *keys;      /* NULL-terminated texts, each of armoured public keys, that are trusted
                                     beside those of the keyrings; keyrings NULL: these alone */
    const char *const *signed_by; /* NULL-terminated fingerprints of accepted primary keys (40 or 64
                                     hexadecimal digits; a trailing "!" pins one exact signing key);
                                     NULL: every key of the keyrings */
    unsigned threshold;           /* how many different primary keys must have signed, at least 1 */
    enum hallmark_expiry expiry;
    int64_t max_age;              /* seconds since the manifest's Date; 0: no limit of our own */
    int64_t clock_skew;           /* seconds that a date may lie ahead of the clock */
    int64_t now;                  /* seconds since 1970-01-01 UTC, by which all dates are judged */
    const char *state_dir;        /* where the newest manifest seen is remembered; NULL: the user's own
                                     directory, or the system's for root; "": nowhere */
    const char *suite;            /* the suite of an archive, and what the manifest's Suite or Codename
                                     must be; NULL: whatever it is (likewise below) */
    const char *codename;         /* what its Codename must be */
    const char *origin;           /* what its Origin must be */
    bool accept_change;           /* of Origin, Label and Codename since the manifest remembered */
    const char *const *components;    /* NULL-terminated: which indexes of an archive are looked at; */
    const char *const *architectures; /* NULL: all */
    enum hallmark_sandbox sandbox;    /* of the processes that decompress indexes, and that talk to
                                         servers */
    int64_t network_timeout;      /* seconds in which a server must answer, and then get on; 0: 30 */
    const char *ca_file;          /* PEM, the certificates that vouch for https servers; NULL: the
                                     system's */
    const char *const *mirrors;   /* NULL-terminated: more locations of the same repository, tried in turn
                                     where one before cannot be used; NULL: none */
    void (*trouble)(void *ctx, const char *location, const struct hallmark_error *err);
                                  /* told why one of several locations was not used; may be NULL */
    void *trouble_ctx;
};

/* Fills in the defaults: no limits but Valid-Until, threshold 1, 10 s of skew, the system's clock and
 * keyrings, the default state directory. */
HALLMARK_API void hallmark_policy_init(struct hallmark_policy *policy);

/* One signature that counted, or one that was tolerated. Lent by the repository. */
struct hallmark_signature {
    const char *fingerprint; /* of the key that signed, upper-case hexadecimal */
    const char *primary;     /* of its primary key; NULL where the key is unknown */
    const char *user_id;     /* as the keyring says, escaped; NULL where the key is unknown */
    const char *digest;      /* "SHA256", "SHA384" or "SHA512"; NULL where the key is unknown */
    int64_t created;         /* seconds since 1970-01-01 UTC; 0 where the key is unknown */
    bool counted;            /* by a trusted key, good, and counted towards the threshold */
    const char *verdict;     /* "good", or in a few words why it did not count */
};

/* A verified manifest: Release as in apt's format. Absent text is NULL. Lent by the repository. */
struct hallmark_manifest {
    const char *location; /* the URL of the directory where it was found */
    const char *document; /* the file that was verified: "InRelease" or "Release" */
    const char *origin, *label, *suite, *codename, *version, *description;
    int64_t date;         /* seconds since 1970-01-01 UTC */
    int64_t valid_until;  /* likewise; 0: the manifest sets no expiry */
    int64_t expires;      /* when this policy stops to believe it; 0: never */
    const struct hallmark_signature *signatures;
    size_t n_signatures;
    size_t n_packages;    /* that it lists itself: in an archive none, they are in its indexes */
    size_t n_indexes;     /* other files that it lists */
    const char *text;     /* exactly the bytes that were verified */
    size_t text_len;
};

/* One file that the manifest, or an index that it lists, tells size and hashes of. Lent by the
 * repository. */
struct hallmark_package {
    const char *path;    /* relative to the repository; of an archive, to what is above dists */
    uint64_t size;       /* bytes */
    const char *sha256;  /* lower-case hexadecimal; NULL where it is not known */
    const char *sha512;  /* likewise */
    const char *name;    /* as the index says; else "hello" of hello-2.10.tar.gz, and the file's name
                            where there is no version */
    const char *version; /* "2.10"; "" where the name holds none */
    const char *architecture; /* "amd64", "all", "source"; "" where it is not known */
};

/* A repository that is configured: one suite of one stanza of hallmark.sources(5). */
struct hallmark_source {
    const char *location;          /* the first of its URIs, for hallmark_repository_open() */
    struct hallmark_policy policy; /* hallmark_policy_init(), and what the source says: yours to change */
    const char *const *suites;     /* NULL-terminated, for hallmark_mirror_sync(): all of that stanza; NULL:
                                      it has none, but paths */
    const char *const *roots;      /* likewise: the URIs that these suites are below */
};

/* Loads the source NAME: CONF_DIR/sources.d/NAME.sources (CONF_DIR NULL: the system's directory, and
 * then the user's own), or the file NAME where that holds a "/". SUITE chooses one of several; NULL: there
 * is only one; "": the first of the only stanza, whatever other suites that has. NULL with HALLMARK_OK
 * where there is no such file, with HALLMARK_ERR_USAGE where it is wrong, others can write to it, or it has
 * no such suite. Freed by hallmark_source_free(), which accepts NULL, and with it what the policy points
 * to. */
HALLMARK_API struct hallmark_source *hallmark_source_load(const char *conf_dir, const char *name,
                                                          const char *suite,
                                                          struct hallmark_error *err);
HALLMARK_API void hallmark_source_free(struct hallmark_source *source);

struct hallmark_repository;

/* Opens LOCATION (a directory, a URL of file, http or https, or the path of an InRelease or Release file;
 * of an apt archive its root or dists/SUITE), verifies the manifest's signature, its dates, that it is
 * the one that the policy pins, and that it is not older than the one remembered. Succeeds only with a
 * manifest that may be believed. Where the policy names mirrors and LOCATION fails, each of them is tried
 * in turn; where all fail, the error is that of the first that was reached and is not to be believed, or
 * else of the first. Later, files that are missing or wrong at one location are taken from the others.
 * Closed by hallmark_repository_close(). */
HALLMARK_API struct hallmark_repository *hallmark_repository_open(const char *location,
                                                                  const struct hallmark_policy *policy,
                                                                  struct hallmark_error *err);
HALLMARK_API void hallmark_repository_close(struct hallmark_repository *repository);

/* The verified manifest. */
HALLMARK_API const struct hallmark_manifest *
hallmark_repository_manifest(const struct hallmark_repository *repository);

/* Told of one package, which is lent until it returns; false ends the listing without an error. */
typedef bool hallmark_package_fn(void *ctx, const struct hallmark_package *package);

/* Calls EACH for each package that the manifest lists, in the order of the paths' bytes, and then for
 * each that stands only in the indexes, in their order and once. The indexes are verified, the packages
 * are not looked at. What EACH was told before a failure is not to be used: HALLMARK_ERR_CONTENT or
 * HALLMARK_ERR_MALFORMED where an index is not good or missing. */
HALLMARK_API bool hallmark_repository_list(const struct hallmark_repository *repository,
                                           hallmark_package_fn *each, void *ctx,
                                           struct hallmark_error *err);

/* The package that NAME means: a path in the manifest or in an index, a file's name, or a name whose
 * newest version is taken (versions compare as in deb-version(7)), in indexes with "=VERSION",
 * ":ARCHITECTURE" or both behind it. Fails with HALLMARK_ERR_NO_PACKAGE, with HALLMARK_ERR_USAGE and
 * the candidates where several files answer to it, or as hallmark_repository_list() does. Lent until
 * the repository is closed. */
HALLMARK_API const struct hallmark_package *
hallmark_repository_find(const struct hallmark_repository *repository, const char *name,
                         struct hallmark_error *err);

/* What to check, and whom to tell. All members may be zero. */
struct hallmark_check_options {
    const struct hallmark_package *const *packages; /* NULL: all, and all indexes that are there */
    size_t n_packages;
    void (*problem)(void *ctx, const struct hallmark_package *package,
                    const struct hallmark_error *err); /* once for each file that is not good; the
                                                          package is lent until it returns, NULL where
                                                          an index cannot be had or read */
    const char *hash_backend; /* "openssl", "avx2", "avx512"; NULL or "auto": the fastest here */
    hallmark_progress_fn *progress;
    void *ctx;
};

struct hallmark_check_report {
    size_t n_checked; /* packages looked at */
    size_t n_indexes; /* files that are no packages, such as Packages.gz, looked at beside them */
    size_t n_bad;     /* of both, not good */
    uint64_t n_bytes; /* bytes hashed */
};

/* Compares size and every listed hash of the packages with the manifest, or with the index that lists
 * them. Looks at all of them; fails with the first problem, HALLMARK_ERR_CONTENT before
 * HALLMARK_ERR_IO. The progress function is told a total of 0 while that is not known. */
HALLMARK_API bool hallmark_repository_check(const struct hallmark_repository *repository,
                                            const struct hallmark_check_options *options,
                                            struct hallmark_check_report *report,
                                            struct hallmark_error *err);

/* Where packages go, and whom to tell. */
struct hallmark_fetch_options {
    const char *into; /* a directory */
    bool replace;     /* files there that are other ones; else they are HALLMARK_ERR_USAGE */
    void (*problem)(void *ctx, const struct hallmark_package *package,
                    const struct hallmark_error *err); /* once for each that could not be had */
    hallmark_progress_fn *progress;
    void *ctx;
};

struct hallmark_fetch_report {
    size_t n_fetched; /* packages */
    size_t n_present; /* that were there before, and are good */
    size_t n_bad;
    uint64_t n_bytes; /* of those that were fetched */
};

/* Puts the N_PACKAGES packages into a directory, under the last components of their paths, several at
 * a time where they come over a network. Each one appears when it has been verified, whole and durable,
 * or not at all. Tries all of them; fails with the first problem, HALLMARK_ERR_CONTENT before
 * HALLMARK_ERR_IO. */
HALLMARK_API bool hallmark_repository_fetch(const struct hallmark_repository *repository,
                                            const struct hallmark_package *const *packages,
                                            size_t n_packages,
                                            const struct hallmark_fetch_options *options,
                                            struct hallmark_fetch_report *report,
                                            struct hallmark_error *err);

/* Writes the N_PACKAGES packages, with the manifest, its signatures and the indexes that vouch for them,
 * into the new file PATH: a bundle, which hallmark_repository_open() takes for a repository that holds
 * just these. Everything is verified while it is copied; the file appears whole and durable, or not at
 * all. HALLMARK_ERR_USAGE where PATH is there. */
HALLMARK_API bool hallmark_repository_bundle(const struct hallmark_repository *repository,
                                             const struct hallmark_package *const *packages,
                                             size_t n_packages, const char *path,
                                             struct hallmark_error *err);

/* Which symbolic links an archive may hold. */
enum hallmark_links {
    HALLMARK_LINKS_INSIDE = 0, /* relative, and staying inside of the unpacked tree */
    HALLMARK_LINKS_ANY,        /* any target; still nothing is written through one */
};

struct hallmark_unpack_options {
    const char *into;      /* a directory that does not exist yet, in one that does */
    enum hallmark_links links;
    enum hallmark_sandbox sandbox;
    uint64_t max_entries;  /* 0: the default of hallmark-repository(5) */
    uint64_t max_bytes;    /* of all files together; 0: the default */
    hallmark_progress_fn *progress;
    void *ctx;
};

struct hallmark_unpack_report {
    uint64_t n_entries;
    uint64_t n_bytes;
    bool is_signed;    /* both are what the repository's Unpacked-Sizes says */
    char sandbox[128]; /* the layers that were active, such as "seccomp landlock rlimits" */
};

/* Verifies PACKAGE (.tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst, .deb) while copying it into a private
 * file, and unpacks it from that file. The directory appears whole or not at all. Where the
 * repository says how much is in the package (hallmark-repository(5), "UNPACKED SIZES"), anything
 * else is HALLMARK_ERR_UNSAFE. */
HALLMARK_API bool hallmark_repository_unpack(const struct hallmark_repository *repository,
                                             const struct hallmark_package *package,
                                             const struct hallmark_unpack_options *options,
                                             struct hallmark_unpack_report *report,
                                             struct hallmark_error *err);

/* Makes the manifest the oldest that will be accepted from this repository in future, and remembers
 * which keys of the keyrings are revoked: they count no more, for any repository, also where a later
 * keyring lacks the revocation (hallmark-repository(5), "Rollback"). Call it last, when all that was
 * asked for has succeeded. Does nothing where the policy's state_dir is "". */
HALLMARK_API bool hallmark_repository_remember(const struct hallmark_repository *repository,
                                               struct hallmark_error *err);

/* ---- For those who publish ------------------------------------------------------------------ */

/* The settings of one repository, by the field names of hallmark.conf(5). */
struct hallmark_settings;

/* Empty settings. Freed by hallmark_settings_free(), which accepts NULL. */
HALLMARK_API struct hallmark_settings *hallmark_settings_new(void);
HALLMARK_API void hallmark_settings_free(struct hallmark_settings *settings);

/* The settings of the repository whose Name or Root is NAME_OR_ROOT, out of CONF_DIR/repositories.d
 * (CONF_DIR NULL: the user's directory, or the system's for root). NULL with HALLMARK_OK where none is
 * configured, with HALLMARK_ERR_USAGE where a file is wrong. */
HALLMARK_API struct hallmark_settings *hallmark_settings_load(const char *conf_dir,
                                                              const char *name_or_root,
                                                              struct hallmark_error *err);

/* The names of all configured repositories, sorted, NULL-terminated; one free(3) releases it. */
HALLMARK_API char **hallmark_settings_list(const char *conf_dir, struct hallmark_error *err);

/* Sets FIELD to VALUE after checking it; NULL removes it. */
HALLMARK_API bool hallmark_settings_set(struct hallmark_settings *settings, const char *field,
                                        const char *value, struct hallmark_error *err);

/* The value of FIELD, or NULL. Lent until the next set. */
HALLMARK_API const char *hallmark_settings_get(const struct hallmark_settings *settings,
                                               const char *field);

/* Writes CONF_DIR/repositories.d/NAME.conf; refuses to overwrite (HALLMARK_ERR_USAGE). *path, where
 * PATH is not NULL, receives the file's name; free(3) releases it. */
HALLMARK_API bool hallmark_settings_save(const struct hallmark_settings *settings,
                                         const char *conf_dir, char **path,
                                         struct hallmark_error *err);

/* What a publisher tells about its work. */
enum hallmark_note {
    HALLMARK_NOTE_INFO,    /* what is done, and what is left out */
    HALLMARK_NOTE_WARNING, /* what somebody should look at before it breaks */
};

/* How a publisher works, beside its settings. All members may be zero. */
struct hallmark_publisher_options {
    const char *state_dir;     /* this repository's own; NULL: State of the settings, or the default */
    const char *passphrase;    /* for the signing keys; NULL: gpg-agent has it */
    bool interactive;          /* gpg-agent may ask on the terminal */
    bool keep_going;           /* leave broken packages out, publish the rest, and fail then */
    bool accept_loss;          /* publish although the tree is empty, or most of it has vanished */
    int64_t lock_wait;         /* seconds to wait for another run; 0: fail with HALLMARK_ERR_BUSY */
    int64_t source_date_epoch; /* the Date to write, seconds since 1970-01-01; 0: the clock */
    enum hallmark_sandbox sandbox;
    const char *hash_backend;  /* as in struct hallmark_check_options */
    const char *scrub;         /* update reads this share of the files again, such as "1%", though they
                                  have not changed; NULL: none */
    void (*note)(void *ctx, enum hallmark_note kind, const char *line);
    hallmark_progress_fn *progress;
    void *ctx;
};

struct hallmark_publisher_report {
    bool published;        /* a new generation is current; false: nothing had changed */
    size_t n_packages;     /* in the manifest */
    size_t n_added, n_changed, n_removed; /* against the manifest that was current before */
    size_t n_skipped;      /* hidden or excluded files and symbolic links that were left out */
    size_t n_broken;       /* packages that were left out (keep_going) */
    uint64_t n_hashed;     /* files read */
    uint64_t n_hashed_bytes;
    size_t n_pruned;       /* generations removed */
    int64_t date, valid_until; /* of the manifest that is current now; 0: none is */
};

struct hallmark_publisher;

/* Opens the repository that SETTINGS describe. Closed by hallmark_publisher_close(), which accepts
 * NULL. SETTINGS and what OPTIONS points to are borrowed until then. update, resign and prune each
 * hold the repository's lock while they work; status takes none. */
HALLMARK_API struct hallmark_publisher *
hallmark_publisher_open(const struct hallmark_settings *settings,
                        const struct hallmark_publisher_options *options,
                        struct hallmark_error *err);
HALLMARK_API void hallmark_publisher_close(struct hallmark_publisher *publisher);

/* Publishes the tree as it is now, if it changed or the manifest is no longer young. */
HALLMARK_API bool hallmark_publisher_update(struct hallmark_publisher *publisher,
                                            struct hallmark_publisher_report *report,
                                            struct hallmark_error *err);

/* Publishes the same content under a new Date and Valid-Until; reads no package. */
HALLMARK_API bool hallmark_publisher_resign(struct hallmark_publisher *publisher,
                                            struct hallmark_publisher_report *report,
                                            struct hallmark_error *err);

/* Removes generations that the settings no longer keep, and what crashed runs left behind. */
HALLMARK_API bool hallmark_publisher_prune(struct hallmark_publisher *publisher,
                                           struct hallmark_publisher_report *report,
                                           struct hallmark_error *err);

/* Reads what is published and what an update would change, changing nothing. Fails with
 * HALLMARK_ATTENTION where all is well but something expires soon, with HALLMARK_ERR_STALE where it
 * has expired; *report is filled in in both cases. */
HALLMARK_API bool hallmark_publisher_status(struct hallmark_publisher *publisher,
                                            struct hallmark_publisher_report *report,
                                            struct hallmark_error *err);

/* What is published, as one who trusts exactly the keys of Sign-With sees it; hallmark_repository_check()
 * on it tells whether the tree agrees with its manifest. In the layout apt that of SUITE, which is one of
 * the settings' Suite; NULL: the first. Closed by hallmark_repository_close(). */
HALLMARK_API struct hallmark_repository *
hallmark_publisher_repository(struct hallmark_publisher *publisher, const char *suite,
                              struct hallmark_error *err);

/* What there is for those who are to trust a repository. */
enum hallmark_export_form {
    HALLMARK_EXPORT_KEYRING = 0, /* the public keys of Sign-With, binary: a keyring for apt, gpgv and
                                    repo-verify */
    HALLMARK_EXPORT_ARMORED,     /* likewise, armoured */
    HALLMARK_EXPORT_SOURCES,     /* a stanza for sources.list(5) of what is published */
};

struct hallmark_export {
    enum hallmark_export_form form;
    const char *uri;     /* of SOURCES: where clients find the root; NULL: its own path */
    const char *keyring; /* of SOURCES: the keyring's path there; NULL: the keys stand in the stanza */
};

/* Makes WHAT; *out, of *out_len bytes and a NUL behind, is released by free(3). Reads the published
 * manifests, and changes nothing. */
HALLMARK_API bool hallmark_publisher_export(struct hallmark_publisher *publisher,
                                            const struct hallmark_export *what, char **out,
                                            size_t *out_len, struct hallmark_error *err);

/* ---- For those who mirror ------------------------------------------------------------------- */

/* How a mirror is made. All members may be zero but POLICY. What it points to is borrowed. */
struct hallmark_mirror_options {
    const struct hallmark_policy *policy; /* what must hold before anything is copied, and which components
                                             and architectures are; its suite is not looked at, and its
                                             state_dir, which must not be "", holds what a mirror remembers */
    const char *const *suites; /* NULL-terminated: of an archive; NULL: the only one that there is */
    const char *const *packages; /* NULL-terminated patterns, as in glob(7), of names; NULL: all packages */
    int64_t keep;        /* seconds that files stay which no current manifest lists; 0: three days */
    int64_t lock_wait;   /* seconds to wait for another run; 0: fail with HALLMARK_ERR_BUSY */
    const char *trace;   /* write project/trace/TRACE, as mirrors of Debian do; NULL: none */
    bool full;           /* look at all files, hashing each, though the manifest is the one that is served */
    bool accept_loss;    /* no longer serve suites that DEST has and SUITES has not */
    bool dry_run;        /* write nothing, but report what would be fetched */
    const char *ping;    /* an InRelease that tells of a new manifest: nothing is asked for unless it is good
                            and newer than what DEST serves, and SOURCE must be as new; NULL: none */
    size_t ping_len;
    void (*note)(void *ctx, enum hallmark_note kind, const char *line);
    void (*problem)(void *ctx, const struct hallmark_package *package,
                    const struct hallmark_error *err); /* hallmark_mirror_check(): as its namesake in
                                                          struct hallmark_check_options */
    hallmark_progress_fn *progress;
    void *ctx;
};

struct hallmark_mirror_report {
    bool published;       /* a new generation is current, or would be; false: nothing had changed */
    size_t n_suites;
    size_t n_files;       /* that the mirror holds for the manifests, without these */
    uint64_t n_bytes;     /* of them all */
    size_t n_fetched;     /* read from the source, or to be read */
    uint64_t n_fetched_bytes;
    size_t n_replaced;    /* of them: were there, with other bytes */
    uint64_t n_hashed;    /* files that were there and had to be read to know them */
    size_t n_retired;     /* files that wait to be removed, since no current manifest lists them */
    size_t n_removed;     /* files removed in this run */
    size_t n_pruned;      /* generations removed in this run */
    int64_t date, valid_until; /* of the oldest manifest; 0: not known, and that it says none */
};

/* Makes DEST, a directory, a copy of the repository at SOURCE: all that the manifests list for the wanted
 * components and architectures, bit by bit, the manifests and their signatures too. Everything is verified
 * before any reader can see it, and the manifests of all suites become current last, in one step. Where
 * the policy names mirrors, manifests and indexes come from one location, and the next one is tried where
 * that fails; other files come from any of them. Fails as hallmark_repository_open() does; with
 * HALLMARK_ERR_ROLLBACK for what is older than what is served; with HALLMARK_ERR_CONTENT where a file is
 * missing or wrong at SOURCE, even when it is tried again; with HALLMARK_ERR_BUSY; what is served stays
 * then. *report is filled in, in any case. */
HALLMARK_API bool hallmark_mirror_sync(const char *source, const char *dest,
                                       const struct hallmark_mirror_options *options,
                                       struct hallmark_mirror_report *report,
                                       struct hallmark_error *err);

/* Reads every file of the mirror DEST and compares it with its manifests, of the SUITES of the options or
 * of all that are served; components and architectures are those of the last hallmark_mirror_sync() where
 * the policy names none. Fails as hallmark_repository_check() does. */
HALLMARK_API bool hallmark_mirror_check(const char *dest, const struct hallmark_mirror_options *options,
                                        struct hallmark_check_report *report,
                                        struct hallmark_error *err);

#ifdef __cplusplus
}
#endif

#endif
