/* In: words of spool commands. Out: devices, classes, names; or the message that says what is wrong. */
#include "cp/command/spool_operands.h"

#include <string.h>

#include "cp/directory/load.h"
#include "cp/session/task.h"

bool spool_device(struct word w, enum spool_queue *queue)
{
    static const struct {
        const char *name;
        unsigned least;
        enum spool_queue queue;
    } names[] = {{"READER", 1, SPOOL_RDR},  {"RDR", 3, SPOOL_RDR}, {"PRINTER", 2, SPOOL_PRT},
                 {"PRT", 3, SPOOL_PRT},     {"PUNCH", 2, SPOOL_PUN}, {"PCH", 3, SPOOL_PUN}};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (word_is(w, names[i].name, names[i].least)) {
            *queue = names[i].queue;
            return true;
        }
    return false;
}

bool spool_unit(struct word w, enum spool_queue *queue)
{
    enum { READER = 0xC, PUNCH = 0xD, PRINTER = 0xE };
    uint64_t vdev;
    if (spool_device(w, queue))
        return true;
    if (!word_hex(w, 4, &vdev) || vdev < READER || vdev > PRINTER)
        return false;
    *queue = vdev == READER ? SPOOL_RDR : vdev == PUNCH ? SPOOL_PUN : SPOOL_PRT;
    return true;
}

static unsigned call_one(struct call *c, const char *module, bool (*is)(struct word, enum spool_queue *),
                         enum spool_queue *queue)
{
    char text[32];
    struct word w;
    if (!call_next(c, &w))
        return FAIL(c, module, 26, "");
    word_upper(w, text, sizeof text);
    return is(w, queue) ? 0 : FAIL(c, module, 6, text);
}

unsigned call_device(struct call *c, const char *module, enum spool_queue *queue)
{
    return call_one(c, module, spool_device, queue);
}

unsigned call_unit(struct call *c, const char *module, enum spool_queue *queue)
{
    return call_one(c, module, spool_unit, queue);
}

unsigned call_class(struct call *c, const char *module, bool any, char *class)
{
    char text[3];
    struct word w;
    call_next(c, &w);
    word_upper(w, text, sizeof text);
    *class = *text;
    bool letter = *text >= 'A' && *text <= 'Z', digit = *text >= '0' && *text <= '9';
    return w.length == 1 && (letter || digit || (any && *text == '*')) ? 0 : FAIL(c, module, 28, "");
}

unsigned call_copies(struct call *c, const char *module, uint8_t *copies)
{
    uint64_t value;
    struct word w;
    call_next(c, &w);
    if (!word_number(w, SPOOL_COPIES_MAX, &value) || !value)
        return FAIL(c, module, 30, "");
    *copies = (uint8_t)value;
    return 0;
}

unsigned call_name(struct call *c, const char *module, char name[9], bool *given)
{
    struct word w;
    *given = call_next(c, &w);
    word_upper(w, name, 9);
    for (unsigned i = 0; i < w.length && i < 8; i++)
        if (name[i] < ' ' || name[i] > '~')
            return FAIL(c, module, 29, "");
    return w.length <= 8 ? 0 : FAIL(c, module, 29, "");
}

unsigned call_receiver(struct call *c, const char *module, char id[DIRECTORY_NAME + 1])
{
    unsigned failed = call_userid(c, module, id);
    if (failed)
        return failed;
    const struct user *to = directory_find(&directory, id);
    if (!to)
        return FAIL(c, module, 53, id);
    const struct user *from = directory_find(&directory, c->session->user->id);
    return from && directory_may_send(from, to) ? 0 : FAIL(c, module, 9081, id);
}

static bool has_files(const char *owner)
{
    bool has = false;
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
        has |= spool_count(owner, q) != 0;
    return has;
}

unsigned call_owner(struct call *c, const char *module, bool word_is_own, char owner[DIRECTORY_NAME + 1])
{
    const struct user *caller = c->session->user;
    memcpy(owner, caller->id, sizeof caller->id);
    if (word_is_own || !call_peek(c).length || !(caller->classes & CLASS('D')))
        return 0;
    unsigned failed = call_userid(c, module, owner);
    return failed || directory_find(&directory, owner) || has_files(owner) ? failed : FAIL(c, module, 53, owner);
}

unsigned call_spool(struct call *c, const char *module)
{
    const char *why = spool_obstacle();
    return why ? FAIL(c, module, 9080, why) : 0;
}

bool spool_holds(struct word w, int *hold, int *keep)
{
    bool holds = word_is(w, "HOLD", 3), keeps = word_is(w, "KEEP", 4);
    if (holds || word_is(w, "NOHOLD", 3))
        *hold = holds;
    else if (keeps || word_is(w, "NOKEEP", 4))
        *keep = keeps;
    else
        return false;
    return true;
}

bool spool_wait(struct call *c, const char *module, enum spool_outcome outcome, unsigned *code)
{
    if (outcome == SPOOL_PENDING) {
        task_wait(c->session);
        return false;
    }
    if (outcome == SPOOL_FAILED)
        *code = FAIL(c, module, 9083, "");
    return true;
}
