/* SNAPSHOT: what the user's minidisks were. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/session/record.h"
#include "cp/session/replace.h"
#include "cp/session/task.h"
#include "cp/snapshot/snapshot.h"
#include "cp/time/calendar.h"
#include "cp/time/clock_text.h"
#include "cp/time/timer.h"
#include "lib/format.h"

const char command_snapshot_help[] =
    "SNAPSHOT TAKE vdev [name]\n"
    "SNAPSHOT LIST vdev\n"
    "SNAPSHOT LINK vdev1 which [AS] vdev2 [EDIT]\n"
    "SNAPSHOT ROLLBACK vdev {which | EDITED}\n"
    "SNAPSHOT DELETE vdev {which | ALL}\n"
    "  which: its number, its name, or mm/dd/yy: the last that was taken that day\n"
    "What a minidisk of yours is now is kept, and costs a block of 4K for each block\n"
    "of it that is written later. LINK gives your machine what it was as the device\n"
    "vdev2, to read; with EDIT a copy of that to write, of which there is one at a\n"
    "time. ROLLBACK makes the minidisk what it was, or what was EDITED, wholly or\n"
    "not at all; nobody may have it then: DETACH it first. The snapshots stay. Where\n"
    "the directory's room for them is full the oldest goes.\n";

struct snapping {
    struct snapshot_order order;
    uint64_t id; /* 0: not asked yet */
    unsigned vdev, as;
    char which[16];
};
_Static_assert(sizeof(struct snapping) <= TASK_KEEPS, "kept till it is answered");

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned least;
    enum snapshot_deed deed;
} deeds[] = {{"TAKE", 1, SNAPSHOT_TAKE},         {"LIST", 3, SNAPSHOT_LIST},     {"LINK", 3, SNAPSHOT_LOOK},
             {"ROLLBACK", 4, SNAPSHOT_RESTORE}, {"DELETE", 3, SNAPSHOT_DELETE}};

static unsigned read_deed(struct call *c, struct snapping *a)
{
    struct word w;
    char text[32];
    if (!call_next(c, &w))
        return FAIL(c, "SNP", 26, "");
    for (unsigned i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (word_is(w, deeds[i].name, deeds[i].least)) {
            a->order.deed = deeds[i].deed;
            return call_vdev(c, "SNP", &a->vdev);
        }
    word_upper(w, text, sizeof text);
    return FAIL(c, "SNP", 2, text);
}

/* "11/29/26" */
static bool read_date(const char *text, struct snapshot_order *o)
{
    unsigned part[3] = {0};
    for (unsigned i = 0; i < 8; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (i % 3 == 2 ? text[i] != '/' : !digit)
            return false;
        if (digit)
            part[i / 3] = part[i / 3] * 10 + (unsigned)(text[i] - '0');
    }
    struct calendar_date date = {.year = 2000 + part[2], .month = part[0], .day = part[1]};
    if (text[8] || !date.month || date.month > 12 || !date.day || date.day > 31)
        return false;
    o->from = (uint64_t)(calendar_day(&date) - CALENDAR_UNIX_EPOCH) * 86400;
    o->to = o->from + 86399;
    return true;
}

static bool is_name(struct word w)
{
    return w.length <= SNAPSHOT_NAME && userid_is(w.text, w.length);
}

/* A name is none of the words that may stand there, and no number. */
static bool read_which(struct snapping *a, struct word w)
{
    uint64_t number;
    word_upper(w, a->which, sizeof a->which);
    if (word_number(w, SNAPSHOT_DRAFT - 1, &number))
        return (a->order.number = (uint32_t)number) != 0;
    if (read_date(a->which, &a->order))
        return true;
    if (w.length >= sizeof a->which || !is_name((struct word){a->which, w.length}))
        return false;
    memcpy(a->order.name, a->which, w.length);
    return true;
}

static unsigned read_take(struct call *c, struct snapping *a)
{
    struct word w;
    if (!call_next(c, &w))
        return 0;
    bool good = read_which(a, w) && *a->order.name && !(*a->which >= '0' && *a->which <= '9') &&
                strcmp(a->which, "ALL") && strcmp(a->which, "EDITED");
    return good ? 0 : FAIL(c, "SNP", 9111, a->which);
}

static unsigned read_link(struct call *c, struct snapping *a)
{
    struct word w;
    unsigned failed;
    if (word_is(call_peek(c), "AS", 2))
        call_next(c, &w);
    if ((failed = call_vdev(c, "SNP", &a->as)))
        return failed;
    if (word_is(call_peek(c), "EDIT", 4)) {
        call_next(c, &w);
        a->order.deed = SNAPSHOT_EDIT;
    }
    return 0;
}

static unsigned read_operands(struct call *c, struct snapping *a)
{
    struct word w;
    enum snapshot_deed *deed = &a->order.deed;
    if (*deed == SNAPSHOT_LIST)
        return 0;
    if (*deed == SNAPSHOT_TAKE)
        return read_take(c, a);
    if (!call_next(c, &w))
        return FAIL(c, "SNP", 26, "");
    if (*deed == SNAPSHOT_DELETE && word_is(w, "ALL", 3))
        *deed = SNAPSHOT_CLEAR;
    else if (*deed == SNAPSHOT_RESTORE && word_is(w, "EDITED", 6))
        *deed = SNAPSHOT_ADOPT;
    else if (!read_which(a, w))
        return FAIL(c, "SNP", 9111, a->which);
    return *deed == SNAPSHOT_LOOK ? read_link(c, a) : 0;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void row_text(char out[48], const struct snapshot *s)
{
    char date[CLOCK_TEXT], time[CLOCK_TEXT], name[SNAPSHOT_NAME + 1] = "";
    memcpy(name, s->name, SNAPSHOT_NAME);
    format_text(out, 48, "%6u %-8s %s %s", (unsigned)s->number, name, clock_text_date(date, s->taken * 1000000),
                clock_text_time(time, s->taken * 1000000));
}

static void show_list(struct response *r, const struct snapshot_answer *a)
{
    char row[48];
    response_line(r, "NUMBER NAME     TAKEN             BLOCKS");
    for (unsigned i = 0; i < a->head.count; i++) {
        row_text(row, &a->head.snapshot[i]);
        response_line(r, "%s %6u", row, (unsigned)a->cost[i]);
    }
    if (a->draft_cost)
        response_line(r, "EDITED                          %7u", (unsigned)a->draft_cost);
    if (a->head.losses) {
        row_text(row, &a->head.lost);
        response_line(r, "%s   LOST, THE LAST OF %u", row, (unsigned)a->head.losses);
    }
    response_line(r, "%u SNAPSHOT%s, %u OF %u BLOCKS FREE", (unsigned)a->head.count, a->head.count == 1 ? "" : "S",
                  (unsigned)a->unused, (unsigned)a->slots);
}

/* Why what was asked for is not so. */
static unsigned tell_refused(struct response *r, const struct snapping *asked, const struct snapshot_answer *a)
{
    char vdev[5];
    bool restores = asked->order.deed == SNAPSHOT_RESTORE || asked->order.deed == SNAPSHOT_ADOPT;
    const char *const why[] = {
        [SNAPSHOT_IN_USE] =
            restores ? "somebody has the disk; DETACH it first" : "the snapshot is LINKed; DETACH it first",
        [SNAPSHOT_READ_ONLY] = "the volume is read-only",
        [SNAPSHOT_FAILED] = "the volume failed",
        [SNAPSHOT_FULL] = "there is no room to keep the younger ones too",
        [SNAPSHOT_TOO_MANY] = "there are as many as there may be; DELETE one",
        [SNAPSHOT_NAMED] = "there is one of that name"};
    format_text(vdev, sizeof vdev, "%04X", asked->vdev);
    if (a->result == SNAPSHOT_NONE)
        return response_error(r, "SNP", 9112, vdev, *asked->which ? asked->which : "EDITED");
    if (a->result == SNAPSHOT_DAMAGED)
        return response_error(r, "SNP", 9110, vdev, a->why);
    return response_error(r, "SNP", 9113, vdev, why[a->result]);
}

static unsigned link_view(struct session *s, struct response *r, const struct snapping *asked,
                          const struct directory_disk *disk, uint32_t view)
{
    char vdev[5], as[5];
    format_text(vdev, sizeof vdev, "%04X", asked->vdev);
    format_text(as, sizeof as, "%04X", asked->as);
    switch (link_make_view(s->user, &s->vm->machine, disk, asked->as, view)) {
    case LINK_OK: response_line(r, "DASD %s LINKED %s", as, view & SNAPSHOT_DRAFT ? "R/W" : "R/O"); return 0;
    case LINK_VDEV_IN_USE: return response_error(r, "LNM", 110, s->user->id, vdev, as);
    case LINK_NO_VOLUME: return response_error(r, "LNM", 108, s->user->id, vdev);
    default: return response_error(r, "LNM", 9010, s->user->id, vdev);
    }
}

static unsigned tell_done(struct session *s, struct response *r, const struct snapping *asked,
                          const struct directory_disk *disk, const struct snapshot_answer *a)
{
    static const char *const what[] = {
        [SNAPSHOT_TAKE] = "TAKEN", [SNAPSHOT_DELETE] = "DELETED", [SNAPSHOT_RESTORE] = "ROLLED BACK TO"};
    switch (asked->order.deed) {
    case SNAPSHOT_LIST: show_list(r, a); return 0;
    case SNAPSHOT_LOOK:
    case SNAPSHOT_EDIT: return link_view(s, r, asked, disk, a->view);
    case SNAPSHOT_CLEAR: response_line(r, "DASD %04X SNAPSHOTS DELETED", asked->vdev); return 0;
    case SNAPSHOT_ADOPT: response_line(r, "DASD %04X ROLLED BACK TO WHAT WAS EDITED", asked->vdev); return 0;
    default:
        response_line(r, "DASD %04X SNAPSHOT %u %s", asked->vdev, (unsigned)a->view, what[asked->order.deed]);
        return 0;
    }
}

/* ---- step by step ------------------------------------------------------------------------------------------------ */

static unsigned none(struct response *r, unsigned vdev, const char *why)
{
    char number[5];
    format_text(number, sizeof number, "%04X", vdev);
    return response_error(r, "SNP", 9110, number, why);
}

static const struct directory_disk *own_disk(const struct session *s, unsigned vdev)
{
    const struct user *mine = directory_find(&directory, s->user->id);
    return mine ? directory_find_disk(&directory, mine, vdev) : NULL;
}

/* True: it is refused at once. */
static bool begin(struct session *s, struct response *r, struct snapping *a, unsigned *code)
{
    const struct directory_disk *disk = own_disk(s, a->vdev);
    const char *why = !disk                     ? "it is no minidisk of yours"
                      : !disk->snapshots.blocks ? "the directory gives it no room for them"
                      : !link_volume            ? "there is no volume"
                                                : NULL;
    struct snapshot_set *set = why ? NULL : snapshot_open(link_volume, disk, s->user->id, SNAPSHOT_ASKED);
    if (!set) {
        *code = none(r, a->vdev, why ? why : "CP has no storage for them");
        return true;
    }
    a->order.now = clock_unix_us() / 1000000;
    a->id = snapshot_ask(set, &a->order); /* 0: again in the next turn */
    snapshot_close(set, SNAPSHOT_ASKED);
    return false;
}

static bool step(struct session *s, struct response *r, unsigned *code)
{
    struct snapping *asked = task_kept(s);
    const struct snapshot_answer *a = asked->id ? snapshot_answered(asked->id) : NULL;
    if (replace_holds() || (asked->id && !a))
        return false;
    if (!asked->id)
        return begin(s, r, asked, code);
    const struct directory_disk *disk = own_disk(s, asked->vdev);
    if (!disk)
        *code = none(r, asked->vdev, "it is no minidisk of yours");
    else
        *code = a->result ? tell_refused(r, asked, a) : tell_done(s, r, asked, disk, a);
    if (asked->order.deed != SNAPSHOT_LIST)
        (*code ? record_vain : record)(s, "SNAPSHOT %u OF %04X, %u, %03u", asked->order.deed, asked->vdev,
                                       (unsigned)a->view, *code);
    return true;
}

unsigned command_snapshot(struct call *c)
{
    struct snapping asked = {0};
    unsigned failed = read_deed(c, &asked);
    if (failed || (failed = read_operands(c, &asked)) || (failed = call_end(c, "SNP")))
        return failed;
    *(struct snapping *)task_kept(c->session) = asked;
    return task_run(c->session, c->response, step);
}
