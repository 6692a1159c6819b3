/* COMPARE: two files record by record. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"

enum { COL };

static const struct file_option option_table[] = {[COL] = {"COL", 3, 0, true}, {NULL, 0, 0, false}};
const struct file_option *const cms_file_compare_options = option_table;

struct side {
    struct file_found found;
    struct edf_reader *reader;
    uint8_t *record;
    uint32_t length;
    enum edf_status status;
    char text[FILE_ID_MAX];
};

static int open_side(struct side *s, const struct file_id *id)
{
    int rc = cms_file_find("CMP", id, &s->found);
    if (rc)
        return rc;
    cms_file_found_text(&s->found, s->text);
    s->status = edf_open(s->found.mode->disk, s->found.facts.name, s->found.facts.type, &s->reader);
    s->record = s->status ? NULL : cms_heap_allocate(s->found.facts.lrecl ? s->found.facts.lrecl : 1);
    if (!s->status && !s->record)
        s->status = EDF_NO_MEMORY;
    return s->status ? cms_file_failed("CMP", s->status, s->found.mode, s->text) : 0;
}

static void close_side(struct side *s)
{
    if (s->reader)
        edf_close(s->reader);
    cms_heap_free(s->record);
}

static bool read_side(struct side *s)
{
    s->status = edf_read(s->reader, s->record, s->found.facts.lrecl, &s->length);
    return s->status == EDF_OK;
}

static bool conflict(const struct edf_file_facts *a, const struct edf_file_facts *b)
{
    return a->recfm != b->recfm || (a->recfm == 'F' && a->lrecl != b->lrecl);
}

/* What is left when one file, or both, have ended. */
static int end_of(const struct side *a, const struct side *b, bool differ)
{
    const struct side *both[] = {a, b};
    for (int i = 0; i < 2; i++)
        if (both[i]->status && both[i]->status != EDF_END)
            return cms_file_failed("CMP", both[i]->status, both[i]->found.mode, both[i]->text);
    if (a->status != b->status)
        return cms_message("CMP", MESSAGE_PREMATURE_END, a->status ? a->text : b->text);
    return differ ? cms_message("CMP", MESSAGE_NOT_COMPARE) : 0;
}

/* The columns of a record that count: *data and how many there are. */
static uint32_t cut(const struct side *s, const struct file_range *columns, const uint8_t **data)
{
    uint32_t last = columns->last < s->length ? columns->last : s->length;
    if (last < columns->first)
        return 0;
    *data = s->record + columns->first - 1;
    return last - columns->first + 1;
}

static bool equal(const struct side *a, const struct side *b, const struct file_range *columns)
{
    const uint8_t *one = NULL, *other = NULL;
    uint32_t length = cut(a, columns, &one);
    return length == cut(b, columns, &other) && (!length || !memcmp(one, other, length));
}

static int compare(struct side *a, struct side *b, const struct file_range *columns)
{
    bool differ = false, more_a, more_b;
    if (conflict(&a->found.facts, &b->found.facts))
        return cms_message("CMP", MESSAGE_CONFLICTING_FORMATS);
    cms_message("CMP", MESSAGE_COMPARING, a->text, b->text);
    while (more_a = read_side(a), more_b = read_side(b), more_a && more_b) {
        if (cms_halted())
            return COMMAND_HALTED;
        if (equal(a, b, columns))
            continue;
        differ = true;
        cms_file_show(a->record, a->length);
        cms_file_show(b->record, b->length);
    }
    return end_of(a, b, differ);
}

int cms_file_compare(const struct arguments *a)
{
    struct side one = {0}, two = {0};
    struct file_range columns = {1, UINT32_MAX};
    struct file_options options;
    struct file_id id[2];
    int rc = cms_file_options("CMP", a, option_table, &options);
    if (!rc && file_option(&options, COL))
        rc = cms_file_columns_read("CMP", options.value[COL], &columns);
    if (!rc && a->count < 6)
        rc = a->count ? cms_message("CMP", MESSAGE_INCOMPLETE_FILEID) : cms_message("CMP", MESSAGE_NO_FILENAME);
    if (!rc && a->count > 6)
        rc = cms_message("CMP", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[6]));
    if (!rc)
        rc = cms_file_id_read("CMP", a->operand, 3, 0, false, &id[0]);
    if (!rc)
        rc = cms_file_id_read("CMP", a->operand + 3, 3, 0, false, &id[1]);
    if (!rc)
        rc = open_side(&one, &id[0]);
    if (!rc)
        rc = open_side(&two, &id[1]);
    if (!rc && one.found.mode == two.found.mode && !strcmp(one.text, two.text))
        rc = cms_message("CMP", MESSAGE_IDENTICAL_FILEIDS);
    if (!rc)
        rc = compare(&one, &two, &columns);
    close_side(&one);
    close_side(&two);
    return rc;
}
