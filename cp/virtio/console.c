#include "cp/virtio/console.h"

#include <string.h>

enum event { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };

void console_control_begin(struct console_control *c, uint32_t ports)
{
    *c = (struct console_control){.ports = ports < CONSOLE_PORTS ? ports : CONSOLE_PORTS, .say_device_ready = true};
}

static enum console_heard wrong(struct console_control *c)
{
    c->wrong++;
    return CONSOLE_WRONG;
}

static enum console_heard add(struct console_control *c, uint32_t port)
{
    if (c->port[port].there)
        return wrong(c);
    c->port[port].there = c->port[port].say_ready = true;
    c->port[port].say_open = c->port[port].open;
    return CONSOLE_ADDED;
}

static enum console_heard carrier(struct console_control *c, uint32_t port, bool there)
{
    if (c->port[port].host_open == there)
        return CONSOLE_NOTHING;
    c->port[port].host_open = there;
    return CONSOLE_CARRIER;
}

static enum console_heard take_away(struct console_control *c, uint32_t port)
{
    c->port[port].there = c->port[port].say_ready = c->port[port].say_open = false;
    return carrier(c, port, false);
}

enum console_heard console_control_hear(struct console_control *c, const void *message, uint32_t bytes, uint32_t *port)
{
    struct console_message m;

    if (bytes < sizeof m)
        return wrong(c);
    memcpy(&m, message, sizeof m);
    if (m.port >= c->ports || (m.event != PORT_ADD && !c->port[m.port].there))
        return wrong(c);
    *port = m.port;
    switch (m.event) {
    case PORT_ADD: return add(c, m.port);
    case PORT_REMOVE: return take_away(c, m.port);
    case PORT_OPEN: return carrier(c, m.port, m.value != 0);
    case CONSOLE_PORT:
    case RESIZE:
    case PORT_NAME: return CONSOLE_NOTHING;
    default: return wrong(c); /* DEVICE_READY and PORT_READY are the driver's to say */
    }
}

bool console_control_say(struct console_control *c, struct console_message *m)
{
    if (c->say_device_ready) {
        c->say_device_ready = false;
        *m = (struct console_message){.event = DEVICE_READY, .value = 1};
        return true;
    }
    for (uint32_t i = 0; i < c->ports; i++) {
        bool *flag = c->port[i].say_ready ? &c->port[i].say_ready : &c->port[i].say_open;
        if (!*flag)
            continue;
        *m = (struct console_message){i, flag == &c->port[i].say_ready ? PORT_READY : PORT_OPEN, 1};
        *flag = false;
        return true;
    }
    return false;
}

void console_control_open(struct console_control *c, uint32_t port)
{
    c->port[port].open = true;
    c->port[port].say_open = c->port[port].there;
}
