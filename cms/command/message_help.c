/* What HELP says of a message beyond its text.  Every message of messages.h has a row here. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "lib/format.h"

enum { MESSAGE_TEXT_MAX = 400 };

struct explanation {
    int number;
    char severity;
    int return_code;
    const char *format, *help;
};

static const struct explanation general[] = {
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
    {MESSAGE_ALSO, "The disk stands under both letters; neither can write it.\n"},
    {MESSAGE_RELEASED, "The disk was accessed under another letter, which is now free.\n"},
    {MESSAGE_FORMATTED, "The disk is empty and accessed.\n"},
    {MESSAGE_FORMATTING, "Formatting has begun.\n"},
    {MESSAGE_NO_HELP, "There is no such command or message.  HELP alone shows the commands.\n"},
    {MESSAGE_NO_CP, "CP commands need CP.\n"},
    {MESSAGE_CP_REFUSED, "The command is longer than 240 characters, or CP is short of resources.\n"},
    {MESSAGE_CP_TRUNCATED, "The command has been obeyed all the same.\n"},
    {MESSAGE_TOO_DEEP, "A command that calls commands has called itself.\n"},
    {MESSAGE_COLUMN_BEYOND, "Columns are compared that the file's records do not have.\n"},
    {MESSAGE_PREMATURE_END, "One file ends where the other goes on; what there is of both is equal or was shown.\n"},
    {MESSAGE_CONFLICTING_FORMATS, "The files differ in record format or record length.\n"},
    {MESSAGE_FILE_ACTIVE, "The file is being written by the same command.\n"},
    {MESSAGE_INVALID_LINE, "A line number is a whole number from 1 to the number of records, or * for the last.\n"},
    {MESSAGE_MODE_CHANGE, "RENAME changes names, not disks; COPYFILE copies from one disk to another.\n"},
    {MESSAGE_ERASE_ALL, "To erase every file of a disk, name the filename or the filetype, or FORMAT the disk.\n"},
    {MESSAGE_FROM_BEYOND, "The file has fewer records than FROM says.\n"},
    {MESSAGE_COMPARING, "COMPARE has begun; records that differ follow.\n"},
    {MESSAGE_NOT_COMPARE, "At least one pair of records differs.\n"},
    {MESSAGE_COPIED, "COPYFILE with TYPE tells each file it has copied.\n"},
};

static const struct explanation pipelines[] = {
    {MESSAGE_PIPE_RUNNING, "Names the stage the message before is about.\n"},
    {MESSAGE_PIPE_STAGE, "Where the stage stands in the pipeline, counted from 1.\n"},
    {MESSAGE_PIPE_NOT_FIRST, "The stage needs records from a stage before it.\n"},
    {MESSAGE_PIPE_FIRST, "The stage makes records and takes none, so nothing may stand before it.\n"},
    {MESSAGE_PIPE_NONE, "PIPE is followed by stages with | between them.\n"},
    {MESSAGE_PIPE_NULL_STAGE, "Nothing stands between two |, or after the last one.\n"},
    {MESSAGE_PIPE_ENTRY_POINT, "There is no stage of that name.  HELP PIPE lists the stages.\n"},
    {MESSAGE_PIPE_OPTION, "The stage has no such option.\n"},
    {MESSAGE_PIPE_NUMBER, "A whole number is required.\n"},
    {MESSAGE_PIPE_DELIMITER, "A string stands between two equal characters that do not occur in it: /like this/.\n"},
    {MESSAGE_PIPE_HEXADECIMAL, "After X come pairs of the digits 0-9 and A-F.\n"},
    {MESSAGE_PIPE_RANGE, "A range of columns is n, n-m, n.length or n-*.\n"},
    {MESSAGE_PIPE_OPERAND, "The operand is not valid in its place.\n"},
    {MESSAGE_PIPE_EXCESSIVE, "The stage has all its operands before the words shown.\n"},
    {MESSAGE_PIPE_MISSING, "The stage cannot work without an operand.\n"},
    {MESSAGE_PIPE_NO_FILE, "No accessed disk has the file to read.\n"},
    {MESSAGE_PIPE_LONG, "A record on a CMS disk has at most 65535 bytes.\n"},
};

static const struct table {
    const char *module; /* the module whose messages these are; NULL: all others' */
    const struct explanation *rows;
    size_t count;
} tables[] = {
    {NULL, general, sizeof general / sizeof *general},
    {"PIP", pipelines, sizeof pipelines / sizeof *pipelines},
};

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
static void show_text(const struct explanation *e, const char *module)
{
    char text[MESSAGE_TEXT_MAX];
    size_t n = format_text(text, sizeof text, "DMS%s%03d%c ", module ? module : "mmm", e->number, e->severity);

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
    show_lines(text);
}

static bool show_row(const struct table *t, int number, char severity)
{
    for (const struct explanation *e = t->rows; e < t->rows + t->count; e++) {
        if (e->number != number || (severity && e->severity != severity))
            continue;
        show_text(e, t->module);
        cms_text("Return code %d.", e->return_code);
        show_lines(e->help);
        return true;
    }
    return false;
}

bool cms_message_help(const char *module, int number, char severity)
{
    bool found = false;
    for (const struct table *t = tables; t < tables + sizeof tables / sizeof *tables; t++)
        if (!module || !t->module || !strcmp(t->module, module))
            found |= show_row(t, number, severity);
    return found;
}
