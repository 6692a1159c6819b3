/* Issuing messages. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "lib/format.h"

enum { MESSAGE_TEXT_MAX = 400 };

static void show(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        cms_line(text, (size_t)(end - text));
    cms_line(text, strlen(text));
}

const struct cms_message_row cms_message_rows[MESSAGES] = {
#define MESSAGE(name, module, number, severity, return_code, text, help) \
    {module, number, severity, return_code, MESSAGE_##name##_TEXT, HELP_TEXT(help)},
#include "cms/command/messages.def"
#undef MESSAGE
};

int cms_message_give(const char *module, enum cms_message message, const char *format, ...)
{
    const struct cms_message_row *m = &cms_message_rows[message];
    char text[MESSAGE_TEXT_MAX];
    size_t code = 0;
    va_list args;

    if (cms_settings.emsg == EMSG_OFF && m->severity != 'R')
        return m->return_code;
    if (cms_settings.emsg != EMSG_TEXT)
        code = format_text(text, sizeof text, "DMS%s%03d%c ", module, m->number, m->severity);
    if (cms_settings.emsg == EMSG_CODE && m->severity != 'R') {
        show(text);
        return m->return_code;
    }
    va_start(args, format);
    format_text_v(text + code, sizeof text - code, format, args);
    va_end(args);
    show(text);
    return m->return_code;
}
