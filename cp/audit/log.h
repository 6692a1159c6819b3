/* The reference monitor's record: who came and went, was refused, did what others may not. A line for each is kept on
 * the volume (cp/audit/page.h) in an area that no machine can reach, and nobody can take it back.
 *
 *   audit_note -> queue -> the page that grows -> the area, and a flush
 *
 * CP waits for none of it: what was noted is on the medium some milliseconds later. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "cp/audit/page.h"
#include "cp/device/disk.h"

enum audit_trouble {
    AUDIT_DAMAGED, /* neither of the two writings of the last page is sound: a new log begins */
    AUDIT_FAILING, /* the area cannot be read or written; once, until it has been written again */
};

/* From here on; what was noted before is kept too. `area` NULL: there is none, and what is noted is nowhere. */
void audit_begin(struct disk *area, void (*told)(enum audit_trouble));

/* One record: the time, where and who ("-": nobody), and what happened; cleaned (cp/message/clean.h) and cut. */
void audit_note(const char *where, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));
void audit_note_v(const char *where, const char *who, const char *format, va_list args);

bool audit_kept(void);    /* there is an area, and what stands there is known */
bool audit_settled(void); /* nothing is on its way to the medium, or can get there */
const struct audit_page *audit_last(void); /* the page that grows, with what is on its way. @pre audit_kept() */

/* Page `number`, which is full, for once: NULL until it is read, which a call begins; or *failed: it cannot be. Who
 * reads while others do waits for them, and must ask again soon to find the page still there. */
const struct audit_page *audit_read(uint64_t number, bool *failed);
uint64_t audit_oldest(void); /* number of the oldest page there can be. @pre audit_kept() */
