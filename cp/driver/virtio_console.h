/* Lines on the ports of a modern virtio-pci console device. Input that nobody wants yet stays with the device, and so
 * with whoever typed it; the device tells when somebody comes to a port or leaves it, which is the line's carrier. */
#pragma once
#include "cp/driver/virtio_pci.h"
#include "cp/terminal/line.h"
#include "cp/virtio/console.h"

enum { VIRTIO_CONSOLE_ID = 0x10431AF4, VIRTIO_CONSOLE_ID_TRANSITIONAL = 0x10031AF4 }; /* PCI_ID */

enum { VIRTIO_CONSOLE_INPUTS = 4, VIRTIO_CONSOLE_INPUT_BYTES = 256, VIRTIO_CONSOLE_CONTROLS = 32,
       VIRTIO_CONSOLE_CONTROL_BYTES = 256,
       VIRTIO_CONSOLE_OUTPUTS = 64 /* one is sent at a time: the others are for those that a device loses */ };

struct virtio_console;

struct virtio_console_port {
    struct line line;
    struct virtio_console *console;
    uint32_t number;
    struct virtq in, out;
    volatile uint16_t *notify_in, *notify_out;
    uint32_t sending;       /* bytes the device has of the line's output; 0: none */
    uint16_t sent;          /* in this chain; others it still has were lost when somebody left */
    bool forget;            /* what is with the device by now was typed by somebody who has left */
    bool reading;           /* `chain` holds input, */
    uint16_t chain;         /* of which `given` of `bytes` were handed on */
    uint32_t given, bytes;
    uint8_t in_rings[VIRTQ_BYTES(VIRTIO_CONSOLE_INPUTS)] __attribute__((aligned(16)));
    uint8_t out_rings[VIRTQ_BYTES(VIRTIO_CONSOLE_OUTPUTS)] __attribute__((aligned(16)));
    uint8_t input[VIRTIO_CONSOLE_INPUTS][VIRTIO_CONSOLE_INPUT_BYTES]; /* by the chain's number */
};

struct virtio_console {
    struct virtio_pci pci;
    struct console_control control;
    uint32_t first; /* port to serve first: the others had their turn */
    bool broken; /* it gave back what it never had: all its lines are dead */
    struct virtq control_in, control_out;
    volatile uint16_t *notify_control_in, *notify_control_out;
    struct console_message message; /* being sent */
    uint8_t control_in_rings[VIRTQ_BYTES(VIRTIO_CONSOLE_CONTROLS)] __attribute__((aligned(16)));
    uint8_t control_out_rings[VIRTQ_BYTES(VIRTIO_CONSOLE_OUTPUTS)] __attribute__((aligned(16)));
    uint8_t heard[VIRTIO_CONSOLE_CONTROLS][VIRTIO_CONSOLE_CONTROL_BYTES]; /* by the chain's number */
    struct virtio_console_port port[CONSOLE_PORTS];
};

/* Brings up the function at that address and waits, a second or two at most, until it has told its ports. `console`:
 * zeroed, physically contiguous, kept for good. False: not a modern device with several ports, or it will not come up.
 * @pre as of virtio_pci_open */
bool virtio_console_probe(struct virtio_console *console, struct pci_address);

/* The line of the first port from *number on that the device has; *number becomes the next one. NULL: no more. */
struct line *virtio_console_line(struct virtio_console *console, uint32_t *number);

/* Lines begin to work. @pre the callbacks and owner of each line that is used are set */
void virtio_console_open_lines(struct virtio_console *console);

enum { VIRTIO_CONSOLE_BYTES = 2048 /* of input handed on in one call, and the rest of that port's */ };

/* Call when its IRQ came (INTx may be shared), or to poll. True: there may be more input; call again soon. */
bool virtio_console_interrupt(struct virtio_console *console);
