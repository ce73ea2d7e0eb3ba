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

EG_HOOK int open(const char *path, int flags, uint32_t mode);
EG_HOOK int open64(const char *path, int flags, uint32_t mode);
EG_HOOK int openat(int dirfd, const char *path, int flags, uint32_t mode);
EG_HOOK int openat64(int dirfd, const char *path, int flags, uint32_t mode);
EG_HOOK int creat(const char *path, uint32_t mode);
EG_HOOK int creat64(const char *path, uint32_t mode);
EG_HOOK int __open(const char *path, int flags, uint32_t mode);
EG_HOOK int __open64(const char *path, int flags, uint32_t mode);
EG_HOOK int __open_2(const char *path, int flags, uint32_t unused);
EG_HOOK int __open64_2(const char *path, int flags, uint32_t unused);
EG_HOOK int __openat_2(int dirfd, const char *path, int flags, uint32_t unused);
EG_HOOK int __openat64_2(int dirfd, const char *path, int flags, uint32_t unused);
EG_HOOK int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags,
                                             uint32_t mode);
EG_HOOK void *fopen(const char *path, const char *mode);
EG_HOOK void *fopen64(const char *path, const char *mode);
EG_HOOK void *_IO_fopen(const char *path, const char *mode);
EG_HOOK void *freopen(const char *path, const char *mode, void *file);
EG_HOOK void *freopen64(const char *path, const char *mode, void *file);
EG_HOOK int close(int fd);
EG_HOOK int __close(int fd);
EG_HOOK int fclose(void *file);
EG_HOOK int _IO_fclose(void *file);

EG_HOOK int accept(int fd, void *address, uint32_t *size);
EG_HOOK int accept4(int fd, void *address, uint32_t *size, int flags);
EG_HOOK long read(int fd, void *buffer, size_t n);
EG_HOOK long __read_chk(int fd, void *buffer, size_t n, size_t size);
EG_HOOK long recv(int fd, void *buffer, size_t n, int flags);
EG_HOOK long __recv_chk(int fd, void *buffer, size_t n, size_t size, int flags);
EG_HOOK long recvfrom(int fd, void *buffer, size_t n, int flags, void *address, uint32_t *size);
EG_HOOK long recvmsg(int fd, void *message, int flags);

EG_HOOK int mkdir(const char *path, uint32_t mode);
EG_HOOK int mkdirat(int dirfd, const char *path, uint32_t mode);
EG_HOOK int mknod(const char *path, uint32_t mode, uint64_t device);
EG_HOOK int mknodat(int dirfd, const char *path, uint32_t mode, uint64_t device);
EG_HOOK int __xmknod(int version, const char *path, uint32_t mode, uint64_t *device);
EG_HOOK int __xmknodat(int version, int dirfd, const char *path, uint32_t mode, uint64_t *device);
EG_HOOK int mkfifo(const char *path, uint32_t mode);
EG_HOOK int mkfifoat(int dirfd, const char *path, uint32_t mode);
EG_HOOK int mkstemp(char *path);
EG_HOOK int mkstemp64(char *path);
EG_HOOK int mkostemp(char *path, int flags);
EG_HOOK int mkostemp64(char *path, int flags);
EG_HOOK int mkstemps(char *path, int suffix);
EG_HOOK int mkstemps64(char *path, int suffix);
EG_HOOK int mkostemps(char *path, int suffix, int flags);
EG_HOOK int mkostemps64(char *path, int suffix, int flags);
EG_HOOK char *mkdtemp(char *path);
EG_HOOK int symlink(const char *text, const char *path);
EG_HOOK int symlinkat(const char *text, int dirfd, const char *path);
EG_HOOK int bind(int fd, const void *address, uint32_t size);
EG_HOOK int link(const char *from, const char *to);
EG_HOOK int linkat(int from_dirfd, const char *from, int dirfd, const char *to, uint32_t flags);
EG_HOOK int rename(const char *from, const char *to);
EG_HOOK int renameat(int from_dirfd, const char *from, int dirfd, const char *to);
EG_HOOK int renameat2(int from_dirfd, const char *from, int dirfd, const char *to, uint32_t flags);
EG_HOOK int unlink(const char *path);
EG_HOOK int unlinkat(int dirfd, const char *path, int flags);
EG_HOOK int rmdir(const char *path);
EG_HOOK int remove(const char *path);
EG_HOOK int truncate(const char *path, int64_t size);
EG_HOOK int truncate64(const char *path, int64_t size);
EG_HOOK int chmod(const char *path, uint32_t mode);
EG_HOOK int lchmod(const char *path, uint32_t mode);
EG_HOOK int fchmod(int fd, uint32_t mode);
EG_HOOK int fchmodat(int dirfd, const char *path, uint32_t mode, int flags);
EG_HOOK int setxattr(const char *path, const char *name, const void *value, size_t size, int flags);
EG_HOOK int lsetxattr(const char *path, const char *name, const void *value, size_t size,
                      int flags);
EG_HOOK int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);

/* Trampoline.S, which asks these before it jumps to libc:
 * the real function, or NULL when there is none.  A refused library becomes a
 * name that cannot exist, so that dlerror(3) has something to say. */
eg_function eg_hook_dlopen(const char **file, long *mode);
eg_function eg_hook_dlmopen(const char **file, long *mode);
long eg_hook_execve(const char *path, char *const argv[], char *const envp[]);
long eg_hook_execveat(int dirfd, const char *path, char *const argv[], char *const envp[],
                      int flags);
long eg_hook_result(long r);
long eg_hook_file_syscall(long nr, long a, long b, long c, long d, long e, long f);
extern const uint64_t eg_file_syscalls[8];

#endif
