/* What the audit log (cp/audit/log.h) is told of users. Who does much has not more than a part of it told, so that
 * nobody fills the log to have its older records give way; how much was left out is told too. Of that part what changed
 * nothing has half, and coming and going a tenth for itself: whoever has a hundred commands refused hides neither what
 * they do then, nor their account. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct session;

/* A record of the session's user, or of nobody. */
void record(const struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of what changed nothing: a refusal, a question, words. */
void record_vain(const struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of somebody having come. */
void record_presence(const struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A command, so many bytes of its operands, with the blank before them, and "REFUSED 045" if it failed with that
 * message. `vain`: it changed nothing also if it did not. */
void record_command(const struct session *, const char *name, const char *operands, size_t length, bool vain,
                    unsigned code);
/* The end of a session, by whoever forced it (NULL: nobody), and its account. */
void record_account(const struct session *, const char *by);
