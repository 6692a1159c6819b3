/* The table, the capability and the pending bits of MSI-X. */
#include "cp/device/pci_msix.h"

#include <stddef.h>

enum { CAPABILITY_ID = 0x11, CAPABILITY_BYTES = 12, CAPABILITY_CONTROL = 2, CAPABILITY_TABLE = 4,
       CAPABILITY_PENDING = 8 };
enum { CONTROL_ENABLE = 0x8000, CONTROL_MASK_ALL = 0x4000, ENTRY_MASKED = 1 };
enum { BAR_BYTES = 4096, BAR_PENDING = 0x800, ENTRY_BYTES = sizeof(struct pci_msix_entry) };

static unsigned control(const struct pci_msix *m)
{
    return pci_config_get(m->function, m->capability + CAPABILITY_CONTROL, 2);
}

bool pci_msix_enabled(const struct pci_msix *m)
{
    return m->capability && (control(m) & CONTROL_ENABLE);
}

static bool masked(const struct pci_msix *m, unsigned vector)
{
    return (control(m) & CONTROL_MASK_ALL) || (m->entry[vector].control & ENTRY_MASKED);
}

bool pci_msix_delivers(const struct pci_msix *m, unsigned delivery)
{
    for (unsigned v = 0; pci_msix_enabled(m) && v < m->vectors; v++)
        if (!masked(m, v) && (m->entry[v].data >> 8 & 7) == delivery)
            return true;
    return false;
}

static void send(struct pci_msix *m, unsigned vector)
{
    const struct pci_msix_entry *e = &m->entry[vector];

    m->pending &= ~(1u << vector);
    pci_message(m->function, (uint64_t)e->address_high << 32 | e->address_low, e->data);
}

void pci_msix_raise(struct pci_msix *m, unsigned vector)
{
    if (vector >= m->vectors)
        return;
    m->pending |= 1u << vector;
    if (!masked(m, vector))
        send(m, vector);
}

void pci_msix_written(struct pci_msix *m)
{
    if (!pci_msix_enabled(m))
        return;
    for (unsigned v = 0; v < m->vectors; v++)
        if ((m->pending & 1u << v) && !masked(m, v))
            send(m, v);
}

/* The table is read and written in doublewords or quadwords; anything else is undefined by the specification:
 * ignored. */
static uint32_t *table_word(struct pci_msix *m, uint64_t offset)
{
    struct pci_msix_entry *e;

    if (offset >= m->vectors * ENTRY_BYTES)
        return NULL;
    e = &m->entry[offset / ENTRY_BYTES];
    return (uint32_t *const[]){&e->address_low, &e->address_high, &e->data, &e->control}[offset % ENTRY_BYTES / 4];
}

static uint32_t read_word(struct pci_msix *m, uint64_t offset)
{
    uint32_t *word = table_word(m, offset);

    if (word)
        return *word;
    return offset == BAR_PENDING ? m->pending : 0;
}

static uint64_t table_read(void *device, uint64_t offset, unsigned size)
{
    struct pci_msix *m = ((struct pci_bar *)device)->owner;
    uint64_t low;

    if (size < 4 || offset % 4)
        return 0;
    low = read_word(m, offset);
    return size == 8 ? low | (uint64_t)read_word(m, offset + 4) << 32 : low;
}

static void table_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_msix *m = ((struct pci_bar *)device)->owner;

    if (size < 4 || offset % 4)
        return;
    for (; size; offset += 4, size -= 4, value >>= 32) {
        uint32_t *word = table_word(m, offset);

        if (word)
            *word = value;
    }
    pci_msix_written(m);
}

void pci_msix_init(struct pci_msix *m, struct pci_function *f, unsigned bar, unsigned vectors)
{
    *m = (struct pci_msix){.function = f, .vectors = vectors};
    m->capability = pci_capability_add(f, CAPABILITY_ID, CAPABILITY_BYTES);
    if (!m->capability)
        return;
    pci_config_set(f, m->capability + CAPABILITY_CONTROL, 2, vectors - 1);
    pci_config_set(f, m->capability + CAPABILITY_TABLE, 4, bar);
    pci_config_set(f, m->capability + CAPABILITY_PENDING, 4, BAR_PENDING | bar);
    f->writable[m->capability + CAPABILITY_CONTROL + 1] = (CONTROL_ENABLE | CONTROL_MASK_ALL) >> 8;
    f->bar[bar] = (struct pci_bar){.kind = PCI_BAR_MEMORY32, .bytes = BAR_BYTES, .owner = m, .read = table_read,
                                   .write = table_write};
    pci_msix_reset(m);
}

void pci_msix_reset(struct pci_msix *m)
{
    if (!m->capability)
        return;
    m->pending = 0;
    pci_config_set(m->function, m->capability + CAPABILITY_CONTROL, 2, m->vectors - 1);
    for (unsigned v = 0; v < m->vectors; v++)
        m->entry[v] = (struct pci_msix_entry){.control = ENTRY_MASKED};
}
