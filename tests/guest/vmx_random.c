/* Question: does an instruction in 16-bit and 32-bit code do what it does on the bare machine, with prefixes at random
 * and an operand where nothing is, which CP carries out, in storage, over the end of both, or beyond a limit? Prints a
 * hash of what so many did in each mode. Command line: times=N (400) seed=N (1) trace (prints each of them).
 *
 * Not asked: error codes in real mode, of which Bochs 2.7 has some. QEMU 7.2 checks no limits. */
#include "tests/guest/vmx/modes.h"

#include <string.h>

#include "tests/guest/runtime/option.h"

enum { RANDOM_AT = 0x400, DOWN = 0x400, WITH_MODRM = 1, STORES = 2, STRING = 4, IMMEDIATE = 8, BYTE = 16,
       OFFSET = 32, EXTENDED = 64 };

static const struct {
    uint8_t opcode, digit, how; /* digit 8: a register */
} forms[] = {
    {0x8A, 8, WITH_MODRM}, {0x8B, 8, WITH_MODRM}, {0x88, 8, WITH_MODRM | STORES}, {0x89, 8, WITH_MODRM | STORES},
    {0x01, 8, WITH_MODRM | STORES}, {0x13, 8, WITH_MODRM}, {0x3B, 8, WITH_MODRM}, {0x87, 8, WITH_MODRM | STORES},
    {0xFF, 0, WITH_MODRM | STORES}, {0xFF, 6, WITH_MODRM}, {0x8F, 0, WITH_MODRM | STORES},
    {0xC7, 0, WITH_MODRM | STORES | IMMEDIATE}, {0x80, 5, WITH_MODRM | STORES | BYTE}, {0xF6, 3, WITH_MODRM | STORES},
    {0xB6, 8, WITH_MODRM | EXTENDED}, {0xBF, 8, WITH_MODRM | EXTENDED}, {0xC1, 8, WITH_MODRM | STORES | EXTENDED},
    {0xB1, 8, WITH_MODRM | STORES | EXTENDED}, {0x92, 0, WITH_MODRM | STORES | EXTENDED},
    {0xBA, 4, WITH_MODRM | BYTE | EXTENDED}, {0xA0, 0, OFFSET}, {0xA1, 0, OFFSET}, {0xA2, 0, OFFSET | STORES},
    {0xA3, 0, OFFSET | STORES}, {0xA4, 0, STRING | STORES}, {0xA5, 0, STRING | STORES}, {0xA6, 0, STRING},
    {0xA7, 0, STRING}, {0xAA, 0, STRING | STORES}, {0xAB, 0, STRING | STORES}, {0xAC, 0, STRING}, {0xAD, 0, STRING},
    {0xAE, 0, STRING}, {0xAF, 0, STRING}, {0xD7, 0, 0},
};

static uint64_t seed, times;

static uint32_t any(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

/* An offset; of 32 bits where they are to count. */
static uint32_t any_offset(bool is_narrow)
{
    switch (any(8)) {
    case 0: return any(0x20);
    case 1: return 0xFFF0 + any(0x20);
    case 2: return (is_narrow ? 0 : DATA_AT) + 0xFE0 + any(0x40);
    case 3: return is_narrow ? any(0x10000) << 16 | any(0x1000) : 0xFFFF0 + any(0x20);
    case 4: return 0u - any(0x40);
    default: return (is_narrow ? 0 : DEVICE_AT) + any(0x1FF0);
    }
}

static uint8_t *put_bytes(uint8_t *at, uint32_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
    return at + bytes;
}

static uint8_t *put_memory(uint8_t *at, unsigned digit, unsigned address_bytes, bool is_narrow)
{
    unsigned mod = any(3), rm = any(8), reg = digit < 8 ? digit : any(8);
    uint32_t displacement = any_offset(is_narrow);

    *at++ = (uint8_t)(mod << 6 | reg << 3 | rm);
    if (address_bytes == 2)
        return put_bytes(at, displacement, mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0);
    unsigned base = rm;
    if (rm == 4) {
        *at++ = (uint8_t)any(256);
        base = at[-1] & 7;
    }
    return put_bytes(at, displacement, mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
}

static unsigned make(bool is_narrow)
{
    static const uint8_t overrides[] = {0x26, 0x36, 0x3E, 0x64, 0x65, 0x2E};
    uint8_t *start = modes_code.bytes + RANDOM_AT, *at = start;
    unsigned n = any(sizeof forms / sizeof *forms), how = forms[n].how;
    bool other_operand = any(3) == 0, other_address = any(3) == 0;
    unsigned operand = is_narrow == other_operand ? 4 : 2, address_bytes = is_narrow == other_address ? 4 : 2;

    if (other_operand)
        *at++ = 0x66;
    if (other_address)
        *at++ = 0x67;
    if (any(3) == 0)
        *at++ = overrides[any(how & STORES ? 5 : 6)];
    if (how & STRING && any(2))
        *at++ = any(2) ? 0xF3 : 0xF2;
    if (how & EXTENDED)
        *at++ = 0x0F;
    *at++ = forms[n].opcode;
    if (how & WITH_MODRM)
        at = put_memory(at, forms[n].digit, address_bytes, is_narrow);
    if (how & OFFSET)
        at = put_bytes(at, any_offset(is_narrow), address_bytes);
    at = put_bytes(at, any(1 << 31), how & IMMEDIATE ? operand : how & BYTE ? 1 : 0);
    memcpy(at, "\x0F\x01\xC1", 3);
    return (unsigned)(at - start);
}

static uint64_t mixed(uint64_t hash, uint64_t value) { return (hash ^ value) * 0x9E3779B97F4A7C15ull >> 1; }

static void enter_random(enum mode mode, bool is_narrow)
{
    struct vm_registers *r = &modes_vm.registers;
    uint64_t *of[] = {&r->rax, &r->rdx, &r->rbx, &r->rsi, &r->rdi, &r->rbp};

    memset(&modes_data, 0x11, sizeof modes_data);
    memset(&modes_stack, 0x22, sizeof modes_stack);
    modes_enter(mode, any(4) ? 0 : DOWN);
    for (unsigned i = 0; i < 6 && !is_narrow; i++) /* nothing of L1's is below 1 MiB then */
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * i), 0xFFFFF),
            vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i),
                   (i == CS ? 0x409B : 0x4093) | (mode == USER32 ? 0x60 : 0));
    vm_set(VMCS_GUEST_RIP, vm_get(VMCS_GUEST_RIP) + RANDOM_AT);
    for (unsigned i = 0; i < 6; i++)
        *of[i] = any_offset(is_narrow);
    r->rcx = any(6);
    vm_set(VMCS_GUEST_RSP, is_narrow ? any(0x10000) << 16 | (0x800 + any(4)) : STACK_AT + 0x800 + any(4));
}

/* No error codes in real mode, of which Bochs has some; no auxiliary carry, which some leave undefined. */
static uint64_t outcome(enum mode mode)
{
    const struct vm_registers *r = &modes_vm.registers;
    uint64_t hash = mixed(modes_vm.exit.reason, modes_vm.exit.interruption_info & (mode == REAL ? 0x7FF : ~0u));
    const uint64_t seen[] = {mode == REAL ? 0 : modes_vm.exit.interruption_error, vm_get(VMCS_GUEST_RIP),
                             vm_get(VMCS_GUEST_RSP), vm_get(VMCS_GUEST_RFLAGS) & FLAGS_SHOWN & ~0x10ull, r->rax, r->rcx,
                             r->rdx, r->rbx, r->rsi, r->rdi, r->rbp};

    for (unsigned i = 0; i < sizeof seen / sizeof *seen; i++)
        hash = mixed(hash, seen[i]);
    for (unsigned i = 0; i < sizeof modes_data / 8; i++)
        hash = mixed(mixed(hash, ((uint64_t *)(void *)&modes_data)[i]), ((uint64_t *)(void *)&modes_stack)[i]);
    return hash;
}

static void at_random(enum mode mode, const char *name)
{
    bool traces = strstr(guest_command_line(), "trace"), is_narrow = mode <= CODE16;
    uint64_t hash = 0;

    for (unsigned n = 0; n < times; n++) {
        enter_random(mode, is_narrow);
        unsigned bytes = make(is_narrow);
        vm_run(&modes_vm);
        uint64_t one = outcome(mode);
        hash = mixed(hash, one);
        for (unsigned i = 0; traces && i < bytes; i++)
            guest_print("%02x ", modes_code.bytes[RANDOM_AT + i]);
        if (traces) {
            guest_print("%llx ", (unsigned long long)one);
            vm_print_exit(name, &modes_vm);
        }
    }
    guest_print("%s, %llu at random: %llx\n", name, (unsigned long long)times, (unsigned long long)hash);
}

int guest_main(void)
{
    struct vmx_descriptor every = {0, 0};

    seed = guest_option("seed=", 1);
    times = guest_option("times=", 400);
    modes_begin();
    for (unsigned n = 0; n < 0x100; n++)
        if (n << 12 != CODE_AT && n << 12 != DATA_AT && n << 12 != STACK_AT && n << 12 != STACK_AT + 0xF000)
            modes_map(n << 12, HOLE | READ_WRITE_EXECUTE);
    vmx_invept(2, &every);
    at_random(REAL, "real");
    at_random(V86, "virtual-8086");
    at_random(CODE16, "16-bit");
    at_random(CODE32, "32-bit");
    at_random(USER32, "32-bit user");
    guest_print("end\n");
    return 0;
}
