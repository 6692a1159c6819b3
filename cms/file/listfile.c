/* LISTFILE: what files there are, in one of five widths. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "lib/format.h"

enum { HEADER, NOHEADER, FNAME, FTYPE, FMODE, FORMAT, ALLOC, DATE, LABEL, SHORTDATE, FULLDATE, ISODATE };
enum { GROUP_HEADER = 1, GROUP_WIDTH, GROUP_DATE };

static const struct file_option option_table[] = {
    [HEADER] = {"HEADER", 1, GROUP_HEADER, false},     [NOHEADER] = {"NOHEADER", 3, GROUP_HEADER, false},
    [FNAME] = {"FNAME", 2, GROUP_WIDTH, false},        [FTYPE] = {"FTYPE", 2, GROUP_WIDTH, false},
    [FMODE] = {"FMODE", 2, GROUP_WIDTH, false},        [FORMAT] = {"FORMAT", 2, GROUP_WIDTH, false},
    [ALLOC] = {"ALLOC", 2, GROUP_WIDTH, false},        [DATE] = {"DATE", 1, GROUP_WIDTH, false},
    [LABEL] = {"LABEL", 1, GROUP_WIDTH, false},        [SHORTDATE] = {"SHORTDATE", 3, GROUP_DATE, false},
    [FULLDATE] = {"FULLDATE", 3, GROUP_DATE, false},   [ISODATE] = {"ISODATE", 3, GROUP_DATE, false},
    {NULL, 0, 0, false},
};
const struct file_option *const cms_file_listfile_options = option_table;

enum { LINE_MAX = 120 };

static int width_of(const struct file_options *options)
{
    for (int i = FNAME; i <= LABEL; i++)
        if (file_option(options, (unsigned)i))
            return i;
    return FMODE;
}

static int date_width(const struct file_options *options)
{
    return file_option(options, FULLDATE) || file_option(options, ISODATE) ? 11 : 9;
}

static void show_header(int width, const struct file_options *options)
{
    char line[LINE_MAX];
    size_t n = format_text(line, sizeof line, "FILENAME");
    if (width >= FTYPE)
        n += format_text(line + n, sizeof line - n, " FILETYPE");
    if (width >= FMODE)
        n += format_text(line + n, sizeof line - n, " FM");
    if (width >= FORMAT)
        n += format_text(line + n, sizeof line - n, " FORMAT LRECL");
    if (width >= ALLOC)
        n += format_text(line + n, sizeof line - n, "%11s%11s", "RECS", "BLOCKS");
    if (width >= DATE)
        n += format_text(line + n, sizeof line - n, "%*s%9s", date_width(options), "DATE", "TIME");
    if (width >= LABEL)
        n += format_text(line + n, sizeof line - n, " LABEL");
    cms_line(line, n);
}

static void date_text(char *text, size_t size, const struct edf_date *d, const struct file_options *options)
{
    if (file_option(options, ISODATE))
        format_text(text, size, "%04u-%02u-%02u", d->year, d->month, d->day);
    else if (file_option(options, FULLDATE))
        format_text(text, size, "%u/%02u/%04u", d->month, d->day, d->year);
    else
        format_text(text, size, "%u/%02u/%02u", d->month, d->day, d->year % 100);
}

static void show(const struct file_found *found, int width, const struct file_options *options)
{
    char line[LINE_MAX], date[16];
    const struct edf_file_facts *f = &found->facts;
    struct edf_disk_facts disk;
    size_t n = format_text(line, sizeof line, width == FNAME ? "%s" : "%-8s", f->name);
    if (width >= FTYPE)
        n += format_text(line + n, sizeof line - n, width == FTYPE ? " %s" : " %-8s", f->type);
    if (width >= FMODE)
        n += format_text(line + n, sizeof line - n, " %c%c", found->mode->letter, f->mode_number);
    if (width >= FORMAT)
        n += format_text(line + n, sizeof line - n, " %c%11u", f->recfm, f->lrecl);
    if (width >= ALLOC)
        n += format_text(line + n, sizeof line - n, "%11u%11u", f->records, f->blocks);
    if (width >= DATE) {
        date_text(date, sizeof date, &f->date, options);
        n += format_text(line + n, sizeof line - n, "%*s %2u:%02u:%02u", date_width(options), date, f->date.hour,
                         f->date.minute, f->date.second);
    }
    if (width >= LABEL) {
        edf_disk_query(found->mode->disk, &disk);
        n += format_text(line + n, sizeof line - n, " %s", disk.volid);
    }
    cms_line(line, n);
}

/* Name and type that are left out mean all; the mode, A. */
static int read_operands(const struct arguments *a, struct file_id *id)
{
    struct word words[3] = {{.text = "*"}, {.text = "*"}, {.text = "A"}};
    if (a->count > 3)
        return cms_message("LST", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    for (int i = 0; i < a->count; i++)
        words[i] = a->operand[i];
    return cms_file_id_read("LST", words, a->count == 3 ? 3 : 2, 'A', false, id);
}

int cms_file_listfile(const struct arguments *a)
{
    struct file_search search = {0};
    struct file_options options;
    struct file_found found;
    char text[FILE_ID_MAX];
    uint32_t count = 0;
    int rc = cms_file_options("LST", a, option_table, &options);
    if (!rc)
        rc = read_operands(a, &search.id);
    if (!rc)
        rc = cms_file_mode_check("LST", &search.id, false);
    if (rc)
        return rc;
    int width = width_of(&options);
    bool header = file_option(&options, HEADER) || (width >= FORMAT && !file_option(&options, NOHEADER));
    for (; cms_file_next(&search, &found); count++) {
        if (cms_halted())
            return COMMAND_HALTED;
        if (count == 0 && header)
            show_header(width, &options);
        show(&found, width, &options);
    }
    cms_file_id_text(&search.id, text);
    return count ? 0 : cms_message("LST", MESSAGE_FILE_NOT_FOUND, text);
}
