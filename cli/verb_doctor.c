// SPDX-License-Identifier: MIT
/* `execguard doctor`: tries every layer on this machine, each in a child of its
 * own, and says what is missing, which kernel brings it and what it costs. */
#include "probe.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

const char eg_verb_doctor_help[] =
    "usage: execguard doctor [--json]\n"
    "\n"
    "Installs each layer in a child of its own and sees whether it refuses what it\n"
    "should.  For what is missing: the kernel or setting that brings it, and what a\n"
    "worker is not protected from without it.\n"
    "\n"
    "Layers marked * are required: without one, workers do not start unless the\n"
    "policy calls it optional.\n"
    "\n"
    "Exit status: 0 every required layer works, 125 one does not.\n";

static int try_preload(void *context);
static int try_whole(void *context);

static const struct check {
    const char *layer;
    const char *name;
    int (*attempt)(void *context);
    bool required;
    const char *needs; /* what brings it */
    const char *cost;  /* what is lost without it */
} checks[] = {
    { "filter", "no_new_privs", eg_probe_no_new_privs, true, "kernel 3.5",
      "no layer can be installed by users other than root" },
    { "filter", "seccomp filter", eg_probe_filter, true, "kernel 3.5, CONFIG_SECCOMP_FILTER",
      "the hardening list is not refused (N); exec of nothing is not refused by number" },
    { "domain", "execute (ABI 1)", eg_probe_landlock_execute, true,
      "kernel 5.13, `landlock' in the lsm= list", "a raw system call runs any program (S and N)" },
    { "domain", "write (ABI 1)", eg_probe_landlock_write, true,
      "kernel 5.13, `landlock' in the lsm= list",
      "/proc, /sys, devices and the guard's files are writable (S and N)" },
    { "domain", "move between folders (ABI 2)", eg_probe_landlock_refer, false, "kernel 5.19",
      "nothing is open, but files cannot be moved or linked to another folder at all" },
    { "domain", "truncate (ABI 3)", eg_probe_landlock_truncate, false, "kernel 6.2",
      "files that may not be written can be emptied (S and N)" },
    { "domain", "device ioctl (ABI 5)", eg_probe_landlock_ioctl, false, "kernel 6.10",
      "commands to devices that may not be opened for writing (N)" },
    { "domain", "signals (ABI 6)", eg_probe_landlock_signal, false, "kernel 6.12",
      "a worker can signal every process of its user (S and N)" },
    { "domain", "abstract sockets (ABI 6)", eg_probe_landlock_socket, false, "kernel 6.12",
      "a worker can talk to abstract sockets outside its tree (S and N)" },
    { "capabilities", "drop", eg_probe_capabilities, true, "any supported kernel",
      "`capabilities { }' cannot be kept" },
    { "shim", "preload object", try_preload, true,
      "libexecguard-preload.so beside the command or installed",
      "arguments, callers and environment are not judged (I, S, N)" },
    { "shim", "a guarded program", try_whole, true, "all of the above",
      "workers cannot be guarded here" },
    { "supervisor", "seccomp listener", eg_probe_listener, false,
      "kernel 5.5, and no other listener over this process",
      "no supervisor: arguments do not hold against N, nor ld.so" },
    { "supervisor", "look into workers", eg_probe_peek, false,
      "kernel 5.6, kernel.yama.ptrace_scope below 2",
      "no supervisor: it could not read what workers ask for" },
    { "supervisor", "look into other users' workers", eg_probe_peek_other, false,
      "root with CAP_SYS_PTRACE", "no supervisor for masters that change their workers' user" },
};
#define CHECK_COUNT (sizeof checks / sizeof checks[0])

/* Run argv in this child's child with these two variables; its exit status, or
 * -errno. */
static int run_with(const char *preload, const char *policy, char **argv)
{
    char *envp[] = { NULL, NULL, NULL };
    if (asprintf(&envp[0], "LD_PRELOAD=%s", preload) < 0 ||
        asprintf(&envp[1], "EXECGUARD_POLICY=%s", policy) < 0)
        return -ENOMEM;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        execve(argv[0], argv, envp);
        _exit(EG_EXIT_NOT_FOUND);
    }
    int status;
    if (waitpid(child, &status, 0) < 0) return -errno;
    free(envp[0]);
    free(envp[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Without a policy the object must end the program with 125 before main: a
 * program that ends with 0 never took the object. */
static int try_preload(void *context)
{
    char object[PATH_MAX];
    char program[] = "/bin/true";
    char *argv[] = { program, NULL };
    (void)context;
    if (eg_cli_find_preload(object)) return ENOENT;
    int status = run_with(object, "/nonexistent/execguard/policy", argv);
    if (status < 0) return -status;
    return status == EG_EXIT_FAILED ? 0 : ENOTSUP;
}

static int compile_into(const char *path)
{
    static const char text[] = "mode enforce\nexec {\n    allow /bin/true\n}\n";
    struct eg_policy_options options = { .guard_uid = geteuid() };
    struct eg_compile_options compile = { 0 };
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_policy *policy = NULL;
    struct eg_blob *blob = NULL;
    int r = eg_policy_parse("doctor", EG_STR(text), &options, &diagnostics, &policy);
    if (r == 0) r = eg_compile(policy, &compile, &diagnostics, &blob);
    if (r == 0) r = eg_blob_write(blob, path);
    eg_blob_free(blob);
    eg_policy_free(policy);
    eg_diagnostics_free(&diagnostics);
    return r;
}

/* The whole way by preload alone: a guarded shell (the worker here) runs the one
 * program that its policy names and cannot run another. */
static int try_whole(void *context)
{
    char object[PATH_MAX];
    char policy[PATH_MAX];
    char shell[] = "/bin/sh";
    char option[] = "-c";
    char allowed[] = "/bin/true";
    char refused[] = "/bin/ls / >/dev/null";
    char *good[] = { shell, option, allowed, NULL };
    char *bad[] = { shell, option, refused, NULL };
    if (snprintf(policy, sizeof policy, "%s/doctor.blob", (char *)context) >= PATH_MAX)
        return ENAMETOOLONG;
    if (eg_cli_find_preload(object)) return ENOENT;
    int r = compile_into(policy);
    if (r < 0) return -r;
    int status = run_with(object, policy, good);
    if (status != 0) return status < 0 ? -status : EACCES;
    status = run_with(object, policy, bad);
    return status == EG_EXIT_REFUSED ? 0 : ENOTSUP;
}

static const char *explain_error(int error)
{
    switch (error) {
    case EINTR: return "the attempt was ended by a signal";
    case ETIME: return "the attempt took more than five seconds";
    case ENOTSUP: return "the call succeeded but refused nothing";
    default: return strerror(error);
    }
}

static void print_text(const struct check *check, int error)
{
    printf("%-13s%s %-30s %s\n", check->layer, check->required ? "*" : " ", check->name,
           error ? "MISSING" : "works");
    if (!error) return;
    printf("               why:     %s\n", explain_error(error));
    printf("               needs:   %s\n", check->needs);
    printf("               without: %s\n", check->cost);
}

static void print_json(const struct check *check, int error, bool first)
{
    printf("%s{\"layer\":\"%s\",\"name\":\"%s\",\"required\":%s,\"works\":%s", first ? "" : ",",
           check->layer, check->name, check->required ? "true" : "false", error ? "false" : "true");
    if (error) {
        printf(",\"why\":");
        eg_cli_json_string(stdout, eg_str(explain_error(error)));
        printf(",\"needs\":");
        eg_cli_json_string(stdout, eg_str(check->needs));
        printf(",\"without\":");
        eg_cli_json_string(stdout, eg_str(check->cost));
    }
    printf("}");
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int eg_verb_doctor(const struct eg_cli_verb *verb, int argc, char **argv)
{
    bool json = false;
    const struct eg_cli_option options[] = {
        { "json", 0, &json, NULL },
        { 0 },
    };
    int status = eg_cli_parse_options(verb, options, argc, argv);
    if (status >= 0) return status;

    char folder[] = "/tmp/execguard-doctor.XXXXXX";
    if (!mkdtemp(folder)) return eg_cli_error("%s: %s", folder, strerror(errno));
    struct utsname machine;
    struct eg_kernel kernel;
    uname(&machine);
    eg_kernel_ask(&kernel);
    if (json)
        printf("{\"kernel\":\"%s\",\"machine\":\"%s\",\"landlock\":%d,\"checks\":[",
               machine.release, machine.machine, kernel.landlock_abi);
    else
        printf("kernel %s, %s, Landlock ABI %d\n\n", machine.release, machine.machine,
               kernel.landlock_abi);
    int missing = 0;
    int required = 0;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        int error = eg_cli_probe(checks[i].attempt, folder);
        if (error) missing++;
        if (error && checks[i].required) required++;
        if (json)
            print_json(&checks[i], error, i == 0);
        else
            print_text(&checks[i], error);
    }
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    if (json)
        puts("]}");
    else if (required)
        printf("\n%d required and %d other features are missing\n", required, missing - required);
    else if (missing)
        printf("\nevery required layer works; %d other features are missing\n", missing);
    else
        puts("\neverything works");
    return eg_cli_printed(required ? EG_EXIT_FAILED : EG_EXIT_OK);
}
