// SPDX-License-Identifier: MIT
/* Running a line without its shell: from a refused shell to an image, and what
 * happens in the child before that image. */
#ifndef EG_SHIM_REWRITE_H
#define EG_SHIM_REWRITE_H

#include "decide/shell.h"
#include "shim/shim.h"

/* ---- rewrite.c ---- */

/* The image is a shell that the decision core refused as such (`exec` is that
 * request): read its line, judge it, report, and turn the image into what runs
 * instead.  0: run the image (in log mode: the shell, as it was); -EACCES
 * after an event; -ENOMEM. */
int eg_rewrite(struct eg_image *image, const struct eg_call *call, struct eg_exec_request *exec,
               const char *const *envp);

/* ---- rewrite_run.c: for images with `line` set; others are left alone ---- */

/* The environment that the shell would have given: valid names, PWD, the line's
 * assignments.  0 or -ENOMEM. */
int eg_rewrite_environment(const struct eg_call *call, struct eg_image *image,
                           struct eg_environment *ret);

/* In the process that becomes the program: the redirections.  0, or the status
 * to exit with after what the shell would have said. */
int eg_rewrite_redirect(const struct eg_image *image);

/* The exec failed with -errno (or there was nothing to execute): say so as the
 * shell would have, and return its exit status. */
int eg_rewrite_failed(const struct eg_image *image, int error);

/* A wait status as the shell would have handed it on: a signal that ended the
 * command becomes status 128 + n. */
int eg_rewrite_wait_status(bool waits, int status);

/* Flags of open(2) for a redirection to or from a file, and the mode. */
#define EG_REDIRECT_MODE 0666u
int eg_rewrite_flags(unsigned kind);

#endif
