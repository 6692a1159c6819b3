/* In: bytes of a directory, and what is in use. Out: the directory in force, or why it is not. */
#include "cp/session/replace.h"

#include <stdarg.h>
#include <string.h>

#include "cp/audit/log.h"
#include "cp/directory/next.h"
#include "cp/directory/reader.h"
#include "cp/directory/volume.h"
#include "cp/minidisk/link.h"
#include "cp/session/record.h"
#include "cp/session/nic.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { TOLD = 16 /* faults, of however many */ };

struct told { /* a message */
    unsigned number;
    char a[96], b[80], c[9];
};

static struct {
    enum { IDLE, JUDGING, HOLDING, LINKING, NAMING, WRITING, ENDED } stage;
    char by[9]; /* whose it is */
    bool only_check, holds;
    struct directory_reader reader;
    struct session *user; /* looked for last */
    struct link *link;
    unsigned users, disks, links; /* of the one that is good */
    unsigned faults;
    struct told told[TOLD];
} it;

static void step(struct work *);
static struct work work = {.step = step};

static void tell(unsigned number, const char *a, const char *b, const char *c)
{
    if (it.faults++ >= TOLD)
        return;
    struct told *t = &it.told[it.faults - 1];
    t->number = number;
    format_text(t->a, sizeof t->a, "%s", a);
    format_text(t->b, sizeof t->b, "%s", b);
    format_text(t->c, sizeof t->c, "%s", c);
}

static void tell_fault(void *context, const char *path, const char *reason)
{
    (void)context;
    tell(9031, path, reason, "");
}

static bool under_way(void) { return it.stage != IDLE && it.stage != ENDED; }
static bool is_its(const struct session *s) { return !strcmp(it.by, s->user->id); }

bool replace_holds(void) { return it.holds; }

/* ---- gathering --------------------------------------------------------------------------------------------------- */

enum replace_put replace_put(const struct session *s, uint64_t at, const void *bytes, uint32_t count)
{
    uint32_t before;
    if (under_way())
        return REPLACE_BUSY;
    if (!at) {
        it.stage = IDLE;
        memcpy(it.by, s->user->id, sizeof it.by);
        if (!next_begin())
            return REPLACE_BUSY;
    }
    next_blob(&before);
    if (!is_its(s) || at != before)
        return REPLACE_MISPLACED;
    return next_add(bytes, count) ? REPLACE_TAKEN : REPLACE_TOO_LONG;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void note(const char *format, ...)
{
    char text[96];
    const struct session *s = session_find(it.by);
    va_list args;
    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    if (s)
        record(s, "%s", text);
    else
        audit_note("-", it.by, "%s", text);
}

static void end(void)
{
    const struct directory *d = it.only_check ? &directory_next : &directory;
    it.stage = ENDED;
    it.holds = false;
    it.users = d->users, it.disks = d->disks, it.links = d->links;
    next_forget();
    turn_soon();
    if (it.faults)
        note("DIRECTORY REFUSED %u: %s %s", it.told[0].number, it.told[0].a, it.told[0].b);
    else if (!it.only_check)
        note("DIRECTORY REPLACED, NUMBER %u", (unsigned)directory_source.sequence);
}

static void written(int status)
{
    if (status) {
        tell(9039, "the volume failed", "", "");
    } else {
        next_take();
        nic_follow_directory();
    }
    end();
}

/* ---- what is in use ---------------------------------------------------------------------------------------------- */

static bool same(struct directory_range a, struct directory_range b)
{
    return a.start == b.start && a.blocks == b.blocks;
}

static void compare_areas(void)
{
    for (unsigned i = 0; i < AREAS; i++)
        if (directory.area[i].blocks && !same(directory.area[i], directory_next.area[i]))
            tell(9038, directory_area_names[i], "", "");
}

/* True: that was all. */
static bool compare_users(void)
{
    while ((it.user = session_next(it.user))) {
        if (it.user->user && !directory_find(&directory_next, it.user->user->id))
            tell(9036, it.user->user->id, "", "");
        if (work_over())
            return false;
    }
    return true;
}

static bool is_there(const struct link *l)
{
    const struct user *owner = directory_find(&directory_next, l->owner);
    const struct directory_disk *d = owner ? directory_find_disk(&directory_next, owner, l->owner_vdev) : NULL;
    return d && same(l->extent, (struct directory_range){d->start, d->blocks}) && same(l->snapshots, d->snapshots);
}

static bool compare_links(void)
{
    char number[5];
    while ((it.link = link_next(it.link))) {
        format_text(number, sizeof number, "%04X", it.link->owner_vdev);
        if (!is_there(it.link))
            tell(9037, it.link->owner, number, it.link->user->id);
        if (work_over())
            return false;
    }
    return true;
}

/* ---- step by step ------------------------------------------------------------------------------------------------ */

static void begin_writing(void)
{
    const char *why = !directory_source.disk            ? "there is no CP volume"
                      : directory_source.disk->read_only ? "the volume can only be read"
                                                         : NULL;
    it.stage = WRITING;
    if (!why && next_write(written))
        why = "the volume failed";
    if (!why)
        return;
    tell(9039, why, "", "");
    end();
}

static void judge(void)
{
    if (!directory_read_on(&it.reader, work_over))
        return;
    it.stage = HOLDING;
    it.holds = !it.faults && !it.only_check;
    it.user = NULL;
    it.link = NULL;
    if (!it.faults)
        compare_areas();
}

static void step(struct work *w)
{
    switch (it.stage) {
    case JUDGING: judge(); break;
    case HOLDING:
        if (it.reader.faults)
            end();
        else if (compare_users())
            it.stage = LINKING;
        break;
    case LINKING:
        if (!compare_links())
            break;
        if (it.faults || it.only_check) {
            end();
            break;
        }
        next_name_begin();
        it.stage = NAMING;
        break;
    case NAMING:
        if (next_name_on(work_over))
            begin_writing();
        break;
    default: break;
    }
    if (under_way() && it.stage != WRITING)
        work_begin(w);
}

unsigned replace_begin(const struct session *s, struct response *response, bool only_check)
{
    uint32_t bytes;
    const void *blob = next_blob(&bytes);
    bool others = !is_its(s) && it.stage == ENDED && session_find(it.by);
    if (under_way() || others)
        return response_error(response, "DIR", 9039, "another is being judged");
    if (!is_its(s) || !bytes)
        return response_error(response, "DIR", 9039, "none was given");
    it.only_check = only_check;
    it.faults = 0;
    it.stage = JUDGING;
    uint32_t blocks = directory_source.disk ? directory_source.blocks : UINT32_MAX;
    directory_read_begin(&it.reader, &directory_next, blob, bytes, VOLUME_FIRST_MINIDISK, blocks, tell_fault, NULL);
    work_begin(&work);
    return 0;
}

bool replace_step(struct session *s, struct response *response, unsigned *code)
{
    char count[12];
    (void)s;
    if (under_way())
        return false;
    for (unsigned i = 0; i < it.faults && i < TOLD; i++) {
        const struct told *t = &it.told[i];
        *code = response_error(response, "DIR", t->number, t->a, t->b, t->c);
    }
    format_text(count, sizeof count, "%u", it.faults);
    if (it.faults && *code != 9039)
        *code = response_error(response, "DIR", 9035, count);
    if (!it.faults)
        response_line(response, "DIRECTORY %s: %u USERS, %u MINIDISKS, %u LINKS",
                      it.only_check ? "IS GOOD" : "REPLACED", it.users, it.disks, it.links);
    it.stage = IDLE;
    return true;
}
