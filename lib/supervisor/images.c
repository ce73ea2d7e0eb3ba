// SPDX-License-Identifier: MIT
/* Purpose: a fixed pool of images, found by process, forgotten oldest first. */
#include "supervisor/images.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS   4096u
#define LOOKS_MAX 256 /* at entries, for one that can make room */

struct eg_images {
    struct eg_image *buckets[BUCKETS];
    struct eg_image pool[EG_IMAGES_MAX];
    struct eg_image *free; /* used before, free again */
    uint32_t used;         /* of the pool: what was never used costs no memory */
    struct eg_image ends;  /* ends.newer: the oldest; ends.older: the newest */
};

static struct eg_image **bucket(struct eg_images *images, pid_t tgid)
{
    return &images->buckets[(uint32_t)tgid % BUCKETS];
}

struct eg_images *eg_images_new(void)
{
    struct eg_images *images = calloc(1, sizeof *images);
    if (!images) return NULL;
    images->ends.older = images->ends.newer = &images->ends;
    return images;
}

void eg_images_free(struct eg_images *images)
{
    free(images);
}

static struct eg_image *look_up(struct eg_images *images, pid_t tgid)
{
    struct eg_image *image = *bucket(images, tgid);
    while (image && image->process.tgid != tgid) image = image->hash_next;
    return image;
}

struct eg_image *eg_images_find(struct eg_images *images, const struct eg_process *process)
{
    struct eg_image *image = look_up(images, process->tgid);
    if (!image || image->process.unique == process->unique) return image;
    eg_images_forget(images, process->tgid);
    return NULL;
}

static void detach(struct eg_images *images, struct eg_image *image)
{
    struct eg_image **link = bucket(images, image->process.tgid);
    while (*link != image) link = &(*link)->hash_next;
    *link = image->hash_next;
    image->older->newer = image->newer;
    image->newer->older = image->older;
}

static void append(struct eg_images *images, struct eg_image *image)
{
    image->older = images->ends.older;
    image->newer = &images->ends;
    image->older->newer = image;
    images->ends.older = image;
}

static bool is_gone(const struct eg_process *process)
{
    return kill(process->tgid, 0) < 0 && errno == ESRCH;
}

/* The oldest entry that nothing depends on.  Each one that is looked at in vain
 * goes to the end of the queue, so the next search begins with others. */
static struct eg_image *take_oldest(struct eg_images *images)
{
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        struct eg_image *image = images->ends.newer;
        if (!image->pending_count || is_gone(&image->process)) {
            detach(images, image);
            return image;
        }
        image->older->newer = image->newer;
        image->newer->older = image->older;
        append(images, image);
    }
    return NULL;
}

struct eg_image *eg_images_get(struct eg_images *images, const struct eg_process *process)
{
    struct eg_image *image = eg_images_find(images, process);
    if (image) return image;
    if (images->free) {
        image = images->free;
        images->free = image->hash_next;
    } else if (images->used < EG_IMAGES_MAX) {
        image = &images->pool[images->used++];
    } else {
        image = take_oldest(images);
        if (!image) return NULL;
    }
    memset(image, 0, sizeof *image);
    image->process = *process;
    image->hash_next = *bucket(images, process->tgid);
    *bucket(images, process->tgid) = image;
    append(images, image);
    return image;
}

void eg_image_expect(struct eg_image *image, const struct eg_pending *pending)
{
    if (image->pending_count == EG_PENDING_MAX) {
        memmove(&image->pending[0], &image->pending[1],
                (EG_PENDING_MAX - 1) * sizeof image->pending[0]);
        image->pending_count--;
    }
    image->pending[image->pending_count++] = *pending;
}

void eg_images_forget(struct eg_images *images, pid_t tgid)
{
    struct eg_image *image = look_up(images, tgid);
    if (!image) return;
    detach(images, image);
    image->hash_next = images->free;
    images->free = image;
}
