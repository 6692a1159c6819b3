/* Virtual machines, lines and the edge of the processor for the tests of cp/session and cp/command: what vm.h,
 * machine.h's console and disks, and line.h promise, without a CPU. A header, so that only the tests that want the fake
 * are linked with it. */
#pragma once
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/grave.h"
#include "cp/vcpu/cpu_state.h"
#include "cp/vcpu/cpuid.h"
#include "cp/diagnose.h"
#include "cp/diagnose/below.h"
#include "cp/dispatch/vm.h"
#include "cp/session/carrier.h"
#include "cp/session/power_off.h"
#include "cp/storage/frame.h"
#include "cp/terminal/line.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/registers.h"
#include "tests/unit/fake/clock.h"

#define FAKE __attribute__((weak))

/* ---- processor -------------------------------------------------------------------------------------------------- */

enum { FAKE_FIELDS = 256 };

struct fake_vm {
    struct vm vm;
    char input[65536];       /* what its UARTs received */
    unsigned received, fifo; /* fifo: how many bytes it takes before it says no */
    unsigned output_ready, begun, resets, in_flight;
    unsigned input_uart, carriers, rings; /* the last that received; where somebody is, or it rang, 1 << UART */
    bool reads_its_ring; /* what is in flight never ends, unless the devices are reset */
    uint16_t vdev[MACHINE_DISKS];
    struct disk *disk[MACHINE_DISKS];
    struct {
        enum vmcs_field field;
        uint64_t value;
    } field[FAKE_FIELDS];
    unsigned fields;
};

FAKE struct cpuid_answer cpuid_processor(struct vm *vm)
{
    (void)vm;
    return (struct cpuid_answer){0};
}

static struct fake_vm *fake_of_vcpu(struct vcpu *v) { return (struct fake_vm *)v->vm; }

static uint64_t *fake_field(struct vcpu *v, enum vmcs_field field)
{
    struct fake_vm *f = fake_of_vcpu(v);
    for (unsigned i = 0; i < f->fields; i++)
        if (f->field[i].field == field)
            return &f->field[i].value;
    assert(f->fields < FAKE_FIELDS);
    f->field[f->fields].field = field;
    f->field[f->fields].value = 0;
    return &f->field[f->fields++].value;
}

FAKE uint64_t vcpu_read_any(struct vcpu *v, enum vmcs_field field) { return *fake_field(v, field); }
FAKE void vcpu_write_any(struct vcpu *v, enum vmcs_field field, uint64_t value) { *fake_field(v, field) = value; }
FAKE void cpu_cr2_set(struct vcpu *v, uint64_t value) { v->cr2 = value; }
FAKE uint64_t cpu_dr(const struct vcpu *v, unsigned number) { return v->dr[number]; }
FAKE void cpu_dr6_report(struct vcpu *v, uint64_t bits) { v->dr6 = bits ? debug_dr6(v->dr6, bits) : v->dr6; }
FAKE void cpu_look(void) {}

static char fake_debug[256];
FAKE void carrier_hang_up(unsigned line, unsigned status)
{
    snprintf(fake_debug, sizeof fake_debug, "VMN-HANGUP %u %u\n", line, status);
}
FAKE void carrier_parted(unsigned line) { snprintf(fake_debug, sizeof fake_debug, "VMN-GONE %u\n", line); }
static unsigned fake_served[16]; /* how often it was said; by number, as what follows */
FAKE void carrier_served(unsigned line) { fake_served[line]++; }
static bool fake_quiet[16]; /* by number, the first being 1 */
FAKE void carrier_quiet(unsigned line, bool quiet) { fake_quiet[line] = quiet; }
FAKE void cp_exit_status(unsigned status) { snprintf(fake_debug, sizeof fake_debug, "VMN-EXIT %u\n", status); }
FAKE void cp_power_off(void) { abort(); }

static char fake_below[DIAGNOSE_CHAIN_MAX + 1]; /* what the CP below tells */
FAKE uint32_t cp_below_chain(char *text, uint32_t size)
{
    uint32_t length = strlen(fake_below);
    length = length < size ? length : size;
    memcpy(text, fake_below, length);
    return length;
}
FAKE const char *cp_machine_name(void) { return fake_below[0] ? "A CP THAT DOES NOT TELL" : "REAL MACHINE"; }
FAKE const char *cp_virtualization(void) { return "VMX"; }
FAKE void frame_clear(void *frame) { memset(frame, 0, PAGE_SIZE); }

static void fake_frames(void)
{
    enum { MIB = 64 };
    static void *arena;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, MIB << 20);
        frame_add(hpa((uint64_t)(uintptr_t)arena), MIB << 20);
    }
}

/* ---- virtual machines ------------------------------------------------------------------------------------------- */

struct vm *vm_list, *vm_turn;
void (*vm_stopped)(struct vm *);
unsigned (*vm_output)(struct vm *, unsigned uart, const uint8_t *bytes, unsigned count);
void (*vm_input_room)(struct vm *, unsigned uart);
void (*vm_hung_up)(struct vm *, unsigned uart);
void (*vm_size)(struct vm *, unsigned *columns, unsigned *rows);
void (*vm_traced)(struct vm *, const char *rule, uint32_t field);
uint64_t (*vm_diagnose)(struct vm *);
uint64_t (*vm_called)(struct vm *, unsigned error);

static unsigned fake_no_machines; /* > 0: that many vm_create fail */
FAKE unsigned fake_no_storage;    /* > 0: that many vm_define_storage */

struct vm *vm_create(const struct machine_config *config)
{
    assert(!vm_turn);
    if (fake_no_machines) {
        fake_no_machines--;
        return NULL;
    }
    struct fake_vm *f = calloc(1, sizeof *f);
    f->vm.config = *config;
    f->vm.vcpu.vm = &f->vm;
    f->fifo = 16;
    guest_storage_init(&f->vm.storage, config->storage_bytes, config->frame_limit);
    f->vm.machine.storage = &f->vm.storage;
    f->vm.next = vm_list;
    vm_list = &f->vm;
    return &f->vm;
}

void vm_hand_over(const struct vm *from, struct vm *to)
{
    to->virtual_ticks = from->virtual_ticks;
    to->total_ticks = from->total_ticks;
    to->share = from->share;
}

struct vm *vm_create_upon(const struct machine_config *config, struct vm *waiting)
{
    struct vm *vm = vm_create(config);
    if (vm)
        vm_hand_over(waiting, vm);
    return vm;
}

static bool fake_no_nics; /* there is no storage for the second one */
static void fake_arrived(struct port *port) { (void)port; }

/* Ports, and nothing of a device. */
bool machine_attach_nics(struct machine *m)
{
    const struct machine_config *config = &((struct vm *)((char *)m - offsetof(struct vm, machine)))->config;
    for (unsigned i = 0; i < config->nics && !(fake_no_nics && i); i++) {
        const struct machine_nic *nic = &config->nic[i];
        m->nic[i] = calloc(1, sizeof *m->nic[i]);
        *m->nic[i] = (struct virtio_net){.vdev = nic->vdev,
                                         .port = {.vlan = nic->vlan, .trunk = nic->trunk, .rate = nic->rate,
                                                  .arrived = fake_arrived, .queue = {.account = &frame_cp_account}}};
        memcpy(m->nic[i]->port.mac, nic->mac, MAC);
    }
    return !fake_no_nics;
}

static void fake_nics_free(struct machine *m)
{
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++) {
        lan_leave(&m->nic[i]->port);
        free(m->nic[i]);
    }
}

void vm_destroy(struct vm *vm)
{
    assert(!vm_turn);
    struct vm **at = &vm_list;
    while (*at != vm)
        at = &(*at)->next;
    *at = vm->next;
    assert(!((struct fake_vm *)vm)->in_flight);
    fake_nics_free(&vm->machine);
    fw_cfg_end(&vm->machine.fw_cfg);
    guest_storage_free(&vm->storage);
    free(vm);
}

void vm_reset(struct vm *vm)
{
    assert(!vm_turn);
    ((struct fake_vm *)vm)->resets++;
    vm->state = VM_STOPPED;
    registers_reset(&vm->vcpu);
}

int vm_define_storage(struct vm *vm, uint64_t bytes)
{
    uint64_t limit = vm->storage.account.limit;
    assert(!vm_turn && !((struct fake_vm *)vm)->in_flight);
    if (fake_no_storage)
        return fake_no_storage--, -ENOMEM;
    vm_reset(vm);
    fw_cfg_end(&vm->machine.fw_cfg);
    guest_storage_free(&vm->storage);
    guest_storage_init(&vm->storage, bytes, limit);
    vm->config.storage_bytes = bytes;
    return 0;
}

void vm_stop(struct vm *vm, enum vm_stop why, uint32_t detail)
{
    if (vm->state == VM_STOPPED)
        return;
    vm->state = VM_STOPPED;
    vm->stop = why;
    vm->stop_detail = detail;
    if (why != VM_STOP_USER)
        vm_stopped(vm);
}

void vm_begin(struct vm *vm)
{
    ((struct fake_vm *)vm)->begun++;
    vm->state = VM_RUNNABLE;
    vm->stop = VM_STOP_NONE;
}

bool vm_is_at_reset(struct vm *vm)
{
    return *fake_field(&vm->vcpu, VMCS_GUEST_CS_BASE) + *fake_field(&vm->vcpu, VMCS_GUEST_RIP) == 0xFFFFFFF0;
}

void vm_go_to(struct vm *vm, uint64_t address)
{
    if (vm_is_at_reset(vm))
        *fake_field(&vm->vcpu, VMCS_GUEST_CS_BASE) = 0;
    *fake_field(&vm->vcpu, VMCS_GUEST_RIP) = address;
}

void vm_wake(struct vm *vm) { vm->state = VM_RUNNABLE; }
FAKE void vm_bury(void) { while (grave_yield(NULL)) {} }

/* RIP stands for all of it. */
FAKE const char *cpu_state_get(struct vm *vm, struct cpu_state *s)
{
    *s = (struct cpu_state){.tsc = *fake_field(&vm->vcpu, VMCS_GUEST_RIP)};
    return NULL;
}

FAKE const char *cpu_state_put(struct vm *vm, const struct cpu_state *s)
{
    *fake_field(&vm->vcpu, VMCS_GUEST_RIP) = s->tsc;
    return NULL;
}

static struct fake_vm *fake_machine(struct machine *m)
{
    return (struct fake_vm *)((char *)m - offsetof(struct vm, machine));
}

unsigned machine_input(struct machine *m, unsigned uart, const uint8_t *bytes, unsigned count)
{
    struct fake_vm *f = fake_machine(m);
    unsigned taken = count < f->fifo ? count : f->fifo;
    f->input_uart = taken ? uart : f->input_uart;
    memcpy(f->input + f->received, bytes, taken);
    f->received += taken;
    f->input[f->received] = 0;
    f->fifo -= taken;
    return taken;
}

void machine_output_ready(struct machine *m, unsigned uart)
{
    (void)uart;
    fake_machine(m)->output_ready++;
}

void machine_carrier(struct machine *m, unsigned uart, bool there)
{
    struct fake_vm *f = fake_machine(m);
    assert(uart && there == !(f->carriers >> uart & 1));
    f->carriers ^= 1u << uart;
}

void machine_ring(struct machine *m, unsigned uart) { fake_machine(m)->rings |= 1u << uart; }

unsigned machine_transmit(struct machine *m, unsigned uart, const uint8_t *bytes, unsigned count)
{
    return vm_output(&fake_machine(m)->vm, uart, bytes, count);
}

void machine_reset(struct machine *m)
{
    struct fake_vm *f = fake_machine(m);
    if (f->reads_its_ring)
        f->in_flight = 0;
}

static bool fake_machine_busy; /* something but a key may interrupt any of them */
bool vm_is_busy(const struct vm *vm) { return fake_machine_busy || machine_in_flight(&vm->machine); }

unsigned machine_in_flight(const struct machine *m) { return fake_machine((struct machine *)m)->in_flight; }

int machine_attach_disk(struct machine *m, unsigned vdev, struct disk *disk)
{
    struct fake_vm *f = fake_machine(m);
    unsigned free_slot = MACHINE_DISKS;
    for (unsigned i = MACHINE_DISKS; i--;) {
        if (f->disk[i] && f->vdev[i] == vdev)
            return -EEXIST;
        if (!f->disk[i])
            free_slot = i;
    }
    if (free_slot == MACHINE_DISKS)
        return -ENOSPC;
    f->vdev[free_slot] = vdev;
    f->disk[free_slot] = disk;
    return 0;
}

int machine_detach_disk(struct machine *m, unsigned vdev)
{
    struct fake_vm *f = fake_machine(m);
    for (unsigned i = 0; i < MACHINE_DISKS; i++)
        if (f->disk[i] && f->vdev[i] == vdev)
            return f->disk[i] = NULL, 0;
    return -ENOENT;
}

/* What a machine asked a disk for by a call, 0x191 being the only one. */
FAKE struct fake_disk_call {
    struct machine_disk facts;
    int fails;
    unsigned calls;
    uint64_t number;
    enum disk_op op;
    uint64_t sector, at, bytes;
} fake_disk_call;

bool machine_disk_facts(const struct machine *m, unsigned vdev, struct machine_disk *facts)
{
    (void)m;
    *facts = fake_disk_call.facts;
    return vdev == 0x191 && facts->number;
}

int machine_disk_slot(const struct machine *m, unsigned vdev)
{
    const struct fake_vm *f = fake_machine((struct machine *)m);
    for (unsigned i = 0; i < MACHINE_DISKS; i++)
        if (f->disk[i] && f->vdev[i] == vdev)
            return (int)i + 1;
    return -ENOENT;
}

int machine_disk_call(struct machine *m, uint64_t number, enum disk_op op, uint64_t sector, gpa_t at, uint64_t bytes)
{
    (void)m;
    fake_disk_call = (struct fake_disk_call){.facts = fake_disk_call.facts, .fails = fake_disk_call.fails,
                                             .calls = fake_disk_call.calls + 1, .number = number, .op = op,
                                             .sector = sector, .at = at.a, .bytes = bytes};
    return fake_disk_call.fails;
}

void vm_hold(struct vm *vm) { vm->held = true; }

/* ---- lines ------------------------------------------------------------------------------------------------------ */

enum { FAKE_LINES = 3, FAKE_LINE_TEXT = 1 << 18 };

struct fake_line {
    struct line line;
    char text[FAKE_LINE_TEXT]; /* what the terminal shows */
    unsigned length, seen;
    bool stuck; /* takes no output */
};
static struct fake_line fake_line[FAKE_LINES];

/* Set: sees what is written, before it is taken. */
FAKE void (*fake_line_written)(const struct fake_line *, const uint8_t *bytes, uint32_t count);

FAKE uint32_t line_room(const struct line *l) { return ((const struct fake_line *)l)->stuck ? 0 : LINE_OUTPUT_BYTES; }
FAKE uint32_t line_write(struct line *l, const void *bytes, uint32_t count)
{
    struct fake_line *f = (struct fake_line *)l;
    if (f->stuck)
        return 0;
    assert(f->length + count < FAKE_LINE_TEXT);
    if (fake_line_written)
        fake_line_written(f, bytes, count);
    memcpy(f->text + f->length, bytes, count);
    f->length += count;
    f->text[f->length] = 0;
    return count;
}

FAKE bool fake_line_cut; /* what was queued for a line was forgotten */
FAKE void line_cut(struct line *l, uint32_t keep)
{
    (void)l;
    fake_line_cut |= !keep;
}
FAKE bool line_hang_up(struct line *l)
{
    bool called = l->called;
    l->called = false;
    return called;
}
FAKE void line_resume(struct line *l) { l->held = false; }
FAKE void line_look(struct line *l) { (void)l; }

static void fake_type(unsigned line, const char *text)
{
    for (; *text; text++)
        fake_line[line].line.input(&fake_line[line].line, *text);
}

/* What the terminal showed since the last call. */
static const char *fake_shown(unsigned line)
{
    const char *text = fake_line[line].text + fake_line[line].seen;
    fake_line[line].seen = fake_line[line].length;
    return text;
}
