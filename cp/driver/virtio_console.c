/* The virtio console driver (virtio_console.h): moves bytes between lines and queues. What control messages mean is
 * cp/virtio/console.h's business, what a queue's answers may be is cp/virtio/queue.h's.
 *
 * VIRTIO 1.1, "Console Device". */
#include "cp/driver/virtio_console.h"

#include <stddef.h>
#include <string.h>

enum { FEATURE_MULTIPORT = 1 << 1, CONFIG_MAX_PORTS = 4, CONTROL_QUEUES = 2 };

/* Two queues for port 0, two for control messages, two for each further port. */
static uint16_t queue_of(uint32_t port)
{
    return (uint16_t)(port ? 2 * port + CONTROL_QUEUES : 0);
}

static void publish(struct virtq *q, volatile uint16_t *notify, uint16_t index)
{
    if (virtq_publish(q))
        *notify = index;
}

/* A device that broke the protocol touches no memory any more, and its users are gone. */
static void shut_out(struct virtio_console *c)
{
    if (c->broken)
        return;
    c->broken = true;
    virtio_pci_reset(&c->pci);
    for (struct virtio_console_port *p = c->port; p < c->port + c->control.ports; p++) {
        p->line.driver = NULL;
        p->line.held = false;
        if (p->line.carrier)
            p->line.carrier(&p->line, false);
    }
}

/* ---- control messages ---------------------------------------------------------------------------- */

static void offer_control(struct virtio_console *c)
{
    const uint16_t next = c->control_in.free_head;

    virtq_offer(&c->control_in, &(struct virtq_piece){c->heard[next], VIRTIO_CONSOLE_CONTROL_BYTES, true}, 1);
}

/* Takes back what the device is done with: what is being sent, or what it had kept of somebody
 * who left. True: that was sent. */
static bool take_output(struct virtio_console_port *p)
{
    uint32_t written;
    uint16_t chain;
    bool sent = false;

    while (virtq_take(&p->out, &chain, &written)) {
        if (!p->sending || chain != p->sent)
            continue;
        line_sent(&p->line, p->sending);
        p->sending = 0;
        sent = true;
    }
    return sent;
}

/* Whoever was there has left: what they were written is nobody's. The device has dropped what it was sent by then, but
 * may have lost a chain on the way (QEMU does, if it could not write it all): that stays the device's, with nothing to
 * read in it, and the line goes on with another. */
static void drop_output(struct virtio_console_port *p)
{
    struct line *l = &p->line;

    take_output(p);
    line_cut(l, p->sending);
    if (p->sending) {
        memset(l->output + l->tail % LINE_OUTPUT_BYTES, 0, p->sending);
        line_sent(l, p->sending);
        p->sending = 0;
    }
}

static void tell_carrier(struct virtio_console *c, uint32_t port)
{
    struct virtio_console_port *p = &c->port[port];
    struct line *l = &p->line;

    if (!c->control.port[port].host_open) {
        drop_output(p);
        p->forget = true;
    }
    if (l->driver && l->carrier)
        l->carrier(l, c->control.port[port].host_open);
}

static void listen(struct virtio_console *c)
{
    uint16_t chain;
    uint32_t bytes, port = 0;
    bool offered = false;

    while (virtq_take(&c->control_in, &chain, &bytes)) {
        if (console_control_hear(&c->control, c->heard[chain], bytes, &port) == CONSOLE_CARRIER)
            tell_carrier(c, port);
        offer_control(c);
        offered = true;
    }
    if (offered)
        publish(&c->control_in, c->notify_control_in, CONTROL_QUEUES);
}

static void speak(struct virtio_console *c)
{
    if (c->control_out.chains || !console_control_say(&c->control, &c->message))
        return;
    virtq_offer(&c->control_out, &(struct virtq_piece){&c->message, sizeof c->message, false}, 1);
    publish(&c->control_out, c->notify_control_out, CONTROL_QUEUES + 1);
}

/* What the device has to say to a message is there when it gives the message back, and takes the buffers for it: so it
 * is heard before the next is said. */
static void serve_control(struct virtio_console *c)
{
    uint16_t chain;
    uint32_t written;

    virtq_take(&c->control_out, &chain, &written);
    listen(c);
    speak(c);
}

/* ---- output ------------------------------------------------------------------------------------ */

/* What was written to somebody who has left is not sent to whoever came. */
static void send(struct line *l)
{
    struct virtio_console_port *p = (struct virtio_console_port *)l;
    const uint8_t *bytes;
    uint32_t count;
    int chain;

    if (p->sending)
        take_output(p); /* a device that is done already need not interrupt first */
    if (p->sending)
        return;
    listen(p->console);
    count = line_oldest(l, &bytes);
    if (p->sending || !count) /* who came may have been greeted meanwhile */
        return;
    chain = virtq_offer(&p->out, &(struct virtq_piece){bytes, count, false}, 1);
    if (chain < 0) /* the device has lost them all */
        return;
    p->sent = (uint16_t)chain;
    p->sending = count;
    publish(&p->out, p->notify_out, (uint16_t)(queue_of(p->number) + 1));
}

static void serve_output(struct virtio_console_port *p)
{
    uint32_t before = line_queued(&p->line);

    if (!take_output(p) && (p->sending || !before))
        return;
    send(&p->line);
    line_tell_room(&p->line, before);
}

/* ---- input ------------------------------------------------------------------------------------- */

static void offer_input(struct virtio_console_port *p)
{
    const uint16_t next = p->in.free_head;

    virtq_offer(&p->in, &(struct virtq_piece){p->input[next], VIRTIO_CONSOLE_INPUT_BYTES, true}, 1);
}

/* Hands on as much of the chain at hand as is wanted. True: that was all of it. */
static bool hand_on(struct virtio_console_port *p)
{
    struct line *l = &p->line;
    uint32_t left = p->bytes - p->given, wanted = l->ready ? l->ready(l) : left;

    for (uint32_t n = left < wanted ? left : wanted; n; n--) {
        uint8_t byte = p->input[p->chain][p->given++];
        if (l->input)
            l->input(l, byte);
    }
    return p->given == p->bytes;
}

/* What was typed by somebody who has left is nobody's. Whoever comes is announced before their first byte, though not
 * always before we looked. */
static bool is_anybodys(struct virtio_console_port *p)
{
    const struct console_control *control = &p->console->control;

    if (!control->port[p->number].host_open)
        listen(p->console);
    return control->port[p->number].host_open;
}

/* How many bytes were there. */
static uint32_t serve_input(struct virtio_console_port *p)
{
    bool offered = false;
    uint32_t seen = 0;

    p->line.held = false;
    while (p->reading || virtq_take(&p->in, &p->chain, &p->bytes)) {
        if (!p->reading)
            p->given = 0;
        seen += p->bytes;
        if (!is_anybodys(p) || p->forget)
            p->given = p->bytes;
        p->reading = !hand_on(p);
        p->line.held = p->reading;
        if (p->reading)
            break;
        offer_input(p);
        offered = true;
    }
    p->forget = false;
    if (offered)
        publish(&p->in, p->notify_in, queue_of(p->number));
    return seen;
}

static void resume(struct line *l)
{
    serve_input((struct virtio_console_port *)l);
}

/* Ports in turn from the one that is first, until the input is enough for once. True: there may be more. */
static bool serve_ports(struct virtio_console *c, bool *broken)
{
    uint32_t seen = 0;

    for (uint32_t n = 0; n < c->control.ports; n++) {
        struct virtio_console_port *p = &c->port[c->first];
        if (seen >= VIRTIO_CONSOLE_BYTES)
            return true;
        c->first = (c->first + 1) % c->control.ports;
        if (!p->line.driver)
            continue;
        seen += serve_input(p);
        serve_output(p);
        *broken |= p->in.broken | p->out.broken;
    }
    return false;
}

bool virtio_console_interrupt(struct virtio_console *c)
{
    bool broken = false;

    if (c->broken)
        return false;
    virtio_pci_acknowledge(&c->pci);
    serve_control(c);
    bool more = serve_ports(c, &broken);
    if (broken || c->control_in.broken || c->control_out.broken)
        shut_out(c);
    return more && !c->broken;
}

/* Polls for the device's interrupt as long as there is something that waits for it. */
static void drain(struct line *l)
{
    struct virtio_console_port *p = (struct virtio_console_port *)l;

    for (uint32_t polls = 0; p->sending && !p->console->broken && polls < VIRTIO_PCI_POLLS; polls++)
        virtio_console_interrupt(p->console);
}

static const struct line_driver driver = {.send = send, .drain = drain, .resume = resume};

/* ---- bringing it up ---------------------------------------------------------------------------- */

static bool start_port(struct virtio_console *c, uint32_t number)
{
    struct virtio_console_port *p = &c->port[number];

    p->console = c;
    p->number = number;
    virtq_init(&p->in, VIRTIO_CONSOLE_INPUTS, p->in_rings);
    virtq_init(&p->out, VIRTIO_CONSOLE_OUTPUTS, p->out_rings);
    p->notify_in = virtio_pci_queue(&c->pci, queue_of(number), &p->in);
    p->notify_out = virtio_pci_queue(&c->pci, (uint16_t)(queue_of(number) + 1), &p->out);
    return p->notify_in && p->notify_out;
}

static bool start_control(struct virtio_console *c)
{
    virtq_init(&c->control_in, VIRTIO_CONSOLE_CONTROLS, c->control_in_rings);
    virtq_init(&c->control_out, 2, c->control_out_rings);
    c->notify_control_in = virtio_pci_queue(&c->pci, CONTROL_QUEUES, &c->control_in);
    c->notify_control_out = virtio_pci_queue(&c->pci, CONTROL_QUEUES + 1, &c->control_out);
    return c->notify_control_in && c->notify_control_out;
}

static bool start_queues(struct virtio_console *c)
{
    const volatile uint32_t *most = (const volatile uint32_t *)(c->pci.device + CONFIG_MAX_PORTS);

    console_control_begin(&c->control, *most);
    for (uint32_t n = 0; n < c->control.ports; n++)
        if (!start_port(c, n))
            return false;
    return c->control.ports && start_control(c);
}

/* Until the device has answered the last message: then every port it has is known. */
static bool converse(struct virtio_console *c)
{
    for (unsigned i = 0; i < VIRTIO_CONSOLE_CONTROLS; i++)
        offer_control(c);
    publish(&c->control_in, c->notify_control_in, CONTROL_QUEUES);
    speak(c);
    for (uint32_t polls = 0; c->control_out.chains && polls < VIRTIO_PCI_POLLS; polls++)
        virtio_console_interrupt(c);
    return !c->broken && !c->control_out.chains;
}

bool virtio_console_probe(struct virtio_console *c, struct pci_address a)
{
    uint32_t features;

    if (!virtio_pci_open(&c->pci, a) || !virtio_pci_negotiate(&c->pci, FEATURE_MULTIPORT, &features) ||
        !(features & FEATURE_MULTIPORT) || !start_queues(c))
        return false;
    virtio_pci_start(&c->pci);
    if (converse(c))
        return true;
    virtio_pci_reset(&c->pci);
    return false;
}

struct line *virtio_console_line(struct virtio_console *c, uint32_t *number)
{
    while (*number < c->control.ports) {
        uint32_t n = (*number)++;
        if (c->control.port[n].there)
            return &c->port[n].line;
    }
    return NULL;
}

static void open_line(struct virtio_console_port *p)
{
    struct virtio_console *c = p->console;

    p->line.driver = &driver;
    for (unsigned i = 0; i < VIRTIO_CONSOLE_INPUTS; i++)
        offer_input(p);
    publish(&p->in, p->notify_in, queue_of(p->number));
    console_control_open(&c->control, p->number);
    if (!c->control.port[p->number].host_open)
        tell_carrier(c, p->number);
    p->forget = false;
}

void virtio_console_open_lines(struct virtio_console *c)
{
    for (uint32_t n = 0; n < c->control.ports && !c->broken; n++)
        if (c->control.port[n].there)
            open_line(&c->port[n]);
    speak(c);
}
