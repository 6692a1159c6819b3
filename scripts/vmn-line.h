/* A serial line between the emulator and a terminal: two ends, and in each direction what has not been taken yet.
 * Line 1's user end is standard input and output; that of lines 2 and up is a pty of its own, or the terminal of a
 * visitor who came by the door (vmn-door.h). The emulator's end is a
 * pty too, or two pipes, or a socket it listens on: that is connected as long as somebody has the user's end open, so
 * that the machine sees them come and go, and what they do not read waits in the machine. */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "scripts/vmn-buffer.h"
#include "scripts/vmn-door.h"

enum {
    LINE_BACKLOG_STOP = 1 << 15, /* the user of line 1 does not read: time to halt the emulator ... */
    LINE_BACKLOG_MORE = 1 << 22, /* (for the sake of the others, a further line gets more patience) */
    LINE_BACKLOG_GO = 1 << 13,   /* ... and to let it go on */
    LINE_POLLS = 5,              /* rows of a poll table a line needs */
};

struct line {
    int emulator;       /* master of the pty the emulator holds, the socket, or the pipe it writes; -1: not connected */
    int emulator_in;    /* the same, but for the pipe it reads */
    int emulator_slave; /* kept open: the emulator may come and go, the line does not hang up; -1: no pty */
    char socket[108];   /* its path, "": a pty */
    int in, out;        /* the user's side: one pty master, or a visitor's; -1: nobody's */
    bool door;          /* visitors have it */
    int visit;          /* the connection of who does; -1: nobody */
    unsigned char source[SOURCE_BYTES]; /* where they came from */
    bool unproven;      /* they have not proved who they are: not by a key, nor to CP */
    bool terminal;      /* at which they sit; else their input may end before they leave */
    bool hang_up;       /* they are to go when they have been shown everything ... */
    int status;         /* ... with this exit status */
    bool quiet;         /* CP waits there for what a wrong password costs, whoever comes */
    bool parting;       /* CP has not said that it is done with who left: the marks tell it that, or the carrier */
    bool connected;     /* somebody has the user's side open */
    long long left;     /* ms: since when the line is read dry of what was for who left; 0: it is not */
    long long heard;    /* ms: when the machine last wrote */
    bool ended;         /* standard input is at its end */
    const char *token;  /* CP heeds marks that have it (cp/terminal/mark.h); NULL: what runs knows none */
    unsigned columns, rows; /* of the user's terminal, as CP was told last */
    bool keys, escaped; /* Ctrl-] is heeded; it was the last key */
    bool gone;          /* standard output is broken: nobody will ever read */
    bool quit;          /* Ctrl-] q */
    bool open;          /* the machine reads it, as it said, or wrote to it */
    struct buffer to_user, to_emulator;
};

/* All return 0 or -1 with errno. `link` becomes a symbolic link to the emulator's end; the pipes are made as PIPES.out,
 * which the emulator writes, and PIPES.in; `socket` is what the emulator will listen on. The name of the user's end is
 * written to name[64]. */
int line_open_standard(struct line *, const char *link);
int line_open_pipes(struct line *, const char *pipes); /* likewise joined to standard input and output */
int line_open_pty(struct line *, const char *link, char *name);
int line_open_socket(struct line *, const char *socket, char *name);

/* The same, for visitors: with a pty as the emulator's end, or with a socket. */
int line_open_pty_for_visitors(struct line *, const char *link);
int line_open_socket_for_visitors(struct line *, const char *socket);

void line_seat(struct line *, const struct visitor *); /* @pre it is free */
void line_hang_up(struct line *, int status);      /* on the visitor, if there is one: their exit status */
void line_parted(struct line *);                   /* CP is done with who left */
/* Of lines from `first` on, so many: the one for a visitor, which is free; NULL: none, and *soon says whether one will
 * be. None that is quiet while there are others. */
struct line *line_choose(struct line *first, unsigned count, bool *soon);

/* From now on the machine is told how wide the user's terminal is, and when standard input has ended. */
void line_mark_with(struct line *, const char *token);

/* Line 1's keys come from a terminal in raw mode: heed the escape key. */
void line_heed_keys(struct line *);

/* The emulator sets modes of its own when it opens its end; call until the line is open. */
void line_make_raw(int fd);

bool line_waits(const struct line *); /* for something that poll does not tell: look again in a moment */
void line_ask(struct line *, struct pollfd[LINE_POLLS]);         /* what to wait for */
void line_serve(struct line *, const struct pollfd[LINE_POLLS]); /* moves what can be moved */
size_t line_backlog(const struct line *);
void line_flush(struct line *); /* the emulator is gone: deliver what it left, waiting for the reader */
