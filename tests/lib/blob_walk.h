// SPDX-License-Identifier: MIT
/* For tests of verified blobs: one with something in every section, and a reader
 * that follows every offset, so that a sanitizer sees one that leads outside. */
#ifndef EG_TESTS_BLOB_WALK_H
#define EG_TESTS_BLOB_WALK_H

#include "blob/blob.h"

/* Something in every section; malloc'ed, never NULL. */
struct eg_blob *blob_sample(void);

/* Reads all that a verified blob leads to; the sum is of no meaning. */
uint64_t blob_walk(const struct eg_blob *blob);

#endif
