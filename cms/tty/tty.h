/* The terminal that programs have: termios(3) over the bytes of CMS' own terminal (cms/console/terminal.h).
 *
 * In: keys, as they come; what programs write. Out: what programs read, signals to process groups, bytes to the line.
 * While no program runs the console has the keys; what a program left unread goes back to it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* For whoever runs programs. Begins: keys go here, settings are those of a terminal just opened, and the foreground
 * group is `group` of `session`. Ends: the settings are forgotten, unread keys go to the console. Nested: the inner one
 * ends first; what the outer one had set stands again. */
struct tty_kept { /* the outer program's settings */
    uint32_t bytes[16];
};
void tty_begin(struct tty_kept *, int session, int group);
void tty_end(const struct tty_kept *);

/* For whoever has a command obeyed while a program waits for it: the console has the keys until it is resumed. */
void tty_pause(struct tty_kept *);
void tty_resume(const struct tty_kept *);

/* The scheduler's: keys may have come. Takes them, wakes who waits, sends signals. Cheap when there are none. */
void tty_input_arrived(void);
/* When it wants to be called although no key comes (cms_wait_now), 0: not. */
uint64_t tty_deadline(void);

/* Registers /dev/tty and /dev/console; once. */
void tty_start(void);
struct file;
/* For descriptors 0 to 2 of a command's first process: one user, read and write. NULL: no storage. */
struct file *tty_open(void);
