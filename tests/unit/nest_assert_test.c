/* The assertions on vmcs02 (nest/assert.h): one that is as it must be passes, and each way in which one may not be is
 * refused by the row that is about it. That whatever L1 writes makes one that passes is the invariant test's, and every
 * other test's that enters L2. */
#include "nest/assert.h"

#include "nest/ept.h"
#include "nest/recompute.h"
#include "tests/unit/nest_l2_scene.h"

static struct vmcs good;
static struct nest_vmcs *vmcs;

/* An L2 that has all there is: bitmaps, a virtual-APIC page, EPT, a link, a VPID. */
static int begin(void **state)
{
    start(state);
    memset(m.storage + 0x12000, 0, 4096);
    offer_link();
    m.base.exception_bitmap |= 1 << 6;
    nest_base_write(&m.nest, VMCS_INDEX_EXCEPTION_BITMAP, 1 << 6 | 1 << 17);
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS,
                   0x0401E172 | CPU_SECONDARY_CONTROLS | CPU_MSR_BITMAPS | CPU_TPR_SHADOW | CPU_HLT_EXITING);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING | CPU2_VPID);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x12000);
    fake_vmx_write(&m, VMCS_VIRTUAL_APIC_ADDRESS, 0x13000);
    fake_vmx_write(&m, VMCS_VPID, 5);
    enter(EXIT_VMLAUNCH);
    vmcs = m.nest.current;
    good = vmcs->vmcs02;
    return 0;
}

static const struct nest_assertion *judge(const struct vmcs *image)
{
    static const struct vmcs_set none;
    return nest_assert(&m.nest, vmcs, image, &none); /* on the host that is everything */
}

static const struct nest_assertion *judge_with(enum vmcs_index index, uint64_t value)
{
    struct vmcs image = good;
    vmcs_set(&image, index, value);
    return judge(&image);
}

static const struct nest_assertion *row_of(enum vmcs_index index, const char *rule)
{
    const struct nest_assertion *table;
    for (unsigned i = nest_assertions(&table); i-- > 0;)
        if (table[i].index == index && (!rule || !strcmp(table[i].rule, rule)))
            return &table[i];
    fail_msg("no assertion about %s", vmcs_field_name(vmcs_field_rows[index].encoding));
    return NULL;
}

static void what_the_merge_makes_passes(void **state)
{
    (void)state;
    assert_null(judge(&good));
    assert_true(good.processor_controls & CPU_TPR_SHADOW & good.processor_controls);
    assert_int_not_equal(good.vmcs_link_pointer, ~0ull); /* so that the rows about it have something to say */
    assert_int_not_equal(good.virtual_apic_address, 0);
    assert_int_not_equal(good.ept_pointer, m.base.ept_pointer);
    assert_int_not_equal(good.vpid, 0);
    assert_int_not_equal(good.msr_bitmap, m.base.msr_bitmap);
}

/* Host state, lists, pages: whatever bit of it is another. */
static void every_bit_of_what_is_cps_alone_is_looked_at(void **state)
{
    const struct nest_assertion *table;
    unsigned count = nest_assertions(&table), bits = 0, seen = 0;
    const struct nest_assertion *own = row_of(VMCS_INDEX_HOST_CR3, NULL);
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        if (table[i].holds != own->holds)
            continue;
        seen++;
        for (unsigned bit = 0; bit < vmcs_field_rows[table[i].index].bytes * 8u; bit++, bits++) {
            uint64_t value = vmcs_get(&good, table[i].index) ^ 1ull << bit;
            if (judge_with(table[i].index, value) != &table[i])
                fail_msg("%s: bit %u may be another", table[i].rule, bit);
        }
    }
    assert_true(seen >= 43 && bits > 1500);
    for (unsigned index = 0; index < VMCS_FIELDS; index++) /* and there is no field of the host state without a row */
        if (VMCS_ENCODING_AREA(vmcs_field_rows[index].encoding) == VMCS_HOST)
            assert_ptr_equal(row_of(index, NULL)->holds, own->holds);
}

/* No field that CP keeps for itself or that holds an address by the field table is without a row. */
static void no_field_of_cps_is_without_a_row(void **state)
{
    static const uint8_t harmless[] = {
        VMCS_INDEX_GUEST_INTERRUPT_STATUS,
        VMCS_INDEX_EOI_EXIT_BITMAP_0,
        VMCS_INDEX_EOI_EXIT_BITMAP_1,
        VMCS_INDEX_EOI_EXIT_BITMAP_2,
        VMCS_INDEX_EOI_EXIT_BITMAP_3,
        VMCS_INDEX_ENCLS_EXITING_BITMAP,
        VMCS_INDEX_XSS_EXITING_BITMAP,
        VMCS_INDEX_GUEST_PERF_GLOBAL_CTRL,
        VMCS_INDEX_GUEST_BNDCFGS,
        VMCS_INDEX_GUEST_RTIT_CTL,
        VMCS_INDEX_GUEST_PKRS,
        VMCS_INDEX_GUEST_S_CET,
        VMCS_INDEX_GUEST_SSP,
        VMCS_INDEX_GUEST_INTERRUPT_SSP_TABLE}; /* what their controls, which have rows, keep from meaning anything */
    static const bool address[VMCS_FIELDS] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    [VMCS_INDEX_##NAME] = VMCS_TYPE_IS_ADDRESS(type),
#include "vmcs-shadow/fields.def"
#undef FIELD
    };
    (void)state;
    for (unsigned index = 0; index < VMCS_FIELDS; index++) {
        bool exempt = memchr(harmless, (int)index, sizeof(harmless));
        if (vmcs_field_rows[index].merge == VMCS_MERGE_CP && !exempt)
            row_of(index, NULL);
        if (address[index] && vmcs_field_rows[index].merge != VMCS_MERGE_NONE)
            assert_int_equal(row_of(index, NULL)->invariant, 4);
        if (exempt) /* nobody but CP could have it */
            assert_true(vmcs_field_rows[index].capability >= VMCS_CAPABILITY_NOT_OFFERED && !address[index]);
    }
}

#define CLEAR(member, bits) VMCS_INDEX_##member, .clear = (bits)
#define SET(member, bits)   VMCS_INDEX_##member, .set = (bits)
#define BE(member, what)    VMCS_INDEX_##member, .clear = ~0ull, .set = (what)

static void each_row_refuses_what_it_is_about(void **state)
{
    const struct {
        enum vmcs_index index;
        uint64_t clear, set;
        enum vmcs_index by; /* the row that refuses, by its field: 0, the same */
        const char *rule;
    } wrong[] = {
        {CLEAR(PIN_CONTROLS, PIN_EXTERNAL_INTERRUPT_EXITING)},
        {CLEAR(PIN_CONTROLS, PIN_NMI_EXITING)},
        {SET(PIN_CONTROLS, PIN_POSTED_INTERRUPTS)},
        {CLEAR(PROCESSOR_CONTROLS, CPU_HLT_EXITING)},
        {SET(PROCESSOR_CONTROLS, CPU_TERTIARY_CONTROLS)},
        {CLEAR(PROCESSOR_CONTROLS, CPU_UNCONDITIONAL_IO_EXITING), .rule = "ports exit where CP has them exit"},
        {SET(PROCESSOR_CONTROLS, CPU_IO_BITMAPS), .rule = "ports exit where CP has them exit"},
        {CLEAR(PROCESSOR_CONTROLS, CPU_TPR_SHADOW | CPU_CR8_LOAD_EXITING), .rule = "the TPR is L1's page, or exits"},
        {CLEAR(PROCESSOR_CONTROLS, CPU_SECONDARY_CONTROLS)},
        {CLEAR(SECONDARY_CONTROLS, CPU2_EPT)},
        {SET(SECONDARY_CONTROLS, CPU2_APIC_ACCESSES)},
        {SET(SECONDARY_CONTROLS, CPU2_PML)},
        {SET(SECONDARY_CONTROLS, CPU2_VIRTUALIZATION_EXCEPTION)},
        {CLEAR(EXIT_CONTROLS, EXIT_HOST_LONG_MODE)},
        {SET(EXIT_CONTROLS, EXIT_ACKNOWLEDGE_INTERRUPT)},
        {CLEAR(ENTRY_CONTROLS, ENTRY_LOAD_EFER)},
        {SET(ENTRY_CONTROLS, 1 << 10)}, /* entry to SMM */
        {CLEAR(EXCEPTION_BITMAP, 1 << 17)},
        {SET(CR3_TARGET_COUNT, 5)},
        {CLEAR(CR0_MASK, 0x20)},
        {CLEAR(CR4_MASK, 0x2000)},
        {CLEAR(GUEST_CR0, 0x20)},
        {SET(GUEST_CR0, 1 << 30)},
        {CLEAR(GUEST_CR4, 0x2000)},
        {SET(GUEST_EFER, 1 << 12)}, /* SVME */
        {BE(GUEST_ACTIVITY_STATE, 2)},
        {BE(GUEST_ACTIVITY_STATE, 3)},
        {BE(MSR_BITMAP, 0x12000)},  /* L1's own */
        {BE(IO_BITMAP_A, 0x12000)},
        {BE(IO_BITMAP_B, 0x12000)},
        {BE(VMREAD_BITMAP, 0x15000)},
        {BE(VMWRITE_BITMAP, 0x16000)},
        {BE(VMREAD_BITMAP, 0)},
        {BE(VIRTUAL_APIC_ADDRESS, 0x13000)},
        {BE(VIRTUAL_APIC_ADDRESS, 0)},
        {BE(EPT_POINTER, 0x501E)},
        {SET(EPT_POINTER, 0x20)}, /* another form */
        {BE(VMCS_LINK_POINTER, 0x4000)},
        {BE(VMCS_LINK_POINTER, ~0ull)},
        {BE(VPID, 1)}, /* vmcs01's */
        {BE(VPID, 0)},
        {BE(VPID, 5)}, /* L1's */
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint64_t value = (vmcs_get(&good, wrong[i].index) & ~wrong[i].clear) | wrong[i].set;
        const struct nest_assertion *by = judge_with(wrong[i].index, value);
        if (!by)
            fail_msg("%u: %s may be %#llx", i, vmcs_field_name(vmcs_field_rows[wrong[i].index].encoding),
                     (unsigned long long)value);
        if (wrong[i].rule)
            assert_string_equal(by->rule, wrong[i].rule);
        else
            assert_true(by->index == wrong[i].index || by->with == wrong[i].index);
    }
}

static bool row_holds(const struct nest_assertion *row, const struct vmcs *image)
{
    return row->holds(&m.nest, vmcs, image, row->index);
}

/* CP's own controls differ from build to build and with the hardware; what a guest's may be follows from them. */
static void a_guests_controls_may_be_stricter_than_cps_and_never_laxer(void **state)
{
    const uint32_t ports = CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS,
                   cr8 = CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    const uint32_t cpu = 0x0401E172 | CPU_SECONDARY_CONTROLS, base2 = CPU2_EPT;
    const char *const port = "ports exit where CP has them exit", *const tpr = "the TPR is L1's page, or exits";
    const char *const all = "processor-based controls: CP's, and of others what is offered";
    const struct {
        enum vmcs_index index;
        const char *rule;
        uint32_t own, has;
        bool may;
    } rows[] = {
        {VMCS_INDEX_PIN_CONTROLS, NULL, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING,
         0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING, true},
        {VMCS_INDEX_PIN_CONTROLS, NULL, 0x16 | PIN_NMI_EXITING, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu, cpu | cr8, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu, cpu | CPU_CR8_LOAD_EXITING, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu, cpu | CPU_CR8_STORE_EXITING, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu | cr8, cpu, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu, cpu | CPU_RDTSC_EXITING, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, all, cpu | CPU_RDTSC_EXITING, cpu, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, tpr, cr8, CPU_TPR_SHADOW, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, tpr, cr8, CPU_CR8_LOAD_EXITING, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, tpr, cr8, CPU_CR8_STORE_EXITING, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, tpr, 0, cr8, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, 0, 0, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, 0, CPU_IO_BITMAPS, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, 0, CPU_UNCONDITIONAL_IO_EXITING, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_IO_BITMAPS, 0, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_IO_BITMAPS, CPU_HLT_EXITING, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_IO_BITMAPS, CPU_IO_BITMAPS, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_IO_BITMAPS, CPU_UNCONDITIONAL_IO_EXITING, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, ports, 0, false}, /* bitmaps are looked at first, and so are they */
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, ports, CPU_IO_BITMAPS, true},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_UNCONDITIONAL_IO_EXITING, 0, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_UNCONDITIONAL_IO_EXITING, CPU_IO_BITMAPS, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_UNCONDITIONAL_IO_EXITING, ports, false},
        {VMCS_INDEX_PROCESSOR_CONTROLS, port, CPU_UNCONDITIONAL_IO_EXITING, CPU_UNCONDITIONAL_IO_EXITING, true},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2, base2, true},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2, base2 | CPU2_VPID, true},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2, base2 | CPU2_WBINVD_EXITING, true},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2 | CPU2_WBINVD_EXITING, base2, false},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2 | CPU2_WBINVD_EXITING, CPU2_WBINVD_EXITING, false},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2 | CPU2_RDTSCP | CPU2_UNRESTRICTED_GUEST, base2, true},
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, 0, 0, false}, /* never without EPT */
        {VMCS_INDEX_SECONDARY_CONTROLS, NULL, base2, base2 | CPU2_PML, false},
    };
    (void)state;
    m.offered.msr[VMX_TRUE_CPU] &=
        ~((uint64_t)cr8 << 32); /* CP's way to have CR8 exit, offered or not; and its VPIDs */
    m.offered.msr[VMX_CPU2] &= ~((uint64_t)CPU2_VPID << 32);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmcs image = good;
        m.nest.vmcs01.processor_controls = cpu;
        vmcs_set(&m.nest.vmcs01, rows[i].index, rows[i].own);
        vmcs_set(&image, rows[i].index, rows[i].has);
        if (row_holds(row_of(rows[i].index, rows[i].rule), &image) != rows[i].may)
            fail_msg("%u: %#x under CP's %#x", i, rows[i].has, rows[i].own);
    }
}

/* Secondary controls that are not switched on are as good as none: of CP, nothing to keep; of a guest, no EPT. */
static void secondary_controls_count_where_they_are_on(void **state)
{
    const struct nest_assertion *row = row_of(VMCS_INDEX_SECONDARY_CONTROLS, NULL);
    struct vmcs image = good;
    (void)state;
    m.nest.vmcs01.secondary_controls |= CPU2_WBINVD_EXITING;
    m.nest.vmcs01.processor_controls |= CPU_SECONDARY_CONTROLS;
    assert_false(row_holds(row, &image));
    m.nest.vmcs01.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS;
    assert_true(row_holds(row, &image));
    image.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS;
    assert_false(row_holds(row, &image));
}

static void up_to_four_cr3_targets_unless_cp_sees_loads_of_cr3(void **state)
{
    const struct nest_assertion *row = row_of(VMCS_INDEX_CR3_TARGET_COUNT, NULL);
    struct vmcs image = good;
    (void)state;
    m.nest.vmcs01.processor_controls &= ~(uint32_t)CPU_CR3_LOAD_EXITING;
    for (image.cr3_target_count = 0; image.cr3_target_count < 6; image.cr3_target_count++)
        assert_int_equal(row_holds(row, &image), image.cr3_target_count <= 4);
    m.nest.vmcs01.processor_controls |= CPU_CR3_LOAD_EXITING;
    for (image.cr3_target_count = 0; image.cr3_target_count < 6; image.cr3_target_count++)
        assert_int_equal(row_holds(row, &image), image.cr3_target_count == 0);
}

/* Bitmaps: whose a page may be depends on whether hardware looks at it, and whether CP has one. */
static void a_bitmap_is_cps_only_where_cp_has_one(void **state)
{
    const uint32_t uses[] = {CPU_MSR_BITMAPS, CPU_IO_BITMAPS, CPU_IO_BITMAPS};
    const enum vmcs_index fields[] = {VMCS_INDEX_MSR_BITMAP, VMCS_INDEX_IO_BITMAP_A, VMCS_INDEX_IO_BITMAP_B};
    const enum nest_frame frames[] = {NEST_FRAME_MSR_BITMAP, NEST_FRAME_IO_A, NEST_FRAME_IO_B};
    void *const held = vmcs->frames[NEST_FRAME_MSR_BITMAP];
    (void)state;
    vmcs->frames[NEST_FRAME_MSR_BITMAP] = NULL;
    for (unsigned i = 0; i < 3; i++) {
        const struct nest_assertion *row = row_of(fields[i], NULL);
        struct vmcs image = good, *own = &m.nest.vmcs01;
        vmcs_set(own, fields[i], 0x77000);
        vmcs_set(&image, fields[i], 0x77000);
        for (unsigned n = 0; n < 4; n++) {
            bool cp = n & 1, guest = n & 2;
            own->processor_controls = cp ? own->processor_controls | uses[i] : own->processor_controls & ~uses[i];
            image.processor_controls = guest ? image.processor_controls | uses[i] : image.processor_controls & ~uses[i];
            assert_int_equal(row_holds(row, &image), cp || !guest);
        }
        own->processor_controls &= ~uses[i];
        vmcs_set(&image, fields[i], (uintptr_t)held);
        for (unsigned n = 0; n < 4; n++) { /* its frame, wherever it is for this; an address of another purpose never */
            bool guest = n & 1, right = n & 2;
            vmcs->frames[frames[i]] = right ? held : NULL;
            vmcs->frames[NEST_FRAME_VMREAD] = held;
            image.processor_controls = guest ? image.processor_controls | uses[i] : image.processor_controls & ~uses[i];
            assert_int_equal(row_holds(row, &image), right);
        }
        vmcs->frames[frames[i]] = NULL;
    }
    vmcs->frames[NEST_FRAME_VMREAD] = (void *)(uintptr_t)good.vmread_bitmap;
    vmcs->frames[NEST_FRAME_MSR_BITMAP] = held;
}

static void page_faults_exit_if_cp_takes_any(void **state)
{
    (void)state;
    m.nest.vmcs01.page_fault_mask = 1;
    assert_string_equal(judge(&good)->rule, "page faults that CP takes exit");
    good.exception_bitmap |= 1 << 14;
    assert_null(judge(&good));
    assert_non_null(judge_with(VMCS_INDEX_PAGE_FAULT_MASK, 4));
    assert_non_null(judge_with(VMCS_INDEX_PAGE_FAULT_MATCH, 4));
    m.nest.vmcs01.processor_controls |= CPU_CR3_LOAD_EXITING;
    good.processor_controls |= CPU_CR3_LOAD_EXITING;
    assert_null(judge(&good));
    assert_int_equal(judge_with(VMCS_INDEX_CR3_TARGET_COUNT, 1)->index, VMCS_INDEX_CR3_TARGET_COUNT);
}

/* Frames that were CP's, of this machine, for this L2, and are not any more. */
static void an_address_is_of_a_frame_that_is_held_now(void **state)
{
    (void)state;
    void *bitmap = vmcs->frames[NEST_FRAME_MSR_BITMAP];
    vmcs->frames[NEST_FRAME_MSR_BITMAP] = NULL;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_MSR_BITMAP);
    vmcs->frames[NEST_FRAME_MSR_BITMAP] = bitmap;
    uint64_t pinned = vmcs->pinned_apic;
    vmcs->pinned_apic = NEST_NO_ADDRESS;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_VIRTUAL_APIC_ADDRESS);
    vmcs->pinned_apic = pinned + 0x1000; /* pinned, but another than L1 names */
    good.virtual_apic_address += 0x1000;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_VIRTUAL_APIC_ADDRESS);
    vmcs->pinned_apic = pinned;
    good.virtual_apic_address -= 0x1000;
    m.host_page_bytes = 2 << 20; /* a page of storage within a large one is still one */
    assert_null(judge(&good));
    m.host_page_bytes = 4096;
    struct nest_vmcs *link = vmcs->link;
    vmcs->link = NULL;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_VMCS_LINK_POINTER);
    vmcs->link = link;
    struct nest_ept *ept = vmcs->ept, gone = *ept;
    vmcs->ept = NULL;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_EPT_POINTER);
    vmcs->ept = &gone; /* the same root, but none that is kept */
    assert_int_equal(judge(&good)->index, VMCS_INDEX_EPT_POINTER);
    vmcs->ept = ept;
    struct nest_vmcs stranger = *link;
    vmcs->link = &stranger;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_VMCS_LINK_POINTER);
    vmcs->link = link;
    uint64_t named = vmcs->vmcs12.vmcs_link_pointer;
    vmcs->vmcs12.vmcs_link_pointer = 0x9000;
    assert_int_equal(judge(&good)->index, VMCS_INDEX_VMCS_LINK_POINTER);
    vmcs->vmcs12.vmcs_link_pointer = named;
    good.secondary_controls &= ~(uint32_t)CPU2_VMCS_SHADOWING;
    assert_false(row_holds(row_of(VMCS_INDEX_VMCS_LINK_POINTER, NULL), &good));
    good.secondary_controls |= CPU2_VMCS_SHADOWING;
    assert_null(judge(&good));
}

/* VPIDs are a range of this machine's; without one a guest shares no tag with L1. */
static void a_tag_is_of_the_range_for_guests(void **state)
{
    const struct nest_assertion *row = row_of(VMCS_INDEX_VPID, NULL);
    struct vmcs image = good;
    (void)state;
    for (image.vpid = 0; image.vpid < 64; image.vpid++)
        assert_int_equal(row_holds(row, &image), image.vpid >= 16 && image.vpid < 32);
    image.secondary_controls &= ~(uint32_t)CPU2_VPID;
    for (image.vpid = 0; image.vpid < 64; image.vpid++)
        assert_int_equal(row_holds(row, &image), image.vpid != m.base.vpid);
    m.nest.vmcs01.vpid = image.vpid = 0;
    assert_true(row_holds(row, &image));
}

static void an_image_never_carries_events_or_the_timer(void **state)
{
    static const uint8_t fields[] = {VMCS_INDEX_ENTRY_INTERRUPTION_INFO, VMCS_INDEX_ENTRY_EXCEPTION_ERROR_CODE,
                                     VMCS_INDEX_ENTRY_INSTRUCTION_LENGTH, VMCS_INDEX_PREEMPTION_TIMER};
    (void)state;
    for (unsigned i = 0; i < sizeof(fields); i++) {
        struct vmcs_set changed = {{0}};
        vmcs_set_add(&changed, fields[i]);
        assert_int_equal(nest_assert(&m.nest, vmcs, &good, &changed)->index, fields[i]);
        assert_true(vmcs_set_has(&nest_assert_fields, fields[i]));
    }
}

/* What asks on the machine whether there is anything to ask. */
static void the_set_has_every_field_a_row_is_about_and_no_hot_one(void **state)
{
    const struct nest_assertion *table;
    struct vmcs_set fields = {{0}};
    (void)state;
    for (unsigned i = nest_assertions(&table); i-- > 0;)
        vmcs_set_add(&fields, table[i].index), vmcs_set_add(&fields, table[i].with);
    assert_memory_equal(&fields, &nest_assert_fields, sizeof(fields));
    assert_false(vmcs_set_has(&fields, VMCS_INDEX_GUEST_RIP) || vmcs_set_has(&fields, VMCS_INDEX_GUEST_RSP));
    assert_false(vmcs_set_has(&fields, VMCS_INDEX_GUEST_RFLAGS) ||
                 vmcs_set_has(&fields, VMCS_INDEX_GUEST_INTERRUPTIBILITY));
}

static void an_unsound_vmcs02_is_not_loaded(void **state)
{
    struct nest_entry entry;
    (void)state;
    nest_recomputes = false; /* the assertions are to find it alone */
    vmcs->vmcs02.host_rip ^= 1;
    assert_int_equal(nest_load(&m.nest, &entry), NEST_UNSOUND);
    assert_int_equal(m.nest.unsound, VMCS_INDEX_HOST_RIP);
    assert_string_equal(m.traced, "host RIP");
    assert_int_equal(nest_load(&m.nest, &entry), NEST_UNSOUND); /* however often it is tried */
    vmcs->vmcs02.host_rip ^= 1;
    nest_recomputes = true;
    assert_int_equal(nest_load(&m.nest, &entry), NEST_RESUME);
}

static void events_are_such_as_may_be_injected(void **state)
{
    (void)state;
    const uint32_t valid = 1u << 31, error = 1 << 11;
    const struct {
        uint32_t info, code;
        bool may;
    } events[] = {
        {0x7FFFFFFF, ~0u, true},
        {valid | 0x20, 0, true},
        {valid | 2 << 8 | 2, 0, true},
        {valid | 2 << 8 | 3, 0, false},
        {valid | 1 << 8 | 9, 0, false},
        {valid | 3 << 8 | 13 | error, 0x10, true},
        {valid | 3 << 8 | 13 | error, 0x10000, false},
        {valid | 3 << 8 | 3 | error, 0, false},
        {valid | 3 << 8 | 32, 0, false},
        {valid | 3 << 8 | 31, 0, true},
        {valid | 4 << 8 | 0x80, 0, true},
        {valid | 4 << 8 | 0x80 | error, 0, false},
        {valid | 5 << 8 | 1, 0, true},
        {valid | 6 << 8 | 3, 0, true},
        {valid | 7 << 8, 0, false},
        {valid | 3 << 8 | 6 | 1 << 12, 0, false},
        {valid | 3 << 8 | 6 | 1 << 30, 0, false},
        {valid | 3 << 8 | 8 | error, 0, true},
        {valid | 3 << 8 | 17 | error, 0, true},
        {valid | 3 << 8 | 16 | error, 0, false},
    };
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (nest_assert_event(events[i].info, events[i].code) != events[i].may)
            fail_msg("event %#x", events[i].info);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, stop)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_merge_makes_passes),
        TEST(every_bit_of_what_is_cps_alone_is_looked_at),
        TEST(no_field_of_cps_is_without_a_row),
        TEST(each_row_refuses_what_it_is_about),
        TEST(a_guests_controls_may_be_stricter_than_cps_and_never_laxer),
        TEST(secondary_controls_count_where_they_are_on),
        TEST(up_to_four_cr3_targets_unless_cp_sees_loads_of_cr3),
        TEST(a_bitmap_is_cps_only_where_cp_has_one),
        TEST(page_faults_exit_if_cp_takes_any),
        TEST(an_address_is_of_a_frame_that_is_held_now),
        TEST(a_tag_is_of_the_range_for_guests),
        TEST(an_image_never_carries_events_or_the_timer),
        TEST(the_set_has_every_field_a_row_is_about_and_no_hot_one),
        TEST(an_unsound_vmcs02_is_not_loaded),
        TEST(events_are_such_as_may_be_injected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
