/* First level: what the boot loader, CPUID and a probe of the standard devices say about a PC, as the one kind of tree
 * CP reads. Where the loader already brings a tree (another CP does, as the module "tree"), that tree is adopted
 * instead: only the command line and the places of the modules, which its maker could not know, are added.
 * In: plain facts, collected by the edge. Out: a tree for machine_facts_read(). */
#pragma once
#include "cp/ipl/tree.h"

/* What was found by asking the hardware, and what the loader handed over. */
struct pc_facts {
    /* multiboot information: CP reads it and what it points to through `physical`, which gives a pointer to `bytes` of
     * memory at that physical address, or NULL when there is no such memory */
    uint32_t multiboot;
    const void *(*physical)(uint64_t address, uint64_t bytes);
    /* Fills in what follows by asking the hardware; called only when the loader brought no tree. NULL: it is filled
     * in. */
    void (*probe)(struct pc_facts *);

    uint64_t tsc_hz, lapic_hz; /* CPUID leaves 15H, 16H, 40000010H, or measured; lapic_hz 0: not known */
    uint32_t apic_id;
    uint64_t lapic;            /* IA32_APIC_BASE's address, 0: CPUID shows no APIC */
    uint64_t ioapic;           /* 0: none answered */
    struct tree_uart uart[TREE_UARTS]; /* those that answered; the first is the console */
    unsigned uarts;
    struct tree_ata ata[TREE_ATA];     /* channels with a disk */
    unsigned atas;
    bool pci;                  /* configuration mechanism #1 answers */
    struct tree_pci console[TREE_CONSOLES]; /* virtio consoles found on it */
    unsigned consoles;
    struct tree_register poweroff, reboot;
    uint16_t debug_exit;
};

/* The tree's size in bytes, or 0 and `fault`. */
size_t tree_pc_build(void *to, size_t size, const struct pc_facts *, struct tree_fault *fault);
