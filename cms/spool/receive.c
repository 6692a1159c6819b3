/* READCARD RECEIVE PEEK RDRLIST: files of the reader. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/spool/netdata.h"
#include "cms/spool/note.h"
#include "cms/spool/spool.h"

enum { REPLACE, NOREPLACE };
enum { FOR };
enum { PEEK_RECORDS = 200 };

static const struct file_option receive_options[] = {
    [REPLACE] = {"REPLACE", 3, 1, false}, [NOREPLACE] = {"NOREPLACE", 5, 1, false}, {NULL, 0, 0, false}};
static const struct file_option peek_options[] = {[FOR] = {"FOR", 3, 0, true}, {NULL, 0, 0, false}};
static const struct file_option no_options[] = {{NULL, 0, 0, false}};
const struct file_option *const cms_spool_receive_options = receive_options,
                         *const cms_spool_peek_options = peek_options;

/* ---- a file as it comes ------------------------------------------------------------------------------------------ */

/* Cards as they are, but for a :READ card before them; or the records of a NETDATA file. */
struct incoming {
    struct spool_source source;
    struct netdata_in netdata;
    bool is_netdata, any;
    const uint8_t *record; /* the next; NULL: there is none */
    size_t length;
    struct file_id id; /* as the file says; name "": it does not */
    char recfm;
    uint32_t lrecl;
};

static void take_header(struct incoming *in)
{
    char text[CARD + 1];
    struct arguments words;
    struct file_id id;
    size_t length = in->length < CARD ? in->length : CARD;
    memcpy(text, in->record, length);
    text[length] = 0;
    if (!memcmp(text, ":READ ", 6) && cms_parse(text, &words) && words.count >= 3 &&
        edf_name_valid(words.operand[0].text) && edf_name_valid(words.operand[1].text) &&
        cms_file_mode_read(&words.operand[2], false, &id.letter, &id.number)) {
        memcpy(id.name, words.operand[0].text, sizeof id.name);
        memcpy(id.type, words.operand[1].text, sizeof id.type);
        in->id = id;
    }
}

static int begin_netdata(struct incoming *in)
{
    int rc = netdata_open(&in->netdata, &in->source, in->record, in->length);
    if (rc)
        return rc;
    memcpy(in->id.name, in->netdata.facts.name, sizeof in->id.name);
    memcpy(in->id.type, in->netdata.facts.type, sizeof in->id.type);
    in->id.number = in->netdata.facts.number;
    in->recfm = in->netdata.facts.recfm;
    in->lrecl = in->netdata.facts.lrecl;
    in->is_netdata = true;
    return 0;
}

/* What was not may have lines of any length behind one of 80 bytes. */
static bool is_punched(unsigned spoolid)
{
    struct cms_spool_file file = {0};
    unsigned at = 0;
    while (!cms_spool_file(CMS_READER, at, &file) && file.spoolid != spoolid)
        at = file.spoolid;
    return file.spoolid == spoolid && file.device == CMS_PUNCH;
}

/* To the first record that is the file's, but for one of NETDATA: there it is the next. */
static int begin(struct incoming *in, const char *module, unsigned spoolid, bool decode)
{
    *in = (struct incoming){.recfm = 'F', .lrecl = CARD};
    int rc = cms_spool_open(&in->source, module, spoolid);
    if (!rc)
        rc = cms_spool_next(&in->source, &in->record, &in->length);
    if (rc || !in->record)
        return rc;
    if (decode && netdata_is(in->record, in->length))
        return begin_netdata(in);
    take_header(in);
    if (*in->id.name)
        rc = cms_spool_next(&in->source, &in->record, &in->length);
    if (!rc && in->record && (in->length != CARD || !is_punched(in->source.read.spoolid)))
        in->recfm = 'V';
    return rc;
}

static int go_on(struct incoming *in)
{
    if (!in->is_netdata)
        return cms_spool_next(&in->source, &in->record, &in->length);
    int rc = netdata_next(&in->netdata);
    in->record = rc || in->netdata.ended ? NULL : in->netdata.record;
    in->length = in->netdata.length;
    return rc;
}

static int open(struct incoming *in, const char *module, unsigned spoolid, bool decode)
{
    int rc = begin(in, module, spoolid, decode);
    return !rc && in->is_netdata ? go_on(in) : rc;
}

static void forget(struct incoming *in)
{
    cms_heap_free(in->netdata.record);
    cms_heap_free(in->source.records);
}

/* Into the file; it is made, or nothing is. */
static int store(struct incoming *in, struct spool_target *t)
{
    int rc = 0;
    t->recfm = in->recfm;
    t->lrecl = in->lrecl;
    while (!rc && in->record) {
        rc = cms_halted() ? COMMAND_HALTED : cms_spool_store(t, in->record, in->length);
        if (!rc)
            rc = go_on(in);
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
static int read_names(const struct arguments *a, struct spool_target *t, bool *as_cards)
{
    struct word words[3] = {a->operand[0], a->operand[1], a->operand[2]};
    *as_cards = a->count && !strcmp(a->operand[0].text, "*");
    if (a->count > 3)
        return cms_message("RDC", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    t->id.letter = 'A';
    if (!*as_cards)
        return cms_file_id_read("RDC", words, a->count, 'A', false, &t->id);
    if (a->count == 3 && !cms_file_mode_read(&words[2], false, &t->id.letter, &t->id.number))
        return cms_message("RDC", MESSAGE_INVALID_MODE, cms_typed(&words[2]));
    return 0;
}

int cms_spool_readcard(const struct arguments *a)
{
    struct spool_target t = {.module = "RDC", .replace = EDF_REPLACE};
    struct file_options options;
    struct incoming in;
    bool as_cards;
    int rc = cms_file_options("RDC", a, no_options, &options);
    if (!rc)
        rc = read_names(a, &t, &as_cards);
    if (rc)
        return rc;
    rc = open(&in, "RDC", 0, false);
    if (!rc && as_cards) {
        memcpy(t.id.name, *in.id.name ? in.id.name : "READCARD", 9);
        memcpy(t.id.type, *in.id.name ? in.id.type : "CMSUT1\0\0", 9);
    }
    if (!rc)
        rc = cms_spool_target(&t);
    if (!rc)
        rc = store(&in, &t);
    if (!rc && as_cards)
        cms_text("File %s received", t.text);
    forget(&in);
    return close_reader(rc);
}

/* ---- RECEIVE ----------------------------------------------------------------------------------------------------- */

/* The file of that number (0: the first) as the reader has it, for what the cards do not say. */
static int find_file(const char *module, unsigned spoolid, struct cms_spool_file *file)
{
    enum cms_spool_status status = CMS_SPOOL_OK;
    unsigned at = 0;
    do {
        status = cms_spool_file(CMS_READER, at, file);
        at = file->spoolid;
    } while (!status && spoolid && file->spoolid != spoolid);
    if (status == CMS_SPOOL_NONE && spoolid)
        return cms_message(module, MESSAGE_NO_SPOOL_FILE, spoolid);
    return status ? cms_spool_failed(module, status) : 0;
}

/* [spoolid] at the front of the operands. */
static void read_spoolid(const struct arguments *a, int *at, unsigned *spoolid)
{
    uint32_t value = 0;
    *at = a->count && cms_number(&a->operand[0], &value);
    *spoolid = value;
}

static int name_received(const char *module, const struct arguments *a, int at, const struct incoming *in,
                         const struct cms_spool_file *file, struct file_id *id)
{
    const char *name = *in->id.name ? in->id.name : file->name, *type = *in->id.name ? in->id.type : file->type;
    *id = (struct file_id){.letter = 'A'};
    strcpy(id->name, a->count > at && strcmp(a->operand[at].text, "=") ? a->operand[at].text : name);
    strcpy(id->type, a->count > at + 1 && strcmp(a->operand[at + 1].text, "=") ? a->operand[at + 1].text : type);
    if (a->count > at + 2 && !cms_file_mode_read(&a->operand[at + 2], false, &id->letter, &id->number))
        return cms_message(module, MESSAGE_INVALID_MODE, cms_typed(&a->operand[at + 2]));
    if (!id->number)
        id->number = in->id.number ? in->id.number : '1';
    if (a->count > at + 3)
        return cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at + 3]));
    if (!edf_name_valid(id->name) || !edf_name_valid(id->type))
        return cms_message(module, MESSAGE_NO_FILENAME);
    return 0;
}

/* The next of them has been read. */
static int receive_note(struct incoming *in, const struct cms_spool_file *file)
{
    struct spool_target t;
    int rc = notebook_begin(&t, "RCV", "ALL");
    while (!rc && in->record) {
        rc = cms_halted() ? COMMAND_HALTED : cms_spool_store(&t, in->record, in->length);
        if (!rc)
            rc = go_on(in);
    }
    if (t.writer || !rc)
        rc = cms_spool_stored(&t, rc);
    if (!rc)
        cms_text("Note from %s added to %s", file->origin, t.text);
    return rc;
}

static int receive_file(struct incoming *in, struct spool_target *t, const struct cms_spool_file *file)
{
    int rc = cms_spool_target(t);
    if (!rc)
        rc = store(in, t);
    if (!rc)
        cms_text("File %s received from %s", t->text, file->origin);
    return rc;
}

int cms_spool_receive(const struct arguments *a)
{
    struct spool_target t = {.module = "RCV"};
    struct file_options options;
    struct cms_spool_file file;
    struct incoming in;
    unsigned spoolid;
    int at, rc = cms_file_options("RCV", a, receive_options, &options);
    read_spoolid(a, &at, &spoolid);
    if (!rc)
        rc = find_file("RCV", spoolid, &file);
    if (rc)
        return rc;
    t.replace = file_option(&options, REPLACE) ? EDF_REPLACE : EDF_NEW;
    rc = open(&in, "RCV", file.spoolid, true);
    if (!rc)
        rc = name_received("RCV", a, at, &in, &file, &t.id);
    if (!rc && in.is_netdata && !strcmp(in.id.type, "NOTE") && a->count == at)
        rc = receive_note(&in, &file);
    else if (!rc)
        rc = receive_file(&in, &t, &file);
    forget(&in);
    return close_reader(rc);
}

/* ---- PEEK -------------------------------------------------------------------------------------------------------- */

int cms_spool_peek(const struct arguments *a)
{
    struct file_options options;
    struct cms_spool_file file;
    struct incoming in;
    uint32_t most = PEEK_RECORDS;
    unsigned spoolid;
    int at, rc = cms_file_options("PEK", a, peek_options, &options);
    read_spoolid(a, &at, &spoolid);
    if (!rc && a->count > at)
        rc = cms_message("PEK", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at]));
    if (!rc && file_option(&options, FOR) && !cms_number(options.value[FOR], &most))
        rc = cms_message("PEK", MESSAGE_INVALID_RECORD, cms_typed(options.value[FOR]), "FOR");
    if (!rc)
        rc = find_file("PEK", spoolid, &file);
    if (rc)
        return rc;
    rc = open(&in, "PEK", file.spoolid, true);
    while (!rc && in.record && most--) {
        cms_file_show(in.record, in.length);
        rc = cms_halted() ? COMMAND_HALTED : go_on(&in);
    }
    forget(&in);
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
