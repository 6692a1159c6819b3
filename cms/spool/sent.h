/* A file on its way out: its records, one after the other. */
#pragma once
#include "cms/file/file.h"

struct sent {
    const char *module;
    struct file_found found;
    struct edf_reader *reader;
    uint8_t *record;
    char text[FILE_ID_MAX];
};

/* 0, or the return code of a message. sent_close() is due in any case. */
int sent_open(struct sent *, const char *module, const struct file_found *);
/* Every record, with a NUL behind it, to put(), which may change it; until that answers other than 0, which it returns
 * then. */
int sent_each(struct sent *, int (*put)(void *, uint8_t *, size_t), void *context);
void sent_close(struct sent *);
