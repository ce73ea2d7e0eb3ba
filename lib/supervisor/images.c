// SPDX-License-Identifier: MIT
/* Purpose: a fixed pool of images, found by process, forgotten oldest first. */
#include "supervisor/images.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u

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

struct eg_image *eg_images_find(struct eg_images *images, pid_t tgid)
{
    struct eg_image *image = *bucket(images, tgid);
    while (image && image->tgid != tgid) image = image->hash_next;
    return image;
}

static void detach(struct eg_images *images, struct eg_image *image)
{
    struct eg_image **link = bucket(images, image->tgid);
    while (*link != image) link = &(*link)->hash_next;
    *link = image->hash_next;
    image->older->newer = image->newer;
    image->newer->older = image->older;
}

struct eg_image *eg_images_get(struct eg_images *images, pid_t tgid)
{
    struct eg_image *image = eg_images_find(images, tgid);
    if (image) return image;
    if (images->free) {
        image = images->free;
        images->free = image->hash_next;
    } else if (images->used < EG_IMAGES_MAX) {
        image = &images->pool[images->used++];
    } else {
        image = images->ends.newer;
        detach(images, image);
    }
    memset(image, 0, sizeof *image);
    image->tgid = tgid;
    image->hash_next = *bucket(images, tgid);
    *bucket(images, tgid) = image;
    image->older = images->ends.older;
    image->newer = &images->ends;
    image->older->newer = image;
    images->ends.older = image;
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
    struct eg_image *image = eg_images_find(images, tgid);
    if (!image) return;
    detach(images, image);
    image->hash_next = images->free;
    images->free = image;
}
