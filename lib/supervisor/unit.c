// SPDX-License-Identifier: MIT
/* Purpose: the unit of a process, by the control group that systemd put it into
 * (cgroups(7), systemd.slice(5)). */
#include "supervisor/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The path of a line that is systemd's: cgroup v2, or its own tree beside v1. */
static const char *path_of(char *line)
{
    char *path = strstr(line, "::/");
    if (path) return path + 2;
    path = strstr(line, ":name=systemd:/");
    return path ? strchr(path, '/') : NULL;
}

/* The first component that is a service: what lies below it is its own business. */
static bool find_service(const char *path, char ret[EG_UNIT_MAX])
{
    static const char suffix[] = ".service", user[] = "user@";
    const size_t tail = sizeof suffix - 1;
    for (const char *part = path; part; part = strchr(part, '/')) {
        size_t n = strcspn(++part, "/");
        if (n <= tail || n >= EG_UNIT_MAX || strncmp(part + n - tail, suffix, tail) != 0) continue;
        if (strncmp(part, user, sizeof user - 1) == 0) return false;
        memcpy(ret, part, n);
        ret[n] = '\0';
        return true;
    }
    return false;
}

bool eg_unit_of(pid_t pid, char ret[EG_UNIT_MAX])
{
    char file[64], text[4096], *left = text;
    snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line; (line = strsep(&left, "\n"));) {
        const char *path = path_of(line);
        if (path && find_service(path, ret)) return true;
    }
    return false;
}
