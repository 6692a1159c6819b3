/* The wiring: which device is where, whose interrupt goes to which input, and the one question the run loop asks at
 * each entry. */
#include "cp/device/machine.h"

#include <string.h>

enum { GSI_KEYBOARD = 1, GSI_RTC = 8, PORT_ELCR_SLAVE = 0x4d1 };

static void event(struct machine *m, enum machine_event what, uint32_t detail)
{
    m->host.event(m->host.context, what, detail);
}

static bool extint_pending(const struct machine *m)
{
    return m->pic.output && lapic_accepts_extint(&m->lapic);
}

enum { TICKS = 1 << MACHINE_TIMER_IRQ | 1 << GSI_RTC };

/* Only ticks are held back. */
static bool holds(const struct machine *m)
{
    return pace_holds(&m->pace) && !lapic_others_wait(&m->lapic) &&
           !(lapic_accepts_extint(&m->lapic) && pic_others_wait(&m->pic, TICKS));
}

/* Called at every change of the 8259s' output, of the local APIC's highest vector and of LINT0, and when interrupts are
 * held back or no longer. */
static void refresh(void *context)
{
    struct machine *m = context;
    bool waits = (lapic_vector_pending(&m->lapic) >= 0 || extint_pending(m)) && !holds(m);
    bool pending = m->given_back || waits;

    if (pending == m->pending)
        return;
    m->pending = pending;
    if (pending)
        event(m, MACHINE_KICK, 0);
}

static void pic_changed(void *context)
{
    struct machine *m = context;

    if (m->pic.output)
        lapic_raise_lint0(&m->lapic);
    refresh(m);
}

/* PCI names each wire twice: as one of the IOAPIC's own pins, and as the ISA interrupt of its interrupt line register,
 * which a PC has at both controllers. */
static void pci_set(void *context, unsigned gsi, bool level)
{
    struct machine *m = context;

    if (gsi < 16)
        pic_set(&m->pic, gsi, level);
    ioapic_set(&m->ioapic, gsi, level);
    pace_look_again(&m->pace);
}

static void pci_message_sent(void *context, uint64_t address, uint32_t data)
{
    struct machine *m = context;

    lapic_deliver_msi(&m->lapic, address, data);
}

static bool ioapic_message(void *context, const struct lapic_message *message)
{
    struct machine *m = context;

    return lapic_deliver(&m->lapic, message);
}

static void eoi(void *context, unsigned vector)
{
    struct machine *m = context;

    ioapic_eoi(&m->ioapic, vector);
}

static void nmi(void *context)
{
    struct machine *m = context;

    m->nmi = true;
    event(m, MACHINE_KICK, 0);
}

static void init(void *context) { event(context, MACHINE_INIT, 0); }
static void power_off(void *context) { event(context, MACHINE_POWER_OFF, 0); }
static void reset(void *context) { event(context, MACHINE_RESET, 0); }

static uint64_t guest_tsc(void *context, uint64_t now)
{
    struct machine *m = context;

    return m->host.guest_tsc(m->host.context, now);
}

static unsigned uart_output(void *context, const uint8_t *bytes, unsigned count)
{
    struct machine_console *console = context;
    struct machine *m = console->machine;

    if (!console->n)
        vga_yield(&m->vga);
    return m->host.output(m->host.context, console->n, bytes, count);
}

static unsigned vga_output(void *context, const uint8_t *bytes, unsigned count)
{
    struct machine *m = context;

    return m->host.output(m->host.context, 0, bytes, count);
}

static void vga_size(void *context, unsigned *columns, unsigned *rows)
{
    struct machine *m = context;

    if (m->host.size)
        m->host.size(m->host.context, columns, rows);
}

static void keyboard_room(void *context) { event(context, MACHINE_INPUT_ROOM, 0); }

static void uart_input_room(void *context)
{
    struct machine_console *console = context;

    event(console->machine, MACHINE_INPUT_ROOM, console->n);
}

static void uart_hung_up(void *context)
{
    struct machine_console *console = context;

    event(console->machine, MACHINE_HUNG_UP, console->n);
}

static void controllers_init(struct machine *m)
{
    const struct lapic_host host = {.context = m, .changed = refresh, .nmi = nmi, .init = init, .eoi = eoi,
                                    .guest_tsc = guest_tsc, .pace = &m->pace};

    lapic_init(&m->lapic, &host, &m->bus, m->host.physical_bits);
    pic_init(&m->pic, &m->bus, pic_changed, m);
    ioapic_init(&m->ioapic, &m->bus, ioapic_message, m);
}

static void uarts_init(struct machine *m)
{
    for (unsigned n = 0; n < m->config->uarts; n++) {
        m->console[n] = (struct machine_console){m, n};
        uart_init(&m->uart[n], &m->bus, &(struct uart_wiring){
            .port = machine_uarts[n].port, .irq = machine_isa_irq(m, machine_uarts[n].irq), .context = &m->console[n],
            .output = uart_output, .input_room = uart_input_room, .hung_up = uart_hung_up, .carrier = n == 0});
    }
}

static void granted_init(struct machine *m)
{
    const struct granted_device *device;

    for (unsigned i = 0; (device = grant_device(m->config, &i)); i++)
        device->init(m, m->granted[i]);
}

static void granted_reset(struct machine *m)
{
    const struct granted_device *device;

    for (unsigned i = 0; (device = grant_device(m->config, &i)); i++)
        if (device->reset)
            device->reset(m->granted[i]);
}

static void granted_free(struct machine *m)
{
    const struct granted_device *device;

    for (unsigned i = 0; (device = grant_device(m->config, &i)); i++)
        if (device->free)
            device->free(m->granted[i]);
}

/* Firmware's part: PCI's two 8259 inputs are level-triggered. */
static void elcr_init(struct machine *m)
{
    bus_port_write(&m->bus, PORT_ELCR_SLAVE, 1, (1 << PCI_ISA_IRQ_EVEN | 1 << PCI_ISA_IRQ_ODD) >> 8);
}

void machine_init(struct machine *m, const struct machine_host *host, struct guest_storage *storage,
                  const struct machine_config *config)
{
    const struct irq pit_irq = machine_isa_irq(m, MACHINE_TIMER_IRQ), rtc_irq = machine_isa_irq(m, GSI_RTC);

    memset(m, 0, sizeof *m);
    m->host = *host;
    m->storage = storage;
    m->config = config;
    bus_init(&m->bus);
    pace_init(&m->pace, refresh, m);
    controllers_init(m);
    pit_init(&m->pit, &m->bus, &pit_irq, &m->pace);
    rtc_init(&m->rtc, &m->bus, &rtc_irq, &m->pace, storage->bytes);
    uarts_init(m);
    pci_init(&m->pci, &m->bus, &(struct pci_wiring){.context = m, .set_irq = pci_set, .message = pci_message_sent});
    power_init(&m->power, &m->bus, &(struct power_host){.context = m, .off = power_off, .reset = reset});
    keyboard_init(&m->keyboard, &m->bus, &(struct keyboard_wiring){.context = m, .reset = reset,
                                                                  .input_room = keyboard_room,
                                                                  .irq = machine_isa_irq(m, GSI_KEYBOARD)});
    m->vga_host = (struct vga_host){.context = m, .output = vga_output, .size = vga_size};
    vga_init(&m->vga, &m->bus, storage, &m->vga_host);
    granted_init(m);
    elcr_init(m);
}

/* Devices first, so that the controllers find their wires low. */
void machine_reset(struct machine *m)
{
    pace_reset(&m->pace);
    pit_reset(&m->pit);
    rtc_reset(&m->rtc, m->storage->bytes);
    for (unsigned n = 0; n < m->config->uarts; n++)
        uart_reset(&m->uart[n]);
    pci_reset(&m->pci);
    power_reset(&m->power);
    keyboard_reset(&m->keyboard);
    fw_cfg_reset(&m->fw_cfg);
    vga_reset(&m->vga);
    granted_reset(m);
    lapic_reset(&m->lapic);
    ioapic_reset(&m->ioapic);
    pic_reset(&m->pic);
    elcr_init(m);
    machine_disks_number(m);
    m->nmi = m->given_back = false;
    refresh(m);
}

void machine_free(struct machine *m)
{
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        virtio_blk_detach(m->disk[i]);
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++)
        virtio_net_detach(m->nic[i]);
    granted_free(m);
    fw_cfg_end(&m->fw_cfg);
    vga_reset(&m->vga);
    keyboard_free(&m->keyboard);
    pit_free(&m->pit);
    rtc_free(&m->rtc);
    lapic_free(&m->lapic);
    pace_reset(&m->pace);
}

unsigned machine_in_flight(const struct machine *m)
{
    unsigned count = 0;

    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        count += virtio_blk_in_flight(m->disk[i]);
    return count;
}

bool machine_is_busy(const struct machine *m)
{
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++)
        if (virtio_net_is_busy(m->nic[i]))
            return true;
    return machine_in_flight(m) || m->lapic.timer.armed || m->pit.timer.armed || m->rtc.timer.armed;
}

unsigned machine_input(struct machine *m, unsigned n, const uint8_t *bytes, unsigned count)
{
    if (!n && m->vga.shown)
        return keyboard_type(&m->keyboard, bytes, count);
    return n < m->config->uarts ? uart_receive(&m->uart[n], bytes, count) : count;
}

void machine_output_ready(struct machine *m, unsigned n)
{
    if (!n)
        vga_go_on(&m->vga);
    if (n < m->config->uarts)
        uart_output_ready(&m->uart[n]);
}

void machine_carrier(struct machine *m, unsigned n, bool there)
{
    if (n < m->config->uarts)
        uart_carrier(&m->uart[n], there);
}

void machine_ring(struct machine *m, unsigned n)
{
    if (n < m->config->uarts)
        uart_ring(&m->uart[n]);
}

unsigned machine_transmit(struct machine *m, unsigned n, const uint8_t *bytes, unsigned count)
{
    return n < m->config->uarts ? uart_transmit(&m->uart[n], bytes, count) : 0;
}

static int acknowledge(struct machine *m)
{
    if (!m->given_back)
        return extint_pending(m) ? pic_acknowledge(&m->pic) : lapic_acknowledge(&m->lapic);
    m->given_back = false;
    return m->given_back_vector;
}

static bool is_tick(const struct machine *m, int vector)
{
    return lapic_is_tick(&m->lapic, (uint8_t)vector) || vector == m->pic.chip[0].base || vector == m->pic.chip[1].base;
}

int machine_interrupt_acknowledge(struct machine *m)
{
    int vector = acknowledge(m);

    if (is_tick(m, vector))
        pace_taken(&m->pace);
    refresh(m);
    return vector;
}

void machine_interrupt_give_back(struct machine *m, uint8_t vector)
{
    m->given_back = true;
    m->given_back_vector = vector;
    refresh(m);
}

bool machine_may_send(const struct machine *m, enum lapic_delivery delivery)
{
    if (!lapic_enabled(&m->lapic))
        return false;
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        if (m->disk[i]->disk && pci_msix_delivers(&m->disk[i]->virtio.msix, delivery))
            return true;
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++)
        if (pci_msix_delivers(&m->nic[i]->virtio.msix, delivery))
            return true;
    /* of LINT0 an INIT is not taken */
    return ioapic_delivers(&m->ioapic, delivery) ||
           (delivery == LAPIC_NMI && lapic_lint0_delivers(&m->lapic, LAPIC_NMI));
}

bool machine_nmi_take(struct machine *m)
{
    bool nmi_was = m->nmi;

    m->nmi = false;
    return nmi_was;
}

void machine_tsc_moved(struct machine *m)
{
    lapic_tsc_moved(&m->lapic);
}
