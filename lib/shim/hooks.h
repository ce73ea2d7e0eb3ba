// SPDX-License-Identifier: MIT
/* What the preload object exports.  libc's own headers are out of bounds here,
 * so the prototypes are ours: same parameters, opaque types as void. */
#ifndef EG_SHIM_HOOKS_H
#define EG_SHIM_HOOKS_H

#include "shim/shim.h"

#define EG_HOOK __attribute__((visibility("default")))

EG_HOOK int execve(const char *path, char *const argv[], char *const envp[]);
EG_HOOK int execv(const char *path, char *const argv[]);
EG_HOOK int execvp(const char *file, char *const argv[]);
EG_HOOK int execvpe(const char *file, char *const argv[], char *const envp[]);
EG_HOOK int __execvpe(const char *file, char *const argv[], char *const envp[]);
EG_HOOK int execl(const char *path, const char *arg, ...);
EG_HOOK int execlp(const char *file, const char *arg, ...);
EG_HOOK int execle(const char *path, const char *arg, ...);
EG_HOOK int execveat(int dirfd, const char *path, char *const argv[], char *const envp[],
                     int flags);
EG_HOOK int fexecve(int fd, char *const argv[], char *const envp[]);

EG_HOOK int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
                        char *const argv[], char *const envp[]);
EG_HOOK int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes,
                         char *const argv[], char *const envp[]);
EG_HOOK int pidfd_spawn(int *pidfd, const char *path, const void *actions, const void *attributes,
                        char *const argv[], char *const envp[]);
EG_HOOK int pidfd_spawnp(int *pidfd, const char *file, const void *actions, const void *attributes,
                         char *const argv[], char *const envp[]);

EG_HOOK int system(const char *line);
EG_HOOK int __libc_system(const char *line);
EG_HOOK void *popen(const char *line, const char *mode);
EG_HOOK void *_IO_popen(const char *line, const char *mode);
EG_HOOK void *_IO_proc_open(void *file, const char *line, const char *mode);
EG_HOOK int pclose(void *file);
EG_HOOK int wordexp(const char *words, void *result, int flags);

EG_HOOK int putenv(char *entry);
EG_HOOK int setenv(const char *name, const char *value, int overwrite);
EG_HOOK void *iconv_open(const char *to, const char *from);

/* Trampoline.S, which asks these before it jumps to libc:
 * the real function, or NULL when there is none.  A refused library becomes a
 * name that cannot exist, so that dlerror(3) has something to say. */
eg_function eg_hook_dlopen(const char **file, long *mode);
eg_function eg_hook_dlmopen(const char **file, long *mode);
long eg_hook_execve(const char *path, char *const argv[], char *const envp[]);
long eg_hook_execveat(int dirfd, const char *path, char *const argv[], char *const envp[],
                      int flags);
long eg_hook_result(long r);

#endif
