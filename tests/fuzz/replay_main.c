// SPDX-License-Identifier: MIT
/* Runs a fuzz target as an ordinary test: its seeds, then short random inputs
 * made from the seeds.  Prints TAP.
 *
 *     NAME_fuzz                 seeds in $EG_ROOT/tests/fuzz/seeds/NAME
 *     NAME_fuzz FILE...         only these files
 *
 * EG_FUZZ_SEED=N repeats a random run; the input that killed the target is
 * printed in hexadecimal on standard error.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536, RANDOM_MAX = 2048, SEEDS_MAX = 512, RANDOM_RUNS = 4000, SECONDS_MAX = 5 };

struct input {
    unsigned char *bytes;
    size_t size;
};

static struct input seeds[SEEDS_MAX];
static size_t seed_count;
static struct input current;

/* Only write(2): this runs while the process dies. */
static void print_current(void)
{
    static const char digits[] = "0123456789abcdef";
    static const char head[] = "the input was: ";
    char pair[2];
    if (write(STDERR_FILENO, head, sizeof head - 1) < 0) return;
    for (size_t i = 0; i < current.size && i < RANDOM_MAX; i++) {
        pair[0] = digits[current.bytes[i] >> 4];
        pair[1] = digits[current.bytes[i] & 15];
        if (write(STDERR_FILENO, pair, 2) < 0) return;
    }
    if (write(STDERR_FILENO, "\n", 1) < 0) return;
}

/* The sanitizers' hook, where they are linked in. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void die_loudly(int number)
{
    print_current();
    signal(number, SIG_DFL);
    raise(number);
}

/* The target gets memory of exactly the input's size, so that the address
 * sanitizer sees one byte too many. */
static void feed(const unsigned char *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy) abort();
    memcpy(copy, bytes, size);
    current = (struct input){ copy, size };
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    current = (struct input){ NULL, 0 };
}

static bool load(const char *path)
{
    static unsigned char buffer[INPUT_MAX];
    FILE *file = fopen(path, "rbe");
    if (!file) return false;
    size_t size = fread(buffer, 1, sizeof buffer, file);
    bool good = !ferror(file);
    (void)fclose(file);
    if (!good || seed_count == SEEDS_MAX) return false;
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy) return false;
    memcpy(copy, buffer, size);
    seeds[seed_count++] = (struct input){ copy, size };
    return true;
}

static void load_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.') continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (n > 0 && (size_t)n < sizeof path) (void)load(path);
    }
    (void)closedir(dir);
}

static uint64_t random_state;

/* splitmix64: the same numbers everywhere, unlike random(3). */
static uint64_t next_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
    return (size_t)(next_random() % limit);
}

/* A seed (or nothing) with a few bytes changed, doubled, cut or made up. */
static size_t invent(unsigned char ret[RANDOM_MAX])
{
    static const unsigned char odd[] = { 0,    1,    '\t', '\n', ' ',  '"',  '#',  '\'', '\\',
                                         '$',  '*',  '[',  '{',  '}',  '<',  '>',  '|',  0x7f,
                                         0x80, 0xc2, 0xe2, 0xf0, 0xff, 0xfe, 0xed, 0xbf };
    size_t size = 0;
    if (seed_count && below(8)) {
        const struct input *seed = &seeds[below(seed_count)];
        size = seed->size < RANDOM_MAX ? seed->size : RANDOM_MAX;
        memcpy(ret, seed->bytes, size);
    } else {
        size = below(64);
        for (size_t i = 0; i < size; i++) ret[i] = (unsigned char)next_random();
    }
    for (size_t changes = 1 + below(8); changes > 0; changes--) {
        size_t at = size ? below(size) : 0;
        switch (below(6)) {
        case 0:
            if (size) ret[at] ^= (unsigned char)(1u << below(8));
            break;
        case 1:
            if (size) ret[at] = odd[below(sizeof odd)];
            break;
        case 2: /* insert */
            if (size == RANDOM_MAX) break;
            memmove(ret + at + 1, ret + at, size - at);
            ret[at] = odd[below(sizeof odd)];
            size++;
            break;
        case 3: /* remove */
            if (!size) break;
            memmove(ret + at, ret + at + 1, size - at - 1);
            size--;
            break;
        case 4: /* repeat a stretch */ {
            size_t n = size ? below(size - at) + 1 : 0;
            if (n > RANDOM_MAX - size) n = RANDOM_MAX - size;
            memmove(ret + at + n, ret + at, size - at);
            size += n;
            break;
        }
        default: /* cut */
            if (below(4) == 0) size = at;
            break;
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *base = slash ? slash + 1 : argv[0];
    int name_length = (int)strlen(base);
    if (name_length > 5 && !strcmp(base + name_length - 5, "_fuzz")) name_length -= 5;

    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(print_current);
    static const int fatal[] = { SIGABRT, SIGILL, SIGFPE };
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], die_loudly);

    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            if (!load(argv[i])) return fprintf(stderr, "cannot read %s\n", argv[i]), 1;
            feed(seeds[seed_count - 1].bytes, seeds[seed_count - 1].size);
        }
        printf("ok 1 - %.*s replays %zu files\n1..1\n", name_length, base, seed_count);
        return 0;
    }

    const char *root = getenv("EG_ROOT");
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s/tests/fuzz/seeds/%.*s", root ? root : ".",
                   name_length, base);
    load_folder(folder);

    puts("1..2");
    (void)fflush(stdout);
    for (size_t i = 0; i < seed_count; i++) feed(seeds[i].bytes, seeds[i].size);
    if (seed_count)
        printf("ok 1 - %.*s replays its %zu seeds\n", name_length, base, seed_count);
    else
        printf("not ok 1 - %.*s has seeds in %s\n", name_length, base, folder);

    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const char *wanted = getenv("EG_FUZZ_SEED");
    uint64_t seed =
        wanted ? strtoull(wanted, NULL, 10) : (uint64_t)now.tv_nsec ^ (uint64_t)getpid();
    random_state = seed;
    printf("# EG_FUZZ_SEED=%" PRIu64 "\n", seed);
    fprintf(stderr, "EG_FUZZ_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    time_t end = time(NULL) + SECONDS_MAX;
    size_t runs = 0;
    for (; runs < RANDOM_RUNS && time(NULL) <= end; runs++) {
        unsigned char bytes[RANDOM_MAX];
        size_t size = invent(bytes);
        feed(bytes, size);
    }
    printf("ok 2 - %.*s survives %zu random inputs\n", name_length, base, runs);
    for (size_t i = 0; i < seed_count; i++) free(seeds[i].bytes);
    return seed_count ? 0 : 1;
}
