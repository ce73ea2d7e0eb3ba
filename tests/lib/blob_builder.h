// SPDX-License-Identifier: MIT
/* Makes small compiled policies for tests, without the compiler: what a test
 * wants to see installed it writes down here.  A failed allocation aborts. */
#ifndef EG_TESTS_BLOB_BUILDER_H
#define EG_TESTS_BLOB_BUILDER_H

#include <linux/filter.h>

#include "blob/blob.h"

struct blob_builder {
    struct eg_blob header; /* set flags, capabilities, optional_layers here */
    struct {
        char *bytes;
        size_t size;
    } sections[EG_SECTION_COUNT];
    uint32_t any_arguments; /* first of the two nodes REST, END */
    bool no_filters;        /* leave the filter sections as they are */
};

/* An empty policy called "test" with these enum eg_blob_flag. */
void blob_builder_init(struct blob_builder *b, uint32_t flags);
void blob_builder_done(struct blob_builder *b);

/* Offset of a new string. */
uint32_t blob_builder_string(struct blob_builder *b, const char *text);

/* Append one element of the section's type; its index. */
uint32_t blob_builder_add(struct blob_builder *b, enum eg_section section, const void *element);

/* Add the program at `path` (canonical; EG_PROGRAM_MISSING when it is not there)
 * with what it is now; its index. */
uint32_t blob_builder_program(struct blob_builder *b, const char *path);

/* The same, allowed with any arguments and put in the exec set. */
uint32_t blob_builder_allow(struct blob_builder *b, const char *path);

void blob_builder_guard_file(struct blob_builder *b, const char *path);
void blob_builder_write_tree(struct blob_builder *b, const char *pattern, uint32_t flags);

/* Lay it out, with id and checksum.  Unless no_filters is set, each filter
 * section gets a filter that allows everything, answers the guard's query for
 * this id and (the supervised one) notifies EG_PRCTL_CALL.  malloc'ed. */
struct eg_blob *blob_builder_finish(struct blob_builder *b);

/* Path of this machine's dynamic loader, resolved; and what a program is. */
const char *blob_builder_loader(void);
struct eg_identity blob_builder_identity(const char *path);

#endif
