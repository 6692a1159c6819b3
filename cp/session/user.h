/* CP's users as the rest of CP sees them: terminals, sessions, the directory in force. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/device/disk.h"
#include "cp/dispatch/vm.h"
#include "cp/terminal/line.h"

/* Who is logged on to the first line when the directory is there, without a password, as if it had been typed: the one
 * who gave CP its command line ("logon=ID") owns the machine. Call before user_start; the text may go afterwards. */
void user_console_logon(const char *id, unsigned length);

/* Begins: takes over the lines (their callbacks; line_init comes after) and vm.h's hooks, reads the directory from the
 * CP volume on `system_disk` (NULL: there is none) and then shows the logon prompt on every line. Call once, or
 * user_start_single.
 * @pre storage, clock and timers work, the disk's completions are polled by the event loop, before which named systems
 * are registered */
void user_start(struct disk *system_disk, struct line *lines[], unsigned count);
/* On every line, after user_start: a message (response_error). */
void user_tell_all(const char *module, unsigned number, const char *a, const char *b);

struct multiboot_module;

/* What --ipl asks for: one multiboot image in one fresh machine of class G, user ID VM. */
struct user_single {
    const void *image;
    size_t image_bytes;
    const char *command_line;              /* handed to it */
    const struct multiboot_module *module; /* cp/ipl/multiboot.h: further modules */
    unsigned modules;
    struct machine_config machine;         /* without userid and rank */
};

/* Begins with one machine on the line and nobody to log on. When it ends, CP ends with status n (cp_exit_status; n
 * as power_off.h has it: what the test device was written with; 0 for a power off or reset) and asks to be shut
 * down. */
void user_start_single(struct line *line, const struct user_single *);

/* Everything that waits: call it on every pass of the event loop. A timer is armed when it must be called again soon.
 * False: nothing waited. */
bool user_poll(void);

extern uint64_t user_started_us, user_started_ticks; /* wall clock and TSC of user_start */
