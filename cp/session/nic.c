/* In: what the directory allows, who asks. Out: ports on LANs, and words for those whose LAN ends. */
#include "cp/session/nic.h"

#include <errno.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/network/uplink.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "lib/format.h"

static bool is_system(const char *owner) { return !strcmp(owner, LAN_SYSTEM); }

struct virtio_net *nic_at(const struct session *s, unsigned n)
{
    return n < MACHINE_NICS ? stack_first(s)->machine.nic[n] : NULL;
}

/* Its number among the machine's; MACHINE_NICS: there is none. */
static unsigned number_of(const struct session *s, unsigned vdev)
{
    unsigned n = 0;

    while (n < MACHINE_NICS && !(nic_at(s, n) && nic_at(s, n)->vdev == vdev))
        n++;
    return n;
}

/* ---- LANs of the system ------------------------------------------------------------------------------------------ */

static void couple_uplink(struct lan *lan, const struct directory_lan *of)
{
    struct port *port = of->uplink ? uplink_port(of->number) : NULL;

    if (!port || port->lan == lan)
        return;
    lan_leave(port);
    port->vlan = of->native;
    lan_join(lan, port);
}

/* NULL: the directory has none of that name, or CP has no room for it. */
static struct lan *system_lan(const char *name)
{
    const struct directory_lan *of = directory_find_lan(&directory, name);
    struct lan *lan = of ? lan_find(LAN_SYSTEM, name) : NULL;

    if (!of || lan)
        return lan;
    lan = lan_define(LAN_SYSTEM, of->name);
    if (lan)
        couple_uplink(lan, of);
    return lan;
}

static bool is_deserted(const struct lan *lan)
{
    const struct port *p = lan->port;

    while (p && p->uplink)
        p = p->next;
    return !p;
}

static void end_deserted(void)
{
    struct lan *next;

    for (struct lan *lan = lan_next(NULL); lan; lan = next) {
        next = lan_next(lan);
        if (is_system(lan->owner) && is_deserted(lan))
            lan_end(lan);
    }
}

void nic_follow_directory(void)
{
    for (unsigned i = 0; uplink_port(i); i++)
        lan_leave(uplink_port(i));
    end_deserted();
    for (unsigned i = 0; i < directory.lans; i++) {
        struct lan *lan = lan_find(LAN_SYSTEM, directory.lan[i].name);
        if (lan)
            couple_uplink(lan, &directory.lan[i]);
    }
}

/* ---- coupling ---------------------------------------------------------------------------------------------------- */

/* A machine whose CP forwards frames may have been given two ways into one LAN. */
static bool makes_loop(const struct session *s, const struct lan *lan, const struct virtio_net *nic)
{
    const struct virtio_net *other;

    for (unsigned i = 0; (other = nic_at(s, i)); i++)
        if (other != nic && nic->port.trunk && other->port.trunk && other->port.lan == lan)
            return true;
    return false;
}

static enum nic_result join(struct session *s, struct virtio_net *nic, struct lan *lan)
{
    const struct directory_lan *of = is_system(lan->owner) ? directory_find_lan(&directory, lan->name) : NULL;

    if (makes_loop(s, lan, nic))
        return NIC_LOOP;
    nic->port.isolated = of && of->isolated;
    switch (lan_join(lan, &nic->port)) {
    case 0: return NIC_OK;
    case -EEXIST: return NIC_ADDRESS;
    default: return NIC_FULL;
    }
}

enum nic_result nic_couple(struct session *s, unsigned vdev, const char *owner, const char *name)
{
    const struct user *user = directory_find(&directory, s->user->id);
    unsigned n = number_of(s, vdev);
    struct lan *lan;

    if (n == MACHINE_NICS)
        return NIC_NONE;
    if (!user || !directory_may_couple(user, n, owner, name))
        return NIC_NOT_ALLOWED;
    if (nic_at(s, n)->port.lan)
        return NIC_COUPLED;
    lan = is_system(owner) ? system_lan(name) : lan_find(owner, name);
    return lan ? join(s, nic_at(s, n), lan) : NIC_NO_LAN;
}

enum nic_result nic_uncouple(struct session *s, unsigned vdev, char owner[LAN_NAME + 1], char name[LAN_NAME + 1])
{
    unsigned n = number_of(s, vdev);

    if (n == MACHINE_NICS)
        return NIC_NONE;
    const struct lan *lan = nic_at(s, n)->port.lan;
    if (!lan)
        return NIC_COUPLED;
    format_text(owner, LAN_NAME + 1, "%s", lan->owner);
    format_text(name, LAN_NAME + 1, "%s", lan->name);
    lan_leave(&nic_at(s, n)->port);
    end_deserted();
    return NIC_OK;
}

const char *nic_reason(enum nic_result result)
{
    switch (result) {
    case NIC_FULL: return "it has no place left";
    case NIC_ADDRESS: return "the address is another's there";
    case NIC_LOOP: return "another trunk of the machine is there";
    default: return "";
    }
}

/* ---- coming and going -------------------------------------------------------------------------------------------- */

static void couple_first(struct session *s, const struct user *user, unsigned n)
{
    char owner[DIRECTORY_NAME + 1], name[DIRECTORY_NAME + 1], vdev[5];

    if (!user->nic_lans_bytes[n] || !directory_lan_name(user->nic_lans[n], owner, name))
        return;
    format_text(vdev, sizeof vdev, "%04X", nic_at(s, n)->vdev);
    enum nic_result result = nic_couple(s, nic_at(s, n)->vdev, owner, name);
    struct response response = {.session = s};
    if (result == NIC_NO_LAN)
        response_error(&response, "CPL", 9120, owner, name);
    else if (result != NIC_OK)
        response_error(&response, "CPL", 9123, vdev, owner, name, nic_reason(result));
}

void nic_logon(struct session *s)
{
    const struct user *user = directory_find(&directory, s->user->id);

    if (!machine_attach_nics(&s->vm->machine))
        response_error(&(struct response){.session = s}, "CPL", 9126, "");
    for (unsigned i = 0; user && nic_at(s, i); i++)
        couple_first(s, user, i);
}

/* Those who are coupled to it learn that by the link of their NIC, and their users by a line. */
static void tell_coupled(const struct lan *lan)
{
    for (struct session *s = NULL; (s = session_next(s));)
        for (unsigned i = 0; s->user && nic_at(s, i); i++)
            if (nic_at(s, i)->port.lan == lan && strcmp(s->user->id, lan->owner)) {
                output_say(&s->output, "NIC %04X IS DISCONNECTED FROM LAN %s %s, WHICH HAS ENDED", nic_at(s, i)->vdev,
                           lan->owner, lan->name);
                turn_wanted = true;
            }
}

static void end_lan(struct lan *lan)
{
    tell_coupled(lan);
    lan_end(lan);
}

void nic_logoff(struct session *s)
{
    struct lan *next;

    for (unsigned i = 0; nic_at(s, i); i++)
        lan_leave(&nic_at(s, i)->port);
    end_deserted();
    for (struct lan *lan = lan_next(NULL); lan && !is_system(s->user->id); lan = next) {
        next = lan_next(lan);
        if (!strcmp(lan->owner, s->user->id))
            end_lan(lan);
    }
}

/* ---- LANs of users ----------------------------------------------------------------------------------------------- */

const char *nic_define_lan(struct session *s, const char *name)
{
    const struct user *user = directory_find(&directory, s->user->id);

    if (lan_find(s->user->id, name))
        return "there is one";
    if (!user || is_system(user->id) || lan_count(user->id) >= user->lans)
        return user && user->lans ? "your directory entry allows no more" : "your directory entry allows none";
    return lan_define(user->id, name) ? NULL : "CP has no room for it";
}

bool nic_end_lan(struct session *s, const char *name)
{
    struct lan *lan = is_system(s->user->id) ? NULL : lan_find(s->user->id, name);

    if (lan)
        end_lan(lan);
    return lan;
}

bool nic_may_see(const struct session *s, const char *owner, const char *name)
{
    const struct user *user = directory_find(&directory, s->user->id);
    const struct lan *lan = lan_find(owner, name);

    if (!strcmp(owner, s->user->id) || s->user->classes & CLASS('B'))
        return true;
    for (unsigned i = 0; user && nic_at(s, i); i++)
        if ((lan && nic_at(s, i)->port.lan == lan) || directory_may_couple(user, i, owner, name))
            return true;
    return false;
}
