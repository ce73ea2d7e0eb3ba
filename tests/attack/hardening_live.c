// SPDX-License-Identifier: MIT
/* Tries each call of table/hardening.def for real, in children that have the
 * compiled filter and in others that have none.  Prints TAP.
 *
 * The arguments beside the one that a row is about are all ones: bad pointers,
 * bad descriptors, unknown flags.  Unguarded the kernel fails the call for that,
 * with an error that is not the filter's, so nothing happens to the machine and
 * the test can still tell who answered. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compile/filter.h"
#include "guard/guard.h"
#include "table/calls.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define HIGH UINT64_C(0xdeadbeef00000000)

struct row {
    enum eg_hardening word;
    const char *syscall;
    int error;
    struct eg_condition when;
};
static const struct row rows[] = {
#define C(id, syscall, error, when) { EG_HARDENING_##id, syscall, error, when },
#include "table/hardening.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
    const char *word;
    bool switchable;
} words[EG_HARDENING_COUNT] = {
#define H(id, word, sentence) [EG_HARDENING_##id] = { word, true },
#define F(id, word, sentence) [EG_HARDENING_##id] = { word, false },
#include "table/hardening.def"
};

/* --- TAP --- */

static unsigned tests;
static unsigned failures;

static void result(bool good, const char *name, const char *subject)
{
    tests++;
    if (!good) failures++;
    printf("%sok %u - %s %s\n", good ? "" : "not ", tests, subject, name);
}

static void skipped(const char *name, const char *subject, const char *why)
{
    printf("ok %u - %s %s # SKIP %s\n", ++tests, subject, name, why);
}

/* --- Children --- */

struct answer {
    long value; /* of the system call, -errno for a failure */
    int status; /* how the child ended */
};

static struct answer *shared; /* written by the child */

static const uint32_t id[4] = { 1, 2, 3, 4 };

static bool install(const struct eg_filter_request *request)
{
    struct sock_filter *code = NULL;
    size_t count = 0;
    if (eg_filter_compile(request, &code, &count) != 0) return false;
    struct sock_fprog program = { (unsigned short)count, code };
    bool good = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, &program) == 0;
    free(code);
    return good;
}

/* Run `work` in a child, behind the filter unless it is NULL. */
static struct answer in_child(const struct eg_filter_request *filter, long (*work)(const void *),
                              const void *argument)
{
    struct answer answer = { 0, -1 };
    fflush(stdout);
    *shared = (struct answer){ -1000, -1 };
    pid_t child = fork();
    if (child == 0) {
        if (filter && !install(filter)) _exit(99);
        long value = work(argument);
        shared->value = value;
        _exit(0);
    }
    if (child > 0) waitpid(child, &answer.status, 0);
    answer.value = shared->value;
    return answer;
}

struct call {
    long number;
    uint64_t args[6];
};

static long make_call(const void *argument)
{
    const struct call *c = argument;
    long r =
        syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
    if (r < 0) return -errno;
    if (c->number == SYS_clone && r == 0) _exit(0); /* the child that was made */
    return r > 0 ? 1 : 0;                           /* a number or a pid: not the same twice */
}

static struct eg_filter_request filter_for(void)
{
    struct eg_filter_request request = { .variant = EG_FILTER_FINAL, .arch = NATIVE };
    memcpy(request.id, id, sizeof(id));
    return request;
}

/* --- The rows --- */

static long number_of(const char *name)
{
    int n = seccomp_syscall_resolve_name(name);
    if (n != __NR_SCMP_ERROR) return n;
#define N(name_, number_)                                                                          \
    if (strcmp(name, name_) == 0) return number_;
#include "table/hardening.def"
    return -1;
}

static bool refused_by_any(const char *name, uint64_t value, unsigned arg)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].syscall, name) != 0 || rows[i].when.arg != arg) continue;
        bool equal = (value & rows[i].when.mask) == rows[i].when.value;
        if (rows[i].when.kind == EG_CONDITION_UNLESS ? !equal : equal) return true;
    }
    return false;
}

/* Refused arguments, and the nearest ones that are not. */
static struct call refused_call(const struct row *row)
{
    struct call c = { number_of(row->syscall), { 0 } };
    /* clone makes a process of whatever it gets */
    if (strcmp(row->syscall, "clone") != 0) memset(c.args, 0xff, sizeof(c.args));
    if (row->when.kind == EG_CONDITION_MASKED) c.args[row->when.arg] = row->when.value;
    if (row->when.kind == EG_CONDITION_UNLESS)
        c.args[row->when.arg] = row->when.value ^ (row->when.mask & -row->when.mask);
    return c;
}

static bool benign_call(const struct row *row, struct call *ret)
{
    *ret = refused_call(row);
    if (row->when.kind == EG_CONDITION_UNLESS) {
        ret->args[row->when.arg] = row->when.value;
        return true;
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        uint64_t value = row->when.value ^ (UINT64_C(1) << bit);
        if (!(row->when.mask & (UINT64_C(1) << bit))) continue;
        if (refused_by_any(row->syscall, value, row->when.arg)) continue;
        ret->args[row->when.arg] = value;
        return true;
    }
    return false;
}

static void try_refused(const struct row *row, struct call call, const char *name,
                        const char *subject)
{
    struct eg_filter_request filter = filter_for();
    struct answer bare = in_child(NULL, make_call, &call);
    if (bare.status == 0 && bare.value == -row->error)
        return skipped(name, subject, "this kernel refuses it by itself, with the same error");
    struct answer guarded = in_child(&filter, make_call, &call);
    result(guarded.status == 0 && guarded.value == -row->error, name, subject);
    if (guarded.status != 0 || guarded.value != -row->error)
        printf("# unguarded %ld (status %x), guarded %ld (status %x), expected %d\n", bare.value,
               bare.status, guarded.value, guarded.status, -row->error);
}

static void try_passing(const struct eg_filter_request *filter, struct call call, const char *name,
                        const char *subject)
{
    struct answer bare = in_child(NULL, make_call, &call);
    struct answer guarded = in_child(filter, make_call, &call);
    bool same = bare.status == guarded.status && bare.value == guarded.value;
    result(same, name, subject);
    if (!same)
        printf("# unguarded %ld (status %x), guarded %ld (status %x)\n", bare.value, bare.status,
               guarded.value, guarded.status);
}

static void try_row(const struct row *row)
{
    char subject[128];
    struct call call = refused_call(row);
    snprintf(subject, sizeof(subject), "%s: %s", words[row->word].word, row->syscall);
    try_refused(row, call, "is refused", subject);
    if (row->when.kind != EG_CONDITION_ALWAYS) {
        struct call high = call;
        high.args[row->when.arg] |= HIGH;
        try_refused(row, high, "is refused with high bits set as well", subject);
        struct eg_filter_request filter = filter_for();
        struct call twin;
        if (benign_call(row, &twin))
            try_passing(&filter, twin, "passes in its benign form", subject);
        else
            result(false, "has a benign form", subject);
    }
    if (!words[row->word].switchable) return;
    struct eg_filter_request allowed = filter_for();
    allowed.allowed[row->word] = true;
    try_passing(&allowed, call, "passes where the policy allows the word", subject);
}

/* --- What ordinary programs do must go on --- */

static void *set_flag(void *argument)
{
    *(int *)argument = 1;
    return NULL;
}

static long start_thread(const void *unused)
{
    pthread_t thread;
    int flag = 0;
    (void)unused;
    if (pthread_create(&thread, NULL, set_flag, &flag) != 0) return -1;
    pthread_join(thread, NULL);
    return flag;
}

static long run_program(const void *unused)
{
    int status = -1;
    (void)unused;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static long run_by_descriptor(const void *unused)
{
    static char name[] = "true";
    static char *argv[] = { name, NULL };
    int status = -1;
    (void)unused;
    pid_t child = fork();
    if (child == 0) {
        int fd = open("/bin/true", O_RDONLY);
        fexecve(fd, argv, environ);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static long make_sealed_memfd(const void *unused)
{
    (void)unused;
    int fd = (int)syscall(SYS_memfd_create, "x", 0x1 | 0x8 /* MFD_CLOEXEC | MFD_NOEXEC_SEAL */);
    return fd >= 0 ? 1 : -errno;
}

static long copy_shell_to_memfd(const void *unused)
{
    (void)unused;
    int fd = (int)syscall(SYS_memfd_create, "x", 0x10 /* MFD_EXEC */);
    if (fd >= 0) return 1;
    fd = (int)syscall(SYS_memfd_create, "x", 0);
    return fd >= 0 ? 1 : -errno;
}

static long ask_id(const void *argument)
{
    const uint32_t *asked = argument;
    return prctl((int)EG_PRCTL_QUERY, asked[0], asked[1], asked[2], asked[3]) < 0 ? errno : 0;
}

static void try_work(const char *subject, const char *name, long (*work)(const void *),
                     const void *argument, long expected)
{
    struct eg_filter_request filter = filter_for();
    struct answer guarded = in_child(&filter, work, argument);
    bool good = guarded.status == 0 && guarded.value == expected;
    result(good, name, subject);
    if (!good) printf("# %ld (status %x), expected %ld\n", guarded.value, guarded.status, expected);
}

/* --- Foreign architectures --- */

#if defined(__x86_64__)
static long getpid_by_int80(const void *unused)
{
    long value = 20; /* getpid of i386 */
    (void)unused;
    __asm__ volatile("int $0x80" : "+a"(value) : : "r8", "r9", "r10", "r11", "memory");
    return (int)value > 0 ? 1 : (int)value;
}

static long getpid_by_x32(const void *unused)
{
    (void)unused;
    long r = syscall(0x40000000 | SYS_getpid);
    return r >= 0 ? 1 : -errno;
}

/* A whole i386 program: exit(42), and a crash where that call is refused. */
static long run_elf32(const void *argument)
{
    char path[64];
    struct {
        Elf32_Ehdr header;
        Elf32_Phdr segment;
        unsigned char code[16];
    } program = {
        .header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
                    .e_type = ET_EXEC,
                    .e_machine = EM_386,
                    .e_version = EV_CURRENT,
                    .e_phoff = sizeof(Elf32_Ehdr),
                    .e_ehsize = sizeof(Elf32_Ehdr),
                    .e_phentsize = sizeof(Elf32_Phdr),
                    .e_phnum = 1 },
        .segment = { .p_type = PT_LOAD, .p_vaddr = 0x08048000, .p_flags = PF_R | PF_X },
        .code = { 0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80, 0xf4 },
    };
    int status = -1;
    program.segment.p_filesz = program.segment.p_memsz = sizeof(program);
    program.header.e_entry = 0x08048000 + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr);
    snprintf(path, sizeof(path), "%s/elf32", (const char *)argument);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, &program, sizeof(program)) != (ssize_t)sizeof(program)) return -1;
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        execl(path, "elf32", (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void try_foreign(const char *folder)
{
    struct answer bare = in_child(NULL, getpid_by_int80, NULL);
    if (bare.status == 0 && bare.value == 1)
        try_work("foreign-architecture: int 0x80", "is refused", getpid_by_int80, NULL, -ENOSYS);
    else
        skipped("is refused", "foreign-architecture: int 0x80", "this kernel has no 32-bit calls");

    bare = in_child(NULL, getpid_by_x32, NULL);
    if (bare.value == 1)
        try_work("foreign-architecture: x32", "is refused", getpid_by_x32, NULL, -ENOSYS);
    else
        skipped("is refused", "foreign-architecture: x32", "this kernel has no x32 calls");

    bare = in_child(NULL, run_elf32, folder);
    if (bare.status == 0 && bare.value == 42)
        try_work("foreign-architecture: an i386 program", "cannot make a single call", run_elf32,
                 folder, 1000 + SIGSEGV);
    else
        skipped("cannot make a single call", "foreign-architecture: an i386 program",
                "this kernel runs no 32-bit programs");
}
#else
static void try_foreign(const char *folder)
{
    (void)folder;
    skipped("is refused", "foreign-architecture", "no foreign code for this machine");
}
#endif

int main(int argc, char **argv)
{
    static const uint32_t another[4] = { 1, 2, 3, 5 };
    setvbuf(stdout, NULL, _IOLBF, 0);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || argc < 2) {
        printf("Bail out! usage: hardening_live FOLDER\n");
        return 1;
    }
    struct eg_filter_request filter = filter_for();
    struct answer able = in_child(&filter, run_program, NULL);
    if (WIFEXITED(able.status) && WEXITSTATUS(able.status) == 99) {
        printf("1..0 # SKIP no filter can be installed here\n");
        return 0;
    }
    for (size_t i = 0; i < ROWS; i++) try_row(&rows[i]);
    try_foreign(argv[1]);
    try_work("an allowed program", "still starts", run_program, NULL, 1);
    try_work("fexecve", "falls back to the path", run_by_descriptor, NULL, 1);
    try_work("a thread", "still starts, by clone instead of clone3", start_thread, NULL, 1);
    if (in_child(NULL, make_sealed_memfd, NULL).value == 1)
        try_work("a memfd that cannot be executed", "is still made", make_sealed_memfd, NULL, 1);
    else
        skipped("is still made", "a memfd that cannot be executed", "older than Linux 6.3");
    try_work("a memfd for a program", "is refused", copy_shell_to_memfd, NULL, -EACCES);
    try_work("the filter", "knows its policy", ask_id, id, EG_QUERY_YES);
    try_work("the filter", "knows no other policy", ask_id, another, EINVAL);
    printf("1..%u\n", tests);
    return failures ? 1 : 0;
}
