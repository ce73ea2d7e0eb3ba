// SPDX-License-Identifier: MIT
/* Compiled policies: what is whole passes, everything else is refused, and what
 * passes cannot lead a reader outside. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob_builder.h"
#include "blob_walk.h"

/* Memory whose end is the end of what may be read, sanitizer or not. */
struct fence {
    char *map;
    size_t map_size;
    char *end;
};

static struct fence make_fence(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct fence f = { .map_size = (size + 2 * page) / page * page };
    f.map = mmap(NULL, f.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(f.map, MAP_FAILED);
    f.end = f.map + f.map_size - page;
    assert_int_equal(mprotect(f.end, page, PROT_NONE), 0);
    return f;
}

static const char *verdict(const void *memory, size_t size)
{
    const struct eg_blob *blob = NULL;
    const char *why = NULL;
    int r = eg_blob_verify(memory, size, &blob, &why);
    if (r == 0) {
        assert_ptr_equal(blob, memory);
        assert_null(why);
        return NULL;
    }
    assert_int_equal(r, -EINVAL);
    assert_null(blob);
    assert_non_null(why);
    return why;
}

static const char *verdict_sealed(struct eg_blob *blob)
{
    blob->checksum = eg_blob_compute_checksum(blob);
    const char *why = verdict(blob, blob->size);
    return why ? why : "good";
}

#define TABLE(blob, type, section) ((type *)(uintptr_t)eg_blob_section((blob), (section)))

static void a_whole_blob_is_taken(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    assert_string_equal(verdict_sealed(blob), "good");
    assert_true(eg_blob_id_matches(blob));
    blob_walk(blob);
    free(blob);
}

static void a_blob_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct fence f = make_fence(blob->size);
    for (size_t n = 0; n < blob->size; n += n < 400 ? 1 : 8) {
        char *at = (char *)((uintptr_t)(f.end - n) & ~(uintptr_t)7);
        memcpy(at, blob, n);
        assert_non_null(verdict(at, n));
    }
    munmap(f.map, f.map_size);
    free(blob);
}

static void a_blob_cut_and_sealed_again_is_refused_or_safe(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct fence f = make_fence(blob->size);
    for (size_t n = sizeof(*blob); n < blob->size; n += 8) {
        struct eg_blob *cut = (struct eg_blob *)(void *)(f.end - n);
        memcpy(cut, blob, n);
        cut->size = (uint32_t)n;
        if (strcmp(verdict_sealed(cut), "good") == 0) blob_walk(cut);
    }
    munmap(f.map, f.map_size);
    free(blob);
}

static void something_behind_the_end_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    char *longer = calloc(1, blob->size + 8);
    assert_non_null(longer);
    memcpy(longer, blob, blob->size);
    assert_string_equal(verdict(longer, blob->size + 8), "something follows its end");
    free(longer);
    free(blob);
}

static void a_change_of_any_bit_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    unsigned char *bytes = (unsigned char *)blob;
    uint32_t size = blob->size;
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1u << bit);
            assert_non_null(verdict(blob, size));
            bytes[i] ^= (unsigned char)(1u << bit);
        }
    }
    free(blob);
}

static void a_change_of_any_byte_sealed_again_is_refused_or_safe(void **state)
{
    static const unsigned char values[] = { 0x00, 0x01, 0x02, 0x7f, 0x80, 0xff };
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct fence f = make_fence(blob->size);
    struct eg_blob *copy = (struct eg_blob *)(void *)(f.end - blob->size);
    unsigned taken = 0, refused = 0;
    for (size_t i = 0; i < blob->size; i++) {
        for (size_t v = 0; v < sizeof(values); v++) {
            memcpy(copy, blob, blob->size);
            ((unsigned char *)copy)[i] = values[v];
            if (copy->size != blob->size) continue;
            if (strcmp(verdict_sealed(copy), "good") == 0) {
                blob_walk(copy);
                taken++;
            } else {
                refused++;
            }
        }
    }
    assert_true(taken > 100 && refused > 100); /* both ways were gone */
    munmap(f.map, f.map_size);
    free(blob);
}

static void another_magic_or_version_is_named(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    blob->magic[0] = 'E';
    assert_string_equal(verdict_sealed(blob), "it is not a compiled policy");
    blob->magic[0] = 'e';
    blob->version = EG_BLOB_VERSION + 1;
    assert_non_null(strstr(verdict_sealed(blob), "another version"));
    free(blob);
}

static void another_machine_is_named(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    blob->arch ^= 1;
    assert_non_null(strstr(verdict_sealed(blob), "another kind of machine"));
    free(blob);
}

static void unaligned_memory_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    char *memory = malloc(blob->size + 8);
    assert_non_null(memory);
    memcpy(memory + 1, blob, blob->size);
    assert_string_equal(verdict(memory + 1, blob->size), "it is not aligned");
    free(memory);
    free(blob);
}

static void sections_out_of_order_or_out_of_bounds_are_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct eg_blob_range *r = &blob->sections[EG_SECTION_RULES];
    struct eg_blob_range saved = *r;
    r->offset = blob->sections[EG_SECTION_PROGRAMS].offset;
    assert_string_equal(verdict_sealed(blob), "a section lies out of bounds");
    *r = saved;
    r->count = UINT32_MAX;
    assert_string_equal(verdict_sealed(blob), "a section lies out of bounds");
    *r = saved;
    r->offset += 4;
    assert_string_equal(verdict_sealed(blob), "a section lies out of bounds");
    *r = saved;
    r->offset = UINT32_MAX - 7;
    assert_string_equal(verdict_sealed(blob), "a section lies out of bounds");
    *r = saved;
    assert_string_equal(verdict_sealed(blob), "good");
    free(blob);
}

static void a_jump_backwards_or_outside_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct eg_blob_node *nodes = TABLE(blob, struct eg_blob_node, EG_SECTION_NODES) +
                                 eg_blob_count(blob, EG_SECTION_NODES) - 8;
    assert_int_equal(nodes[0].op, EG_NODE_SPLIT);
    for (uint32_t target = 0; target <= 8; target += 8) {
        nodes[0].a = target;
        assert_string_equal(verdict_sealed(blob), "a rule is malformed");
        nodes[0].a = 1;
        nodes[0].b = target;
        assert_string_equal(verdict_sealed(blob), "a rule is malformed");
        nodes[0].b = 3;
    }
    assert_string_equal(verdict_sealed(blob), "good");
    nodes[2].a = 2;
    assert_string_equal(verdict_sealed(blob), "a rule is malformed");
    free(blob);
}

static const char *verdict_of_automaton(uint32_t count, bool with_end)
{
    const struct eg_blob_node rest = { EG_NODE_REST, 0, 0 }, end = { EG_NODE_END, 0, 0 };
    struct blob_builder b;
    blob_builder_init(&b, 0);
    blob_builder_allow(&b, "/usr/bin/tool");
    struct eg_blob_rule *rule = (void *)b.sections[EG_SECTION_RULES].bytes;
    rule->nodes = (uint32_t)(b.sections[EG_SECTION_NODES].size / sizeof(rest));
    rule->node_count = count;
    for (uint32_t i = 0; i < count; i++)
        blob_builder_add(&b, EG_SECTION_NODES, with_end && i + 1 == count ? &end : &rest);
    struct eg_blob *blob = blob_builder_finish(&b);
    const char *why = verdict_sealed(blob);
    free(blob);
    blob_builder_done(&b);
    return why;
}

static void an_automaton_without_an_end_or_too_long_is_refused(void **state)
{
    (void)state;
    assert_string_equal(verdict_of_automaton(EG_NODES_MAX, true), "good");
    assert_string_equal(verdict_of_automaton(EG_NODES_MAX, false), "a rule is malformed");
    assert_string_equal(verdict_of_automaton(EG_NODES_MAX + 1, true), "a rule is malformed");
    assert_string_equal(verdict_of_automaton(0, false), "a rule is malformed");
}

static void a_loop_of_interpreters_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    TABLE(blob, struct eg_blob_program, EG_SECTION_PROGRAMS)[0].interpreter = 1;
    assert_string_equal(verdict_sealed(blob), "a program is malformed");
    free(blob);
}

static void an_unterminated_string_is_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    char *strings = TABLE(blob, char, EG_SECTION_STRINGS);
    strings[eg_blob_count(blob, EG_SECTION_STRINGS) - 1] = 'x';
    assert_string_equal(verdict_sealed(blob), "a string does not end");
    free(blob);
}

static void holes_that_touch_are_refused(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    struct eg_blob_piece *pieces = TABLE(blob, struct eg_blob_piece, EG_SECTION_PIECES);
    pieces[4].kind = EG_PIECE_INT; /* the literal between two holes */
    assert_string_equal(verdict_sealed(blob), "a word pattern is malformed");
    free(blob);
}

static void the_id_covers_all_but_the_filters(void **state)
{
    (void)state;
    struct eg_blob *blob = blob_sample();
    unsigned char *bytes = (unsigned char *)blob;
    for (enum eg_section s = 0; s < EG_SECTION_FIRST_FILTER; s++) {
        size_t size = (size_t)eg_blob_count(blob, s) * eg_blob_element_size(s);
        assert_true(size > 0);
        for (size_t i = 0; i < size; i++) {
            bytes[blob->sections[s].offset + i] ^= 0x10;
            assert_false(eg_blob_id_matches(blob));
            bytes[blob->sections[s].offset + i] ^= 0x10;
        }
    }
    bytes[blob->sections[EG_SECTION_FIRST_FILTER].offset] ^= 0x10;
    blob->checksum ^= 1;
    assert_true(eg_blob_id_matches(blob));
    uint32_t *const fields[] = {
        &blob->flags,           &blob->optional_layers, &blob->name,    &blob->arch,
        &blob->rate_per_second, &blob->rate_burst,      &blob->version, &blob->agent
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] ^= 1;
        assert_false(eg_blob_id_matches(blob));
        *fields[i] ^= 1;
    }
    blob->capabilities ^= 1;
    assert_false(eg_blob_id_matches(blob));
    free(blob);
}

static void the_id_does_not_depend_on_the_length_of_filters(void **state)
{
    (void)state;
    struct blob_builder b;
    const struct sock_filter allow = { 0x06, 0, 0, 0x7fff0000 };
    uint32_t ids[2][4];
    for (int i = 0; i < 2; i++) {
        blob_builder_init(&b, 0);
        blob_builder_allow(&b, "/usr/bin/tool");
        b.no_filters = true;
        for (int n = 0; n < 1 + 40 * i; n++) blob_builder_add(&b, EG_SECTION_FILTER_LAUNCH, &allow);
        struct eg_blob *blob = blob_builder_finish(&b);
        assert_string_equal(verdict_sealed(blob), "good");
        memcpy(ids[i], blob->id, sizeof(ids[i]));
        free(blob);
        blob_builder_done(&b);
    }
    assert_memory_equal(ids[0], ids[1], sizeof(ids[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_blob_is_taken),
        cmocka_unit_test(a_blob_cut_anywhere_is_refused),
        cmocka_unit_test(a_blob_cut_and_sealed_again_is_refused_or_safe),
        cmocka_unit_test(something_behind_the_end_is_refused),
        cmocka_unit_test(a_change_of_any_bit_is_refused),
        cmocka_unit_test(a_change_of_any_byte_sealed_again_is_refused_or_safe),
        cmocka_unit_test(another_magic_or_version_is_named),
        cmocka_unit_test(another_machine_is_named),
        cmocka_unit_test(unaligned_memory_is_refused),
        cmocka_unit_test(sections_out_of_order_or_out_of_bounds_are_refused),
        cmocka_unit_test(a_jump_backwards_or_outside_is_refused),
        cmocka_unit_test(an_automaton_without_an_end_or_too_long_is_refused),
        cmocka_unit_test(a_loop_of_interpreters_is_refused),
        cmocka_unit_test(an_unterminated_string_is_refused),
        cmocka_unit_test(holes_that_touch_are_refused),
        cmocka_unit_test(the_id_covers_all_but_the_filters),
        cmocka_unit_test(the_id_does_not_depend_on_the_length_of_filters),
    };
    return cmocka_run_group_tests_name("compiled policies", tests, NULL, NULL);
}
