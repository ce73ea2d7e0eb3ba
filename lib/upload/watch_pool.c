// SPDX-License-Identifier: MIT
/* Purpose: the threads that may wait for the file system, and their bounded
 * queues.  Openers first: somebody waits for them. */
#include "upload/watch_parts.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int64_t eg_watch_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void eg_watch_enlist(struct eg_watch *watch, const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
    unsigned n = atomic_fetch_add(&watch->thread_count, 1);
    if (n < sizeof watch->threads / sizeof *watch->threads)
        atomic_store(&watch->threads[n], gettid());
}

struct eg_watch_job *eg_watch_new_job(enum eg_watch_job_kind kind, size_t text)
{
    struct eg_watch_job *job = calloc(1, sizeof *job + text);
    if (!job) return NULL;
    job->kind = kind;
    job->fd = -1;
    return job;
}

static void push(struct eg_watch_queue *queue, struct eg_watch_job *job)
{
    job->next = NULL;
    if (!queue->first) queue->last = &queue->first;
    *queue->last = job;
    queue->last = &job->next;
    queue->count++;
}

static struct eg_watch_job *pop(struct eg_watch_queue *queue)
{
    struct eg_watch_job *job = queue->first;
    if (!job) return NULL;
    queue->first = job->next;
    queue->count--;
    return job;
}

/* Deadlines are all alike, so the list of those that wait is in their order. */
static void await(struct eg_watch *watch, struct eg_watch_job *job)
{
    if (!watch->pending) watch->pending_last = &watch->pending;
    job->newer = NULL;
    job->pending = watch->pending_last;
    *watch->pending_last = job;
    watch->pending_last = &job->newer;
    watch->pending_count++;
}

static void await_no_more(struct eg_watch *watch, struct eg_watch_job *job)
{
    *job->pending = job->newer;
    if (job->newer)
        job->newer->pending = job->pending;
    else
        watch->pending_last = job->pending;
    watch->pending_count--;
}

bool eg_watch_give(struct eg_watch *watch, struct eg_watch_job *job)
{
    bool taken = false;
    if (!job) return false;
    pthread_mutex_lock(&watch->pool_lock);
    switch (job->kind) {
    case EG_WATCH_JOB_OPEN:
        taken = watch->pending_count < EG_WATCH_OPENS_MAX;
        if (!taken) break;
        push(&watch->open_jobs, job);
        await(watch, job);
        break;
    case EG_WATCH_JOB_REPORT:
        taken = watch->report_jobs.count < EG_WATCH_REPORTS_MAX;
        if (taken) push(&watch->report_jobs, job);
        break;
    case EG_WATCH_JOB_FILE:
        taken = watch->file_jobs.count < EG_WATCH_FILES_MAX;
        if (taken) push(&watch->file_jobs, job);
        break;
    }
    if (taken) pthread_cond_broadcast(&watch->pool_work);
    pthread_mutex_unlock(&watch->pool_lock);
    return taken;
}

static void work(struct eg_watch *watch, struct eg_watch_job *job)
{
    switch (job->kind) {
    case EG_WATCH_JOB_OPEN: eg_watch_judge_opener(watch, job); break;
    case EG_WATCH_JOB_REPORT: eg_watch_deliver(watch, job); break;
    case EG_WATCH_JOB_FILE: eg_watch_judge_file(watch, job); break;
    }
    if (job->kind == EG_WATCH_JOB_OPEN) {
        pthread_mutex_lock(&watch->pool_lock);
        await_no_more(watch, job);
        pthread_mutex_unlock(&watch->pool_lock);
        close(job->fd);
    }
    free(job);
}

/* The last worker leaves finished files alone, so that openers and events never
 * wait behind them. */
static bool takes_files(unsigned self)
{
    return self + 1 < EG_WATCH_WORKERS;
}

void *eg_watch_worker(void *context)
{
    struct eg_watch *watch = context;
    static _Atomic unsigned workers;
    unsigned self = atomic_fetch_add(&workers, 1);
    eg_watch_enlist(watch, "watch-pool");
    for (;;) {
        struct eg_watch_job *job;
        pthread_mutex_lock(&watch->pool_lock);
        for (;;) {
            job = pop(&watch->open_jobs);
            if (!job) job = pop(&watch->report_jobs);
            if (!job && takes_files(self)) job = pop(&watch->file_jobs);
            if (job) break;
            pthread_cond_wait(&watch->pool_work, &watch->pool_lock);
        }
        pthread_mutex_unlock(&watch->pool_lock);
        work(watch, job);
    }
}
