/* READCARD RECEIVE PEEK RDRLIST: files of the reader. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/spool/incoming.h"
#include "cms/spool/note.h"
#include "cms/spool/spool.h"

enum { REPLACE, NOREPLACE, EBCDIC, OLDDATE, NEWDATE };
enum { FROM, FOR, PEEK_EBCDIC };
enum { PEEK_RECORDS = 200 };

static const struct file_option receive_options[] = {
    [REPLACE] = {"REPLACE", 3, 1, false}, [NOREPLACE] = {"NOREPLACE", 5, 1, false},
    [EBCDIC] = {"EBCDIC", 3, 0, false}, [OLDDATE] = {"OLDDATE", 4, 2, false}, [NEWDATE] = {"NEWDATE", 4, 2, false},
    {NULL, 0, 0, false}};
static const struct file_option peek_options[] = {
    [FROM] = {"FROM", 2, 0, true}, [FOR] = {"FOR", 2, 0, true}, [PEEK_EBCDIC] = {"EBCDIC", 3, 0, false},
    {NULL, 0, 0, false}};
static const struct file_option no_options[] = {{NULL, 0, 0, false}};
const struct file_option *const cms_spool_receive_options = receive_options,
                         *const cms_spool_peek_options = peek_options;

/* Into the file; it is made, or nothing is. */
static int store(struct incoming *in, struct spool_target *t)
{
    int rc = cms_spool_target(t);
    if (rc)
        return rc;
    t->recfm = in->recfm;
    t->lrecl = in->lrecl;
    while (!rc && in->record) {
        rc = cms_halted() ? COMMAND_HALTED : cms_spool_store(t, in->record, in->length);
        if (!rc)
            rc = incoming_go_on(in);
    }
    return cms_spool_stored(t, rc);
}

/* The file goes from the reader only when it is on the disk. */
static int close_reader(int rc)
{
    int closed = cms_spool_command(rc ? "CLOSE RDR KEEP" : "CLOSE RDR");
    return rc ? rc : closed;
}

/* ---- READCARD ---------------------------------------------------------------------------------------------------- */

/* fn ft [fm], or * [* [fm]]: as the cards say. */
static int read_names(const struct arguments *a, struct file_id *id, bool *as_cards)
{
    struct word words[3] = {a->operand[0], a->operand[1], a->operand[2]};
    *as_cards = a->count && !strcmp(a->operand[0].text, "*");
    if (a->count > 3)
        return cms_message("RDC", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    int rc = *as_cards ? 0 : cms_file_id_read("RDC", words, a->count, 'A', false, id);
    if (*as_cards && a->count == 3 && !cms_file_mode_read(&words[2], false, &id->letter, &id->number))
        rc = cms_message("RDC", MESSAGE_INVALID_MODE, cms_typed(&words[2]));
    if (!id->letter || id->letter == '*')
        id->letter = 'A';
    return rc;
}

/* The :READ card's name, else the spool file's, else the one that CMS has always given. */
static void name_cards(const struct incoming *in, struct file_id *id)
{
    struct cms_spool_file file;
    const char *name = in->id.name, *type = in->id.type;
    if (!*name && cms_spool_find(in->source.read.spoolid, &file))
        name = file.name, type = file.type;
    bool good = edf_name_valid(name) && edf_name_valid(type);
    strcpy(id->name, good ? name : "READCARD");
    strcpy(id->type, good ? type : "CMSUT1");
}

/* `as`: the mode, if as_cards, else the fileid */
static int read_deck(struct incoming *in, const struct file_id *as, bool as_cards)
{
    struct spool_target t = {.module = "RDC", .id = *as, .replace = EDF_REPLACE};
    if (as_cards) {
        name_cards(in, &t.id);
        t.id.number = as->number ? as->number : in->id.number ? in->id.number : '1';
    }
    int rc = store(in, &t);
    if (!rc && as_cards)
        cms_text("File %s received", t.text);
    return rc;
}

int cms_spool_readcard(const struct arguments *a)
{
    struct file_id id = {0};
    struct file_options options;
    struct incoming in;
    bool as_cards;
    int rc = cms_file_options("RDC", a, no_options, &options);
    if (!rc)
        rc = read_names(a, &id, &as_cards);
    if (rc)
        return rc;
    rc = incoming_open(&in, "RDC", 0, (struct incoming_how){.decks = as_cards});
    if (!rc)
        rc = read_deck(&in, &id, as_cards);
    while (!rc && in.more && !(rc = incoming_next_file(&in)))
        rc = read_deck(&in, &id, as_cards);
    incoming_forget(&in);
    return close_reader(rc);
}

/* ---- RECEIVE ----------------------------------------------------------------------------------------------------- */

/* The file of that number (0: the first; the first that is not held, if `ready`) as the reader has it. */
static int find_file(const char *module, unsigned spoolid, bool ready, struct cms_spool_file *file)
{
    if (spoolid)
        return cms_spool_find(spoolid, file) ? 0 : cms_message(module, MESSAGE_NO_SPOOL_FILE, spoolid);
    enum cms_spool_status status = cms_spool_file(CMS_READER, 0, file);
    while (!status && ready && file->hold)
        status = cms_spool_file(CMS_READER, file->spoolid, file);
    return status ? cms_spool_failed(module, status) : 0;
}

/* [spoolid] at the front of the operands. */
static void read_spoolid(const struct arguments *a, int *at, unsigned *spoolid)
{
    uint32_t value = 0;
    *at = a->count && cms_number(&a->operand[0], &value);
    *spoolid = value;
}

struct receiving {
    const struct word *words; /* [fn [ft [fm]]] */
    int count;
    struct cms_spool_file file;
    struct incoming in;
    struct spool_target target;
    enum edf_replace replace;
    bool old_date;
};

/* As it is typed, else as the file says, else as the reader has it. */
static void name_part(char part[9], const struct receiving *r, int word, const char *own, const char *readers)
{
    bool typed = r->count > word && strcmp(r->words[word].text, "=");
    strcpy(part, typed ? r->words[word].text : *own ? own : readers);
}

static int name_received(struct receiving *r)
{
    struct file_id *id = &r->target.id;
    *id = (struct file_id){.letter = 'A'};
    name_part(id->name, r, 0, r->in.id.name, r->file.name);
    name_part(id->type, r, 1, r->in.id.type, r->file.type);
    if (r->count > 2 && !cms_file_mode_read(&r->words[2], true, &id->letter, &id->number))
        return cms_message("RCV", MESSAGE_INVALID_MODE, cms_typed(&r->words[2]));
    if (id->letter == '=')
        id->letter = 'A';
    if (!id->number)
        id->number = r->in.id.number ? r->in.id.number : '1';
    if (!edf_name_valid(id->name) || !edf_name_valid(id->type))
        return cms_message("RCV", MESSAGE_NO_FILENAME);
    return 0;
}

/* The next of them has been read. */
static int receive_note(struct receiving *r)
{
    struct spool_target *t = &r->target;
    int rc = notebook_begin(t, "RCV", "ALL");
    while (!rc && r->in.record) {
        rc = cms_halted() ? COMMAND_HALTED : cms_spool_store(t, r->in.record, r->in.length);
        if (!rc)
            rc = incoming_go_on(&r->in);
    }
    if (t->writer || !rc)
        rc = cms_spool_stored(t, rc);
    if (!rc)
        cms_text("Note from %s added to %s", r->file.origin, t->text);
    return rc;
}

static int receive_file(struct receiving *r)
{
    r->target = (struct spool_target){.module = "RCV", .replace = r->replace};
    int rc = name_received(r);
    if (r->old_date && r->in.is_netdata)
        r->target.date = netdata_facts(&r->in.netdata)->changed;
    if (!rc)
        rc = store(&r->in, &r->target);
    if (rc)
        return rc;
    cms_text("File %s received from %s", r->target.text, r->file.origin);
    const char *utility = r->in.is_netdata ? netdata_facts(&r->in.netdata)->utility : "";
    if (*utility)
        cms_message("RCV", MESSAGE_NETDATA_UNLOADED, r->target.text, utility);
    r->count = 0; /* the names were for the first */
    return 0;
}

static int receive_one(struct receiving *r)
{
    bool mail = r->in.is_netdata && netdata_facts(&r->in.netdata)->mail;
    return mail || (r->in.is_netdata && !strcmp(r->in.id.type, "NOTE") && !r->count) ? receive_note(r)
                                                                                     : receive_file(r);
}

static int receive_receipt(const struct receiving *r)
{
    const struct netdata_in *in = &r->in.netdata;
    bool file = *in->files[0].name;
    cms_text("%s acknowledges %s%s%s: %s", r->file.origin, file ? in->files[0].name : "a note", file ? " " : "",
             in->files[0].type, *in->receipt_says ? in->receipt_says : "RECEIVED");
    return 0;
}

static int receive_all(struct receiving *r)
{
    if (incoming_is_receipt(&r->in))
        return receive_receipt(r);
    int rc = receive_one(r);
    while (!rc && r->in.more && !(rc = incoming_next_file(&r->in)))
        rc = receive_one(r);
    return rc;
}

int cms_spool_receive(const struct arguments *a)
{
    struct receiving r = {.words = a->operand};
    struct file_options options;
    unsigned spoolid;
    int at, rc = cms_file_options("RCV", a, receive_options, &options);
    read_spoolid(a, &at, &spoolid);
    if (!rc && a->count > at + 3)
        rc = cms_message("RCV", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at + 3]));
    if (!rc)
        rc = find_file("RCV", spoolid, true, &r.file);
    if (rc)
        return rc;
    r.words += at;
    r.count = a->count - at;
    r.old_date = file_option(&options, OLDDATE);
    r.replace = file_option(&options, REPLACE) ? EDF_REPLACE : EDF_NEW;
    rc = incoming_open(&r.in, "RCV", r.file.spoolid,
                       (struct incoming_how){.decode = true, .decks = !r.count,
                                             .ebcdic = file_option(&options, EBCDIC)});
    if (!rc)
        rc = receive_all(&r);
    bool asked = r.in.is_netdata && r.in.netdata.ack && !r.in.netdata.receipt;
    incoming_forget(&r.in);
    rc = close_reader(rc);
    if (!rc && asked && *r.file.origin != '*') /* who is no user */
        cms_spool_acknowledge(&r.in.netdata, r.file.origin);
    return rc;
}

/* ---- PEEK -------------------------------------------------------------------------------------------------------- */

struct peek {
    uint32_t from, most; /* records passed over; shown */
};

/* A number, or for FOR * all there are. */
static int peek_number(const struct file_options *o, unsigned row, bool all, uint32_t *value)
{
    if (!file_option(o, row))
        return 0;
    bool star = all && !strcmp(o->value[row]->text, "*");
    if (star)
        *value = UINT32_MAX;
    return star || (cms_number(o->value[row], value) && *value)
               ? 0
               : cms_message("PEK", MESSAGE_INVALID_RECORD, cms_typed(o->value[row]), peek_options[row].name);
}

static int show(struct incoming *in, struct peek *p)
{
    int rc = 0;
    if (incoming_is_receipt(in))
        cms_text("An acknowledgement: RECEIVE tells of what");
    while (!rc && p->most && (in->record || in->more)) {
        if (!in->record) {
            rc = incoming_next_file(in);
            if (!rc)
                cms_text("%s %s:", *in->id.name ? in->id.name : "=", *in->id.type ? in->id.type : "=");
            continue;
        }
        if (p->from > 1)
            p->from--;
        else
            cms_file_show(in->record, in->length), p->most--;
        rc = cms_halted() ? COMMAND_HALTED : incoming_go_on(in);
    }
    return rc;
}

int cms_spool_peek(const struct arguments *a)
{
    struct file_options options;
    struct cms_spool_file file;
    struct incoming in;
    struct peek p = {.from = 1, .most = PEEK_RECORDS};
    unsigned spoolid;
    int at, rc = cms_file_options("PEK", a, peek_options, &options);
    read_spoolid(a, &at, &spoolid);
    if (!rc && a->count > at)
        rc = cms_message("PEK", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at]));
    if (!rc)
        rc = peek_number(&options, FROM, false, &p.from);
    if (!rc)
        rc = peek_number(&options, FOR, true, &p.most);
    if (!rc)
        rc = find_file("PEK", spoolid, false, &file);
    if (rc || cms_full_screen("browse", a->line, &rc))
        return rc;
    rc = incoming_open(&in, "PEK", file.spoolid,
                       (struct incoming_how){.decode = true, .ebcdic = file_option(&options, PEEK_EBCDIC)});
    if (!rc)
        rc = show(&in, &p);
    incoming_forget(&in);
    int closed = cms_spool_command("CLOSE RDR KEEP");
    return rc ? rc : closed;
}

/* ---- RDRLIST ----------------------------------------------------------------------------------------------------- */

int cms_spool_rdrlist(const struct arguments *a)
{
    struct file_options options;
    struct cms_spool_file f = {0};
    enum cms_spool_status status;
    bool any = false;
    int rc = cms_file_options("RDL", a, no_options, &options);
    if (!rc && a->count)
        rc = cms_message("RDL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[0]));
    if (!rc && !cms_spool_file(CMS_READER, 0, &f) && cms_full_screen("rdrlist", "", &rc))
        return rc;
    f.spoolid = 0;
    while (!rc && !(status = cms_spool_file(CMS_READER, f.spoolid, &f))) {
        struct clock_date d = cms_clock_split(f.created);
        if (!any)
            cms_text("FILE Filename Filetype Class User     Hold Records  Date  Time");
        any = true;
        cms_text("%04u %-8s %-8s %s %c %-8s %-4s %7u  %02u/%02u %02u:%02u:%02u", f.spoolid, f.name, f.type,
                 f.device == CMS_PRINTER ? "PRT" : f.device == CMS_PUNCH ? "PUN" : "RDR", f.class, f.origin,
                 f.hold ? "USER" : "NONE", f.records, (unsigned)d.month, (unsigned)d.day, (unsigned)d.hour,
                 (unsigned)d.minute, (unsigned)d.second);
    }
    return rc || (any && status == CMS_SPOOL_NONE) ? rc : cms_spool_failed("RDL", status);
}
