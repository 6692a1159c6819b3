#include "cp/boot/drivers.h"

#include <stddef.h>
#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/port.h"
#include "cp/directory/volume.h"
#include "cp/dispatch/run.h"
#include "cp/diagnose/below.h"
#include "cp/driver/ata.h"
#include "cp/driver/uart.h"
#include "cp/driver/virtio_blk.h"
#include "cp/driver/virtio_console.h"
#include "cp/driver/virtio_net.h"
#include "cp/network/uplink.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"

enum { VIRTIO_DISKS = 16, VIRTIO_PAGES = (VIRTIO_BLK_MEMORY_BYTES + PAGE_MASK) / PAGE_SIZE };
enum { CONSOLE_PAGES = (sizeof(struct virtio_console) + PAGE_MASK) / PAGE_SIZE };
enum { NET_PAGES = (sizeof(struct virtio_net_driver) + PAGE_MASK) / PAGE_SIZE };
enum { PCI_PIN_FIRST = 16, PCI_PINS = 4, ISA_IRQS = 16 };

static struct uart_line uarts[TREE_UARTS];
static struct virtio_console *consoles[TREE_CONSOLES];
static unsigned uart_count, console_count;
static struct line *lines[DRIVERS_LINES];
static unsigned line_count;

/* A disk CP could take as its own. Every one found is brought up until one holds a CP volume. */
struct candidate {
    struct disk *disk;
    run_handler *serve;          /* its interrupt, or a poll */
    void (*route)(void *driver); /* turns its interrupt on */
    void (*release)(void *driver); /* it is not CP's: NULL, there is nothing to be done */
    void *driver;
};

static struct candidate system_disk;

static unsigned vector_of(unsigned gsi)
{
    return VECTOR_IRQ + gsi;
}

static void go_on_later(struct work *work, void (*step)(struct work *), void *driver)
{
    if (work->queued)
        return;
    work->step = step;
    work->owner = driver;
    work_begin(work);
}

static void on_uart_more(struct work *), on_console_more(struct work *), on_virtio_more(struct work *);

/* For all lines of this one's IRQ. */
static void on_uart(void *context)
{
    static struct work more[TREE_UARTS];
    struct uart_line *u = context;

    if (uart_lines_interrupt(uarts, uart_count, u->irq))
        go_on_later(&more[u - uarts], on_uart_more, u);
}

static void on_uart_more(struct work *work) { on_uart(work->owner); }

static void on_console(void *context)
{
    static struct work more[TREE_CONSOLES];
    unsigned n = 0;

    while (n + 1 < console_count && consoles[n] != context)
        n++;
    if (virtio_console_interrupt(context))
        go_on_later(&more[n], on_console_more, context);
}

static void on_console_more(struct work *work) { on_console(work->owner); }

static void on_ata(void *context)
{
    ata_interrupt(context);
}

static void on_virtio(void *context)
{
    static struct work more; /* of the system's disk: the others are polled */

    if (virtio_blk_interrupt(context))
        go_on_later(&more, on_virtio_more, context);
}

static void on_virtio_more(struct work *work) { on_virtio(work->owner); }

/* ---- which disk is CP's own ------------------------------------------------------- */

static void label_read(struct disk_request *request, int status)
{
    *(int *)request->owner = status;
}

/* Does the disk begin with the label of a CP volume? Waits for the answer: nothing else runs yet. */
static bool holds_volume(const struct candidate *c)
{
    static uint8_t sector[DISK_SECTOR_BYTES] __attribute__((aligned(DISK_SECTOR_BYTES)));
    int status = 1;
    struct disk_segment segment = {sector, sizeof sector};
    struct disk_request request = {.op = DISK_READ, .sectors = 1, .segment = &segment, .segments = 1,
                                   .done = label_read, .owner = &status};
    uint64_t until = clock_now() + clock_hz;

    if (c->disk->submit(c->disk, &request))
        return false;
    while (status > 0 && clock_now() < until)
        c->serve(c->driver);
    return status == 0 && !memcmp(sector, VOLUME_LABEL_MAGIC, sizeof VOLUME_LABEL_MAGIC - 1);
}

static void let_go(const struct candidate *c)
{
    if (c->disk && c->release)
        c->release(c->driver);
}

/* The first with a volume; failing that the first, so that the operator hears what is wrong with it. The others are let
 * go: what they answered may have raised an interrupt, on a wire they share with others, that nobody would serve. */
static bool offer(struct candidate c)
{
    bool chosen = holds_volume(&c), takes = chosen || !system_disk.disk;
    struct candidate other = takes ? system_disk : c;

    let_go(&other);
    if (takes)
        system_disk = c;
    return chosen;
}

static void ata_route(void *driver)
{
    const struct ata_disk *drive = driver;

    run_on_interrupt(vector_of(drive->irq), on_ata, driver);
    apic_route(drive->irq, vector_of(drive->irq), false);
}

/* An INTx line reaches the IOAPIC as one of four pins of its own, or as the ISA interrupt the firmware chose. */
static void pci_route(const struct virtio_pci *where, run_handler *handler, void *driver)
{
    unsigned pin = PCI_PIN_FIRST + where->at.slot % PCI_PINS;

    run_on_interrupt(vector_of(pin), handler, driver);
    apic_route(pin, vector_of(pin), true);
    if (where->irq == 0 || where->irq >= ISA_IRQS)
        return;
    run_on_interrupt(vector_of(where->irq), handler, driver);
    apic_route(where->irq, vector_of(where->irq), true);
}

static void virtio_route(void *driver)
{
    const struct virtio_blk_disk *drive = driver;

    pci_route(&drive->pci, on_virtio, driver);
}

static void virtio_release(void *driver)
{
    struct virtio_blk_disk *drive = driver;

    virtio_blk_release(drive);
    frame_free_run(&frame_cp_account, drive->memory, VIRTIO_PAGES);
}

static bool virtio_find(void)
{
    static struct virtio_blk_disk drives[VIRTIO_DISKS];

    for (unsigned i = 0; i < VIRTIO_DISKS; i++) {
        void *memory = frame_alloc_run(&frame_cp_account, VIRTIO_PAGES);
        if (!memory || !virtio_blk_probe(&drives[i], i, memory)) {
            frame_free_run(&frame_cp_account, memory, VIRTIO_PAGES);
            return false;
        }
        if (offer((struct candidate){&drives[i].disk, on_virtio, virtio_route, virtio_release, &drives[i]}))
            return true;
    }
    return false;
}

static bool ata_find(const struct machine_facts *facts)
{
    static struct ata_disk drives[TREE_ATA];

    for (unsigned i = 0; i < facts->atas; i++) {
        const struct tree_ata *where = &facts->ata[i];
        if (ata_probe(&drives[i], where->command, where->control, where->irq, false) &&
            offer((struct candidate){&drives[i].disk, on_ata, ata_route, NULL, &drives[i]}))
            return true;
    }
    return false;
}

/* ---- networks --------------------------------------------------------------------- */

static void on_net_more(struct work *);

static void on_net(void *context)
{
    static struct work more[UPLINKS];
    unsigned n = 0;

    while (n + 1 < UPLINKS && uplink_port(n) && uplink_port(n)->owner != context)
        n++;
    if (virtio_net_interrupt(context))
        go_on_later(&more[n], on_net_more, context);
}

static void on_net_more(struct work *work) { on_net(work->owner); }

static void nets_find(void)
{
    for (unsigned i = 0; i < UPLINKS; i++) {
        struct virtio_net_driver *net = frame_alloc_run(&frame_cp_account, NET_PAGES);
        if (!net || !virtio_net_probe(net, i)) {
            frame_free_run(&frame_cp_account, net, NET_PAGES);
            return;
        }
        uplink_add(&net->port);
        pci_route(&net->pci, on_net, net);
        on_net(net); /* as of a console */
    }
}

/* ---- lines ------------------------------------------------------------------------ */

static void line_add(struct line *line)
{
    if (line_count < DRIVERS_LINES)
        lines[line_count++] = line;
}

static void console_find(struct tree_pci where)
{
    struct virtio_console *console = frame_alloc_run(&frame_cp_account, CONSOLE_PAGES);
    struct line *line;
    uint32_t next = 0;

    if (!console || !virtio_console_probe(console, (struct pci_address){where.bus, where.slot, where.function})) {
        frame_free_run(&frame_cp_account, console, CONSOLE_PAGES);
        return;
    }
    consoles[console_count++] = console;
    while ((line = virtio_console_line(console, &next)))
        line_add(line);
}

static void lines_find(const struct machine_facts *facts)
{
    for (; uart_count < facts->uarts; uart_count++) {
        uarts[uart_count].port = facts->uart[uart_count].port;
        uarts[uart_count].irq = facts->uart[uart_count].irq;
        uarts[uart_count].columns = cp_below_columns;
        line_add(&uarts[uart_count].line);
    }
    for (unsigned i = 0; i < facts->consoles; i++)
        console_find(facts->console[i]);
}

static void uart_open(struct uart_line *u)
{
    if (!uart_line_init(u, u->port, u->irq))
        return;
    bool shared = false;
    for (const struct uart_line *before = uarts; before < u; before++)
        shared |= before->irq == u->irq && before->line.driver;
    if (!shared) {
        run_on_interrupt(vector_of(u->irq), on_uart, u);
        apic_route(u->irq, vector_of(u->irq), false);
    }
    on_uart(u); /* an edge while the pin was masked nobody saw */
}

/* A level that rose while its pin was masked QEMU's IOAPIC does not see: each PCI device is looked at once after its
 * interrupt was routed, which lowers it. */
static void console_open(struct virtio_console *console)
{
    virtio_console_open_lines(console);
    pci_route(&console->pci, on_console, console);
    on_console(console);
}

/* ---- all of them ------------------------------------------------------------------ */

void drivers_start(const struct machine_facts *facts)
{
    apic_start(facts->lapic, facts->ioapic, facts->tsc_hz);
    lines_find(facts);
    if (!facts->pci || !virtio_find())
        ata_find(facts);
    if (facts->pci)
        nets_find();
    if (!system_disk.disk)
        return;
    system_disk.route(system_disk.driver);
    system_disk.serve(system_disk.driver);
}

void drivers_open(void)
{
    for (unsigned i = 0; i < uart_count; i++)
        uart_open(&uarts[i]);
    for (unsigned i = 0; i < console_count; i++)
        console_open(consoles[i]);
    if (!cp_below_is_vmn()) /* there the debug port is the user's to see */
        debug_print("VMN-OPEN\n");
}

unsigned drivers_lines(void) { return line_count; }
struct line *drivers_line(unsigned index) { return lines[index]; }
struct disk *drivers_system_disk(void) { return system_disk.disk; }

void drivers_drain(void)
{
    for (unsigned i = 0; i < line_count; i++)
        line_drain(lines[i]);
}

void drivers_last_words(const char *text, unsigned length)
{
    static struct uart_line last;

    if (!uart_line_init(&last, uart_count ? uarts[0].port : 0x3F8, uart_count ? uarts[0].irq : 4))
        return;
    line_write(&last.line, text, length);
    line_drain(&last.line);
}
