/* What nest/ is told of CP: struct nest_host over guest storage and the running VMCS. */
#include "cp/nested/host.h"

#include "cp/nested/hardware.h"
#include "cp/storage/grave.h"
#include "cp/storage/watch.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/breakpoint.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/linear_memo.h"
#include "cp/vcpu/nested.h"

enum { MSR_TSC = 0x10 };

static uint64_t get(void *context, enum vmcs_field field)
{
    return vcpu_read(&((struct vm *)context)->vcpu, field);
}

static void set(void *context, enum vmcs_field field, uint64_t value)
{
    vcpu_write(&((struct vm *)context)->vcpu, field, value);
}

static bool read(void *context, uint64_t at, void *to, size_t bytes)
{
    return guest_read(&((struct vm *)context)->storage, gpa(at), to, bytes) == GUEST_OK;
}

static bool write(void *context, uint64_t at, const void *from, size_t bytes)
{
    return guest_write(&((struct vm *)context)->storage, gpa(at), from, bytes) == GUEST_OK;
}

static bool linear(void *context, uint64_t address, enum nest_access access, uint64_t *to, uint32_t *error)
{
    struct vm *vm = context;
    gpa_t at = gpa(0);

    if (!nested_runs(&vm->vcpu) && linear_memo_find(vm, address, access, to))
        return true;
    *error = 0;
    int failed = linear_translate(&vm->vcpu, address, access == NEST_WRITE ? LINEAR_WRITE : LINEAR_READ, &at, error);
    if (failed == -2 && nested_runs(&vm->vcpu))
        *error = NEST_UNREACHABLE;
    if (failed)
        return false;
    *to = at.a;
    if (!nested_runs(&vm->vcpu))
        linear_memo_keep(vm, address, access, at.a);
    return true;
}

static bool linear_own(void *context, uint64_t address, enum nest_access access, uint64_t *to, uint32_t *error)
{
    struct vm *vm = context;
    gpa_t ignored;

    *error = 0;
    unsigned kind = access == NEST_WRITE ? LINEAR_WRITE : LINEAR_READ;
    int failed = linear_translate(&vm->vcpu, address, kind, &ignored, error);
    if (failed == -2)
        *error = NEST_UNREACHABLE;
    *to = vm->vcpu.reached;
    return !failed;
}

static const void *view(void *context, uint64_t address, unsigned bytes)
{
    struct vm *vm = context;
    return nested_runs(&vm->vcpu) ? NULL : linear_memo_view(vm, address, bytes);
}

static void touched(void *context, uint64_t address, unsigned bytes, enum nest_access access)
{
    breakpoint_note(&((struct vm *)context)->vcpu, access == NEST_WRITE ? BREAKPOINT_WRITE : BREAKPOINT_READ, address,
                    bytes);
}

static void *page(void *context, uint64_t at)
{
    return guest_private(&((struct vm *)context)->storage, gpa(at), NULL);
}

/* A guest's frames neither move nor go while it is in VMX operation: every page is pinned. */
static uint64_t pin(void *context, uint64_t at)
{
    void *at_page = page(context, at);
    return at_page ? frame_address(at_page).a : NEST_NO_ADDRESS;
}

static void unpin(void *context, uint64_t at)
{
    (void)context, (void)at;
}

static bool translate(void *context, uint64_t at, enum nest_access access, struct nest_translation *translation)
{
    struct guest_storage *storage = &((struct vm *)context)->storage;
    void *at_page = guest_private(storage, gpa(at & ~(uint64_t)PAGE_MASK), NULL);

    if (!at_page)
        return false;
    if (access == NEST_WRITE)
        guest_written(storage, gpa(at), 1);
    uint8_t rights = guest_is_watched(storage, gpa(at)) ? 5 : 7;
    if (rights == 7)
        guest_lend(storage, gpa(at));
    *translation = (struct nest_translation){frame_address(at_page).a, PAGE_SIZE, rights};
    return true;
}

static uint64_t version(void *context, uint64_t at)
{
    struct vm *vm = context;
    bool armed;
    uint64_t number = guest_watch(&vm->storage, gpa(at), &armed);

    if (!armed)
        return number;
    cpu_backend->flush_storage(&vm->vcpu);
    if (guest_take_back(&vm->storage, gpa(at))) /* L2 must not write there unseen either */
        nest_ept01_changed(vm->vcpu.nest, at, PAGE_SIZE);
    return number;
}

static void *nest_frame_alloc(void *context)
{
    return frame_alloc(&((struct vm *)context)->storage.account);
}

static void nest_frame_free(void *context, void *frame)
{
    frame_free(&((struct vm *)context)->storage.account, frame);
}

static void nest_tables_free(void *context, void *books, uint64_t *root, uint64_t frames)
{
    grave_tables(&((struct vm *)context)->storage.account, books, root, frames);
    vm_bury();
}

/* A list is the host's, and L2's TSC offset no part of it, though vmcs02 may be loaded: SDM "Saving MSRs". */
static bool rdmsr(void *context, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_TSC) {
        *value = clock_now() + ((struct vm *)context)->vcpu.tsc_offset;
        return true;
    }
    return msr_policy_read(context, msr, value) == 0 || cpu_nested->free_msr_read(msr, value);
}

static bool wrmsr(void *context, uint32_t msr, uint64_t value)
{
    return msr_policy_write(context, msr, value) == 0 || cpu_nested->free_msr_write(msr, value);
}

static uint64_t tsc(void *context)
{
    (void)context;
    return clock_now();
}

static void trace(void *context, const char *rule, uint32_t field)
{
    if (vm_traced)
        vm_traced(context, rule, field);
}

void nested_host_fill(struct nest_host *host, struct vm *vm)
{
    *host = (struct nest_host){
        .context = vm,
        .gpr = vm->vcpu.gpr,
        .get = get,
        .set = set,
        .read = read,
        .write = write,
        .linear = linear,
        .linear_own = linear_own,
        .view = view,
        .touched = touched,
        .page = page,
        .pin = pin,
        .unpin = unpin,
        .translate = translate,
        .version = version,
        .frame_alloc = nest_frame_alloc,
        .frame_free = nest_frame_free,
        .tables_free = nest_tables_free,
        .rdmsr = rdmsr,
        .wrmsr = wrmsr,
        .tsc = tsc,
        .trace = trace,
    };
}
