// SPDX-License-Identifier: MIT
/* A worker that reads: `reads file PATH N` 4 KiB of a file N times, `reads request - N`
 * a FastCGI request of php-fpm's size, accepted, read in its pieces and closed.
 * Prints the median nanoseconds of one, of N in batches. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

#define BATCH   100
#define BATCHES 10000

/* ---- a file ---- */

static int file = -1;
static char buffer[65536];

static int read_file(void)
{
    if (read(file, buffer, 4096) == 4096) return 0;
    return lseek(file, 0, SEEK_SET) < 0 || read(file, buffer, 4096) != 4096;
}

/* ---- a request ---- */

static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size = sizeof(sa_family_t);
static char request[8192];
static size_t request_size;

static void put(const void *bytes, size_t n)
{
    memcpy(request + request_size, bytes, n);
    request_size += n;
}

/* What nginx's fastcgi_params and a browser's headers make. */
static void make_request(void)
{
    static const char *const pairs[] = {
        "QUERY_STRING",
        "host=192.0.2.1&page=2",
        "REQUEST_METHOD",
        "GET",
        "CONTENT_TYPE",
        "",
        "CONTENT_LENGTH",
        "",
        "SCRIPT_NAME",
        "/index.php",
        "REQUEST_URI",
        "/index.php?host=192.0.2.1&page=2",
        "DOCUMENT_URI",
        "/index.php",
        "DOCUMENT_ROOT",
        "/srv/www/html",
        "SERVER_PROTOCOL",
        "HTTP/1.1",
        "REQUEST_SCHEME",
        "https",
        "HTTPS",
        "on",
        "GATEWAY_INTERFACE",
        "CGI/1.1",
        "SERVER_SOFTWARE",
        "nginx/1.22.1",
        "REMOTE_ADDR",
        "192.0.2.1",
        "REMOTE_PORT",
        "40000",
        "SERVER_ADDR",
        "192.0.2.2",
        "SERVER_PORT",
        "443",
        "SERVER_NAME",
        "www.example.org",
        "REDIRECT_STATUS",
        "200",
        "SCRIPT_FILENAME",
        "/srv/www/html/index.php",
        "HTTP_HOST",
        "www.example.org",
        "HTTP_USER_AGENT",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "HTTP_ACCEPT",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "HTTP_ACCEPT_LANGUAGE",
        "en-US,en;q=0.5",
        "HTTP_ACCEPT_ENCODING",
        "gzip, deflate, br",
        "HTTP_CONNECTION",
        "keep-alive",
        "HTTP_COOKIE",
        "PHPSESSID=0123456789abcdef0123456789; theme=dark; consent=yes",
    };
    unsigned char params[8] = { 1, 4, 0, 1 };
    put("\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16);
    size_t at = request_size;
    put(params, 8);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i += 2) {
        unsigned char lengths[2] = { (unsigned char)strlen(pairs[i]),
                                     (unsigned char)strlen(pairs[i + 1]) };
        put(lengths, 2);
        put(pairs[i], lengths[0]);
        put(pairs[i + 1], lengths[1]);
    }
    size_t n = request_size - at - 8;
    request[at + 4] = (char)(n >> 8);
    request[at + 5] = (char)n;
    put("\1\4\0\1\0\0\0\0", 8);
    put("\1\5\0\1\0\0\0\0", 8);
}

/* As php-fpm reads it: eight bytes, then what they announce. */
static int read_request(void)
{
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, address_size) < 0) return 1;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || write(client, request, request_size) != (ssize_t)request_size) return 1;
    for (unsigned char header[8] = { 0 }; header[1] != 5;) {
        if (read(fd, header, 8) != 8) return 1;
        ssize_t n = header[4] << 8 | header[5];
        if (n && read(fd, buffer, (size_t)n) != n) return 1;
    }
    return close(fd) < 0 || close(client) < 0;
}

static int listen_here(void)
{
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, address_size) < 0) return 1;
    address_size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &address_size);
    make_request();
    return listen(listener, 8) < 0;
}

int main(int argc, char **argv)
{
    static double times[BATCHES];
    if (argc != 4) return 125;
    int is_file = strcmp(argv[1], "file") == 0;
    if (is_file ? (file = open(argv[2], O_RDONLY)) < 0 : listen_here()) return 1;
    int (*one)(void) = is_file ? read_file : read_request;
    size_t batches = strtoul(argv[3], NULL, 10) / BATCH;
    if (batches == 0 || batches > BATCHES) return 125;
    for (size_t b = 0; b < batches; b++) {
        double start = now();
        for (int i = 0; i < BATCH; i++)
            if (one()) {
                perror("reads");
                return 1;
            }
        times[b] = (now() - start) / BATCH;
    }
    qsort(times, batches, sizeof *times, compare);
    printf("%.1f\n", times[batches / 2]);
    return 0;
}
