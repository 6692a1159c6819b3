/* COUPLE UNCOUPLE DEFINE LAN DETACH LAN QUERY LAN QUERY NIC: networks, as far as the directory lets a user have one. */
#include "cp/command/lan.h"

#include <string.h>

#include "cp/command/families.h"
#include "cp/directory/load.h"
#include "cp/network/table.h"
#include "cp/network/uplink.h"
#include "cp/session/nic.h"
#include "cp/session/record.h"
#include "lib/format.h"

const char command_couple_help[] =
    "COUPLE vdev [TO] {SYSTEM | userid} lanname\n"
    "Connects a NIC of your machine to a LAN of the system's or of a user's, yours\n"
    "(*) too. Your directory entry says to which. QUERY NIC and QUERY LAN show what\n"
    "there is.\n";
const char command_uncouple_help[] =
    "UNCOUPLE vdev\n"
    "Takes a NIC of your machine off the LAN it is coupled to.\n";

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static unsigned call_lan_name(struct call *c, const char *module, char name[LAN_NAME + 1])
{
    struct word w;
    char text[32] = "";
    bool given = call_next(c, &w);

    if (given)
        word_upper(w, text, sizeof text);
    if (!given || w.length > LAN_NAME || !directory_name_valid(text, w.length))
        return FAIL(c, module, 9125, text);
    memcpy(name, text, w.length + 1);
    return 0;
}

/* The same, and nothing behind it. */
static unsigned only_lan_name(struct call *c, const char *module, char name[LAN_NAME + 1])
{
    unsigned failed = call_lan_name(c, module, name);
    return failed ? failed : call_end(c, module);
}

struct place {
    unsigned vdev;
    char number[5], owner[DIRECTORY_NAME + 1], name[LAN_NAME + 1];
};

static unsigned read_vdev(struct call *c, struct place *p)
{
    unsigned failed = call_vdev(c, "CPL", &p->vdev);
    format_text(p->number, sizeof p->number, "%04X", p->vdev);
    return failed;
}

/* ---- coupling ---------------------------------------------------------------------------------------------------- */

static unsigned couple(struct call *c, const struct place *p)
{
    enum nic_result result = nic_couple(c->session, p->vdev, p->owner, p->name);
    switch (result) {
    case NIC_OK: response_line(c->response, "NIC %s is connected to LAN %s %s", p->number, p->owner, p->name); return 0;
    case NIC_NONE: return FAIL(c, "CPL", 40, p->number);
    case NIC_NOT_ALLOWED: return FAIL(c, "CPL", 6011, p->owner, p->name);
    case NIC_NO_LAN: return FAIL(c, "CPL", 9120, p->owner, p->name);
    case NIC_COUPLED: return FAIL(c, "CPL", 9122, p->number);
    default: return FAIL(c, "CPL", 9123, p->number, p->owner, p->name, nic_reason(result));
    }
}

unsigned command_couple(struct call *c)
{
    struct place p;
    struct word w;
    unsigned failed = read_vdev(c, &p);
    if (failed)
        return failed;
    if (word_is(call_peek(c), "TO", 2))
        call_next(c, &w);
    if ((failed = call_userid(c, "CPL", p.owner)) || (failed = call_lan_name(c, "CPL", p.name)) ||
        (failed = call_end(c, "CPL")))
        return failed;
    failed = couple(c, &p);
    if (failed)
        record_vain(c->session, "COUPLE %s TO %s %s REFUSED %u", p.number, p.owner, p.name, failed);
    else
        record(c->session, "COUPLE %s TO %s %s", p.number, p.owner, p.name);
    return failed;
}

unsigned command_uncouple(struct call *c)
{
    struct place p;
    unsigned failed = read_vdev(c, &p);
    if (failed || (failed = call_end(c, "CPL")))
        return failed;
    switch (nic_uncouple(c->session, p.vdev, p.owner, p.name)) {
    case NIC_OK: break;
    case NIC_NONE: return FAIL(c, "CPL", 40, p.number);
    default: return FAIL(c, "CPL", 9121, p.number);
    }
    response_line(c->response, "NIC %s is disconnected from LAN %s %s", p.number, p.owner, p.name);
    record(c->session, "UNCOUPLE %s FROM %s %s", p.number, p.owner, p.name);
    return 0;
}

/* ---- LANs of one's own ------------------------------------------------------------------------------------------- */

unsigned define_lan(struct call *c)
{
    char name[LAN_NAME + 1];
    unsigned failed = only_lan_name(c, "DEF", name);
    const char *why = failed ? NULL : nic_define_lan(c->session, name);
    if (why)
        return FAIL(c, "DEF", 9124, name, why);
    if (failed)
        return failed;
    response_line(c->response, "LAN %s %s is created", c->session->user->id, name);
    record(c->session, "DEFINE LAN %s", name);
    return 0;
}

unsigned detach_lan(struct call *c)
{
    char name[LAN_NAME + 1];
    unsigned failed = only_lan_name(c, "DTV", name);
    if (!failed && !nic_end_lan(c->session, name))
        failed = FAIL(c, "DTV", 9120, c->session->user->id, name);
    if (failed)
        return failed;
    response_line(c->response, "LAN %s %s is destroyed", c->session->user->id, name);
    record(c->session, "DETACH LAN %s", name);
    return 0;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static const struct port *uplink_of(const struct lan *lan)
{
    const struct port *p = lan->port;
    while (p && !p->uplink)
        p = p->next;
    return p;
}

/* `lan`: NULL while nobody is coupled to it. */
static void show_lan(struct call *c, const char *owner, const char *name, const struct lan *lan,
                     const struct port *uplink)
{
    char mac[MAC_TEXT] = "NONE";
    if (uplink)
        mac_text(uplink->mac, mac);
    response_line(c->response, "LAN %-8s %-8s Type: ETHERNET  Connected: %-3u  Maxconn: %u", owner, name,
                  lan ? lan->ports - (uplink_of(lan) ? 1 : 0) : 0, LAN_PORTS);
    response_line(c->response, "  %s  RESTRICTED  Uplink: %s", strcmp(owner, LAN_SYSTEM) ? "TRANSIENT " : "PERSISTENT",
                  mac);
}

/* Those of the system that there are, or would be if somebody were coupled to them. */
static unsigned show_system_lans(struct call *c, const char *name)
{
    unsigned found = 0;
    for (const struct directory_lan *of = directory.lan; of < directory.lan + directory.lans; of++)
        if (nic_may_see(c->session, LAN_SYSTEM, of->name) && (!*name || !strcmp(of->name, name))) {
            const struct port *uplink = of->uplink ? uplink_port(of->number) : NULL;
            show_lan(c, LAN_SYSTEM, of->name, lan_find(LAN_SYSTEM, of->name), uplink);
            found++;
        }
    return found;
}

static bool is_listed(const struct lan *lan)
{
    return !strcmp(lan->owner, LAN_SYSTEM) && directory_find_lan(&directory, lan->name);
}

unsigned query_lan(struct call *c)
{
    char name[LAN_NAME + 1] = "";
    unsigned failed = call_peek(c).length ? call_lan_name(c, "QLN", name) : 0;
    if (failed || (failed = call_end(c, "CQR")))
        return failed;
    unsigned found = show_system_lans(c, name);
    for (struct lan *lan = NULL; (lan = lan_next(lan));)
        if (!is_listed(lan) && nic_may_see(c->session, lan->owner, lan->name) &&
            (!*name || !strcmp(lan->name, name))) {
            show_lan(c, lan->owner, lan->name, lan, uplink_of(lan));
            found++;
        }
    return found ? 0 : FAIL(c, "QLN", 9127, "");
}

static void show_count(struct call *c, const char *way, const struct port_count *n)
{
    response_line(c->response, "  %s Packets: %-10llu Discarded: %-8llu Errors: %-8llu Bytes: %llu", way,
                  (unsigned long long)n->frames, (unsigned long long)n->discarded, (unsigned long long)n->errors,
                  (unsigned long long)n->bytes);
}

static void show_nic(struct call *c, const struct virtio_net *nic)
{
    const struct port *p = &nic->port;
    char mac[MAC_TEXT], rate[16] = "NONE";
    if (p->rate)
        format_text(rate, sizeof rate, "%uK", (unsigned)p->rate);
    response_line(c->response, "Adapter %04X Type: VIRTIO  MAC: %s  LAN: %s %s", nic->vdev, mac_text(p->mac, mac),
                  p->lan ? p->lan->owner : "NONE", p->lan ? p->lan->name : "");
    response_line(c->response, "  Porttype: %s  VLAN: %04u  Rate: %s", p->trunk ? "TRUNK" : "ACCESS",
                  (unsigned)p->vlan, rate);
    show_count(c, "RX", &p->received);
    show_count(c, "TX", &p->sent);
}

unsigned query_nic(struct call *c)
{
    unsigned vdev = 0, found = 0, failed = 0;
    bool one = call_peek(c).length;
    const struct virtio_net *nic;
    char number[5] = "NIC";
    if ((one && (failed = call_vdev(c, "QNI", &vdev))) || (failed = call_end(c, "CQR")))
        return failed;
    if (one)
        format_text(number, sizeof number, "%04X", vdev);
    for (unsigned i = 0; (nic = nic_at(c->session, i)); i++)
        if (!one || nic->vdev == vdev) {
            show_nic(c, nic);
            found++;
        }
    return found ? 0 : FAIL(c, "QNI", 40, number);
}
