/* The machine beneath CMS: a terminal whose user types a script, two disks in memory, a CP that answers from a table,
 * and a clock that stands at a known second. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/directory.h"
#include "cms/kernel/spool.h"

enum { FAKE_DISK_SECTORS = 512 };

/* Forgets everything: nothing typed or shown, disks blank, no CP, heap empty. */
void fake_cms_reset(void);
/* Adds bytes to what the user types.  Waiting for more calls fake_cms_no_more; if that is NULL or returns, the test
 * aborts. */
void fake_cms_type(const char *bytes);
extern void (*fake_cms_no_more)(void);
bool fake_cms_typed_all(void);
/* So many looks for what is typed find nothing, or one waits for it: then the user types HX. 0: never. */
extern unsigned fake_cms_patience;
/* What the terminal has shown since the last reset or forget. */
const char *fake_cms_shown(void);
void fake_cms_forget(void);

extern size_t fake_cms_width;
extern size_t fake_cms_height; /* of the terminal; 0: not known */
extern bool fake_cms_watches, fake_cms_rings; /* a change of them is waited for, and has come */

/* A disk is there if its number was attached; detaching makes it another one if it comes back. */
void fake_cms_attach(uint16_t vdev, bool read_only);
void fake_cms_detach(uint16_t vdev);

/* From here on no interrupt of a disk arrives; fake_cms_ticks counts the sleeps that ended by the tick. */
extern bool fake_cms_loses_interrupts;
extern unsigned fake_cms_ticks;

/* From here on disks answer every request with an error. */
extern bool fake_cms_disks_fail;
/* So many sectors are still written, of the last write as many as fit: then writes fail, until it is set again. */
extern unsigned fake_cms_sectors_left;

/* CP is there and gives this answer to every command; NULL: CP is not there. */
void fake_cms_cp(const char *response, int return_code);
extern const char *fake_cms_cp_when; /* only commands that begin so get that answer; NULL: all */
extern char fake_cms_cp_asked[256];
extern const char *fake_cms_special[4]; /* special messages that wait, as they come from CP */
extern const char *fake_cms_forbidden; /* environments, with blanks between them */
extern char fake_cms_interpreted[512]; /* the EXEC that was to be interpreted last: "FN EXEC A1: argument" */
extern bool fake_program_unreadable; /* its file cannot be looked at */
extern bool fake_cms_has_editor; /* there is /usr/bin/the */
extern const char *fake_cms_root_help, *fake_cms_root_text; /* the one HELP file of the root image; NULL: none */
extern char fake_cms_started[1024]; /* the program: "path: [word] [word]", or "machine FN FT FM: argument" */

/* Spooled devices: what is punched or printed gathers, and fake_cms_deliver has it be the one file in the reader. */
extern enum cms_directory_status fake_cms_directory_status; /* what every call answers; OK: as it goes */
extern uint8_t fake_cms_directory[65536]; /* CP's, and what it was given */
extern size_t fake_cms_directory_bytes;
extern enum cms_spool_status fake_cms_spool; /* what every call answers; OK: as it goes */
extern uint8_t fake_cms_punched[65536];
extern size_t fake_cms_punched_bytes;
void fake_cms_deliver(const char *name, const char *type);
void fake_cms_hold(bool hold); /* that file */
void fake_cms_deliver_lines(const char *name, const char *type); /* as what came from the host: no cards */
