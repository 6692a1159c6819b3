/* The console: what the user types, cut into logical lines; immediate commands while a command runs; output.
 * One console, as there is one user.
 *
 * Typing ahead is kept and edited when it is read.  While a command runs the input is only looked at, from
 * every output line and whenever a command asks: a line that is an immediate command acts at once and is taken out, and
 * so does ^C, which is HX and needs no Enter. While a line is read ^C abandons it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/console/line.h"

enum { CONSOLE_ESCAPE = '"' }; /* before a logical line end: that is a plain character */

enum console_read_kind {
    CONSOLE_COMMAND, /* history and completion; may hold several logical lines */
    CONSOLE_ANSWER,  /* a command's question: what is left of the line the command stood in answers it first */
};

enum {
    CONSOLE_HALTED = -1,   /* HX came instead (only for CONSOLE_ANSWER) */
    CONSOLE_TOO_LONG = -2, /* more than LINE_TEXT_MAX bytes were typed: none of them counts */
};

void cms_console_start(line_completer complete);
/* The next logical line; its length, or what there is instead.  size > LINE_TEXT_MAX. */
int cms_console_read(char *line, size_t size, enum console_read_kind kind);
size_t cms_console_typed(void); /* bytes of the last line typed */
/* Looks for immediate commands; cheap when nothing was typed. */
void cms_console_attention(void);

/* A command begins or has ended: immediate commands count only in between. */
void cms_console_command_begins(void);
void cms_console_command_ends(void);
bool cms_console_halted(void);
/* HX by whoever has the keys meanwhile; `all`: also of what had the command obeyed (cms/tty). */
void cms_console_halt(void);
void cms_console_halt_all(void);
/* The command that HX or HT was for has ended, and another goes on, which had it obeyed. */
void cms_console_go_on(void);
/* HT and RT by name, also as plain commands. */
void cms_console_set_typing(bool on);
/* Lines are typed: neither HT nor HX has come. */
bool cms_console_types(void);
/* The logical line end, 0: none. */
void cms_console_set_line_end(char c);
char cms_console_line_end(void);
/* Puts output back to the terminal, forgets what is stacked: after an abend. */
void cms_console_recover(void);
/* For programs, which have the keys while they run. The next one typed, or -1: none, and also without `room`; while
 * there is no room ^C alone is looked for, since it must always be heard. */
int cms_console_take_key(bool room);
/* Whether the key taken last belongs to a line that was given back, and so was shown when it was typed. */
bool cms_console_key_shown(void);
/* What they left unread, at most 4096 bytes: read next, before what is typed ahead. */
void cms_console_give_back(const char *bytes, size_t count);
/* A line to the terminal whatever HT and redirection say: Ready and abend messages. */
void cms_console_line(const char *data, size_t length);
