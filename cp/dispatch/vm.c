/* Owns the life of a virtual machine: made, reset, started, stopped, woken, and freed with all it had. */
#include "cp/dispatch/vm.h"

#include <errno.h>
#include <stddef.h>

#include "cp/dispatch/account.h"
#include "cp/dispatch/give.h"
#include "cp/dispatch/scheduler.h"
#include "cp/panic.h"
#include "cp/storage/grave.h"
#include "cp/time/work.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"

enum { BURIAL_ENTRIES = 100 /* of page tables, a step: fifty instructions each at most */ };
enum { VM_PAGES = (sizeof(struct vm) + PAGE_MASK) / PAGE_SIZE, MTRR_RESET = 0xC06 };
_Static_assert((int)VM_PAGES <= 3, "one more is each idle user's");

struct vm *vm_list, *vm_turn;
bool vm_stops_unseen;
void (*vm_stopped)(struct vm *);
unsigned (*vm_output)(struct vm *, unsigned uart, const uint8_t *bytes, unsigned count);
void (*vm_input_room)(struct vm *, unsigned uart);
void (*vm_hung_up)(struct vm *, unsigned uart);
void (*vm_size)(struct vm *, unsigned *columns, unsigned *rows);
void (*vm_traced)(struct vm *, const char *rule, uint32_t field);
uint64_t (*vm_diagnose)(struct vm *);
uint64_t (*vm_called)(struct vm *, unsigned error);

void vm_hold(struct vm *vm)
{
    vm->held = true;
    vm->state = VM_WAITING;
}

/* It may have been stopped or reset meanwhile. */
static void call_done(struct vm *vm, unsigned error)
{
    if (!vm->held)
        return;
    vm->held = false;
    vm->vcpu.gpr[RAX] = vm_called(vm, error);
    vm_unhalt(vm);
}

static void on_event(void *context, enum machine_event event, uint32_t detail)
{
    struct vm *vm = context;

    switch (event) {
    case MACHINE_KICK:
        vm_wake(vm);
        break;
    case MACHINE_POWER_OFF:
        vm_stop(vm, VM_STOP_POWER_OFF, 0);
        break;
    case MACHINE_RESET:
        vm_stop(vm, VM_STOP_RESET, 0);
        break;
    case MACHINE_INIT: /* when the instruction that sent it is done */
        vm->vcpu.init_pending = vm->vcpu.window = true;
        vm_wake(vm);
        break;
    case MACHINE_TEST_EXIT:
        vm_stop(vm, VM_STOP_TEST_EXIT, detail);
        break;
    case MACHINE_INPUT_ROOM:
        if (vm_input_room)
            vm_input_room(vm, detail);
        break;
    case MACHINE_HUNG_UP:
        if (vm_hung_up)
            vm_hung_up(vm, detail);
        break;
    case MACHINE_CALL_DONE:
        call_done(vm, detail);
        break;
    }
}

static unsigned on_output(void *context, unsigned uart, const uint8_t *bytes, unsigned count)
{
    return vm_output ? vm_output(context, uart, bytes, count) : count;
}

static void on_size(void *context, unsigned *columns, unsigned *rows)
{
    if (vm_size)
        vm_size(context, columns, rows);
}

static uint64_t on_guest_tsc(void *context, uint64_t now)
{
    return now + ((struct vm *)context)->vcpu.tsc_offset;
}

/* A guest exits when it changes a bit of CR0 or CR4 that is CP's own, or one that CPUID does not offer. */
void vm_masks_write(struct vm *vm)
{
    vcpu_write(&vm->vcpu, VMCS_CR0_MASK, CR0_NE | CR0_CD | CR0_NW);
    vcpu_write(&vm->vcpu, VMCS_CR4_MASK, ~cpuid_cr4_allowed(vm) | registers_cr4_own);
}

static int cpu_create(struct vm *vm)
{
    if (context_create(&vm->vcpu))
        return -ENOMEM;
    if (cpu_backend->create(&vm->vcpu)) {
        context_destroy(&vm->vcpu);
        return -ENOMEM;
    }
    vm_masks_write(vm);
    return 0;
}

/* The struct itself is the last that its account holds. */
static void release(struct vm *vm)
{
    if (debtor == &vm->machine.disk_user.debt) /* who pays is gone */
        debtor = NULL;
    machine_give_back(&vm->machine);
    guest_storage_free(&vm->storage);
    struct frame_account account = vm->storage.account;
    frame_free_run(&account, vm, VM_PAGES);
}

static void storage_moved(struct guest_storage *storage)
{
    struct vm *vm = (struct vm *)((char *)storage - offsetof(struct vm, storage));
    cpu_backend->flush_storage(&vm->vcpu);
}

static struct vm *allocate(const struct machine_config *config, const struct vm *waiting)
{
    struct frame_account account;
    if (waiting)
        frame_account_open_beside(&account, &waiting->storage.account);
    else if (!frame_account_open(&account, config->frame_limit, config->rank))
        return NULL;
    struct vm *vm = frame_alloc_run(&account, VM_PAGES);
    if (!vm) {
        frame_account_close(&account);
        return NULL;
    }
    guest_storage_init(&vm->storage, config->storage_bytes, 0);
    vm->storage.account = account;
    vm->storage.shrink = give_own;
    vm->storage.moved = storage_moved;
    vm->vcpu.vm = vm;
    return vm;
}

/* Machines that are gone, except that disk requests still write into their storage and end in their struct, or that
 * there are graves on their account. Chained by `next`. */
static struct vm *dying;

static bool is_buried(struct vm *vm)
{
    if (machine_in_flight(&vm->machine))
        return false;
    guest_storage_renew(&vm->storage, 0);
    return !vm->storage.account.dying;
}

static void bury(void)
{
    struct vm **at = &dying;

    while (*at) {
        struct vm *vm = *at;
        if (!is_buried(vm)) {
            at = &vm->next;
            continue;
        }
        *at = vm->next;
        release(vm);
    }
}

static void burial_step(struct work *work)
{
    debtor = grave_debt();
    grave_work(BURIAL_ENTRIES);
    bury(); /* which may dig one */
    if (grave_frames())
        work_begin(work);
}

void vm_bury(void)
{
    static struct work burial = {.step = burial_step};
    if (grave_frames())
        work_begin(&burial);
}

static struct vm *create(const struct machine_config *config, struct vm *waiting)
{
    CP_ASSERT(!vm_turn);
    bury();
    struct vm *vm = allocate(config, waiting);
    if (!vm)
        return NULL;
    const struct machine_host host = {vm, on_event, on_output, on_guest_tsc, cpuid_physical_bits(), on_size};

    vm->config = *config;
    vm->share = config->share;
    vm->storage.account.debt = &vm->machine.disk_user.debt;
    if (cpu_create(vm)) {
        frame_account_close(&vm->storage.account);
        release(vm);
        return NULL;
    }
    machine_init(&vm->machine, &host, &vm->storage, &vm->config);
    vm->next = vm_list;
    vm_list = vm;
    vm_reset(vm);
    return vm;
}

struct vm *vm_create(const struct machine_config *config) { return create(config, NULL); }

void vm_hand_over(const struct vm *from, struct vm *to)
{
    to->virtual_ticks = from->virtual_ticks;
    to->total_ticks = from->total_ticks;
    to->steal_ticks = from->steal_ticks;
    to->vruntime = from->vruntime;
    to->vremainder = from->vremainder;
    to->share = from->share;
}

struct vm *vm_create_upon(const struct machine_config *config, struct vm *waiting)
{
    struct vm *vm = create(config, waiting);
    if (vm)
        vm_hand_over(waiting, vm);
    return vm;
}

void vm_destroy(struct vm *vm)
{
    CP_ASSERT(!vm_turn);
    vm_stop(vm, VM_STOP_USER, 0);
    vm->held = false;
    for (struct vm **at = &vm_list; *at; at = &(*at)->next)
        if (*at == vm) {
            *at = vm->next;
            break;
        }
    nested_destroy(vm);
    machine_free(&vm->machine);
    cpu_backend->destroy(&vm->vcpu);
    context_destroy(&vm->vcpu);
    frame_account_close(&vm->storage.account);
    vm->next = dying;
    dying = vm;
    bury();
    vm_bury();
}

void vm_reset(struct vm *vm)
{
    CP_ASSERT(!vm_turn);
    scheduler_remove(vm);
    vm->state = VM_STOPPED;
    vm->held = false;
    nested_destroy(vm); /* what is offered may be another mode now */
    vm->vcpu.tsc_offset = -clock_now();
    vm->vcpu.tsc_adjust = 0;
    vm->vcpu.clock_page = (struct clock_page){0};
    machine_reset(&vm->machine);
    vm->vcpu.mtrr_def_type = MTRR_RESET;
    vm->vcpu.mcg_status = 0;
    vm->vcpu.spec_ctrl = 0;
    context_reset(&vm->vcpu);
    registers_reset(&vm->vcpu);
    vcpu_write(&vm->vcpu, VMCS_TSC_OFFSET, vm->vcpu.tsc_offset);
    vm_masks_write(vm);
}

void vm_init(struct vm *vm)
{
    context_init(&vm->vcpu);
    registers_init(&vm->vcpu);
    vm_stop(vm, VM_STOP_RESET, 0);
}

int vm_define_storage(struct vm *vm, uint64_t bytes)
{
    CP_ASSERT(!vm_turn);
    if (machine_in_flight(&vm->machine))
        return -EBUSY;
    nested_destroy(vm); /* it maps what goes */
    fw_cfg_end(&vm->machine.fw_cfg);
    guest_storage_clear(&vm->storage, bytes);
    vm_bury();
    vm->gives_back = false;
    vm->config.storage_bytes = bytes; /* what the next IPL clears to */
    vm_reset(vm);                     /* now: its CMOS memory tells the size */
    cpu_backend->flush_storage(&vm->vcpu);
    return vm->storage.root ? 0 : -ENOMEM;
}

void vm_stop(struct vm *vm, enum vm_stop why, uint32_t detail)
{
    if (vm->state == VM_STOPPED)
        return;
    vm->state = VM_STOPPED;
    vm->stop = why;
    vm->stop_detail = detail;
    scheduler_remove(vm);
    vm->stop_unseen = why != VM_STOP_USER;
    vm_stops_unseen |= vm->stop_unseen;
}

void vm_unsound(struct vm *vm, uint32_t check)
{
    dispatch_account.unsound++;
    vm_stop(vm, VM_STOP_UNSOUND, check);
}

void vm_begin(struct vm *vm)
{
    if (vm->state != VM_STOPPED)
        return;
    vm->stop = VM_STOP_NONE;
    vm->state = VM_WAITING;
    vga_repaint(&vm->machine.vga);
    vm_unhalt(vm);
}

bool vm_is_busy(const struct vm *vm)
{
    return machine_is_busy(&vm->machine) || nested_will_wake(vm);
}

bool vm_is_at_reset(struct vm *vm)
{
    struct vcpu *v = &vm->vcpu;
    return !nested_runs(v) && vcpu_read(v, VMCS_GUEST_CS_BASE) + vcpu_read(v, VMCS_GUEST_RIP) == 0xFFFFFFF0;
}

void vm_go_to(struct vm *vm, uint64_t address)
{
    if (vm_is_at_reset(vm)) {
        vcpu_write(&vm->vcpu, VMCS_GUEST_CS_SELECTOR, 0);
        vcpu_write(&vm->vcpu, VMCS_GUEST_CS_BASE, 0);
    }
    vcpu_write(&vm->vcpu, VMCS_GUEST_RIP, address);
}

void vm_wake(struct vm *vm)
{
    if (vm->state == VM_WAITING && event_deliverable(vm))
        vm_unhalt(vm);
}

void vm_unhalt(struct vm *vm)
{
    if (vm->state != VM_WAITING || vm->held)
        return;
    vm->state = VM_RUNNABLE;
    scheduler_add(vm);
}
