/* The control messages of a virtio console device with several ports: which ports there are, at which of them somebody
 * is, what is to be said next. In: messages as they came, of any length and content. Out: what they change, and
 * messages to send, one at a time: a device answers each with a few of its own and drops those it finds no buffer for.
 *
 * VIRTIO 1.1, "Console Device", "Multiport Device Operation". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CONSOLE_PORTS = 32 };

struct console_message {
    uint32_t port;
    uint16_t event, value;
};

enum console_heard {
    CONSOLE_NOTHING, /* nothing that concerns CP */
    CONSOLE_ADDED,   /* a port is there */
    CONSOLE_CARRIER, /* somebody came to the port or left it: its host_open tells */
    CONSOLE_WRONG,   /* too short, no such port, or out of turn: it changed nothing */
};

struct console_control {
    unsigned ports;           /* 0 to so many, at most CONSOLE_PORTS */
    bool say_device_ready;
    unsigned wrong;           /* messages that were */
    struct {
        bool there;           /* the device has it */
        bool host_open;       /* somebody is at its other end */
        bool open;            /* CP reads it */
        bool say_ready, say_open;
    } port[CONSOLE_PORTS];
};

/* ports: what the device says it may have at most; those beyond CONSOLE_PORTS are not used */
void console_control_begin(struct console_control *, uint32_t ports);

/* One message of the device's. *port: which one it is about. */
enum console_heard console_control_hear(struct console_control *, const void *message, uint32_t bytes, uint32_t *port);

/* The next message for the device; false: nothing to say now. */
bool console_control_say(struct console_control *, struct console_message *);

/* CP reads this port from now on. @pre port < ports */
void console_control_open(struct console_control *, uint32_t port);
