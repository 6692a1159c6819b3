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

int cms_message(const char *module, int number, char severity, int return_code, const char *format, ...)
{
    char text[MESSAGE_TEXT_MAX];
    size_t code = 0;
    va_list args;

    if (cms_settings.emsg == EMSG_OFF && severity != 'R')
        return return_code;
    if (cms_settings.emsg != EMSG_TEXT)
        code = format_text(text, sizeof text, "DMS%s%03d%c ", module, number, severity);
    if (cms_settings.emsg == EMSG_CODE && severity != 'R') {
        show(text);
        return return_code;
    }
    va_start(args, format);
    format_text_v(text + code, sizeof text - code, format, args);
    va_end(args);
    show(text);
    return return_code;
}
