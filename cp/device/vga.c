/* Owns the registers, and when the screen is looked at. */
#include "cp/device/vga.h"

#include <string.h>

#include "cp/device/vga_screen.h"

enum { LOOK_MS = 50, SILENCE_MS = 1000, GO_ON_MS = 1, NO_ROOM_MS = 1000 /* at the latest: see vga_go_on() */ };
enum { ATTRIBUTE = 0x3C0, ATTRIBUTE_DATA = 0x3C1, MISC = 0x3C2, SEQUENCER = 0x3C4, MISC_READ = 0x3CC, GRAPHICS = 0x3CE,
       CRTC = 0x3D4, STATUS = 0x3DA };
enum { COLOUR_TEXT_MISC = 0x67, RETRACE = 0x09 };

static uint64_t after(unsigned ms) { return clock_ticks(ms * UINT64_C(1000000)); }

static bool reach(struct vga *vga)
{
    if (!vga->area && (vga->area = frame_alloc_run(&vga->storage->account, VGA_AREA_PAGES)))
        vga_screen_begin(vga->area);
    return vga->area;
}

/* ---- ports ------------------------------------------------------------------------------------------------------- */

struct indexed {
    uint8_t *index, *value;
    unsigned count; /* a power of two */
};

/* The pair of an index's port; value NULL: there is none. */
static struct indexed indexed_at(struct vga_area *a, uint16_t port)
{
    switch (port & ~1u) {
    case ATTRIBUTE: return (struct indexed){&a->attribute_index, a->attribute, sizeof a->attribute};
    case SEQUENCER: return (struct indexed){&a->sequencer_index, a->sequencer, sizeof a->sequencer};
    case GRAPHICS: return (struct indexed){&a->graphics_index, a->graphics, sizeof a->graphics};
    case CRTC: return (struct indexed){&a->crtc_index, a->crtc, sizeof a->crtc};
    }
    return (struct indexed){0};
}

static uint8_t *register_at(const struct indexed *i) { return &i->value[*i->index & (i->count - 1)]; }

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct vga *vga = device;
    struct vga_area *a = vga->area;
    (void)size;
    if (!a)
        return port == MISC_READ ? COLOUR_TEXT_MISC : 0;
    struct indexed i = indexed_at(a, port);
    if (port == STATUS) { /* each look finds the other half of a frame */
        a->attribute_data = false;
        return a->status ^= RETRACE;
    }
    if (i.value)
        return port & 1 ? *register_at(&i) : *i.index;
    return port == MISC_READ ? a->misc : 0;
}

/* One port takes both, by turns; looking at the status begins with the index again. */
static void attribute_write(struct vga_area *a, uint8_t value)
{
    struct indexed i = indexed_at(a, ATTRIBUTE);
    if (a->attribute_data)
        *register_at(&i) = value;
    else
        a->attribute_index = value;
    a->attribute_data = !a->attribute_data;
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct vga *vga = device;
    (void)size;
    if (!reach(vga))
        return;
    struct vga_area *a = vga->area;
    struct indexed i = indexed_at(a, port);
    if (port == ATTRIBUTE)
        attribute_write(a, (uint8_t)value);
    else if (port == MISC)
        a->misc = (uint8_t)value;
    else if (i.value && !(port & 1))
        *i.index = (uint8_t)value;
    else if (i.value && port != ATTRIBUTE_DATA)
        *register_at(&i) = (uint8_t)value;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

/* Nothing is brought in for it. */
static bool is_there(const struct vga *vga)
{
    const uint64_t *leaves = guest_leaves(vga->storage, gpa(VGA_MEMORY));
    return leaves && leaves[VGA_MEMORY >> PAGE_SHIFT & 511] && guest_is_ram(vga->storage, gpa(VGA_MEMORY));
}

static void expire(struct timer *timer)
{
    struct vga *vga = timer->owner;
    uint64_t now = clock_now(), silent = now - vga->silent_since;
    vga->looked = now;
    if (!is_there(vga) || !reach(vga) || !vga_screen_read(vga->area, vga->storage))
        return;
    if (vga->silent_since && silent < after(SILENCE_MS)) {
        timer_arm(timer, vga->silent_since + after(SILENCE_MS));
        return;
    }
    if (!vga_screen_flush(vga->area, vga->host)) {
        timer_arm(timer, now + after(NO_ROOM_MS));
        return;
    }
    if (!vga->shown) {
        unsigned columns = 0, rows = 0;
        if (vga->host->size)
            vga->host->size(vga->host->context, &columns, &rows);
        vga_screen_anew(vga->area, columns, rows);
    }
    vga->shown = true;
    if (!vga_screen_show(vga->area, vga->host))
        timer_arm(timer, now + after(vga->area->pending ? NO_ROOM_MS : GO_ON_MS));
}

void vga_ran(struct vga *vga)
{
    if (!vga->timer.armed && is_there(vga))
        timer_arm(&vga->timer, vga->looked + after(LOOK_MS));
}

void vga_go_on(struct vga *vga)
{
    if (vga->area && vga->area->pending)
        timer_arm(&vga->timer, clock_now());
}

void vga_yield(struct vga *vga)
{
    vga->silent_since = clock_now();
    if (!vga->shown)
        return;
    vga->shown = false;
    vga_screen_leave(vga->area, vga->host);
}

void vga_repaint(struct vga *vga) { vga->shown = false; }

void vga_reset(struct vga *vga)
{
    timer_cancel(&vga->timer);
    if (vga->area)
        frame_free_run(&vga->storage->account, vga->area, VGA_AREA_PAGES);
    vga->area = NULL;
    vga->looked = vga->silent_since = 0;
    vga->shown = false;
}

void vga_init(struct vga *vga, struct bus *bus, struct guest_storage *storage, const struct vga_host *host)
{
    static const uint16_t range[][2] = {{ATTRIBUTE, 0x3CF}, {CRTC, CRTC + 1}, {STATUS, STATUS}};
    *vga = (struct vga){.storage = storage, .host = host, .timer = {.expire = expire, .owner = vga}};
    for (unsigned i = 0; i < sizeof range / sizeof *range; i++)
        bus_claim_ports(bus, &(struct bus_ports){.first = range[i][0], .last = range[i][1], .byte_wide = true,
                                                 .device = vga, .read = port_read, .write = port_write});
}
