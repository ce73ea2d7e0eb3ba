// SPDX-License-Identifier: MIT
/* An error is called the same whichever of the two programs meets it: glibc's
 * words where musl has others.  The front's objects are compiled to call this
 * instead of strerror(3). */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#undef strerror
char *strerror(int error);
char *eg_front_strerror(int error);

static const struct {
    int error;
    const char *words;
} glibc[] = {
    { EIO, "Input/output error" },
    { ECHILD, "No child processes" },
    { ENOMEM, "Cannot allocate memory" },
    { EBUSY, "Device or resource busy" },
    { EXDEV, "Invalid cross-device link" },
    { EMFILE, "Too many open files" },
    { ENFILE, "Too many open files in system" },
    { ENOTTY, "Inappropriate ioctl for device" },
    { ESPIPE, "Illegal seek" },
    { EDEADLK, "Resource deadlock avoided" },
    { ENAMETOOLONG, "File name too long" },
    { ELOOP, "Too many levels of symbolic links" },
    { EOVERFLOW, "Value too large for defined data type" },
    { ELIBBAD, "Accessing a corrupted shared library" },
    { EMSGSIZE, "Message too long" },
    { EPROTOTYPE, "Protocol wrong type for socket" },
    { EOPNOTSUPP, "Operation not supported" },
    { EAFNOSUPPORT, "Address family not supported by protocol" },
    { EADDRINUSE, "Address already in use" },
    { EADDRNOTAVAIL, "Cannot assign requested address" },
    { ENETUNREACH, "Network is unreachable" },
    { ECONNRESET, "Connection reset by peer" },
    { ENOTCONN, "Transport endpoint is not connected" },
    { ETIMEDOUT, "Connection timed out" },
    { EHOSTUNREACH, "No route to host" },
    { ESTALE, "Stale file handle" },
    { EDQUOT, "Disk quota exceeded" },
};

char *eg_front_strerror(int error)
{
    for (size_t i = 0; i < sizeof glibc / sizeof glibc[0]; i++)
        if (glibc[i].error == error) return (char *)(uintptr_t)glibc[i].words;
    return strerror(error);
}
