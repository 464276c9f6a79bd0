/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the benchmark: what a command costs, and what the least costs that one must do with files.
 * "probe run COMMAND..." runs it, and writes its status, user, system and wall time in microseconds
 * and its peak memory in KiB, of all processes, to standard error. "probe stat|read|hash DIR" lists
 * DIR with one stat each; reads all files as well; hashes them by one stream of OpenSSL.
 */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ORPHAN_MILLISECONDS = 50 };
enum probe_depth { PROBE_STAT, PROBE_READ, PROBE_HASH };

static struct {
    enum probe_depth depth;
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    unsigned long n_files;
    unsigned char sum; /* keeps the work from being optimised away */
    char buf[256 * 1024];
} probe;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long time_us(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

/* Waits for those whose parents have ended before them, as GPGME's do, so that their time counts;
 * but not for a daemon such as gpg-agent. */
static void reap_orphans(void)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    pid_t pid = 1;
    int i;

    for (i = 0; i < ORPHAN_MILLISECONDS && pid >= 0; i++)
        while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0)
            if (pid == 0) {
                nanosleep(&moment, NULL);
                break;
            }
}

static int run(char **command)
{
    long long start = now_us(), end;
    struct rusage usage;
    int status;
    pid_t pid, ended;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        die("prctl");
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        execvp(command[0], command);
        die(command[0]);
    }
    do
        ended = waitpid(-1, &status, 0);
    while (ended >= 0 && ended != pid);
    end = now_us();
    reap_orphans();
    if (ended < 0 || getrusage(RUSAGE_CHILDREN, &usage) < 0)
        die("waitpid");
    fprintf(stderr, "\nprobe %d %lld %lld %lld %ld\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            time_us(usage.ru_utime), time_us(usage.ru_stime), end - start, usage.ru_maxrss);
    return 0;
}

static void read_file(int dirfd, const char *name)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        die(name);
    if (probe.depth == PROBE_HASH)
        EVP_DigestInit_ex2(probe.ctx, probe.md, NULL);
    while ((n = read(fd, probe.buf, sizeof probe.buf)) > 0)
        if (probe.depth == PROBE_HASH)
            EVP_DigestUpdate(probe.ctx, probe.buf, (size_t)n);
    if (n < 0)
        die(name);
    if (probe.depth == PROBE_HASH) {
        EVP_DigestFinal_ex(probe.ctx, digest, NULL);
        probe.sum ^= digest[0];
    }
    close(fd);
}

static void walk(int dirfd)
{
    DIR *dir = fdopendir(dirfd);
    struct dirent *entry;
    struct stat st;
    int fd;

    if (!dir)
        die("fdopendir");
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            die(entry->d_name);
        if (S_ISDIR(st.st_mode)) {
            fd = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (fd < 0)
                die(entry->d_name);
            walk(fd);
        } else if (S_ISREG(st.st_mode)) {
            probe.n_files++;
            if (probe.depth != PROBE_STAT)
                read_file(dirfd, entry->d_name);
        }
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    static const char *const depths[] = {"stat", "read", "hash"};
    int fd;

    if (argc > 2 && strcmp(argv[1], "run") == 0)
        return run(argv + 2);
    for (; argc == 3 && probe.depth <= PROBE_HASH; probe.depth++)
        if (strcmp(argv[1], depths[probe.depth]) == 0)
            break;
    if (argc != 3 || probe.depth > PROBE_HASH) {
        fprintf(stderr, "usage: probe run COMMAND... | stat|read|hash DIR\n");
        return 2;
    }
    probe.md = EVP_MD_fetch(NULL, "SHA256", NULL);
    probe.ctx = EVP_MD_CTX_new();
    fd = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || !probe.md || !probe.ctx)
        die(argv[2]);
    walk(fd);
    printf("%lu files %02x\n", probe.n_files, probe.sum);
    return 0;
}
