/* CP commands, given as such or by implication. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { RESPONSE_MAX = 16384, LINE_MAX = 256, CP_UNKNOWN_COMMAND = 1, CP_NO_HELP = 9026, COMMAND_UNKNOWN = -3 };

static void show_lines(const char *text, size_t length)
{
    while (length) {
        const char *end = memchr(text, '\n', length);
        size_t n = end ? (size_t)(end - text) : length;
        cms_line(text, n && text[n - 1] == '\r' ? n - 1 : n);
        n += end != NULL;
        text += n;
        length -= n;
    }
}

/* Where CP's return code is `unknown`, which is not 0, what it answers is not shown, and COMMAND_UNKNOWN returned.
 * The heap's unused end is not touched by a buffer that stays empty, so a large one costs nothing. */
static int obey(const char *line, int unknown)
{
    struct cms_cp_answer answer;
    size_t length = strlen(line);
    if (length > CMS_CP_COMMAND_MAX)
        return cms_message("CPF", MESSAGE_CP_LONG, (unsigned)CMS_CP_COMMAND_MAX, length);
    char *response = cms_heap_allocate(RESPONSE_MAX);

    if (!response)
        return cms_message("CPF", MESSAGE_VIRTUAL_STORAGE);
    if (!cms_cp_command(line, length, response, RESPONSE_MAX, &answer)) {
        cms_heap_free(response);
        return cms_message("CPF", MESSAGE_CP_REFUSED);
    }
    bool known = !unknown || answer.return_code != unknown;
    if (known)
        show_lines(response, answer.length);
    if (answer.truncated)
        cms_message("CPF", MESSAGE_CP_TRUNCATED);
    cms_heap_free(response);
    return known ? answer.return_code : COMMAND_UNKNOWN;
}

int cms_cp_line(const char *line)
{
    return cms_cp_present() ? obey(line, 0) : cms_message("CPF", MESSAGE_NO_CP);
}

int cms_cp_implied(const struct arguments *a)
{
    int rc = COMMAND_UNKNOWN;
    if (cms_cp_present() && cms_settings.impcp == SWITCH_ON && strlen(a->line) <= CMS_CP_COMMAND_MAX)
        rc = obey(a->line, CP_UNKNOWN_COMMAND);
    if (rc != COMMAND_UNKNOWN || cms_implied_program(a, &rc))
        return rc;
    if (cms_cp_present() && cms_settings.impcp == SWITCH_ON && strlen(a->line) > CMS_CP_COMMAND_MAX)
        return obey(a->line, CP_UNKNOWN_COMMAND);
    cms_text("Unknown CP/CMS command");
    return COMMAND_UNKNOWN;
}

int cms_cp_or_message(const struct arguments *a, const char *module)
{
    if (cms_cp_present() && cms_settings.impcp == SWITCH_ON)
        return obey(a->line, 0);
    return cms_message(module, MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[0]));
}

bool cms_cp_help(const struct word *about, int *rc)
{
    char line[LINE_MAX];

    if (!cms_cp_present())
        return false;
    format_text(line, sizeof line, "HELP %.*s", about->raw_length, about->raw);
    *rc = obey(line, CP_NO_HELP);
    return *rc != COMMAND_UNKNOWN;
}

int cms_cp(const struct arguments *a)
{
    const char *line = a->rest;
    while (*line == ' ')
        line++;
    return *line ? cms_cp_line(line) : cms_message("CPF", MESSAGE_NO_OPERANDS);
}
