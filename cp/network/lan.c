/* In: a frame somebody sends. Out: copies of it in the queues of those it is for. Each is a copy, in storage of whoever
 * is to read it: what the one does not read costs the other nothing. */
#include "cp/network/lan.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cp/time/timer.h"

enum { DESTINATION = 0, SOURCE = MAC, TYPE = 2 * MAC, GROUP = 1, TAG_TYPE_HIGH = 0x81, VLAN_MASK = 0xFFF };

static bool same(const uint8_t a[MAC], const uint8_t b[MAC])
{
    return !memcmp(a, b, MAC);
}

static struct port *owner_of(const struct lan *lan, const uint8_t mac[MAC])
{
    struct port *p = lan->port;

    while (p && (p->uplink || !same(p->mac, mac)))
        p = p->next;
    return p;
}

/* ---- joining and leaving ---------------------------------------------------------------------------------------- */

int lan_join(struct lan *lan, struct port *port)
{
    if (lan->ports == LAN_PORTS)
        return -ENOSPC;
    if (!port->uplink && owner_of(lan, port->mac))
        return -EEXIST;
    port->lan = lan;
    port->next = lan->port;
    lan->port = port;
    lan->ports++;
    if (port->coupled)
        port->coupled(port);
    return 0;
}

static void forget_learned(struct lan *lan, const struct port *port)
{
    for (unsigned i = 0; i < LAN_LEARNED; i++)
        if (lan->learned[i].port == port)
            lan->learned[i].port = NULL;
}

void lan_leave(struct port *port)
{
    struct lan *lan = port->lan;

    if (!lan)
        return;
    for (struct port **at = &lan->port; *at; at = &(*at)->next)
        if (*at == port) {
            *at = port->next;
            break;
        }
    lan->ports--;
    forget_learned(lan, port);
    port->lan = NULL;
    port->next = NULL;
    frame_queue_clear(&port->queue);
    if (port->coupled)
        port->coupled(port);
}

/* ---- what is behind trunks -------------------------------------------------------------------------------------- */

static struct lan_learned *place(struct lan *lan, const uint8_t mac[MAC], uint16_t vlan)
{
    uint32_t hash = vlan;

    for (unsigned i = 0; i < MAC; i++)
        hash = hash * 31 + mac[i];
    return &lan->learned[hash % LAN_LEARNED];
}

static void learn(struct port *from, const uint8_t mac[MAC], uint16_t vlan)
{
    struct lan_learned *l = place(from->lan, mac, vlan);

    memcpy(l->mac, mac, MAC);
    l->vlan = vlan;
    l->port = from;
}

/* NULL: it is not known behind which. */
static struct port *learned(struct lan *lan, const uint8_t mac[MAC], uint16_t vlan)
{
    struct lan_learned *l = place(lan, mac, vlan);

    return l->port && l->vlan == vlan && same(l->mac, mac) ? l->port : NULL;
}

/* ---- one frame -------------------------------------------------------------------------------------------------- */

/* What a frame is, without the tag it may have had. */
struct parcel {
    const uint8_t *frame;
    unsigned bytes, cut; /* the frame's; those of a tag, which are left out */
    uint16_t vlan;
};

/* A tag is kept out of an access port's VLAN, and of frames that would be too long without it. */
static bool judge(const struct port *from, struct parcel *p)
{
    const uint8_t *frame = p->frame;

    if (p->bytes < ETHERNET_HEADER || p->bytes > ETHERNET_ROOM || (frame[SOURCE] & GROUP))
        return false;
    p->vlan = from->vlan;
    p->cut = 0;
    if (frame[TYPE] == TAG_TYPE_HIGH && frame[TYPE + 1] == 0) {
        if (!from->trunk || p->bytes < ETHERNET_HEADER + ETHERNET_TAG)
            return false;
        uint16_t vlan = (uint16_t)(frame[TYPE + 2] << 8 | frame[TYPE + 3]) & VLAN_MASK;
        p->vlan = vlan ? vlan : from->vlan;
        p->cut = ETHERNET_TAG;
    }
    if (p->bytes - p->cut > ETHERNET_MOST || p->vlan > VLAN_LAST)
        return false;
    const struct port *owner = owner_of(from->lan, frame + SOURCE);
    return owner == from || (from->trunk && !owner);
}

static bool belongs(const struct port *to, const struct port *from, uint16_t vlan)
{
    return to != from && (to->trunk || (to->vlan == vlan && (from->trunk || !(to->isolated || from->isolated))));
}

static unsigned write_out(uint8_t *to, const struct parcel *p, bool tagged)
{
    unsigned head = TYPE, rest = p->bytes - TYPE - p->cut;

    memcpy(to, p->frame, TYPE);
    if (tagged) {
        const uint8_t tag[ETHERNET_TAG] = {TAG_TYPE_HIGH, 0, (uint8_t)(p->vlan >> 8), (uint8_t)p->vlan};
        memcpy(to + TYPE, tag, ETHERNET_TAG);
        head += ETHERNET_TAG;
    }
    memcpy(to + head, p->frame + TYPE + p->cut, rest);
    return head + rest;
}

static void give(struct port *to, const struct port *from, const struct parcel *p)
{
    uint8_t *room;
    bool first = !to->queue.count;

    if (!belongs(to, from, p->vlan))
        return;
    room = frame_queue_room(&to->queue);
    if (!room) {
        to->received.discarded++;
        return;
    }
    frame_queue_put(&to->queue, write_out(room, p, to->trunk && p->vlan != to->vlan));
    if (first)
        to->arrived(to);
}

static void give_all(struct port *from, const struct parcel *p, bool trunks_only)
{
    for (struct port *to = from->lan->port; to; to = to->next)
        if (to->trunk || !trunks_only)
            give(to, from, p);
}

bool lan_send(struct port *from, const uint8_t *frame, unsigned bytes)
{
    struct parcel p = {.frame = frame, .bytes = bytes};

    if (!from->lan) {
        from->sent.discarded++;
        return true;
    }
    if (!judge(from, &p)) {
        from->sent.errors++;
        return false;
    }
    from->sent.frames++;
    from->sent.bytes += bytes;
    if (owner_of(from->lan, frame + SOURCE) != from)
        learn(from, frame + SOURCE, p.vlan);
    if (frame[DESTINATION] & GROUP) {
        give_all(from, &p, false);
        return true;
    }
    struct port *to = owner_of(from->lan, frame + DESTINATION);
    if (!to)
        to = learned(from->lan, frame + DESTINATION, p.vlan);
    if (to)
        give(to, from, &p);
    else
        give_all(from, &p, true);
    return true;
}

/* ---- how fast --------------------------------------------------------------------------------------------------- */

static uint64_t ticks(const struct port *p, uint64_t bytes)
{
    return clock_scale(bytes, clock_hz, (uint64_t)p->rate << 10);
}

uint64_t port_sends_from(const struct port *p)
{
    uint64_t burst = p->rate ? ticks(p, LAN_BURST) : 0;

    return p->paid_until > burst ? p->paid_until - burst : 0;
}

void port_pay(struct port *p, unsigned bytes, uint64_t now)
{
    if (p->rate)
        p->paid_until = (p->paid_until > now ? p->paid_until : now) + ticks(p, bytes);
}
