/* QUERY VIRTUAL: what the user's machine consists of. */
#include "cp/command/query.h"

#include <string.h>

#include "cp/command/lan.h"
#include "cp/device/grant.h"
#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/session/nic.h"
#include "lib/format.h"

unsigned query_virtual_storage(struct call *c)
{
    uint64_t mib = c->session->vm->config.storage_bytes >> 20;
    response_line(c->response, "STORAGE = %uM", (unsigned)mib);
    return 0;
}

unsigned query_console(struct call *c)
{
    const struct session *s = c->session;
    char name[9], where[16] = "DISCONNECTED";
    if (s->output.terminal)
        format_text(where, sizeof where, "ON %s", session_name(s, name));
    response_line(c->response, "CONS %04X %-12s NS16550 TERM START", machine_uarts[0].port, where);
    return 0;
}

/* ON whose terminal; else ENABLED if it takes calls. */
static void show_line(struct call *c, unsigned n)
{
    const struct session *s = c->session, *caller = s->dial.caller[n];
    char name[9], where[16];
    format_text(where, sizeof where, "%s", uart_takes_calls(&s->vm->machine.uart[n]) ? "ENABLED" : "DISABLED");
    if (caller)
        format_text(where, sizeof where, "ON %s", session_name(caller, name));
    response_line(c->response, "LINE %04X %-12s NS16550", machine_uarts[n].port, where);
}

unsigned query_lines(struct call *c)
{
    unsigned uarts = c->session->vm->config.uarts;
    for (unsigned n = 1; n < uarts; n++)
        show_line(c, n);
    return uarts > 1 ? 0 : FAIL(c, "CQV", 9047, "");
}

unsigned query_cpus(struct call *c)
{
    static const char *const states[] = {[VM_STOPPED] = "STOPPED", [VM_RUNNABLE] = "RUNNING", [VM_WAITING] = "WAITING"};
    response_line(c->response, "CPU 00  ID  %-8s (BASE) X86-64 %s", c->session->user->id,
                  states[c->session->vm->state]);
    return 0;
}

static void show_disk(struct call *c, const struct link *l)
{
    response_line(c->response, "DASD %04X 9336 %-6s %s %10llu BLK %s %04X", l->vdev, directory.volid,
                  l->write ? "R/W" : "R/O", (unsigned long long)l->minidisk.disk.sectors,
                  l->owner, l->owner_vdev);
}

/* Rows of the table come in the order of linking; people want them by number. */
static struct link *next_by_number(const struct user *user, long after)
{
    struct link *best = NULL;
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->user == user && l->vdev > after && (!best || l->vdev < best->vdev))
            best = l;
    return best;
}

unsigned query_dasd(struct call *c)
{
    unsigned found = 0;
    for (struct link *l = NULL; (l = next_by_number(c->session->user, l ? l->vdev : -1)); found++)
        show_disk(c, l);
    return found ? 0 : FAIL(c, "CQV", 40, "DASD");
}

unsigned query_device(struct call *c, unsigned vdev)
{
    struct link *l = link_find(c->session->user, vdev);
    char number[5];
    format_text(number, sizeof number, "%04X", vdev);
    if (!l && query_ur_device(c, vdev))
        return 0;
    if (!l)
        return FAIL(c, "CQV", 40, number);
    show_disk(c, l);
    return 0;
}

unsigned query_isa(struct call *c)
{
    const struct machine_config *config = &c->session->vm->config;
    const struct granted_device *device;
    unsigned found = 0;
    for (unsigned i = 0; (device = grant_device(config, &i)); i++)
        for (const struct device_node *n = device->node; n < device->node + GRANTED_NODES && n->name; n++, found++) {
            char name[32];
            word_upper((struct word){n->name, strlen(n->name)}, name, sizeof name);
            response_line(c->response, "ISA  %04X %s", n->port, name);
        }
    return found ? 0 : FAIL(c, "CQV", 40, "ISA");
}

static unsigned query_all(struct call *c)
{
    query_virtual_storage(c);
    query_cpus(c);
    query_console(c);
    for (unsigned n = 1; n < c->session->vm->config.uarts; n++)
        show_line(c, n);
    for (struct link *l = NULL; (l = next_by_number(c->session->user, l ? l->vdev : -1));)
        show_disk(c, l);
    query_ur(c);
    if (grant_device(&c->session->vm->config, &(unsigned){0}))
        query_isa(c);
    if (nic_at(c->session, 0))
        query_nic(&(struct call){.session = c->session, .response = c->response, .unread = ""});
    return 0;
}

unsigned query_virtual(struct call *c)
{
    static const struct {
        const char *name;
        unsigned least;
        unsigned (*answer)(struct call *);
        bool takes; /* operands, and refuses what is too much */
    } row[] = {{"ALL", 3, query_all, false},
               {"STORAGE", 4, query_virtual_storage, false},
               {"CONSOLE", 3, query_console, false},
               {"CPUS", 3, query_cpus, false},
               {"DASD", 2, query_dasd, false},
               {"ISA", 3, query_isa, false},
               {"LINES", 5, query_lines, false},
               {"NIC", 3, query_nic, true},
               {"UR", 2, query_ur, false}};
    struct word w;
    uint64_t vdev;
    char text[32];
    unsigned failed;
    if (!call_next(c, &w))
        return query_all(c);
    if (w.length != 3 || !word_hex(w, 3, &vdev) || !link_find(c->session->user, vdev)) /* DAD is a number, too */
        for (unsigned i = 0; i < sizeof row / sizeof *row; i++)
            if (word_is(w, row[i].name, row[i].least))
                return !row[i].takes && (failed = call_end(c, "CQR")) ? failed : row[i].answer(c);
    word_upper(w, text, sizeof text);
    if (!word_hex(w, 4, &vdev))
        return FAIL(c, "CQV", 2, text);
    return (failed = call_end(c, "CQR")) ? failed : query_device(c, vdev);
}
