#include "cp/vcpu/site.h"

#include <string.h>

#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"
#include "cp/vcpu/vm.h"

enum { FLAGS = 1 << 18 /* AC */ | 1 << 17 /* VM */, FETCHED = 16 /* bytes that are compared */ };

static struct site *place(struct vm *vm) { return &vm->sites[(vm->vcpu.exit.rip ^ vm->vcpu.exit.rip >> 4) % SITES]; }

/* The next two name the same registers: what is compared at every exit is not gathered first. */
static struct site_state state_now(struct vcpu *vcpu)
{
    return (struct site_state){
        .cr0 = vcpu_read(vcpu, VMCS_GUEST_CR0), .cr3 = vcpu_read(vcpu, VMCS_GUEST_CR3),
        .cr4 = vcpu_read(vcpu, VMCS_GUEST_CR4), .efer = vcpu_read(vcpu, VMCS_GUEST_EFER),
        .code_base = segment_base(vcpu, SEGMENT_CS),
        .code_rights = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS),
        .stack_rights = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_SS_ACCESS_RIGHTS),
        .flags = vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & FLAGS, .long_mode = registers_long_mode(vcpu)};
}

static inline bool state_is(struct vcpu *vcpu, const struct site_state *s)
{
    return vcpu_read(vcpu, VMCS_GUEST_CR3) == s->cr3 && vcpu_read(vcpu, VMCS_GUEST_CR0) == s->cr0 &&
           vcpu_read(vcpu, VMCS_GUEST_CR4) == s->cr4 && vcpu_read(vcpu, VMCS_GUEST_EFER) == s->efer &&
           (uint32_t)vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS) == s->code_rights &&
           (uint32_t)vcpu_read(vcpu, VMCS_GUEST_SS_ACCESS_RIGHTS) == s->stack_rights &&
           (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & FLAGS) == s->flags &&
           (s->long_mode || vcpu_read(vcpu, VMCS_GUEST_CS_BASE) == s->code_base);
}

/* Of a part of eight bytes those that are the instruction's, by how many are. */
static const uint64_t masks[9] = {
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~0ull};

static inline bool bytes_are(const struct site *site)
{
    unsigned length = site->instruction.length;
    uint64_t now[2];

    __builtin_memcpy(now, site->code, sizeof now);
    if (length <= 8)
        return (now[0] & masks[length]) == site->bytes[0];
    return now[0] == site->bytes[0] && (now[1] & masks[length - 8]) == site->bytes[1];
}

static void bytes_keep(struct site *site, const uint8_t *bytes, unsigned length)
{
    memset(site->bytes, 0, sizeof site->bytes);
    memcpy(site->bytes, bytes, length);
}

struct site *site_find(struct vm *vm)
{
    struct site *site = place(vm);

    if (site->rip != vm->vcpu.exit.rip || site->generation != vm->storage.generation || nested_runs(&vm->vcpu))
        return NULL;
    bool counts = state_is(&vm->vcpu, &site->state) && linear_path_holds(&site->code_path) &&
                  bytes_are(site);
    return counts ? site : NULL;
}

static bool is_move(const struct instruction *in)
{
    bool load = in->destination == OPERAND_REGISTER && in->source == OPERAND_MEMORY;
    bool store = in->destination == OPERAND_MEMORY &&
                 (in->source == OPERAND_REGISTER || in->source == OPERAND_IMMEDIATE);

    return (in->operation == OP_MOV && (load || store)) || (in->operation == OP_MOVZX && load);
}

struct site *site_keep(struct vm *vm, const uint8_t *bytes, const struct instruction *instruction)
{
    struct vcpu *vcpu = &vm->vcpu;
    struct site *site = place(vm);
    struct site_state now = state_now(vcpu);
    uint64_t linear = now.code_base + vcpu->exit.rip;

    site->generation = 0;
    if (nested_runs(vcpu) || (linear & PAGE_MASK) + FETCHED > PAGE_SIZE ||
        !linear_path_keep(vcpu, linear, &site->code_path))
        return NULL;
    uint64_t at = linear_end(vcpu, linear);
    const uint8_t *code = guest_pointer(&vm->storage, gpa(at), NULL);
    if (!code)
        return NULL;
    site->rip = vcpu->exit.rip, site->state = now, site->code = code, site->instruction = *instruction;
    bytes_keep(site, bytes, instruction->length);
    site->operand_path.bytes = 0;
    site->moves = is_move(instruction);
    site->generation = vm->storage.generation; /* what was brought in just now is where it is */
    return site;
}

bool site_operand_find(const struct site *site, uint64_t linear, unsigned access, gpa_t *to)
{
    if (!site->operand_path.bytes || site->operand_page != ((linear & ~(uint64_t)PAGE_MASK) | access) ||
        !linear_path_holds(&site->operand_path))
        return false;
    *to = gpa(site->operand_at.a | (linear & PAGE_MASK));
    return true;
}

void site_operand_keep(struct vm *vm, struct site *site, uint64_t linear, unsigned access, gpa_t to)
{
    if (site->generation == vm->storage.generation && !guest_is_ram(&vm->storage, to) &&
        linear_path_keep(&vm->vcpu, linear, &site->operand_path)) {
        site->operand_page = (linear & ~(uint64_t)PAGE_MASK) | access;
        site->operand_at = gpa(to.a & ~(uint64_t)PAGE_MASK);
    } else {
        site->operand_path.bytes = 0;
    }
}
