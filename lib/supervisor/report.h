// SPDX-License-Identifier: MIT
/* What was refused during one run, as JUnit XML: the form in which continuous
 * integration shows what a test run did wrong.  One case for each distinct refused
 * call, with the test that made it where that is known; one passed case when there
 * was none.  Lives in the supervisor, so that no worker can leave anything out. */
#ifndef EG_SUPERVISOR_REPORT_H
#define EG_SUPERVISOR_REPORT_H

#include "event/event.h"

#define EG_REPORT_CASES 1000u /* distinct calls; further ones are counted */

struct eg_report;

/* Begin a report about `policy' (copied) at `path', which is created or emptied now, so
 * that a place that cannot be written is known before the worker starts.  0 or
 * -errno; end with eg_report_free. */
int eg_report_new(const char *path, const char *policy, struct eg_report **ret);
void eg_report_free(struct eg_report *report);

/* A denial, or in log mode what would have been one; other events are passed over.
 * Memory that runs out is remembered. */
void eg_report_add(struct eg_report *report, const struct eg_event *event);

/* Write the file, once; `complete': a supervisor saw everything.  0, or -errno: the
 * report is not whole.  A report NULL is 0. */
int eg_report_finish(struct eg_report *report, bool complete);

#endif
