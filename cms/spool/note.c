/* NOTE and TELL. In: lines that are typed, or a file's. Out: files in others' readers, a notebook; messages. */
#include "cms/spool/note.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/spool/names.h"
#include "lib/format.h"

enum { TO_MOST = 16, LINE = 4097 };

struct note {
    struct spool_target target; /* userid NOTE A0 */
    unsigned count;
    char to[TO_MOST][9]; /* user IDs */
    char notebook[9];    /* "": none */
    bool from_file;
    struct file_id file;
};

/* ---- notebooks --------------------------------------------------------------------------------------------------- */

int notebook_begin(struct spool_target *t, const char *module, const char *name)
{
    static const char line[] = "=========================================================================";
    struct edf_file_facts facts;
    *t = (struct spool_target){.module = module, .id = {.type = "NOTEBOOK", .letter = 'A', .number = '0'},
                               .recfm = 'V', .replace = EDF_REPLACE};
    format_text(t->id.name, sizeof t->id.name, "%s", name);
    int rc = cms_spool_target(t);
    if (rc)
        return rc;
    enum edf_status status = edf_find(t->mode->disk, t->id.name, t->id.type, &facts);
    if (!status) {
        t->recfm = facts.recfm;
        t->lrecl = facts.lrecl;
        status = edf_append(t->mode->disk, t->id.name, t->id.type, &t->writer);
    } else if (status == EDF_NOT_FOUND) {
        status = EDF_OK;
    }
    rc = status ? cms_file_failed(module, status, t->mode, t->text) : 0;
    if (!rc)
        rc = cms_spool_store(t, (const uint8_t *)line, sizeof line - 1);
    return rc;
}

/* Every record of a file to another that is being made. */
static int copy(const char *module, const struct file_id *from, struct spool_target *to)
{
    struct file_found found;
    struct edf_reader *reader = NULL;
    char text[FILE_ID_MAX];
    uint32_t length;
    int rc = cms_file_find(module, from, &found);
    if (rc)
        return rc;
    cms_file_found_text(&found, text);
    enum edf_status status = edf_open(found.mode->disk, found.facts.name, found.facts.type, &reader);
    uint8_t *record = status ? NULL : cms_heap_allocate(found.facts.lrecl ? found.facts.lrecl : 1);
    if (!status && !record)
        status = EDF_NO_MEMORY;
    while (!rc && !status && !(status = edf_read(reader, record, found.facts.lrecl, &length)))
        rc = cms_halted() ? COMMAND_HALTED : cms_spool_store(to, record, length);
    if (reader)
        edf_close(reader);
    cms_heap_free(record);
    return rc || !status || status == EDF_END ? rc : cms_file_failed(module, status, found.mode, text);
}

static int keep(const struct note *n)
{
    struct spool_target book;
    if (!*n->notebook)
        return 0;
    int rc = notebook_begin(&book, "NOT", n->notebook);
    if (!rc)
        rc = copy("NOT", &n->target.id, &book);
    return book.writer || !rc ? cms_spool_stored(&book, rc) : rc;
}

/* ---- the note ---------------------------------------------------------------------------------------------------- */

static int put_line(struct note *n, const char *line)
{
    return cms_spool_store(&n->target, (const uint8_t *)line, strlen(line));
}

static int put_heading(struct note *n)
{
    static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August",
                                         "September", "October", "November", "December"};
    struct clock_date d = cms_clock_split(cms_clock_now().unix_seconds);
    char line[80];
    format_text(line, sizeof line, "Date: %d %s %d, %02d:%02d:%02d", d.day, months[(unsigned)(d.month - 1) % 12],
                d.year, d.hour, d.minute, d.second);
    int rc = put_line(n, line);
    format_text(line, sizeof line, "From: %s at %s", cms_cp_user(), CMS_NODE);
    if (!rc)
        rc = put_line(n, line);
    for (unsigned i = 0; !rc && i < n->count; i++) {
        format_text(line, sizeof line, "%s %s at %s", i ? "     " : "To:  ", n->to[i], CMS_NODE);
        rc = put_line(n, line);
    }
    return rc ? rc : put_line(n, "");
}

static int put_typed(struct note *n)
{
    char *line = cms_heap_allocate(LINE);
    int rc = line ? 0 : cms_message("NOT", MESSAGE_VIRTUAL_STORAGE), length = 0;
    if (!rc)
        cms_text("Enter the note; a line with nothing in it ends it, HX forgets it");
    while (!rc && (length = cms_read(line, LINE)) > 0)
        rc = put_line(n, line);
    cms_heap_free(line);
    return rc ? rc : length < 0 ? COMMAND_HALTED : 0;
}

/* What cannot be sent to somebody stays, for SENDFILE. */
static int send(struct note *n)
{
    int rc = 0;
    for (unsigned i = 0; !rc && i < n->count; i++)
        rc = cms_spool_send("NOT", &n->target.id, n->to[i]);
    if (!rc)
        rc = keep(n);
    if (rc) {
        cms_text("The note is in %s", n->target.text);
        return rc;
    }
    enum edf_status status = edf_erase(n->target.mode->disk, n->target.id.name, n->target.id.type);
    return status ? cms_file_failed("NOT", status, n->target.mode, n->target.text) : 0;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static int read_file_option(struct note *n, const struct arguments *a, int *at)
{
    int words = a->option_count - *at - 1;
    const struct word *word = a->option + *at + 1;
    for (int i = 0; i < words; i++)
        if (cms_word_is(&word[i], "NOTEBOOK", 4) || cms_word_is(&word[i], "NONOTEBOOK", 6))
            words = i;
    words = words > 3 ? 3 : words;
    int rc = cms_file_id_read("NOT", word, words, '*', false, &n->file);
    n->from_file = true;
    *at += words;
    return rc;
}

static int read_options(struct note *n, const struct arguments *a)
{
    int rc = 0;
    strcpy(n->notebook, "ALL");
    for (int i = 0; !rc && i < a->option_count; i++) {
        if (cms_word_is(&a->option[i], "FILE", 4)) {
            rc = read_file_option(n, a, &i);
        } else if (cms_word_is(&a->option[i], "NONOTEBOOK", 6)) {
            *n->notebook = 0;
        } else if (!cms_word_is(&a->option[i], "NOTEBOOK", 4)) {
            rc = cms_message("NOT", MESSAGE_INVALID_OPTION, cms_typed(&a->option[i]));
        } else if (++i == a->option_count || !edf_name_valid(a->option[i].text)) {
            rc = cms_message("NOT", MESSAGE_PARAMETER_MISSING, "NOTEBOOK");
        } else {
            strcpy(n->notebook, a->option[i].text);
        }
    }
    return rc;
}

static int read_receivers(struct note *n, const struct arguments *a)
{
    int rc = a->count ? 0 : cms_message("NOT", MESSAGE_PARAMETER_MISSING, "NOTE");
    if (a->count > TO_MOST)
        return cms_message("NOT", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[TO_MOST]));
    for (; !rc && n->count < (unsigned)a->count; n->count++)
        rc = names_resolve("NOT", &a->operand[n->count], n->to[n->count]);
    return rc;
}

int cms_spool_note(const struct arguments *a)
{
    struct note n = {.target = {.module = "NOT", .id = {.type = "NOTE", .letter = 'A', .number = '0'}, .recfm = 'V',
                                .replace = EDF_REPLACE}};
    format_text(n.target.id.name, sizeof n.target.id.name, "%s", cms_cp_user());
    int rc = read_receivers(&n, a);
    if (!rc)
        rc = read_options(&n, a);
    if (!rc)
        rc = cms_spool_target(&n.target);
    if (rc)
        return rc;
    rc = put_heading(&n);
    if (!rc)
        rc = n.from_file ? copy("NOT", &n.file, &n.target) : put_typed(&n);
    rc = cms_spool_stored(&n.target, rc);
    return rc ? rc : send(&n);
}

/* ---- TELL -------------------------------------------------------------------------------------------------------- */

int cms_spool_tell(const struct arguments *a)
{
    char userid[9];
    const char *text = a->count ? a->operand[0].raw + a->operand[0].raw_length : "";
    while (*text == ' ')
        text++;
    if (!*text)
        return cms_message("TEL", MESSAGE_PARAMETER_MISSING, "TELL");
    int rc = names_resolve("TEL", &a->operand[0], userid);
    if (!rc && strlen(text) > CMS_CP_COMMAND_MAX - sizeof "MSG 12345678 ")
        rc = cms_message("TEL", MESSAGE_CP_LONG, CMS_CP_COMMAND_MAX, strlen(text) + sizeof "MSG 12345678 ");
    return rc ? rc : cms_spool_command("MSG %s %s", userid, text);
}
