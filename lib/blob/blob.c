// SPDX-License-Identifier: MIT
/* What a blob is called and how it is protected: element sizes, checksum, id. */
#include "blob/blob.h"

#include "base/sha256.h"

uint32_t eg_blob_element_size(enum eg_section section)
{
    switch (section) {
    case EG_SECTION_STRINGS: return 1;
    case EG_SECTION_PROGRAMS: return sizeof(struct eg_blob_program);
    case EG_SECTION_RULES: return sizeof(struct eg_blob_rule);
    case EG_SECTION_NODES: return sizeof(struct eg_blob_node);
    case EG_SECTION_WORDS: return sizeof(struct eg_blob_word);
    case EG_SECTION_PIECES: return sizeof(struct eg_blob_piece);
    case EG_SECTION_ENV: return sizeof(struct eg_blob_env);
    case EG_SECTION_SINKS: return sizeof(struct eg_blob_sink);
    case EG_SECTION_DEPENDENCIES: return sizeof(struct eg_blob_dependency);
    case EG_SECTION_WRITE_TREES: return sizeof(struct eg_blob_tree);
    case EG_SECTION_UPLOADS: return sizeof(struct eg_blob_upload);
    case EG_SECTION_UPLOAD_NAMES: return sizeof(struct eg_blob_name);
    case EG_SECTION_FROMS:
    case EG_SECTION_USERS:
    case EG_SECTION_EXEC_SET:
    case EG_SECTION_GUARD_FILES: return sizeof(uint32_t);
    case EG_SECTION_FILTER_LAUNCH:
    case EG_SECTION_FILTER_FINAL:
    case EG_SECTION_FILTER_SUPERVISED: return 8; /* struct sock_filter */
    case EG_SECTION_COUNT: break;
    }
    return 0;
}

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME  0x100000001b3u

/* Each step can be undone, so no change within one word goes unseen.  The shift
 * brings high bits down, which a multiplication alone never does. */
static uint64_t stir(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * FNV_PRIME;
    return hash ^ hash >> 32;
}

static uint64_t load_word(const unsigned char *p, size_t n)
{
    uint64_t word = 0;
    __builtin_memcpy(&word, p, n);
    return word;
}

uint64_t eg_blob_compute_checksum(const struct eg_blob *blob)
{
    const unsigned char *bytes = (const unsigned char *)blob;
    size_t size = blob->size;
    size_t field = offsetof(struct eg_blob, checksum);
    uint64_t hash = FNV_OFFSET;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t))
        hash = stir(hash, i == field ? 0 : load_word(bytes + i, sizeof(uint64_t)));
    if (i < size) hash = stir(hash, load_word(bytes + i, size - i));
    return hash;
}

/* The filters, and what depends on them (size, checksum, the id itself), stay
 * out: the filters carry the id. */
void eg_blob_compute_id(const struct eg_blob *blob, uint32_t ret_id[4])
{
    const struct {
        uint64_t capabilities;
        uint32_t version, flags, optional_layers, name, arch, rate_per_second, rate_burst, agent;
    } header = { blob->capabilities,    blob->version,    blob->flags,
                 blob->optional_layers, blob->name,       blob->arch,
                 blob->rate_per_second, blob->rate_burst, blob->agent };
    unsigned char digest[32];
    struct eg_sha256 sha;
    eg_sha256_init(&sha);
    eg_sha256_feed(&sha, &header, sizeof(header));
    for (enum eg_section s = 0; s < EG_SECTION_FIRST_FILTER; s++) {
        eg_sha256_feed(&sha, &blob->sections[s], sizeof(blob->sections[s]));
        eg_sha256_feed(&sha, eg_blob_section(blob, s),
                       (size_t)eg_blob_count(blob, s) * eg_blob_element_size(s));
    }
    eg_sha256_done(&sha, digest);
    __builtin_memcpy(ret_id, digest, 4 * sizeof(ret_id[0]));
}

bool eg_blob_id_matches(const struct eg_blob *blob)
{
    uint32_t id[4];
    eg_blob_compute_id(blob, id);
    return eg_bytes_equal(id, blob->id, sizeof(id));
}
