/* SORT: a file's records in the order of the fields the user names. Equal records keep their order. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"

enum { FIELDS_MAX = 32 };

static const struct file_option no_options[] = {{NULL, 0, 0, false}};

struct field {
    uint32_t first, last; /* columns, from 1 on */
};

struct line {
    uint32_t length;
    uint8_t data[];
};

struct sort {
    struct file_found from;
    struct file_id to;
    char from_text[FILE_ID_MAX], to_text[FILE_ID_MAX];
    int fields;
    struct field field[FIELDS_MAX];
    uint32_t count;
    struct line **lines, **spare; /* room for all records of the file */
};

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The next number of the list; false: there is none, or it is none. */
static bool next_number(const char **list, uint32_t *value)
{
    struct word word = {.raw = *list + strspn(*list, " ")};
    word.raw_length = (uint16_t)strcspn(word.raw, " ");
    *list = word.raw + word.raw_length;
    return cms_number(&word, value);
}

static int read_fields(struct sort *s)
{
    static char answer[COMMAND_LINE_MAX + 1];
    cms_message("SRT", MESSAGE_ENTER_SORT);
    if (cms_read(answer, sizeof answer) < 0)
        return COMMAND_HALTED;
    const char *p = answer;
    for (; p[strspn(p, " ")]; s->fields++) {
        struct field *f = &s->field[s->fields];
        if (s->fields == FIELDS_MAX || !next_number(&p, &f->first) || !next_number(&p, &f->last) || !f->first ||
            f->last < f->first)
            return cms_message("SRT", MESSAGE_SORT_PAIR);
        if (f->last > s->from.facts.lrecl)
            return cms_message("SRT", MESSAGE_SORT_COLUMN, f->last);
    }
    return s->fields ? 0 : cms_message("SRT", MESSAGE_NO_LIST, "sort");
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static int byte_at(const struct line *line, uint32_t column)
{
    return column <= line->length ? line->data[column - 1] : ' ';
}

static int compare(const struct sort *s, const struct line *a, const struct line *b)
{
    for (const struct field *f = s->field; f < s->field + s->fields; f++)
        for (uint32_t column = f->first; column <= f->last; column++) {
            int order = byte_at(a, column) - byte_at(b, column);
            if (order)
                return order;
        }
    return 0;
}

/* Two sorted runs that stand one behind the other, from `at` and from `middle` on, into the spare room. */
static void merge(struct sort *s, uint32_t at, uint32_t middle, uint32_t end)
{
    uint32_t a = at, b = middle;
    while (at < end) {
        bool first = a < middle && (b == end || compare(s, s->lines[a], s->lines[b]) <= 0);
        s->spare[at++] = s->lines[first ? a++ : b++];
    }
}

static int order_lines(struct sort *s)
{
    for (uint64_t run = 1; run < s->count; run *= 2) {
        for (uint64_t at = 0; at < s->count; at += 2 * run) {
            uint64_t middle = at + run < s->count ? at + run : s->count;
            uint64_t end = middle + run < s->count ? middle + run : s->count;
            if (cms_halted())
                return COMMAND_HALTED;
            merge(s, (uint32_t)at, (uint32_t)middle, (uint32_t)end);
        }
        struct line **sorted = s->spare;
        s->spare = s->lines;
        s->lines = sorted;
    }
    return 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static enum edf_status read_lines(struct sort *s, struct edf_reader *reader, uint8_t *record, bool *halted)
{
    enum edf_status status;
    uint32_t length;
    while (s->count < s->from.facts.records && !(status = edf_read(reader, record, EDF_LRECL_MAX, &length))) {
        struct line *line = cms_heap_allocate(sizeof *line + length);
        *halted = cms_halted();
        if (!line || *halted) {
            cms_heap_free(line);
            return EDF_NO_MEMORY;
        }
        line->length = length;
        memcpy(line->data, record, length);
        s->lines[s->count++] = line;
    }
    return s->count == s->from.facts.records ? EDF_OK : status;
}

static int read_file(struct sort *s)
{
    struct edf_reader *reader = NULL;
    bool halted = false;
    size_t room = (size_t)s->from.facts.records * sizeof *s->lines;
    uint8_t *record = cms_heap_allocate(EDF_LRECL_MAX);
    s->lines = cms_heap_allocate(room + 1);
    s->spare = cms_heap_allocate(room + 1);
    enum edf_status status = record && s->lines && s->spare ? EDF_OK : EDF_NO_MEMORY;
    if (!status)
        status = edf_open(s->from.mode->disk, s->from.facts.name, s->from.facts.type, &reader);
    if (!status)
        status = read_lines(s, reader, record, &halted);
    if (reader)
        edf_close(reader);
    cms_heap_free(record);
    if (halted)
        return COMMAND_HALTED;
    return status ? cms_file_failed("SRT", status, s->from.mode, s->from_text) : 0;
}

static int write_file(const struct sort *s)
{
    struct mode *mode = cms_mode_find(s->to.letter);
    const struct edf_file_facts *f = &s->from.facts;
    struct edf_writer *writer = NULL;
    enum edf_status status = edf_create(mode->disk, s->to.name, s->to.type, s->to.number, f->recfm,
                                        f->lrecl ? f->lrecl : FILE_LRECL_DEFAULT, EDF_REPLACE, &writer);
    for (uint32_t i = 0; !status && i < s->count; i++) {
        if (cms_halted()) {
            edf_abort(writer);
            return COMMAND_HALTED;
        }
        status = edf_write(writer, s->lines[i]->data, s->lines[i]->length);
    }
    if (!status)
        status = edf_commit(writer);
    else
        edf_abort(writer);
    return status ? cms_file_failed("SRT", status, mode, s->to_text) : 0;
}

static void forget(struct sort *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        cms_heap_free(s->lines[i]);
    cms_heap_free(s->lines);
    cms_heap_free(s->spare);
}

static int read_operands(const struct arguments *a, struct sort *s)
{
    struct file_id from, to;
    if (a->count < 6)
        return a->count ? cms_message("SRT", MESSAGE_INCOMPLETE_FILEID) : cms_message("SRT", MESSAGE_NO_FILENAME);
    if (a->count > 6)
        return cms_message("SRT", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[6]));
    int rc = cms_file_id_read("SRT", a->operand, 3, 0, false, &from);
    if (!rc)
        rc = cms_file_id_read("SRT", a->operand + 3, 3, 0, true, &to);
    if (!rc)
        rc = cms_file_find("SRT", &from, &s->from);
    if (!rc)
        rc = cms_file_refuse_packed("SRT", &s->from);
    if (!rc)
        rc = cms_file_output("SRT", &to, &s->from, &s->to);
    if (!rc)
        rc = cms_file_mode_check("SRT", &s->to, true);
    if (rc)
        return rc;
    cms_file_found_text(&s->from, s->from_text);
    cms_file_id_text(&s->to, s->to_text);
    bool same = s->to.letter == s->from.mode->letter && !strcmp(s->to.name, s->from.facts.name) &&
                !strcmp(s->to.type, s->from.facts.type);
    return same ? cms_message("SRT", MESSAGE_IDENTICAL_FILEIDS) : 0;
}

int cms_file_sort(const struct arguments *a)
{
    struct sort s = {0};
    struct file_options options;
    int rc = cms_file_options("SRT", a, no_options, &options);
    if (!rc)
        rc = read_operands(a, &s);
    if (!rc)
        rc = read_fields(&s);
    if (!rc)
        rc = read_file(&s);
    if (!rc)
        rc = order_lines(&s);
    if (!rc)
        rc = write_file(&s);
    forget(&s);
    return rc;
}
