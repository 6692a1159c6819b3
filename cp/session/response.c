/* A command's answer. In: text and message numbers. Out: lines on a console or in a buffer. */
#include "cp/session/response.h"

#include <string.h>

#include "cp/message/clean.h"
#include "cp/message/message.h"
#include "cp/session/session.h"
#include "lib/format.h"

enum { LINE_MAX = 400 };

void response_text(struct response *r, const char *text, size_t length)
{
    if (!r->buffer) {
        output_write(&r->session->output, text, length);
        return;
    }
    size_t room = r->size - r->length, taken = length < room ? length : room;
    memcpy(r->buffer + r->length, text, taken);
    r->length += taken;
    r->truncated |= taken < length;
}

void response_line(struct response *r, const char *format, ...)
{
    char line[LINE_MAX];
    va_list args;
    va_start(args, format);
    size_t length = clean_line(line, sizeof line, format, args);
    va_end(args);
    response_text(r, line, length);
}

unsigned response_error_texts(struct response *r, const char *module, unsigned number, const char *const texts[4])
{
    const struct message *m = message_find(number);
    uint8_t settings = r->session->settings;
    char line[LINE_MAX] = "";
    if (settings & SET_EMSG_CODE)
        format_text(line, sizeof line, "HCP%s%03u%c%s", module, number, m->severity,
                    settings & SET_EMSG_TEXT ? " " : "");
    size_t head = strlen(line);
    if (settings & SET_EMSG_TEXT)
        message_text(line + head, sizeof line - 1 - head, m, texts);
    if (*line)
        response_line(r, "%s", line);
    return number;
}
