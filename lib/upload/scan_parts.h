// SPDX-License-Identifier: MIT
/* What the files of the scan share.  Private to scan*.c. */
#ifndef EG_UPLOAD_SCAN_PARTS_H
#define EG_UPLOAD_SCAN_PARTS_H

#include <pthread.h>

#include "upload/scan.h"

/* An open folder; entries that wait in the queue hold it. */
struct eg_scan_folder {
    atomic_uint users;
    int fd;
    char path[]; /* without a slash at its end */
};

struct eg_scan_pass {
    const struct eg_scan_options *options;
    struct eg_scan_counts *counts;
    pthread_mutex_t report_lock;
};

/* Memory of one thread. */
struct eg_scan_desk {
    char *piece;
};
#define EG_SCAN_PIECE (256u * 1024u)

void eg_scan_problem(struct eg_scan_pass *pass, const char *path, const char *what, int error);

/* Judge an entry that is no folder (or the name of one that is): name, mode,
 * content; act and report. */
void eg_scan_judge(struct eg_scan_pass *pass, const struct eg_scan_desk *desk,
                   const struct eg_scan_folder *folder, const char *name, const char *path);

#endif
