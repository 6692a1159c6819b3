/* What CP must know of the machine it runs on, read from the device tree and from nowhere else: the tree
 * cp/boot/tree_pc.h made of a PC's facts, or the one another CP gave (cp/ipl/tree.h says what it looks like).
 * In: a tree, which may be damaged. Out: plain facts that point into it. What CP needs and cannot use is a fault by
 * path; what it does not need and does not know is a note by path. */
#pragma once
#include "cp/ipl/tree.h"

enum { MACHINE_NOTES = 16 };

struct machine_facts {
    struct tree_range memory[TREE_MEMORY];
    unsigned memories;
    uint64_t tsc_hz, lapic_hz; /* lapic_hz 0: measure it */
    uint32_t apic_id;
    uint64_t lapic, ioapic;    /* physical addresses, 0: none */
    struct tree_uart uart[TREE_UARTS]; /* the first is the console (stdout-path) */
    unsigned uarts;
    bool pic, pit, rtc, keyboard, pci;
    struct tree_pci console[TREE_CONSOLES]; /* virtio consoles: their ports are lines too */
    unsigned consoles;
    struct tree_ata ata[TREE_ATA];
    unsigned atas;
    struct tree_register poweroff, reboot; /* width 0: none */
    uint16_t debug_exit;       /* port, 0: none */
    const char *command_line;  /* never NULL */
    struct tree_module module[TREE_MODULES];
    unsigned modules;
    struct tree_fault note[MACHINE_NOTES];
    unsigned notes; /* may exceed MACHINE_NOTES: so many there were */
};

/* False: `fault` says what is wrong and where; `facts` is unchanged. */
bool machine_facts_read(const void *tree, size_t bytes, struct machine_facts *facts, struct tree_fault *fault);

/* The module whose text's first word is `name` (upper and lower case are alike, as in CP's commands), or NULL. */
const struct tree_module *machine_facts_module(const struct machine_facts *, const char *name);

/* The parts of `range` that no module and none of the `taken` ranges covers, page by page: at most `most` of them, in
 * order. For handing memory to the frame allocator without what the loader put there. Returns how many. */
unsigned machine_facts_free(const struct machine_facts *, const struct tree_range *range,
                            const struct tree_range *taken, unsigned takens, struct tree_range *free, unsigned most);
