/* CP's commands: one table (command.c), one file a family, whose help texts head it.
 * A command reads its operands with call_next, writes its answer with response_*, and returns 0 or its message's
 * number. What would change the machine or the session at once it only notes (deed.h), and what takes long it does in
 * steps (task.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/session/obey.h" /* command_run */
#include "cp/session/response.h"
#include "cp/session/session.h"

struct word { /* a blank-delimited piece of the command line */
    const char *text;
    unsigned length;
};

struct call {
    struct session *session;
    struct response *response;
    const char *unread; /* of the line */
    bool vain;          /* the command changes nothing, which the audit log has less room for */
    const char *untold; /* from here on it is not for the audit log: it may be a password; NULL: all is */
};

struct command {
    const char *name;
    uint8_t least;   /* characters that must be given */
    uint8_t classes; /* any of these; CLASS_ANY: everybody */
    uint8_t when;    /* enum command_when bits */
    unsigned (*run)(struct call *);
    const char *help; /* its first lines: the format, which is also what Tab offers (complete.c) */
};

enum command_when { WHEN_LOGGED_ON = 1, WHEN_LOGGED_OFF = 2, WHEN_DIALED = 4 };

/* The table, for HELP: the row after `at` (NULL: the first) that the session may use, NULL at the end. */
const struct command *command_next(const struct session *, const struct command *at);
/* Likewise those that HELP lists: before LOGON also what is for who has dialed, which they may do. */
const struct command *command_listed_next(const struct session *, const struct command *at);
const struct command *command_named(struct word); /* whoever may use it; NULL: none */

bool command_may_use(const struct session *, const struct command *);
/* The first word of a line, "#CP" and "CP" passed over. False: there is none. */
bool command_name(struct call *, struct word *);

/* Those who run the system. */
enum { CLASSES_STAFF = CLASS('A') | CLASS('B') | CLASS('C') };
enum { CLASSES_TEXT = 24 };
/* "A, B or C", "any". */
const char *command_classes(char text[CLASSES_TEXT], uint8_t classes);

/* ---- operands --------------------------------------------------------------------------------------------------- */

bool call_next(struct call *, struct word *); /* false: no more */
struct word call_peek(const struct call *);   /* length 0: no more */
const char *call_remainder(struct call *);    /* all the rest, without leading blanks */
/* What is left is too much: message 003. 0: nothing is left. */
unsigned call_end(struct call *, const char *module);

bool word_is(struct word, const char *name, unsigned least);  /* an abbreviation of `name`, case ignored */
void word_upper(struct word, char *out, unsigned size);       /* upper case, cut at size - 1, NUL-terminated */
bool word_hex(struct word, unsigned digits, uint64_t *value); /* up to so many digits */
bool word_number(struct word, uint64_t most, uint64_t *value);

/* The next word as a user ID ("*" is the caller's own), or message 020. */
unsigned call_userid(struct call *, const char *module, char id[DIRECTORY_NAME + 1]);
/* The session of the user whom the next word names; no word: the caller's own. Another's is for these classes: message
 * 9016 for `what`, or 045. */
unsigned call_session(struct call *, const char *module, uint8_t classes, const char *what, struct session **);
/* The next word as a virtual device number, or message 022. */
unsigned call_vdev(struct call *, const char *module, unsigned *vdev);

#define FAIL(call, module, number, ...) response_error((call)->response, module, number, __VA_ARGS__)
