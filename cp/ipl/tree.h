/* The description of a machine as a flattened device tree (devicetree.org "Devicetree Specification"), in standard
 * bindings.
 * In: a plain struct that says what the machine has. Out: the tree. The same code describes the machine CP gives
 * (cp/ipl/tree_vm.h) and the PC CP runs on (cp/boot/tree_pc.h), and cp/boot/machine_facts.h reads both.
 *
 *   /                 compatible "vmn,machine"; two cells of address and of size
 *   /cpus/cpu@N       reg = APIC ID, clock-frequency and timebase-frequency = TSC ticks a second (64 bits)
 *   /memory@0         every range of RAM software may use
 *   /chosen           bootargs, stdout-path; module@ADDRESS ("multiboot,module": reg, bootargs = its text)
 *   /interrupt-controller@fee00000  "intel,ce4100-lapic", intel,virtual-wire-mode; clock-frequency of its timer
 *   /interrupt-controller@fec00000  "intel,ce4100-ioapic": cells are the pin (ISA IRQs,
 *                                   the timer's at 2; PCI 16-19) and
 *                     the sense as that binding numbers it (0 edge, 1 level)
 *   /pci[@WINDOW]     "pci-x86", "pci"; configuration mechanism #1; ranges; interrupt-map where the wires are fixed;
 *                     serial@SLOT,FUNCTION "pci1af4,1043": a virtio console, whose ports are lines
 *   /isa              I/O ports (reg: 1, port, count): serial@ "ns16550a", interrupt-controller@20 "intel,i8259",
 *                     timer@40 "pnpPNP,100" (8254), rtc@70 "motorola,mc146818", keyboard@60 "pnpPNP,303",
 *                     ide@ "pnpPNP,600" (command ports, control port), power@ and reset@ "syscon" (reg-io-width),
 *                     and what was granted (cp/device/grants.def): debug-exit@ "vmn,debug-exit", debug-console@ ...
 *   /poweroff, /reboot  "syscon-poweroff", "syscon-reboot": regmap, offset, value
 *
 * Properties of our own: none but the compatibles in "vmn,"; everything else is the binding's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/device/node.h"

enum { TREE_MEMORY = 16, TREE_UARTS = 4, TREE_CONSOLES = 3, TREE_ATA = 4, TREE_ISA = 16, TREE_MODULES = 16,
       TREE_PATH = 80 };

/* What cannot be honoured, and where. */
struct tree_fault {
    char path[TREE_PATH];
    const char *reason;
};

struct tree_range {
    uint64_t start, bytes;
};

struct tree_uart {
    uint16_t port;
    uint8_t irq;
};

struct tree_pci {
    uint8_t bus, slot, function;
};

struct tree_ata {
    uint16_t command, control;
    uint8_t irq;
};

/* Write `value` to `port` and it happens. width 0: there is none. */
struct tree_register {
    uint16_t port;
    uint8_t width; /* bytes: 1, 2 or 4 */
    uint32_t value;
};

struct tree_module {
    const char *text; /* its first word is its name */
    uint64_t start, bytes;
};

struct tree_config {
    const char *model;
    const char *bootargs; /* NULL: "" */
    struct tree_range memory[TREE_MEMORY];
    unsigned memories;
    uint32_t apic_id;
    uint64_t tsc_hz, lapic_hz; /* lapic_hz 0: not known */
    uint64_t lapic, ioapic;    /* addresses, 0: none */
    struct tree_uart uart[TREE_UARTS];
    unsigned uarts; /* the first is stdout */
    bool pic, pit, rtc, keyboard, pci;
    bool pci_pins;                           /* INTA of slot n is IOAPIC pin 16 + (n & 3) */
    struct tree_range pci_memory, pci_ports; /* windows for BARs; bytes 0: not known */
    struct tree_pci console[TREE_CONSOLES];  /* virtio consoles; only where there is pci */
    unsigned consoles;
    struct tree_ata ata[TREE_ATA];
    unsigned atas;
    struct tree_register poweroff, reboot;
    struct device_node isa[TREE_ISA]; /* further devices of fixed place */
    unsigned isas;
    struct tree_module module[TREE_MODULES];
    unsigned modules;
};

/* The tree's size in bytes, or 0 and `fault`: something in the configuration cannot be described, or `size` is too
 * small. 8 KiB are enough for any configuration without long texts. */
size_t tree_build(void *to, size_t size, const struct tree_config *, struct tree_fault *fault);
