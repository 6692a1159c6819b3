/* NOTE and TELL. In: lines that are typed, or a file's. Out: files in others' readers, a notebook; messages. */
#include "cms/spool/note.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/spool/receivers.h"
#include "cms/spool/sent.h"
#include "lib/format.h"

enum { LINE = 4097 };

struct note {
    struct spool_target target; /* userid NOTE A0 */
    struct receivers to;
    char notebook[9]; /* "": none */
    bool from_file, replace, own; /* own: the file is a note that was not sent */
    bool empty;                   /* nothing was typed */
    struct file_id file;
    struct file_found found;
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

struct copying {
    struct spool_target *to;
    bool heading; /* what comes is of one that goes */
};

static int copy_record(void *context, uint8_t *record, size_t length)
{
    struct copying *c = context;
    bool heads = c->heading, empty = !length || (length == 1 && *record == ' ');
    c->heading = heads && !empty;
    return heads ? 0 : cms_spool_store(c->to, record, length);
}

/* Every record of a file to another that is being made; of a note, those behind its heading, if `text`. */
static int copy(const char *module, const struct file_found *from, struct spool_target *to, bool text)
{
    struct copying c = {.to = to, .heading = text};
    struct sent file;
    int rc = sent_open(&file, module, from);
    if (!rc)
        rc = sent_each(&file, copy_record, &c);
    sent_close(&file);
    return rc;
}

static int keep(const struct note *n, const struct file_found *note)
{
    struct spool_target book;
    if (!*n->notebook)
        return 0;
    int rc = notebook_begin(&book, "NOT", n->notebook);
    if (!rc)
        rc = copy("NOT", note, &book, false);
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
    for (unsigned i = 0; !rc && i < n->to.count; i++) {
        format_text(line, sizeof line, "%s %s at %s", i ? "     " : "To:  ", n->to.userid[i], CMS_NODE);
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
    while (!rc && (length = cms_read(line, LINE)) > 0) {
        n->empty = false;
        rc = put_line(n, line);
    }
    cms_heap_free(line);
    return rc ? rc : length < 0 || n->empty ? COMMAND_HALTED : 0;
}

/* What cannot be sent to somebody stays, for SENDFILE or NOTE (FILE. */
static int send(struct note *n)
{
    struct file_found note;
    int rc = cms_file_find("NOT", &n->target.id, &note);
    if (!rc)
        rc = cms_spool_send("NOT", &note, &n->to, false);
    if (!rc)
        rc = keep(n, &note);
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
    for (int i = 2; i < words; i++) /* a filetype may be NOTE */
        if (cms_word_is(&word[i], "NOTEBOOK", 4) || cms_word_is(&word[i], "NONOTEBOOK", 6) ||
            cms_word_is(&word[i], "REPLACE", 3))
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
        } else if (cms_word_is(&a->option[i], "REPLACE", 3)) {
            n->replace = true;
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

/* The note that lies there is not replaced unless that is asked for, or it is what is to be sent. */
static int find_files(struct note *n)
{
    struct spool_target *t = &n->target;
    int rc = n->from_file ? cms_file_find("NOT", &n->file, &n->found) : 0;
    if (rc)
        return rc;
    n->own = n->from_file && n->found.mode->letter == t->id.letter && !strcmp(n->found.facts.name, t->id.name) &&
             !strcmp(n->found.facts.type, t->id.type);
    t->replace = n->replace || n->own ? EDF_REPLACE : EDF_NEW;
    return cms_spool_target(t);
}

int cms_spool_note(const struct arguments *a)
{
    struct note n = {.empty = true, .target = {.module = "NOT", .recfm = 'V'}};
    n.target.id = (struct file_id){.type = "NOTE", .letter = 'A', .number = '0'};
    format_text(n.target.id.name, sizeof n.target.id.name, "%s", cms_cp_user());
    int rc = a->count ? receivers_read("NOT", a->operand, a->count, &n.to)
                      : cms_message("NOT", MESSAGE_PARAMETER_MISSING, "NOTE");
    if (!rc)
        rc = read_options(&n, a);
    if (!rc)
        rc = find_files(&n);
    if (!rc)
        rc = cms_spool_send_ready("NOT", &n.to);
    if (rc)
        return rc;
    rc = put_heading(&n);
    if (!rc)
        rc = n.from_file ? copy("NOT", &n.found, &n.target, n.own) : put_typed(&n);
    bool none = rc == COMMAND_HALTED && n.empty && !cms_halted();
    rc = cms_spool_stored(&n.target, rc);
    if (none)
        cms_text("There was no line: nothing is sent");
    return none ? 0 : rc ? rc : send(&n);
}

/* ---- TELL -------------------------------------------------------------------------------------------------------- */

/* TELL name [AT node] text: where the text begins; *words: how many are before it. */
static const char *find_text(const struct arguments *a, int *words)
{
    *words = a->count > 3 && cms_word_is(&a->operand[1], "AT", 2) && cms_word_is(&a->operand[2], CMS_NODE, 3) ? 3 : 1;
    if (!a->count)
        return "";
    const struct word *last = &a->operand[*words - 1];
    const char *text = last->raw + last->raw_length;
    while (*text == ' ')
        text++;
    return text;
}

int cms_spool_tell(const struct arguments *a)
{
    struct receivers to;
    int words;
    const char *text = find_text(a, &words);
    if (!*text)
        return cms_message("TEL", MESSAGE_PARAMETER_MISSING, "TELL");
    int rc = receivers_read("TEL", a->operand, words, &to);
    if (!rc && strlen(text) > CMS_CP_COMMAND_MAX - sizeof "MSG 12345678 ")
        rc = cms_message("TEL", MESSAGE_CP_LONG, CMS_CP_COMMAND_MAX, strlen(text) + sizeof "MSG 12345678 ");
    if (rc)
        return rc;
    for (unsigned i = 0; i < to.count; i++) { /* who is not there keeps it from nobody else */
        int failed = cms_spool_command("MSG %s %s", to.userid[i], text);
        rc = failed ? failed : rc;
    }
    return rc;
}
