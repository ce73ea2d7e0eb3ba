// SPDX-License-Identifier: MIT
/* Purpose: the text of a ContainerProcessState.  The peer is a runtime that the
 * agent trusts to start containers, not to write memory-safe JSON: sizes, types
 * and names are bounded here. */
#include "supervisor/oci.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

bool eg_oci_name_valid(struct eg_str name)
{
    if (!name.n || name.n > EG_OCI_NAME_MAX || name.p[0] == '.') return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.';
        if (!good) return false;
    }
    return true;
}

static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

static struct eg_str text_of(const json_t *value)
{
    if (!json_is_string(value)) return (struct eg_str){ NULL, 0 };
    return (struct eg_str){ json_string_value(value), json_string_length(value) };
}

/* "id": printable, without what separates names of stored descriptors. */
static bool take_id(struct eg_str id, char ret[EG_OCI_ID_MAX + 1])
{
    if (!id.n || id.n > EG_OCI_ID_MAX) return false;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == ':') return false;
        ret[i] = id.p[i];
    }
    ret[id.n] = '\0';
    return true;
}

static bool take_hex(struct eg_str hex, uint32_t ret[4])
{
    if (hex.n != 32) return false;
    memset(ret, 0, 4 * sizeof *ret);
    for (size_t i = 0; i < hex.n; i++) {
        char c = hex.p[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else
            return false;
        ret[i / 8] = ret[i / 8] << 4 | digit;
    }
    return true;
}

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || c == '\t' || c == '\n';
}

static int take_metadata(struct eg_str left, struct eg_oci_state *ret, const char **ret_why)
{
    ret->policy[0] = '\0';
    while (left.n) {
        size_t n = 0;
        while (n < left.n && !is_separator(left.p[n])) n++;
        struct eg_str word = { left.p, n };
        left = eg_str_skip(left, n + 1);
        if (!word.n) continue;
        size_t equals = eg_str_find(word, '=');
        struct eg_str value = eg_str_skip(word, equals + 1);
        struct eg_str key = { word.p, equals };
        if (eg_str_equal(key, EG_STR("policy"))) {
            if (ret->policy[0]) return refuse(ret_why, "the metadata names two policies");
            if (!eg_oci_name_valid(value))
                return refuse(ret_why, "the metadata's policy is no name (letters, digits, _ - .)");
            memcpy(ret->policy, value.p, value.n);
            ret->policy[value.n] = '\0';
        } else if (eg_str_equal(key, EG_STR("attach"))) {
            if (!eg_str_equal(value, EG_STR("exec")))
                return refuse(ret_why, "the metadata's attach is not `exec'");
            ret->attach_exec = true;
        } else if (eg_str_equal(key, EG_STR("id"))) {
            if (!take_hex(value, ret->blob_id))
                return refuse(ret_why, "the metadata's id is not 32 hexadecimal digits");
            ret->has_blob_id = true;
        } else {
            return refuse(ret_why, "the metadata holds an unknown word; write policy=NAME");
        }
    }
    if (!ret->policy[0]) return refuse(ret_why, "the metadata does not say policy=NAME");
    return 0;
}

/* "fds" names each descriptor that came along; exactly one is ours. */
static int take_fds(const json_t *fds, size_t fd_count, struct eg_oci_state *ret,
                    const char **ret_why)
{
    if (!json_is_array(fds)) return refuse(ret_why, "\"fds\" is no array");
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(fds); i++) {
        struct eg_str name = text_of(json_array_get(fds, i));
        if (!eg_str_equal(name, EG_STR("seccompFd"))) continue;
        ret->fd_index = i;
        found++;
    }
    if (json_array_size(fds) != fd_count)
        return refuse(ret_why, "\"fds\" names another number of descriptors than came along");
    if (found != 1) return refuse(ret_why, "\"fds\" does not name one seccompFd");
    return 0;
}

static int take_state(const json_t *root, size_t fd_count, struct eg_oci_state *ret,
                      const char **ret_why)
{
    const json_t *pid = json_object_get(root, "pid");
    const json_t *state = json_object_get(root, "state");
    memset(ret, 0, sizeof *ret);
    if (!json_is_object(root) || !json_is_object(state))
        return refuse(ret_why, "the message is no ContainerProcessState");
    int error = take_fds(json_object_get(root, "fds"), fd_count, ret, ret_why);
    if (error) return error;
    json_int_t number = json_is_integer(pid) ? json_integer_value(pid) : 0;
    if (number < 1 || number > INT32_MAX) return refuse(ret_why, "\"pid\" is no process");
    ret->pid = (pid_t)number;
    if (!take_id(text_of(json_object_get(state, "id")), ret->id))
        return refuse(ret_why, "\"state.id\" is no container id");
    struct eg_str metadata = text_of(json_object_get(root, "metadata"));
    return take_metadata(metadata, ret, ret_why);
}

int eg_oci_parse(const char *text, size_t n, size_t fd_count, struct eg_oci_state *ret,
                 const char **ret_why)
{
    json_error_t error;
    if (n > EG_OCI_MESSAGE_MAX) return refuse(ret_why, "the message is over 64 KiB");
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        *ret_why = "the message is no JSON";
        if (json_error_code(&error) == json_error_out_of_memory) return -ENOMEM;
        return json_error_code(&error) == json_error_premature_end_of_input ? -EAGAIN : -EINVAL;
    }
    int result = take_state(root, fd_count, ret, ret_why);
    json_decref(root);
    return result;
}
