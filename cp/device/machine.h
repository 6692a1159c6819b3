/* The machine a user gets (all of it but the CPU and the RAM): the devices of docs/machine.md wired to one bus and one
 * pair of interrupt controllers. Pure: what leaves the machine goes out through struct machine_host, what enters comes
 * in through the functions below.
 * Wires, as on a PC: ISA interrupt n is input n of the 8259s and pin n of the IOAPIC, but for ISA 0 (the PIT), which is
 * pin 2 (tables must say so); PCI's INTA of slot n is pin 16 + (n & 3), and ISA interrupt 11 or 10 (cp/device/pci.h).
 * The 8259s' INTR goes to LINT0. */
#pragma once
#include "cp/device/bus.h"
#include "cp/device/disk.h"
#include "cp/device/fw_cfg.h"
#include "cp/device/grant.h"
#include "cp/device/ioapic.h"
#include "cp/device/keyboard.h"
#include "cp/device/lapic.h"
#include "cp/device/machine_config.h"
#include "cp/device/pci.h"
#include "cp/device/pic.h"
#include "cp/device/pit.h"
#include "cp/device/power.h"
#include "cp/device/rtc.h"
#include "cp/device/uart.h"
#include "cp/device/vga.h"
#include "cp/device/virtio_blk.h"
#include "cp/device/virtio_net.h"
#include "cp/storage/guest.h"

enum { MACHINE_TIMER_IRQ = 0, MACHINE_TIMER_PIN = 2 /* its IOAPIC pin */ };

enum machine_event {
    MACHINE_KICK, /* an interrupt may have become pending: let the CPU look before it runs on, or wake it from HLT */
    MACHINE_POWER_OFF,
    MACHINE_RESET,
    MACHINE_TEST_EXIT,  /* isa-debug-exit; detail = the value written */
    MACHINE_INIT,       /* an INIT for the CPU came through the APIC */
    MACHINE_INPUT_ROOM, /* uart `detail` has read all it had: machine_input takes bytes again */
    MACHINE_HUNG_UP,    /* uart `detail` lets go whoever called there */
    MACHINE_CALL_DONE,  /* of machine_disk_call; detail: 0, EIO or ENODEV */
};

struct machine_host {
    void *context;
    void (*event)(void *context, enum machine_event, uint32_t detail);
    /* console output of uart `n`; returns how many bytes were taken (the rest stays in the transmitter, nothing is
     * lost) */
    unsigned (*output)(void *context, unsigned n, const uint8_t *bytes, unsigned count);
    uint64_t (*guest_tsc)(void *context, uint64_t now); /* the virtual CPU's TSC at a host TSC */
    unsigned physical_bits;               /* the virtual CPU's MAXPHYADDR */
    /* of the console's terminal, 0: not known. May be NULL */
    void (*size)(void *context, unsigned *columns, unsigned *rows);
};

struct machine_console { /* what a UART's call-outs are told */
    struct machine *machine;
    unsigned n;
};

struct machine {
    bool pending; /* what machine_interrupt_pending answers, kept up to date at every change */
    bool nmi;
    bool given_back; /* by the CPU: the vector it acknowledged and did not deliver */
    uint8_t given_back_vector;
    struct pace pace; /* of all its timers */
    struct machine_host host;
    const struct machine_config *config;
    struct guest_storage *storage;
    struct bus bus;
    struct lapic lapic;
    struct ioapic ioapic;
    struct pic pic;
    struct pit pit;
    struct rtc rtc;
    struct uart uart[MACHINE_UARTS];
    struct pci_host pci;
    struct virtio_blk *disk[MACHINE_DISKS]; /* NULL: there was none yet */
    struct virtio_net *nic[MACHINE_NICS]; /* the first config->nics of them, if there was storage */
    struct disk_user disk_user; /* whom its disks' requests are made for */
    struct power power;
    struct keyboard keyboard;
    struct fw_cfg fw_cfg;
    struct vga_host vga_host;
    struct vga vga;
    _Alignas(16) uint8_t granted[GRANTED_DEVICES][GRANTED_STATE];
    struct machine_console console[MACHINE_UARTS];
    uint8_t isa_asserted[16]; /* how many devices hold that ISA interrupt: COM1 and COM3 share one, COM2 and COM4 */
};

/* @pre storage is initialised; config lives as long as the machine. The machine calls host.event and host.output only
 * from within the functions below, the bus and timers; event must not call back into machine_reset or machine_free:
 * note it, and act when the exit is handled. */
void machine_init(struct machine *, const struct machine_host *, struct guest_storage *,
                  const struct machine_config *config);
void machine_disks_number(struct machine *); /* gives its disks other numbers */
void machine_reset(struct machine *); /* every device as after power on; disks stay attached */
void machine_free(struct machine *);  /* cancels timers, detaches disks */
/* Disk requests that may still write into the storage, also after machine_reset, machine_detach_disk and machine_free:
 * the storage and this struct must live until it is 0. */
unsigned machine_in_flight(const struct machine *);

/* Something is under way that may interrupt a machine whose console is silent: a disk request, or a timer. */
bool machine_is_busy(const struct machine *);

/* The frames its disks were in. @pre machine_free(), and nothing is in flight */
void machine_give_back(struct machine *);

/* A minidisk appears as a virtio-blk PCI function whose serial is the four hex digits of vdev. `disk` NULL detaches.
 * 0, -ENOSPC (no slot, or old ones still have requests in flight), -EEXIST, -ENOMEM; detach: -ENOENT. */
int machine_attach_disk(struct machine *, unsigned vdev, struct disk *);
int machine_detach_disk(struct machine *, unsigned vdev);

/* A disk of the machine as its program may ask for it by calls. */
struct machine_disk {
    uint64_t number; /* no other has it, in whatever machine; another one for whatever is attached, and after a reset */
    uint64_t sectors;
    bool read_only;
};
bool machine_disk_facts(const struct machine *, unsigned vdev, struct machine_disk *); /* false: there is none */
int machine_disk_slot(const struct machine *, unsigned vdev);                          /* of PCI; -ENOENT */
/* virtio_blk_call() of the disk of that number, whose end is the event CALL_DONE. The same errors, and -ENODEV. */
int machine_disk_call(struct machine *, uint64_t number, enum disk_op, uint64_t sector, gpa_t at, uint64_t bytes);

/* The NICs its configuration has, on the bus, each with a port of no LAN. False: no storage for one of them. */
bool machine_attach_nics(struct machine *);
struct virtio_net *machine_nic_find(const struct machine *, unsigned vdev); /* NULL: it has none of that number */

/* Console input: how many of the bytes were taken (the receiver's FIFO may be full; offer the rest again after
 * INPUT_ROOM). What is typed while UART 0's console is the VGA's (vga.h) are keys. */
unsigned machine_input(struct machine *, unsigned uart, const uint8_t *bytes, unsigned count);
void machine_output_ready(struct machine *, unsigned uart); /* host.output has room again */
/* Somebody called at that UART, or left: its modem tells (uart_carrier). UART 0 is the console, where somebody is from
 * the start. */
void machine_carrier(struct machine *, unsigned uart, bool there);
void machine_ring(struct machine *, unsigned uart); /* uart_ring */
/* The program sends bytes by that UART without its registers: how many the host took. None while the transmitter holds
 * some, or is in loopback. */
unsigned machine_transmit(struct machine *, unsigned uart, const uint8_t *bytes, unsigned count);

/* For devices: the wire of an ISA interrupt (0 to 15), which several may share. */
struct irq machine_isa_irq(struct machine *, unsigned gsi);

/* Interrupts, for the run loop. pending: is there a vector the CPU would take now if RFLAGS.IF=1 (priority above
 * PPR/TPR, or ExtINT from the 8259 through LINT0 or a disabled APIC)? acknowledge: takes it (IRR -> ISR) and returns
 * it, or -1 (spurious). */
static inline bool machine_interrupt_pending(const struct machine *m) { return m->pending; }
int machine_interrupt_acknowledge(struct machine *);
/* The vector acknowledged last did not reach its handler: it is in service, pends again and is the next to be
 * acknowledged. */
void machine_interrupt_give_back(struct machine *, uint8_t vector);
/* May a device that the guest set up so still send one, LAPIC_NMI or LAPIC_INIT? */
bool machine_may_send(const struct machine *, enum lapic_delivery);
bool machine_nmi_take(struct machine *); /* an NMI was requested (LAPIC): consumes it */

/* The guest's TSC jumped (written, or its offset changed): its TSC deadline is elsewhere in host time now. */
void machine_tsc_moved(struct machine *);
