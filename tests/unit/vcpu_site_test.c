/* A machine whose sites are forgotten before every exit is the measure for one that keeps them: whatever the two are
 * asked to carry out, and whatever changes in between, they end alike in every register, field, page and access. */
#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/site.h"

enum { CODE = 0x1000, DATA_LINEAR = 0x40000000, TABLES = 0x10000, TABLE_PAGES = 16, OTHER_ROOT = 0x1E000, NOTED = 64,
       ROUNDS = 6, TRIALS = 60000, UNTOUCHED = 0x55, ACCESSED = 0x20, DIRTY = 0x40, USER = 4, WRITABLE = 2 };
#define MMIO 0xE0000000ull
#define NO_EXECUTE (1ull << 63)

struct access {
    uint64_t at, value;
    unsigned size, write;
};

struct side {
    struct vm *vm;
    struct access seen[NOTED];
    unsigned noted;
    uint64_t answer;
} side[2];

static uint64_t seed;
static unsigned moved, known;

static uint32_t any(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static bool one_in(unsigned n) { return any() % n == 0; }

static void note(struct side *s, uint64_t at, unsigned size, bool write, uint64_t value)
{
    s->seen[s->noted++ % NOTED] = (struct access){at, value, size, write};
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    struct side *s = device;

    note(s, offset, size, false, 0);
    return s->answer = s->answer * 0x9E3779B97F4A7C15u + 1;
}

static void mmio_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    note(device, offset, size, true, value);
}

static int begin(void **state)
{
    scene_begin(state);
    side[0] = (struct side){.vm = vm};
    side[1] = (struct side){.vm = scene_vm(NEST_OFF)};
    registers_start_flat(&side[1].vm->vcpu, 0x100000, 0, 0);
    side[1].vm->state = VM_RUNNABLE;
    for (unsigned i = 0; i < 2; i++) {
        const struct bus_mmio mmio = {
            .first = MMIO, .last = MMIO + 0x1FFF, .device = &side[i], .read = mmio_read, .write = mmio_write};
        assert_int_equal(bus_claim_mmio(&side[i].vm->machine.bus, &mmio), 0);
    }
    moved = known = 0;
    seed = 1;
    return 0;
}

static int end(void **state)
{
    vm_destroy(side[1].vm);
    return scene_end(state);
}

/* ---- both alike ------------------------------------------------------------------------------------------------ */

static void both_set(enum vmcs_field field, uint64_t value)
{
    for (unsigned i = 0; i < 2; i++)
        vcpu_write(&side[i].vm->vcpu, field, value);
}

static void both_poke(uint64_t at, const void *bytes, size_t count)
{
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(guest_write(&side[i].vm->storage, gpa(at), bytes, count), GUEST_OK);
}

static void poke_entry(uint64_t table, unsigned index, uint64_t value, unsigned bytes)
{
    both_poke(table + index * bytes, &value, bytes);
}

/* ---- paging: RAM one to one from 0, and at DATA_LINEAR two pages of a device and one of RAM --------------------- */

enum mode { LONG_MODE, PROTECTED, TWO_LEVELS, PAE, SIXTEEN_BIT, MODES };

static const struct {
    uint64_t cr0, cr4, efer;
    uint32_t code_rights;
    uint64_t root, low, data; /* tables */
    unsigned bytes;           /* of an entry */
} modes[MODES] = {
    [LONG_MODE] = {CR0_PG, CR4_PAE, EFER_LME | EFER_LMA | EFER_NXE, 0xA09B, 0x10000, 0x13000, 0x14000, 8},
    [PROTECTED] = {0, 0, 0, 0xC09B, 0, 0, 0, 0},
    [TWO_LEVELS] = {CR0_PG, 0, 0, 0xC09B, 0x15000, 0x16000, 0x17000, 4},
    [PAE] = {CR0_PG, CR4_PAE, EFER_NXE, 0xC09B, 0x18000, 0x1A000, 0x1C000, 8},
    [SIXTEEN_BIT] = {CR0_PG, 0, 0, 0x809B, 0x15000, 0x16000, 0x17000, 4},
};

static void map_pages(uint64_t low, uint64_t data, unsigned bytes)
{
    for (unsigned page = 0; page < 64; page++)
        poke_entry(low, page, page << 12 | 3, bytes);
    poke_entry(data, 0, MMIO | 3, bytes);
    poke_entry(data, 1, (MMIO + 0x1000) | 3, bytes);
    poke_entry(data, 2, 0x7000 | 3, bytes);
}

static void tables_make(void)
{
    poke_entry(0x10000, 0, 0x11000 | 7, 8);
    poke_entry(0x11000, 0, 0x12000 | 7, 8);
    poke_entry(0x11000, 1, 0x1D000 | 7, 8);
    poke_entry(0x12000, 0, 0x13000 | 7, 8);
    poke_entry(OTHER_ROOT, 0, 0x1F000 | 7, 8); /* where there are no devices */
    poke_entry(0x1F000, 0, 0x12000 | 7, 8);
    poke_entry(0x1F000, 1, 0x12000 | 7, 8);
    poke_entry(0x1D000, 0, 0x14000 | 7, 8);
    map_pages(0x13000, 0x14000, 8);
    poke_entry(0x15000, 0, 0x16000 | 7, 4);
    poke_entry(0x15000, DATA_LINEAR >> 22, 0x17000 | 7, 4);
    map_pages(0x16000, 0x17000, 4);
    poke_entry(0x18000, 0, 0x19000 | 1, 8);
    poke_entry(0x18000, 1, 0x1B000 | 1, 8);
    poke_entry(0x19000, 0, 0x1A000 | 7, 8);
    poke_entry(0x1B000, 0, 0x1C000 | 7, 8);
    map_pages(0x1A000, 0x1C000, 8);
}

static uint64_t data_base(enum mode mode) { return modes[mode].bytes ? DATA_LINEAR : MMIO; }

static void mode_enter(enum mode mode)
{
    both_set(VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE | CR0_WP | modes[mode].cr0);
    both_set(VMCS_GUEST_CR4, modes[mode].cr4);
    both_set(VMCS_GUEST_EFER, modes[mode].efer);
    both_set(VMCS_GUEST_CR3, modes[mode].root);
    both_set(VMCS_GUEST_CS_ACCESS_RIGHTS, modes[mode].code_rights);
    both_set(VMCS_GUEST_CS_BASE, 0);
    both_set(VMCS_GUEST_DS_BASE, mode == SIXTEEN_BIT ? data_base(mode) : 0);
    both_set(VMCS_GUEST_SS_BASE, mode == SIXTEEN_BIT ? data_base(mode) : 0);
    for (unsigned segment = 0; segment < 6; segment++) {
        both_set(VMCS_GUEST_ES_LIMIT + 2 * segment, 0xFFFFFFFF);
        if (segment != SEGMENT_CS)
            both_set(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * segment, 0xC093);
    }
    both_set(VMCS_GUEST_RFLAGS, 2);
    both_set(VMCS_GUEST_DR7, 0x400);
    both_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
    both_set(VMCS_GUEST_INTERRUPTIBILITY, 0);
}

/* ---- what is carried out --------------------------------------------------------------------------------------- */

static unsigned put_opcode(uint8_t *code)
{
    static const uint16_t opcodes[] = {0x88,   0x89,   0x8A,   0x8B, 0x88, 0x89, 0x8A, 0x8B, 0xC6,
                                       0xC7,   0xA0,   0xA1,   0xA2, 0xA3, 0x01, 0x39, 0x85, 0x87,
                                       0x0FB6, 0x0FB7, 0x0FBE, 0xFF, 0x8F, 0xA5, 0x23, 0x8E};
    unsigned n = 0;
    uint16_t opcode = opcodes[any() % (sizeof opcodes / sizeof *opcodes)];

    if (opcode >> 8)
        code[n++] = opcode >> 8;
    code[n++] = (uint8_t)opcode;
    return n;
}

/* The bytes behind what is put stay random: displacements, immediates, or nothing of it. */
static void instruction_make(enum mode mode, uint64_t rip, uint8_t code[16])
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0x2E, 0x36, 0x64, 0x65, 0xF0, 0xF2, 0xF3};
    unsigned n = 0;

    for (unsigned i = 0; i < 16; i++)
        code[i] = one_in(3) ? (uint8_t)any() : 0;
    if (one_in(40))
        return;
    while (one_in(4))
        code[n++ % 4] = prefixes[any() % sizeof prefixes];
    n = n > 4 ? 4 : n;
    if (mode == LONG_MODE && one_in(2))
        code[n++] = 0x40 | (any() & 15);
    n += put_opcode(code + n);
    code[n] = (uint8_t)((any() % 3) << 6 | (any() & 0x3F));
    if (one_in(2))
        code[n] &= 0xC7; /* the extension of C6, C7, FF, 8F */
    if ((code[n] & 7) == 4 && one_in(2))
        code[n + 1] = 0x20 | (any() & 0xC7); /* no index */
    if (one_in(8))
        code[n] = (code[n] & 0x38) | 5; /* without a base, or from RIP */
    if ((code[n] & 0xC7) == 5 && mode != SIXTEEN_BIT) {
        uint32_t displacement = (uint32_t)(data_base(mode) + (any() & 0x3F0) - (mode == LONG_MODE ? rip : 0));
        memcpy(code + n + 1, &displacement, sizeof displacement);
    }
}

static void registers_make(enum mode mode)
{
    uint64_t base = mode == SIXTEEN_BIT ? 0 : data_base(mode);

    for (unsigned reg = 0; reg < GPRS; reg++) {
        uint64_t value = reg == RSI || reg == RDI || one_in(8) ? any() & 0x7F : base + (any() & 0xFF0);
        value += one_in(20) ? 0x1000 : one_in(20) ? 0xFFC : 0;
        value |= one_in(8) ? (uint64_t)any() << 32 : mode == SIXTEEN_BIT && one_in(8) ? any() << 16 : 0;
        side[0].vm->vcpu.gpr[reg] = side[1].vm->vcpu.gpr[reg] = value;
        if (reg == RSP)
            both_set(VMCS_GUEST_RSP, value);
    }
}

/* ---- what changes in between ------------------------------------------------------------------------------------- */

static void flip(enum vmcs_field field, uint64_t bits)
{
    both_set(field, vcpu_read(&side[0].vm->vcpu, field) ^ bits);
}

static void flip_entry(uint64_t table, unsigned index, unsigned bytes, uint64_t bits)
{
    uint64_t value = 0;

    guest_read(&side[0].vm->storage, gpa(table + index * bytes), &value, bytes);
    poke_entry(table, index, value ^ bits, bytes);
}

static void change_tables(enum mode mode)
{
    static const uint64_t bits[] = {1, WRITABLE, USER, ACCESSED, DIRTY, 0x1000, 0x2000, NO_EXECUTE};
    unsigned index = any() % 3;
    uint64_t flipped = bits[any() % (modes[mode].bytes == 8 ? 8 : 7)];

    if (!modes[mode].bytes)
        return;
    if (one_in(4))
        flip_entry(modes[mode].root, one_in(2) ? 0 : mode == LONG_MODE ? 0 : 1, modes[mode].bytes, flipped);
    else
        flip_entry(one_in(3) ? modes[mode].low : modes[mode].data, index, modes[mode].bytes, flipped);
}

static void change_segment(void)
{
    unsigned segment = 2 * (any() % 6);

    switch (any() % 4) {
    case 0: both_set(VMCS_GUEST_ES_LIMIT + segment, one_in(2) ? 0x80 : DATA_LINEAR + 0x80); break;
    case 1: flip(VMCS_GUEST_ES_ACCESS_RIGHTS + segment, 1ull << any() % 5); break;
    case 2: flip(VMCS_GUEST_ES_BASE + segment, one_in(2) ? 0x10 : 0x1000); break;
    default: flip(VMCS_GUEST_SS_ACCESS_RIGHTS, 0x60); /* CPL */
    }
}

static void change_registers(enum mode mode)
{
    static const uint64_t cr4[] = {CR4_PSE, CR4_SMEP, CR4_SMAP, 1 << 3, CR4_PGE},
                          flags[] = {1 << 18, RFLAGS_TF, RFLAGS_RF, RFLAGS_IF, 1};

    switch (any() % 9) {
    case 6: flip(VMCS_GUEST_EFER, EFER_NXE); break;
    case 7: flip(VMCS_GUEST_CS_ACCESS_RIGHTS, 1 << (mode == LONG_MODE ? 13 : 14)); break;
    case 8: flip(VMCS_GUEST_CR3, mode == LONG_MODE ? OTHER_ROOT ^ modes[mode].root : 0); break;
    case 0: flip(VMCS_GUEST_CR4, cr4[any() % 5]); break;
    case 1: flip(VMCS_GUEST_CR0, one_in(2) ? CR0_WP : 1 << 18 /* AM */); break;
    case 2: flip(VMCS_GUEST_RFLAGS, flags[any() % 5]); break;
    case 3: both_set(VMCS_GUEST_DR7, one_in(2) ? 0x400 : 0xBBBB04FF); break; /* eight bytes each, whatever access */
    case 4: both_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, one_in(2) ? 0 : 0x1001); break;
    default: both_set(VMCS_GUEST_INTERRUPTIBILITY, any() & 3 ? 0 : 1 + one_in(2));
    }
}

/* What a rule of paging looks at is seldom met with all the others in place. */
static void vary(enum mode mode)
{
    for (unsigned i = 0; i < 4; i++)
        side[0].vm->vcpu.dr[i] = side[1].vm->vcpu.dr[i] = data_base(mode) + (any() & 0x3F8);
    if (one_in(4))
        flip(VMCS_GUEST_CR0, CR0_WP);
    if (one_in(8))
        flip(VMCS_GUEST_CR4, CR4_SMAP), flip(VMCS_GUEST_RFLAGS, 1 << 18);
    if (modes[mode].bytes && one_in(4))
        flip_entry(modes[mode].data, 0, modes[mode].bytes, one_in(2) ? WRITABLE : USER);
}

/* Every page is another, and nothing in it. */
static void change_storage(void)
{
    for (unsigned i = 0; i < 2; i++)
        guest_storage_clear(&side[i].vm->storage, SCENE_GUEST_MIB << 20);
    tables_make();
}

static void change(enum mode mode, uint64_t rip)
{
    uint8_t byte = (uint8_t)any();

    if (one_in(300))
        change_storage();

    switch (any() % 12) {
    case 0: change_tables(mode); break;
    case 1: change_segment(); break;
    case 2: change_registers(mode); break;
    case 3: both_poke(rip + any() % 4, &byte, 1); break;
    default: registers_make(mode);
    }
}

/* ---- both ends -------------------------------------------------------------------------------------------------- */

static void exit_of(struct side *s, const struct exit *exit)
{
    s->noted = 0;
    s->vm->vcpu.exit = *exit;
    s->vm->vcpu.refused.qualification = UNTOUCHED;
    exit_dispatch(s->vm);
}

static void same_pages(void)
{
    for (unsigned page = 0; page < TABLE_PAGES + 8; page++) {
        uint64_t at = page < TABLE_PAGES ? TABLES + page * PAGE_SIZE : (page - TABLE_PAGES) * PAGE_SIZE;
        assert_memory_equal(guest_pointer(&side[0].vm->storage, gpa(at), NULL),
                            guest_pointer(&side[1].vm->storage, gpa(at), NULL), PAGE_SIZE);
    }
}

static void same_end(void)
{
    struct vcpu *a = &side[0].vm->vcpu, *b = &side[1].vm->vcpu;

    assert_int_equal(side[0].vm->state, side[1].vm->state);
    assert_memory_equal(a->gpr, b->gpr, sizeof a->gpr);
    assert_memory_equal(a->backend, b->backend, sizeof(struct vmcs));
    assert_int_equal(a->event_info, b->event_info);
    assert_int_equal(a->event_error, b->event_error);
    assert_int_equal(a->event_payload, b->event_payload);
    assert_int_equal(a->triple_fault, b->triple_fault);
    assert_int_equal(side[0].noted, side[1].noted);
    assert_memory_equal(side[0].seen, side[1].seen, sizeof side[0].seen);
}

static void again(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct vcpu *vcpu = &side[i].vm->vcpu;
        side[i].vm->state = VM_RUNNABLE;
        vcpu->event_info = 0, vcpu->event_made = vcpu->triple_fault = false;
        vcpu->dr6 = 0;
    }
}

static void one_round(uint64_t rip, uint64_t touched)
{
    const struct exit exit = {
        .reason = EXIT_EPT_VIOLATION, .rip = rip, .guest_physical = touched, .qualification = one_in(40) ? 1 << 12 : 0,
        .idt_vectoring_info = one_in(60) ? EVENT_VALID | 0x30 : 0};

    both_set(VMCS_GUEST_RIP, rip);
    side[1].vm->sites[(rip ^ rip >> 4) % SITES].generation = 0;
    known += site_find(side[0].vm) != NULL;
    for (unsigned i = 0; i < 2; i++)
        exit_of(&side[i], &exit);
    moved += side[0].vm->vcpu.refused.qualification == UNTOUCHED && side[0].noted;
    same_end();
    again();
}

static void a_known_site_does_what_an_unknown_one_does(void **state)
{
    (void)state;
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        enum mode mode = any() % MODES;
        uint64_t rip = CODE + (one_in(10) ? 0xFF0 + any() % 16 : any() % 0xFF0);
        uint8_t code[16];
        if (trial % 20 == 0)
            tables_make();
        mode_enter(mode);
        instruction_make(mode, rip, code);
        vary(mode);
        both_poke(rip, code, sizeof code);
        registers_make(mode);
        for (unsigned i = 0; i < ROUNDS; i++) {
            one_round(rip, one_in(20) ? 0x7000 : MMIO + (any() & 0xFFF));
            change(mode, rip);
        }
        if (trial % 20 == 19)
            same_pages();
    }
    print_message("%u known, %u moved\n", known, moved);
    assert_true(known > TRIALS / 2);
    assert_true(moved > TRIALS / 4);
}

#define site_scene(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        site_scene(a_known_site_does_what_an_unknown_one_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
