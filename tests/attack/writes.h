// SPDX-License-Identifier: MIT
/* What the files of writes.c share. */
#ifndef EG_ATTACK_WRITES_H
#define EG_ATTACK_WRITES_H

extern const char *eg_uploads, *eg_outside;

/* FOLDER/NAME: one of sixteen buffers. */
char *eg_in(const char *folder, const char *name);

/* Remove it; pictures where they were at the start. */
void eg_clean(const char *path);
void eg_fresh(void);

/* Print the way, and whether the name came to be, or pic.jpg an execute bit. */
void eg_name_way(const char *way, const char *name);
void eg_mode_way(const char *way);

void eg_second_ways(void);

/* Files whose content is to be judged after their last close: "WAY FILE". */
void eg_content_ways(void);

/* Prints "WAY HITS" each. */
void eg_cross_races(long tries);

#endif
