/* What HELP says of a message. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "lib/format.h"

enum { MESSAGE_TEXT_MAX = 400 };

static void show_lines(const char *text)
{
    for (const char *end; *text; text = end + (*end != 0)) {
        end = strchr(text, '\n');
        if (!end)
            end = text + strlen(text);
        cms_line(text, (size_t)(end - text));
    }
}

/* The text with ... for what varies. */
static void show_text(const struct cms_message_row *m)
{
    char text[MESSAGE_TEXT_MAX];
    size_t n = format_text(text, sizeof text, "DMS%s%03d%c ", m->module ? m->module : "mmm", m->number,
                           m->severity);

    for (const char *p = m->text; *p && n + 4 < sizeof text;) {
        if (*p != '%') {
            text[n++] = *p++;
            continue;
        }
        while (!strchr("cdsuxX", *p))
            p++;
        p++;
        memcpy(text + n, "...", 3);
        n += 3;
    }
    text[n] = 0;
    show_lines(text);
}

bool cms_message_help(const char *module, int number, char severity)
{
    bool found = false;
    for (const struct cms_message_row *m = cms_message_rows; m < cms_message_rows + MESSAGES; m++) {
        if (m->number != number || (severity && m->severity != severity) ||
            (module && m->module && strcmp(m->module, module)))
            continue;
        show_text(m);
        cms_text("Return code %d.", m->return_code);
        show_lines(m->help);
        found = true;
    }
    return found;
}
