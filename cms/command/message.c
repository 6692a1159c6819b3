/* Issuing messages, and what HELP knows of them. */
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

static const struct explanation {
    int number;
    char severity;
    int return_code;
    const char *format, *help;
} explanations[] = {
    {MESSAGE_FILE_NOT_FOUND, "No accessed disk, or not the one named by the file mode, has that file.  LISTFILE shows\n"
                             "what there is; a filename or filetype may hold * and % where the command says so.\n"},
    {MESSAGE_INVALID_OPTION, "The word after the parenthesis is no option of this command.  HELP lists its options.\n"},
    {MESSAGE_UNKNOWN_FUNCTION, "The operand named is required.\n"},
    {MESSAGE_NOT_WRITABLE, "The command must write, and every accessed disk is read-only.\n"},
    {MESSAGE_INVALID_PARAMETER, "The word is no keyword of this command.\n"},
    {MESSAGE_INVALID_DEVICE, "A virtual device number is one to four hexadecimal digits, such as 191.\n"},
    {MESSAGE_IDENTICAL_FILEIDS, "Input and output are the same file.\n"},
    {MESSAGE_NO_FILETYPE, "The filetype is required.\n"},
    {MESSAGE_FILE_EXISTS, "The command does not replace a file unless the REPLACE option says so.\n"},
    {MESSAGE_NO_DEVICE, "The device number or the file mode is required.\n"},
    {MESSAGE_INVALID_RECORD, "The option's value is not valid.\n"},
    {MESSAGE_READ_ONLY, "The disk can only be read: it is linked or accessed so, is an extension of another disk,\n"
                        "or was found damaged.  QUERY DISK shows R/O.\n"},
    {MESSAGE_NO_FILENAME, "A filename and filetype are required.\n"},
    {MESSAGE_NO_OPERANDS, "The command needs at least one operand.\n"},
    {MESSAGE_INVALID_MODE, "A file mode is a letter from A to Z, in some commands with a number from 0 to 6.\n"},
    {MESSAGE_PARAMETER_MISSING, "The word wants a value after it.\n"},
    {MESSAGE_INCOMPLETE_FILEID, "A filename and a filetype are required, for some commands a file mode too.\n"},
    {MESSAGE_INVALID_CHARACTER, "A filename and a filetype have 1 to 8 characters of A-Z 0-9 # @ + $ - : _\n"},
    {MESSAGE_OPTION_TWICE, "The option may be given once.\n"},
    {MESSAGE_CONFLICTING_OPTIONS, "The two options exclude each other.\n"},
    {MESSAGE_MODE_NOT_ACCESSED, "No disk is accessed as that letter.  QUERY ACCESSED shows those that are.\n"},
    {MESSAGE_INVALID_OPERAND, "The operand is one too many, or is not valid in its place.\n"},
    {MESSAGE_INPUT_ERROR, "The disk reported an error, or the file is damaged.\n"},
    {MESSAGE_OUTPUT_ERROR, "The disk reported an error.  The old file, if there was one, stands.\n"},
    {MESSAGE_DISK_FULL, "No free block is left.  The old file, if there was one, stands.\n"},
    {MESSAGE_VIRTUAL_STORAGE, "The machine's storage does not suffice.\n"},
    {MESSAGE_DEVICE_ERROR, "The disk cannot be accessed for the reason shown.  A new disk must be formatted first.\n"},
    {MESSAGE_NOT_ATTACHED, "The machine has no disk of that number.  CP QUERY VIRTUAL shows its devices.\n"},
    {MESSAGE_UNIT_CHECK, "The disk could not be formatted for the reason shown.\n"},
    {MESSAGE_EXCEPTION, "The command made a mistake the processor noticed.  The command has ended, and all disks\n"
                        "are accessed afresh.\n"},
    {MESSAGE_ABEND, "CMS itself has failed.\n"},
    {MESSAGE_FORMAT_ERASES, "1 or YES goes on, anything else leaves the disk as it is.\n"},
    {MESSAGE_FORMAT_LABEL, "One to six characters, shown by QUERY DISK.\n"},
    {MESSAGE_ACCESSED_READ_ONLY, "The disk can only be read.\n"},
    {MESSAGE_REPLACES, "The first disk has taken the file mode of the second, which is released.\n"},
    {MESSAGE_RELEASED, "The disk was accessed under another letter, which is now free.\n"},
    {MESSAGE_FORMATTED, "The disk is empty and accessed.\n"},
    {MESSAGE_FORMATTING, "Formatting has begun.\n"},
    {MESSAGE_NO_HELP, "There is no such command or message.  HELP alone shows the commands.\n"},
    {MESSAGE_NO_CP, "CP commands need CP.\n"},
    {MESSAGE_CP_REFUSED, "The command is longer than 240 characters, or CP is short of resources.\n"},
    {MESSAGE_CP_TRUNCATED, "The command has been obeyed all the same.\n"},
    {MESSAGE_TOO_DEEP, "A command that calls commands has called itself.\n"},
};

/* The text as HELP shows it: what varies is ... */
static void show_text(const struct explanation *e)
{
    char text[MESSAGE_TEXT_MAX];
    size_t n = format_text(text, sizeof text, "DMSmmm%03d%c ", e->number, e->severity);

    for (const char *p = e->format; *p && n + 4 < sizeof text;) {
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
    show(text);
}

bool cms_message_help(int number, char severity)
{
    bool found = false;
    const struct explanation *end_of_table = explanations + sizeof explanations / sizeof *explanations;
    for (const struct explanation *e = explanations; e < end_of_table; e++) {
        if (e->number != number || (severity && e->severity != severity))
            continue;
        show_text(e);
        cms_text("Return code %d.", e->return_code);
        for (const char *p = e->help, *end; (end = strchr(p, '\n')); p = end + 1)
            cms_line(p, (size_t)(end - p));
        found = true;
    }
    return found;
}
