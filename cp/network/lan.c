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
    const uint8_t *frame; /* addresses */
    const uint8_t *rest;  /* from its type on */
    unsigned bytes;       /* in all */
    uint16_t vlan;
    struct offload offload;
    bool summed; /* `sum` is its checksum */
    uint16_t sum;
    unsigned segments, copied; /* that it was cut into so far, and bytes of them */
};

static bool is_tagged(const uint8_t *frame, unsigned bytes)
{
    return bytes >= TYPE + ETHERNET_TAG && frame[TYPE] == TAG_TYPE_HIGH && frame[TYPE + 1] == 0;
}

/* A switch outside might take it for a tag of its provider's. */
static bool is_provider_tagged(const uint8_t *frame)
{
    return frame[TYPE] == 0x88 && frame[TYPE + 1] == 0xA8;
}

static bool untag(const struct port *from, struct parcel *p)
{
    uint16_t vlan = (uint16_t)(p->frame[TYPE + 2] << 8 | p->frame[TYPE + 3]) & VLAN_MASK;

    if (!from->trunk || p->bytes < ETHERNET_HEADER + ETHERNET_TAG || p->offload.flags || p->offload.gso_type)
        return false;
    p->vlan = vlan ? vlan : from->vlan;
    p->rest += ETHERNET_TAG;
    p->bytes -= ETHERNET_TAG;
    return p->vlan <= VLAN_LAST;
}

/* A tag is kept out of an access port's VLAN. What is too long is for TCP's segments only, and these are nobody's
 * group's. */
static bool judge(const struct port *from, struct parcel *p)
{
    const uint8_t *frame = p->frame;
    unsigned most = p->offload.gso_type ? ETHERNET_UNCUT : ETHERNET_MOST;

    if (p->bytes < ETHERNET_HEADER || p->bytes > ETHERNET_UNCUT || (frame[SOURCE] & GROUP))
        return false;
    if ((is_tagged(frame, p->bytes) && !untag(from, p)) || p->bytes > most ||
        (is_provider_tagged(frame) && !from->trunk) ||
        !offload_judge(&p->offload, frame, p->bytes) || (p->offload.gso_type && (frame[DESTINATION] & GROUP)))
        return false;
    const struct port *owner = owner_of(from->lan, frame + SOURCE);
    return owner == from || (from->trunk && !owner);
}

static bool belongs(const struct port *to, const struct port *from, uint16_t vlan)
{
    return to != from && (to->trunk || (to->vlan == vlan && (from->trunk || !(to->isolated || from->isolated))));
}

/* What there is of a frame behind its addresses, in two pieces. */
struct piece {
    const uint8_t *at;
    unsigned bytes;
};

/* False: there is no room for it. */
static bool put(struct port *to, const struct parcel *p, const struct offload *offload, struct piece a, struct piece b)
{
    struct frame_queue *q = &to->queue;
    bool tagged = to->trunk && p->vlan != to->vlan;
    const uint8_t tag[ETHERNET_TAG] = {TAG_TYPE_HIGH, 0, (uint8_t)(p->vlan >> 8), (uint8_t)p->vlan};

    if (!frame_queue_begin(q, TYPE + (tagged ? ETHERNET_TAG : 0) + a.bytes + b.bytes, offload)) {
        to->received.discarded++;
        return false;
    }
    frame_queue_add(q, p->frame, TYPE);
    frame_queue_add(q, tag, tagged ? ETHERNET_TAG : 0);
    frame_queue_add(q, a.at, a.bytes);
    frame_queue_add(q, b.at, b.bytes);
    return true;
}

static void put_end(struct port *to)
{
    frame_queue_end(&to->queue);
    if (to->queue.count == 1)
        to->arrived(to);
}

static const struct offload nothing;

/* What it is cut into, for however many, has an end, as CP has to look up in time (cp/time/work.h): beyond it frames
 * are lost, which happens only before it is known behind which trunk somebody is. */
enum { SEGMENTS = 128, SEGMENTS_BYTES = 96 << 10 };

static void give_segments(struct port *to, struct parcel *p)
{
    static struct tcp_segment s; /* one call at a time */

    for (uint32_t from = 0; offload_segment(&p->offload, p->frame, p->bytes, from, &s); from += s.data_bytes) {
        p->copied += s.header_bytes + s.data_bytes;
        if (p->segments++ == SEGMENTS || p->copied > SEGMENTS_BYTES) {
            to->received.discarded++;
            return;
        }
        if (!put(to, p, &nothing, (struct piece){s.header + TYPE, s.header_bytes - TYPE},
                 (struct piece){s.data, s.data_bytes}))
            return;
        put_end(to);
    }
}

static void give_checked(struct port *to, struct parcel *p)
{
    uint32_t at = p->offload.checksum_start + p->offload.checksum_offset;

    if (!p->summed)
        p->sum = offload_checksum(&p->offload, p->frame, p->bytes);
    p->summed = true;
    if (!put(to, p, &nothing, (struct piece){p->rest, p->bytes - TYPE}, (struct piece){NULL, 0}))
        return;
    at += to->queue.at - p->bytes; /* the tag */
    frame_queue_poke(&to->queue, at, (uint8_t)(p->sum >> 8));
    frame_queue_poke(&to->queue, at + 1, (uint8_t)p->sum);
    put_end(to);
}

static void give(struct port *to, const struct port *from, struct parcel *p)
{
    bool tagged = to->trunk && p->vlan != to->vlan;

    if (!belongs(to, from, p->vlan))
        return;
    if (p->offload.gso_type && (tagged || !to->takes_segments))
        give_segments(to, p);
    else if (p->offload.flags && (tagged || !to->takes_checksum))
        give_checked(to, p);
    else if (put(to, p, &p->offload, (struct piece){p->rest, p->bytes - TYPE}, (struct piece){NULL, 0}))
        put_end(to);
}

static void give_all(struct port *from, struct parcel *p, bool trunks_only)
{
    for (struct port *to = from->lan->port; to; to = to->next)
        if (to->trunk || !trunks_only)
            give(to, from, p);
}

bool lan_send(struct port *from, const uint8_t *frame, unsigned bytes)
{
    return lan_send_offloaded(from, frame, bytes, &nothing);
}

bool lan_send_offloaded(struct port *from, const uint8_t *frame, unsigned bytes, const struct offload *offload)
{
    struct parcel p = {.frame = frame, .rest = frame + TYPE, .bytes = bytes, .vlan = from->vlan, .offload = *offload};

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
