/* Within this room: the one terminal there is.
 *
 * `data` is a ring: [read, ready) may be read, [ready, end) is the line that is still edited (none in raw mode). `mark`
 * has a bit for each place whose byte ends a read in canonical mode; an end of file is such a byte that is not handed
 * out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/wait.h"
#include "cms/tty/termios.h"

enum { TTY_ROOM = 4096, END_OF_FILE = 0xff };

struct tty_settings {
    struct tty_termios termios;
    struct tty_window window; /* as a program set it; 0 columns: the line's own */
    int32_t session, group;   /* foreground */
};

struct tty {
    struct tty_settings set;
    uint8_t data[TTY_ROOM];
    uint8_t mark[TTY_ROOM / 8], eof[TTY_ROOM / 8];
    uint32_t read, ready, end; /* free-running */
    bool literal;              /* behind LNEXT */
    bool stopped;              /* by STOP, or TCXONC */
    bool silent;               /* HT until RT */
    bool active;               /* programs run */
    bool repeated;             /* the key was shown already, before its line was given back */
    bool handing;              /* bytes go to a program: keys wait, since the copying may look for them */
    unsigned column;           /* where the cursor is, as far as output tells */
    unsigned edited_from;      /* the column where the line that is edited began */
    unsigned unheard;          /* INTR characters in a row that nobody was waiting for */
    uint64_t halts;          /* when an unread line HX of raw mode will have been left long enough; 0: there is none */
    struct tty_window shown; /* what programs were last told of the window */
    uint64_t looked;         /* when it was last compared */
    struct wait_queue readers, writers;
};

extern struct tty tty;

static inline bool tty_local(uint32_t bit) { return tty.set.termios.local & bit; }
static inline uint8_t tty_character(unsigned which) { return tty.set.termios.character[which]; }
static inline bool tty_is(uint8_t c, unsigned which) { return c && c == tty_character(which); }
static inline uint8_t tty_at(uint32_t place) { return tty.data[place % TTY_ROOM]; }
static inline bool tty_bit(const uint8_t *bits, uint32_t place) { return bits[place % TTY_ROOM / 8] >> place % 8 & 1; }
void tty_put_bit(uint8_t *bits, uint32_t place, bool on);

/* input.c: one byte from the line. */
void tty_key(uint8_t c);
void tty_flush_input(void);
void tty_halt(void); /* HX */
/* output.c: bytes of a program, processed as the settings say. */
void tty_show(const char *bytes, size_t count);
void tty_raw(const char *bytes, size_t count); /* as they are, but counting columns */
void tty_echo(uint8_t c);
/* Takes what was echoed of the last character [from, to) of the line off the screen; `column` is where it stood. */
void tty_rub(unsigned columns);
unsigned tty_width_of(uint32_t from, uint32_t to, unsigned column);
/* control.c */
struct file;
struct space;
int64_t tty_control(struct file *, struct space *, unsigned request, uint64_t argument);
struct tty_window tty_window_now(void);
/* tty.c: 0, or why the caller must not (in the background); `signal` is SIGTTIN or SIGTTOU. */
int tty_judge(int signal);
