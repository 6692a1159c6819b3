/* The virtio 1.x transport over PCI (modern only) and its split virtqueues, seen from the device's side.
 * "Virtual I/O Device (VIRTIO) Version 1.2", "Virtio Over PCI Bus" and "Split Virtqueues".
 *
 * In:  the guest's accesses to BAR 0 and to configuration space; the rings in guest storage, every word of which is
 *      hostile and is read once. Out: chains of checked buffers for the device model; used elements and interrupts for
 *      the guest.
 * A ring that breaks the rules sets DEVICE_NEEDS_RESET: that device does no more until its driver resets it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/pci_msix.h"
#include "cp/storage/guest.h"

/* A chain may be longer than VIRTIO_CHAIN_BUFFERS only by breaking the limit its device type announces (block:
 * seg_max). */
enum { VIRTIO_QUEUES = 2, VIRTIO_QUEUE_SIZE = 256, VIRTIO_CHAIN_BUFFERS = 130 };

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1, VIRTIO_DRIVER = 2, VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64, VIRTIO_FAILED = 128
};

#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)

struct virtio_queue {
    uint16_t size; /* a power of two <= VIRTIO_QUEUE_SIZE */
    bool enabled;
    uint64_t descriptors, driver, device; /* the three areas, as the driver wrote them */
    uint16_t next_available, next_used;
    uint16_t seen;      /* the driver's index, read when the chains before it had all been taken */
    uint16_t signalled; /* next_used when the driver was last interrupted */
    uint16_t vector;    /* MSI-X, or PCI_MSIX_NONE */
};

struct virtio_buffer {
    gpa_t at;
    uint32_t bytes; /* > 0; [at, at + bytes) is RAM */
};

/* One request: the buffers the device reads, then those it writes. */
struct virtio_chain {
    uint16_t head;
    uint16_t readable, writable; /* counts; buffer[readable] is the first writable one */
    uint64_t readable_bytes, writable_bytes;
    struct virtio_buffer buffer[VIRTIO_CHAIN_BUFFERS];
};

struct virtio_device;

/* What a kind of device adds to the transport. */
struct virtio_model {
    uint16_t id; /* virtio device type: 2 is block */
    uint32_t class_code;
    unsigned queues;
    unsigned config_bytes;
    void (*notify)(struct virtio_device *, unsigned queue);
    /* The device is being reset: forget every chain taken. True when nothing is in flight; else the model calls
     * virtio_reset_done() later, and until then a guest that asked for the reset reads a status other than 0. */
    bool (*reset)(struct virtio_device *);
};

struct virtio_device {
    struct pci_function pci;
    struct guest_storage *storage;
    const struct virtio_model *model;
    const uint8_t *config; /* the model's device-specific configuration, little-endian */
    uint64_t offered, accepted;
    uint32_t offered_select, accepted_select;
    uint8_t status, isr, generation; /* generation: of the configuration, another one when that has changed */
    bool resetting;
    uint16_t queue_select, config_vector;
    struct virtio_queue queue[VIRTIO_QUEUES];
    uint8_t window; /* offset of the PCI_CFG capability */
    struct pci_msix msix;
};

/* Builds the PCI function. `features` without VERSION_1, INDIRECT_DESC and EVENT_IDX, which the transport adds.
 * @pre the device is not attached */
void virtio_init(struct virtio_device *, const struct virtio_model *, struct guest_storage *, uint64_t features,
                 const void *config, bool msix);
void virtio_reset_done(struct virtio_device *);

/* The next chain the driver offers: 1; 0 when there is none (the driver will notify); -EIO when the ring is broken (the
 * device has been marked) or the device is not running. However often the driver, or CP by what it writes for it, moves
 * the index: a caller that always comes back for more decides itself when to stop. */
int virtio_queue_take(struct virtio_device *, unsigned queue, struct virtio_chain *);
/* The chains taken last, so many of them, are to be taken again. */
void virtio_queue_untake(struct virtio_device *, unsigned queue, unsigned count);
/* Is the device set up and in order, so that chains may be taken and given? */
bool virtio_running(const struct virtio_device *);
/* Gives a chain back. The driver learns of it at the next virtio_queue_signal(), once for many. */
void virtio_queue_give(struct virtio_device *, unsigned queue, uint16_t head, uint32_t written);
void virtio_queue_signal(struct virtio_device *, unsigned queue);

/* The driver broke the rules: DEVICE_NEEDS_RESET and a configuration change interrupt. */
void virtio_break(struct virtio_device *);
/* The model's configuration is another one. */
void virtio_config_changed(struct virtio_device *);
/* Interrupts the driver: used buffers in `queue`, by INTx and ISR or by message. */
void virtio_interrupt(struct virtio_device *, unsigned queue);
