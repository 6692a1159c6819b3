/* DEFSYS SAVESYS PURGE NSS, and QUERY NSS: systems saved by command. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/command/nss.h"
#include "cp/ipl/nss.h"
#include "cp/ipl/saved.h"
#include "cp/ipl/system.h"
#include "cp/session/record.h"
#include "cp/session/task.h"
#include "lib/format.h"

const char command_defsys_help[] =
    "DEFSYS name pages {EW | EN} [pages {EW | EN}] ...\n"
    "DEFSYS name pages EW [MINSIZE=size] [PARMREGS= NONE] [RSTD]\n"
    "Defines what SAVESYS is to save under the name: ranges of 4 KiB pages, in\n"
    "hexadecimal (0-3F, or 100), up to 8. EW: their contents; EN: none, they are\n"
    "zeros for who IPLs it. Who writes to a page has a copy from then on: each has a\n"
    "storage of their own. MINSIZE: the storage it needs, as 512K or 8M. PARMREGS=\n"
    "NONE: all registers are as they were saved; else RAX is 2BADB002 and RBX the\n"
    "address of the machine's multiboot information, which is above the pages. RSTD:\n"
    "for users only whose directory entry names it (namesave).\n";
const char command_savesys_help[] =
    "SAVESYS name\n"
    "Saves CPU and storage of your machine, as it is now, under a name that DEFSYS\n"
    "defined: IPL name brings every machine to this point. Devices are not saved:\n"
    "they are as after a reset. One of that name is replaced; who has it keeps it.\n"
    "A program can do it too (DIAGNOSE 8): it goes on behind the call.\n";

enum { KIB = 1024, PAGE_KIB = 4 };

/* ---- DEFSYS ------------------------------------------------------------------------------------------------------ */

/* "100", "0-3F": pages. */
static bool read_pages(struct word w, struct nss_range *range)
{
    const char *dash = memchr(w.text, '-', w.length);
    unsigned first = dash ? (unsigned)(dash - w.text) : w.length;
    uint64_t from, to;
    if (!first || !word_hex((struct word){w.text, first}, 8, &from))
        return false;
    to = from;
    if (dash && (w.length == first + 1 || !word_hex((struct word){dash + 1, w.length - first - 1}, 8, &to)))
        return false;
    range->first = (uint32_t)from;
    range->last = (uint32_t)to;
    return from <= to && to < NSS_PAGE_MAX;
}

/* "MINSIZE=256K", "MINSIZE= 256K": whether it is, and the word behind the sign. */
static bool behind(struct call *c, struct word w, const char *name, struct word *value)
{
    unsigned length = (unsigned)strlen(name);
    if (w.length < length || !word_is((struct word){w.text, length}, name, length))
        return false;
    *value = (struct word){w.text + length, w.length - length};
    if (!value->length)
        call_next(c, value);
    return true;
}

static bool read_size(struct word w, uint32_t *pages)
{
    uint64_t number;
    char unit = w.length > 1 ? w.text[w.length - 1] & ~32 : 0;
    if ((unit != 'K' && unit != 'M') ||
        !word_number((struct word){w.text, w.length - 1}, (uint64_t)NSS_PAGE_MAX * PAGE_KIB, &number))
        return false;
    number = unit == 'M' ? number * KIB / PAGE_KIB : (number + PAGE_KIB - 1) / PAGE_KIB;
    *pages = number > NSS_PAGE_MAX ? NSS_PAGE_MAX : (uint32_t)number;
    return number && number <= NSS_PAGE_MAX;
}

static unsigned read_range(struct call *c, struct word w, struct nss_definition *d)
{
    char text[32];
    struct word type;
    struct nss_range range;
    word_upper(w, text, sizeof text);
    if (!read_pages(w, &range))
        return FAIL(c, "DFS", 9, text);
    if (!call_next(c, &type))
        return FAIL(c, "DFS", 26, "");
    word_upper(type, text, sizeof text);
    range.saved = word_is(type, "EW", 2);
    if (!range.saved && !word_is(type, "EN", 2))
        return FAIL(c, "DFS", 2, text);
    if (d->ranges == NSS_RANGES)
        return FAIL(c, "DFS", 9100, d->name, "defined", "it has too many ranges");
    d->range[d->ranges++] = range;
    return 0;
}

static unsigned read_operand(struct call *c, struct word w, struct nss_definition *d)
{
    struct word value;
    char text[32];
    bool size = behind(c, w, "MINSIZE=", &value), registers = !size && behind(c, w, "PARMREGS=", &value);
    word_upper(size || registers ? value : w, text, sizeof text);
    if (size)
        return read_size(value, &d->min_pages) ? 0 : FAIL(c, "DFS", 25, text);
    if (registers) {
        d->parm = 0;
        return word_is(value, "NONE", 4) ? 0 : FAIL(c, "DFS", 2, text);
    }
    if (word_is(w, "RSTD", 4)) {
        d->restricted = 1;
        return 0;
    }
    return read_range(c, w, d);
}

/* The next word as a name, or message 026 or 002. */
static unsigned read_name(struct call *c, const char *module, char name[9])
{
    struct word w;
    char text[32];
    if (!call_next(c, &w))
        return FAIL(c, module, 26, "");
    word_upper(w, text, sizeof text);
    word_upper(w, name, 9);
    return w.length <= 8 ? 0 : FAIL(c, module, 2, text);
}

unsigned command_defsys(struct call *c)
{
    struct nss_definition d = {.parm = 1};
    struct word w;
    unsigned failed = read_name(c, "DFS", d.name);
    bool given = false;
    for (; !failed && call_next(c, &w); given = true)
        failed = read_operand(c, w, &d);
    if (failed)
        return failed;
    if (!given)
        return FAIL(c, "DFS", 26, "");
    if (!d.min_pages)
        d.min_pages = nss_end(&d);
    const char *why = nss_define(&d, c->session->user->id);
    if (why)
        return FAIL(c, "DFS", 9100, d.name, "defined", why);
    response_error(c->response, "NSD", 440, d.name, "defined");
    return 0;
}

/* ---- SAVESYS ----------------------------------------------------------------------------------------------------- */

struct saving {
    char name[9];
};

static bool save_on(struct session *s, struct response *response, unsigned *code)
{
    const struct saving *saving = task_kept(s);
    const char *why = "";
    enum nss_outcome outcome = nss_save(s->vm, saving->name, s->user->id, &why);
    if (outcome == NSS_MORE || outcome == NSS_BUSY)
        return false;
    if (outcome == NSS_SAVED) {
        response_error(response, "NSS", 440, saving->name, "saved");
    } else {
        record_vain(s, "SAVESYS %s FAILED, %s", saving->name, why);
        *code = response_error(response, "NSS", 9100, saving->name, "saved", why);
    }
    return true;
}

/* Its first step comes when the call that asked for it, if one did, is done: what is saved goes on behind it. */
unsigned command_savesys(struct call *c)
{
    struct saving saving;
    unsigned failed = read_name(c, "NSS", saving.name);
    if (failed || (failed = call_end(c, "NSS")))
        return failed;
    if (!nss_of_class(saving.name, NSS_SKELETON))
        return FAIL(c, "NSS", 9101, saving.name);
    *(struct saving *)task_kept(c->session) = saving;
    task_begin(c->session, save_on, c->response->machine_asks);
    return 0;
}

/* ---- PURGE NSS, QUERY NSS ---------------------------------------------------------------------------------------- */

unsigned command_purge_nss(struct call *c)
{
    char name[9], classes[CLASSES_TEXT];
    if (!(c->session->user->classes & CLASS('E'))) {
        record_vain(c->session, "PURGE NSS REFUSED");
        return FAIL(c, "CMD", 9016, "PURGE NSS", command_classes(classes, CLASS('E')));
    }
    unsigned failed = read_name(c, "NSS", name);
    if (failed || (failed = call_end(c, "NSS")))
        return failed;
    if (!nss_purge(name))
        failed = FAIL(c, "NSS", 9014, name);
    else
        response_error(c->response, "NSS", 440, name, "purged");
    record_command(c->session, "PURGE NSS ", name, strlen(name), false, failed);
    return failed;
}

unsigned command_query_nss(struct call *c)
{
    static const char classes[] = {[NSS_SKELETON] = 'S', [NSS_SAVING] = 'S', [NSS_KEEPING] = 'S', [NSS_ACTIVE] = 'A',
                                   [NSS_PURGED] = 'P', [NSS_READING] = 'R', [NSS_DAMAGED] = 'D'};
    const struct system *system;
    response_line(c->response, "NAME       BYTES  PAGES  USERS CL MINSIZE BY");
    for (unsigned i = 0; (system = system_at(i)); i++) {
        if (!*system->name)
            continue;
        const struct saved *saved = saved_find(system->name);
        response_line(c->response, "%-8s %7u %6u %6u  A", system->name, (unsigned)system->bytes,
                      saved ? (unsigned)saved->storage.resident : 0, saved ? saved->storage.sharers : 0);
    }
    for (struct nss *n = NULL; (n = nss_next(n));)
        response_line(c->response, "%-8s %7u %6u %6u  %c %6uK %s%s", n->definition.name,
                      (unsigned)(n->pages * PAGE_KIB * KIB), (unsigned)n->pages, n->storage.sharers,
                      classes[n->class], (unsigned)n->definition.min_pages * PAGE_KIB, n->by,
                      n->definition.restricted ? " RSTD" : "");
    return 0;
}
