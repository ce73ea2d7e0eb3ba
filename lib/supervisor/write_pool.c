// SPDX-License-Identifier: MIT
/* Purpose: a few threads for what may wait.
 *
 * Started with the first job.  A thread has its own umask and working directory
 * (CLONE_FS), and becomes the caller by raw system calls, which are its alone. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS     4
#define WAITING_MAX 256

struct eg_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct eg_job *first, **last; /* to do */
    struct eg_job *done;
    unsigned waiting, idle, started;
    int users; /* threads and the owner; the last one frees */
    int fd;
    bool ends;
};

struct eg_pool *eg_pool_new(void)
{
    struct eg_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->fd < 0) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->last = &pool->first;
    pool->users = 1;
    return pool;
}

int eg_pool_fd(const struct eg_pool *pool)
{
    return pool->fd;
}

/* With the lock held, which it gives back. */
static void leave(struct eg_pool *pool)
{
    bool last = --pool->users == 0;
    pthread_mutex_unlock(&pool->lock);
    if (!last) return;
    for (struct eg_job *job = pool->done, *next; job; job = next) {
        next = job->next;
        free(job);
    }
    close(pool->fd);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct eg_job *next_job(struct eg_pool *pool)
{
    struct eg_job *job = pool->first;
    pool->first = job->next;
    if (!pool->first) pool->last = &pool->first;
    pool->waiting--;
    return job;
}

static void *work(void *argument)
{
    struct eg_pool *pool = argument;
    uint64_t one = 1;
    bool alone = unshare(CLONE_FS) == 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->ends) {
        if (!pool->first) {
            pool->idle++;
            pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
            continue;
        }
        struct eg_job *job = next_job(pool);
        pthread_mutex_unlock(&pool->lock);
        /* what was closed is judged as ourselves */
        if (alone || job->closed)
            eg_job_run_patiently(job);
        else
            eg_job_answer(job, -EAGAIN);
        pthread_mutex_lock(&pool->lock);
        job->next = pool->done;
        pool->done = job;
        ssize_t n = write(pool->fd, &one, sizeof one);
        (void)n; /* full only when it is readable anyway */
    }
    leave(pool);
    return NULL;
}

static bool start_thread(struct eg_pool *pool)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 << 10);
    bool started = pthread_create(&thread, &attributes, work, pool) == 0;
    pthread_attr_destroy(&attributes);
    if (started) {
        pool->started++;
        pool->users++;
    }
    return started;
}

int eg_pool_give(struct eg_pool *pool, struct eg_job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool room = pool->waiting < WAITING_MAX;
    if (room && !pool->idle && pool->started < THREADS)
        room = start_thread(pool) || pool->started > 0;
    if (room) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return room ? 0 : -EBUSY;
}

struct eg_job *eg_pool_take(struct eg_pool *pool)
{
    uint64_t count;
    pthread_mutex_lock(&pool->lock);
    struct eg_job *job = pool->done;
    if (job) {
        pool->done = job->next;
    } else {
        ssize_t n = read(pool->fd, &count, sizeof count);
        (void)n;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* A thread that waits for another machine keeps its own until that answers. */
void eg_pool_free(struct eg_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->ends = true;
    while (pool->first) free(next_job(pool));
    pthread_cond_broadcast(&pool->work);
    leave(pool);
}
