/* CP's numbered messages: their texts, in one place, and what to do about them. */
#pragma once
#include <stddef.h>

enum { MESSAGE_TEXTS = 4, MESSAGE_BYTES = 240 /* at most, as HELP shows it, with its zero */ };

struct message {
    unsigned number;  /* as in HCPmmmNNNs, and the return code of the command that wrote it */
    char severity;    /* I information, W warning, E error */
    const char *text; /* "{2 vdev}": the second text is filled in, which HELP calls vdev */
    const char *help;
};

const struct message *message_find(unsigned number);   /* never NULL: an unknown number gives the last row */
const struct message *message_lookup(unsigned number); /* NULL: no such message */

/* The message with its texts (NULL: empty) in their places; without any, as HELP shows it, with what
 * they are called. Cut at size - 1. */
void message_text(char *out, size_t size, const struct message *, const char *const texts[MESSAGE_TEXTS]);
