/* QUERY: what CMS knows of itself.  One row a function; what is in no row is a setting, or CP's. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/command/query.h"
#include "cms/command/stacked.h"
#include "cms/command/synonym.h"
#include "cms/command/version.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

/* ---- rows about disks ---------------------------------------------------------------------------------------- */

static const char *mode_text(const struct mode *m, char text[4])
{
    format_text(text, 4, m->parent == m->letter ? "%c" : "%c/%c", m->letter, m->parent);
    return text;
}

static const char *stat_text(const struct mode *m)
{
    return m->read_only ? "R/O" : "R/W";
}

void cms_query_disk_line(const struct mode *m, const struct edf_disk_facts *f, char *line, size_t size)
{
    char mode[4], cylinders[12], percent[8];
    uint32_t used = f->blocks ? (uint32_t)(((uint64_t)f->used * 100 + f->blocks - 1) / f->blocks) : 0; /* rounded up */

    format_text(cylinders, sizeof cylinders, f->cylinders ? "%u" : "FB", f->cylinders);
    int digits = (int)format_text(percent, sizeof percent, "-%02u", used);
    format_text(line, size, "%-6s %-4X %-3s %-3s %5s %4s %-5u%8u %*u%s %10u %10u", f->volid, m->vdev,
                mode_text(m, mode), stat_text(m), cylinders, f->cylinders ? "3390" : "9336", f->block_size, f->files,
                13 - digits, f->used, percent, f->blocks - f->used, f->blocks);
}

static void disk_line(const struct mode *m, const struct edf_disk_facts *f)
{
    char line[100];
    cms_query_disk_line(m, f, line, sizeof line);
    cms_line(line, strlen(line));
}

static void accessed_line(const struct mode *m, const struct edf_disk_facts *f)
{
    char mode[4];
    cms_text("%-6s %s  %10u  %-4X  %s", mode_text(m, mode), stat_text(m), f->files, m->vdev, f->volid);
}

static void search_line(const struct mode *m, const struct edf_disk_facts *f)
{
    char mode[4];
    cms_text("%-6s  %-4X %-3s  %s", f->volid, m->vdev, mode_text(m, mode), stat_text(m));
}

static void fault_line(const struct mode *m, const struct edf_disk_facts *f)
{
    if (f->fault)
        cms_text("       %c is read-only: %s", m->letter, f->fault);
}

static uint64_t room_of(const struct edf_disk_facts *f)
{
    return (uint64_t)(f->blocks - f->used) * f->block_size;
}

static const char disk_heading[] = "LABEL  VDEV M  STAT   CYL TYPE BLKSZ   FILES  BLKS USED-(%) BLKS LEFT  BLK TOTAL";

static bool every(const struct mode *m) { (void)m; return true; }
static bool writable(const struct mode *m) { return !m->read_only; }

static int each_mode(const char *heading, void (*line)(const struct mode *, const struct edf_disk_facts *),
                     bool (*wanted)(const struct mode *))
{
    struct edf_disk_facts facts;
    if (heading)
        cms_line(heading, strlen(heading));
    for (struct mode *m = NULL; (m = cms_mode_next(m));) {
        if (!wanted(m))
            continue;
        edf_disk_query(m->disk, &facts);
        line(m, &facts);
    }
    return 0;
}

/* The disk that can be written and has most room; of several, the first in search order. */
static int query_disk_max(void)
{
    const struct mode *most = NULL;
    struct edf_disk_facts facts, best = {0};

    for (struct mode *m = NULL; (m = cms_mode_next(m));) {
        edf_disk_query(m->disk, &facts);
        if (m->read_only || (most && room_of(&facts) <= room_of(&best)))
            continue;
        most = m;
        best = facts;
    }
    if (!most)
        return cms_message("QRY", MESSAGE_NOT_WRITABLE);
    cms_line(disk_heading, strlen(disk_heading));
    disk_line(most, &best);
    return 0;
}

static int query_disk(const struct arguments *a)
{
    char letter;
    struct edf_disk_facts facts;

    if (a->count < 2 || !strcmp(a->operand[1].text, "*"))
        return each_mode(disk_heading, disk_line, every);
    if (!strcmp(a->operand[1].text, "R/W"))
        return each_mode(disk_heading, disk_line, writable);
    if (cms_word_is(&a->operand[1], "MAX", 3))
        return query_disk_max();
    if (!cms_mode_letter(&a->operand[1], &letter))
        return cms_message("QRY", MESSAGE_INVALID_MODE, cms_typed(&a->operand[1]));
    struct mode *m = cms_mode_find(letter);
    if (!m)
        return cms_message("QRY", MESSAGE_MODE_NOT_ACCESSED, cms_typed(&a->operand[1]));
    cms_line(disk_heading, strlen(disk_heading));
    edf_disk_query(m->disk, &facts);
    disk_line(m, &facts);
    fault_line(m, &facts);
    return 0;
}

static int query_accessed(const struct arguments *a)
{
    char letter;
    struct edf_disk_facts facts;
    static const char heading[] = "Mode   Stat     Files  Vdev  Label/Directory";

    if (a->count < 2)
        return each_mode(heading, accessed_line, every);
    struct mode *m = cms_mode_letter(&a->operand[1], &letter) ? cms_mode_find(letter) : NULL;
    if (!m)
        return cms_message("QRY", MESSAGE_MODE_NOT_ACCESSED, cms_typed(&a->operand[1]));
    cms_line(heading, sizeof heading - 1);
    edf_disk_query(m->disk, &facts);
    accessed_line(m, &facts);
    return 0;
}

static int query_search(const struct arguments *a)
{
    (void)a;
    return each_mode(NULL, search_line, every);
}

/* ---- rows about the session ---------------------------------------------------------------------------------- */

static int query_cmslevel(const struct arguments *a)
{
    (void)a;
    cms_text("%s CMS Level %d, Service Level %03d", CMS_PRODUCT, CMS_LEVEL, CMS_SERVICE);
    return 0;
}

static void cpu_time(char text[16], uint64_t ns)
{
    uint64_t hundredths = ns / 10000000;
    format_text(text, 16, "%03u:%02u.%02u", (unsigned)(hundredths / 6000), (unsigned)(hundredths / 100 % 60),
                (unsigned)(hundredths % 100));
}

static int query_time(const struct arguments *a)
{
    static const char *const days[] = {"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"};
    char virtual_cpu[16], total_cpu[16];

    if (cms_cp_present())
        return cms_cp_line(a->line);
    struct clock_time now = cms_clock_now();
    struct clock_date d = cms_clock_split(now.unix_seconds);
    cpu_time(virtual_cpu, now.virtual_ns);
    cpu_time(total_cpu, now.total_ns);
    cms_text("TIME IS %02d:%02d:%02d UTC %s %02d/%02d/%02d", d.hour, d.minute, d.second, days[d.weekday], d.month,
             d.day, d.year % 100);
    cms_text("VIRTCPU= %s TOTCPU= %s", virtual_cpu, total_cpu);
    return 0;
}

/* SYNONYM SYSTEM|USER|ALL; USER unless it says. */
static int query_synonym(const struct arguments *a)
{
    const struct word *what = a->count > 1 ? &a->operand[1] : NULL;
    bool all = what && cms_word_is(what, "ALL", 3), system = all || (what && cms_word_is(what, "SYSTEM", 3));
    if (what && !system && !cms_word_is(what, "USER", 3))
        return cms_message("QRY", MESSAGE_INVALID_PARAMETER, cms_typed(what));
    if (system)
        cms_synonym_show_system();
    return all || !system ? cms_synonym_show_user("QRY") : 0;
}

static int query_userid(const struct arguments *a)
{
    if (cms_cp_present())
        return cms_cp_line(a->line);
    cms_text("%s", cms_cp_user());
    return 0;
}

static const struct query {
    const char *name;
    uint8_t abbreviation, operands; /* operands: most, the name itself included */
    int (*run)(const struct arguments *);
} table[] = {
    {"ACCESSED", 2, 2, query_accessed}, {"CMSLEVEL", 4, 1, query_cmslevel}, {"DISK", 4, 2, query_disk},
    {"PROGRAM", 4, 1, cms_query_program}, {"SEARCH", 3, 1, query_search}, {"SYNONYM", 3, 2, query_synonym},
    {"TIME", 1, 1, query_time}, {"USERID", 4, 1, query_userid},
};

static int query(const struct arguments *a)
{
    const struct word *word = &a->operand[0];

    for (const struct query *q = table; q < table + sizeof table / sizeof *table; q++) {
        if (!cms_word_is(word, q->name, q->abbreviation))
            continue;
        if (a->count > q->operands)
            return cms_message("QRY", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[q->operands]));
        return q->run(a);
    }
    return cms_setting_query(word->text) ? 0 : cms_cp_or_message(a, "QRY");
}

/* What goes wrong is shown, and stacks nothing. */
static int query_stacked(const struct arguments *a, bool lifo)
{
    struct stacked stacked;
    struct output_sink before = cms_redirect(cms_output_none);
    int rc = query(a);
    cms_redirect(before);
    if (rc)
        return query(a);
    cms_stacked_begin(&stacked, lifo);
    return cms_stacked_end(&stacked, "QRY", query(a));
}

/* Is a row of ours, or a setting, and so has our options: CP's are CP's. */
static bool is_ours(const struct word *word)
{
    for (const struct query *q = table; q < table + sizeof table / sizeof *table; q++)
        if (cms_word_is(word, q->name, q->abbreviation))
            return true;
    return cms_setting_known(word->text);
}

/* The line without its options, for CP, which has none. */
static int query_with_options(const struct arguments *a, bool lifo)
{
    struct arguments cut = *a;
    size_t length = (size_t)(strchr(a->line, '(') - a->line);
    char *line = cms_heap_allocate(COMMAND_LINE_MAX + 1);
    if (!line)
        return cms_message("QRY", MESSAGE_VIRTUAL_STORAGE);
    memcpy(line, a->line, length);
    line[length] = 0;
    cut.line = line;
    int rc = query_stacked(&cut, lifo);
    cms_heap_free(line);
    return rc;
}

int cms_query(const struct arguments *a)
{
    bool stacks = false, lifo = false;
    int rc = a->count ? 0 : cms_message("QRY", MESSAGE_NO_OPERANDS);
    if (!rc && a->option_count && is_ours(&a->operand[0]))
        rc = cms_stacked_options("QRY", a, 0, &stacks, &lifo);
    if (rc)
        return rc;
    return stacks ? query_with_options(a, lifo) : query(a);
}

const char *cms_query_name(size_t index)
{
    return index < sizeof table / sizeof *table ? table[index].name : NULL;
}
