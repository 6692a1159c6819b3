/* Where a command's lines go: to the terminal, or to whoever has captured the output (PIPE). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* One line, without its end.  Shown with CR LF, unless HT is in force; wider lines than the terminal just wrap. */
void cms_line(const char *data, size_t length);
void cms_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes every line from now on until it is replaced; the returned sink is to be put back. */
struct output_sink {
    void (*line)(void *context, const char *data, size_t length); /* NULL: the terminal */
    void *context;
    bool shows; /* it types the lines on the terminal after all: programs have that themselves meanwhile */
};
struct output_sink cms_redirect(struct output_sink sink);
extern const struct output_sink cms_output_none; /* shows nothing */
/* Nobody has captured the output: it is typed. */
bool cms_output_shows(void);
