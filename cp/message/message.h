/* CP's numbered messages: their texts, in one place, and what to do about them. */
#pragma once

struct message {
    unsigned number;  /* as in HCPmmmNNNs, and the return code of the command that wrote it */
    char severity;    /* I information, W warning, E error */
    const char *text; /* %1 to %4 are filled in */
    const char *help;
};

const struct message *message_find(unsigned number);   /* never NULL: an unknown number gives the last row */
const struct message *message_lookup(unsigned number); /* NULL: no such message */
