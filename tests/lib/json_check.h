// SPDX-License-Identifier: MIT
/* A strict reader of JSON (RFC 8259) for tests: says whether a text is one
 * valid value in valid UTF-8, and finds a field in it.  Shares no code with what
 * it checks. */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Is text[0..n) exactly one JSON value (white space around it allowed), without
 * a duplicate key in any object?  When not, *ret_why (static text) and *ret_at
 * say what is wrong and where; both may be NULL. */
bool json_check(const char *text, size_t n, const char **ret_why, size_t *ret_at);

/* Finds the field `path` ("request.uri": keys joined by dots) of the object in
 * text, which json_check accepts.  Strings are decoded to UTF-8 (a NUL becomes
 * U+FFFD) into ret; other values are copied as they stand.  False: there is no
 * such field, or it does not fit. */
bool json_get(const char *text, size_t n, const char *path, char *ret, size_t cap);

#endif
