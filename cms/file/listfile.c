/* LISTFILE: what files there are, in one of five widths. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/command/stacked.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "lib/format.h"

enum { HEADER, NOHEADER, FNAME, FTYPE, FMODE, FORMAT, ALLOC, DATE, LABEL, SHORTDATE, FULLDATE, ISODATE, EXEC,
       APPEND, ARGS, STACK, FIFO, LIFO };
enum { GROUP_HEADER = 1, GROUP_WIDTH, GROUP_DATE, GROUP_EXEC, GROUP_ORDER };

static const struct file_option option_table[] = {
    [HEADER] = {"HEADER", 1, GROUP_HEADER, false},     [NOHEADER] = {"NOHEADER", 3, GROUP_HEADER, false},
    [FNAME] = {"FNAME", 2, GROUP_WIDTH, false},        [FTYPE] = {"FTYPE", 2, GROUP_WIDTH, false},
    [FMODE] = {"FMODE", 2, GROUP_WIDTH, false},        [FORMAT] = {"FORMAT", 2, GROUP_WIDTH, false},
    [ALLOC] = {"ALLOC", 2, GROUP_WIDTH, false},        [DATE] = {"DATE", 1, GROUP_WIDTH, false},
    [LABEL] = {"LABEL", 1, GROUP_WIDTH, false},        [SHORTDATE] = {"SHORTDATE", 3, GROUP_DATE, false},
    [FULLDATE] = {"FULLDATE", 3, GROUP_DATE, false},   [ISODATE] = {"ISODATE", 3, GROUP_DATE, false},
    [EXEC] = {"EXEC", 1, GROUP_EXEC, false},           [APPEND] = {"APPEND", 2, GROUP_EXEC, false},
    [ARGS] = {"ARGS", 2, 0, false},                    [STACK] = {"STACK", 5, GROUP_EXEC, false},
    [FIFO] = {"FIFO", 4, GROUP_ORDER, false},          [LIFO] = {"LIFO", 4, GROUP_ORDER, false},
    {NULL, 0, 0, false},
};
const struct file_option *const cms_file_listfile_options = option_table;

enum { LINE_MAX = 120, EXEC_LRECL = 108 };
static const char EXEC_PREFIX[] = "&1 &2 ";
static const char EXEC_ARGUMENTS[] = " &3 &4 &5 &6 &7 &8 &9 &10 &11 &12 &13 &14 &15";

/* A listing under way: to the terminal, or to CMS EXEC A1. */
struct listing {
    struct file_options options;
    int width;
    struct edf_writer *exec; /* NULL: the terminal */
    struct mode *mode;       /* of the EXEC */
    enum edf_status status;  /* what it would not take */
};

static void put(struct listing *l, const char *line, size_t n)
{
    uint8_t record[EXEC_LRECL];
    const size_t prefix = sizeof EXEC_PREFIX - 1, arguments = sizeof EXEC_ARGUMENTS - 1;
    if (!l->exec) {
        cms_line(line, n);
        return;
    }
    memset(record, ' ', sizeof record);
    memcpy(record, EXEC_PREFIX, prefix);
    n = n < sizeof record - prefix ? n : sizeof record - prefix;
    memcpy(record + prefix, line, n);
    if (file_option(&l->options, ARGS) && n + arguments <= sizeof record - prefix)
        memcpy(record + prefix + n, EXEC_ARGUMENTS, arguments);
    l->status = l->status ? l->status : edf_write(l->exec, record, sizeof record);
}

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

static void show(struct listing *l, const struct file_found *found)
{
    int width = l->width;
    const struct file_options *options = &l->options;
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
    put(l, line, n);
}

/* ---- EXEC and APPEND --------------------------------------------------------------------------------------------- */

static const struct file_id exec_id = {"CMS", "EXEC", 'A', '1'};

static int exec_failed(const struct listing *l, enum edf_status status)
{
    char text[FILE_ID_MAX];
    cms_file_id_text(&exec_id, text);
    return cms_file_failed("LST", status, l->mode, text);
}

static int begin_exec(struct listing *l)
{
    struct edf_file_facts facts;
    if (!file_option(&l->options, EXEC) && !file_option(&l->options, APPEND))
        return 0;
    int rc = cms_file_mode_check("LST", &exec_id, true);
    if (rc)
        return rc;
    l->mode = cms_mode_find(exec_id.letter);
    bool appends = file_option(&l->options, APPEND) &&
                   edf_find(l->mode->disk, exec_id.name, exec_id.type, &facts) == EDF_OK;
    enum edf_status status =
        appends ? edf_append(l->mode->disk, exec_id.name, exec_id.type, &l->exec)
                : edf_create(l->mode->disk, exec_id.name, exec_id.type, exec_id.number, 'F', EXEC_LRECL, EDF_REPLACE,
                             &l->exec);
    return status ? exec_failed(l, status) : 0;
}

static int end_exec(struct listing *l)
{
    enum edf_status status = l->status;
    if (l->exec && !status) {
        status = edf_commit(l->exec);
        l->exec = NULL;
    }
    return status ? exec_failed(l, status) : 0;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool to_stack(const struct file_options *o)
{
    return file_option(o, STACK) || file_option(o, FIFO) || file_option(o, LIFO);
}

static int list(struct listing *l, struct file_search *search)
{
    struct file_found found;
    char text[FILE_ID_MAX];
    uint32_t count = 0;
    bool wanted = file_option(&l->options, HEADER) ||
                  (l->width >= FORMAT && !to_stack(&l->options) && !file_option(&l->options, NOHEADER));
    for (; cms_file_next(search, &found); count++) {
        if (cms_halted())
            return COMMAND_HALTED;
        if (count == 0 && wanted && !l->exec)
            show_header(l->width, &l->options);
        show(l, &found);
    }
    cms_file_id_text(&search->id, text);
    return count ? end_exec(l) : cms_message("LST", MESSAGE_FILE_NOT_FOUND, text);
}

/* What goes to an EXEC does not go onto the stack, and ARGS is for an EXEC. */
static int check_options(const struct file_options *o)
{
    static const uint8_t stacks[] = {STACK, FIFO, LIFO}, execs[] = {EXEC, APPEND};
    bool exec = file_option(o, EXEC) || file_option(o, APPEND);
    for (size_t i = 0; i < sizeof stacks; i++)
        for (size_t j = 0; j < sizeof execs; j++)
            if (file_option(o, stacks[i]) && file_option(o, execs[j]))
                return cms_message("LST", MESSAGE_CONFLICTING_OPTIONS, option_table[execs[j]].name,
                                   option_table[stacks[i]].name);
    return file_option(o, ARGS) && !exec ? cms_message("LST", MESSAGE_INVALID_OPTION, option_table[ARGS].name) : 0;
}

static int list_to_stack(struct listing *l, struct file_search *search)
{
    struct stacked stacked;
    struct file_search any = *search;
    struct file_found found;
    if (!cms_file_next(&any, &found)) /* says so on the terminal */
        return list(l, search);
    cms_stacked_begin(&stacked, file_option(&l->options, LIFO));
    return cms_stacked_end(&stacked, "LST", list(l, search));
}

int cms_file_listfile(const struct arguments *a)
{
    struct file_search search = {0};
    struct listing l = {0};
    int rc = cms_file_options("LST", a, option_table, &l.options);
    if (!rc)
        rc = check_options(&l.options);
    if (!rc)
        rc = cms_file_list_read("LST", a, &search.id);
    if (!rc)
        rc = cms_file_mode_check("LST", &search.id, false);
    if (!rc)
        rc = begin_exec(&l);
    l.width = width_of(&l.options);
    if (!rc)
        rc = to_stack(&l.options) ? list_to_stack(&l, &search) : list(&l, &search);
    edf_abort(l.exec);
    return rc;
}
