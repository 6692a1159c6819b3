/* What is written down of a story of the chain: what V2, L3 and CP1 see, step by step, in each of three runs. */
#pragma once
#include "tests/unit/nest_chain_scene.h"

enum { TRIALS = 250, STEPS = 120, MOST_LINES = STEPS * 5 };
enum { HAS_ERROR = 1 << 11, TYPE = 7 << 8, SOFTWARE = 4 << 8 };
enum run { NEVER, ALWAYS, SOMETIMES, RUNS };

/* What somebody saw at a step. */
struct line {
    unsigned step, kind;
    uint64_t value[6];
    uint64_t gpr[16];
    struct vmcs fields; /* of P2 (V2 looks), or of what L3 runs with */
    uint64_t storage;   /* V2's, all but the pages */
};
enum { V2_RUNS, L3_RUNS, CP1_SEES, KINDS };

static struct line lines[RUNS][MOST_LINES];
static unsigned count[RUNS], now, step;
static enum run run;
static uint64_t story, chance; /* of what happens in all; of what each does for itself */
static unsigned by_regions; /* of 100 steps of V2 */
static unsigned carried, calls, refused, given_back;

static uint64_t random_of(uint64_t *seed)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed * 0x2545F4914F6CDD1Dull >> 16;
}

static unsigned pick(unsigned of)
{
    return (unsigned)(random_of(&story) % of);
}

static unsigned luck(unsigned of)
{
    return (unsigned)(random_of(&chance) % of);
}

/* ---- what is seen ---------------------------------------------------------------------------- */

static uint64_t sum(uint64_t from, uint64_t to)
{
    uint64_t hash = 14695981039346656037ull;
    const uint64_t *at = (const uint64_t *)(uintptr_t)(TOWER_V2 + from);
    for (uint64_t i = 0; i < (to - from) / 8; i++)
        hash = (hash ^ at[i]) * 1099511628211ull;
    return hash;
}

static struct line *line(unsigned kind)
{
    struct line *l = &lines[run][count[run]];
    if (count[run] == MOST_LINES)
        fail_msg("a long story");
    count[run]++;
    memset(l, 0, sizeof(*l));
    l->step = step, l->kind = kind;
    return l;
}

/* Of a field that V2 wrote for an event that was in delivery when its guest stopped nobody says anything: the valid
 * bit is what counts. */
static void forget_event(struct vmcs *v)
{
    if (v->entry_interruption_info >> 31)
        return;
    v->entry_interruption_info = 0, v->entry_exception_error_code = 0, v->entry_instruction_length = 0;
}

static void guest_area(struct vmcs *to, const struct vmcs *from)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_GUEST &&
            i != VMCS_INDEX_PREEMPTION_TIMER && i != VMCS_INDEX_VMCS_LINK_POINTER)
            vmcs_set(to, i, vmcs_get(from, i));
    to->cr0_shadow = from->cr0_shadow, to->cr4_shadow = from->cr4_shadow;
}

static void look(void)
{
    sound();
    struct line *l = line(t.in_l3 ? L3_RUNS : V2_RUNS);
    memcpy(l->gpr, t.m.gpr, sizeof(l->gpr));
    guest_area(&l->fields, &t.m.loaded->held);
    l->value[0] = t.h2_exits;
    if (t.in_l3)
        return;
    l->storage = sum(0, P2) ^ sum(P2B + 0x1000, REGION) ^ sum(REGION_B + 0x1000, TOWER_V2_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        struct line *page = line(V2_RUNS);
        const struct vmcs_page *at = page_at(i ? P2B : P2);
        page->fields = at->fields;
        forget_event(&page->fields);
        page->value[0] = 2 + i, page->value[1] = at->resumes, page->value[2] = at->abort;
    }
}

static void seen(struct tower *tower, const struct exit *exit)
{
    (void)tower;
    switch (exit->reason & 0xFFFF) {
    case EXIT_EXTERNAL_INTERRUPT:
    case EXIT_PREEMPTION_TIMER:
    case EXIT_INTERRUPT_WINDOW:
    case EXIT_EPT_VIOLATION:
    case EXIT_VMCALL:
        return; /* its own affairs, and what it lets V2 have of storage and when */
    default:
        break;
    }
    if (nest_is_instruction(exit->reason & 0xFFFF))
        return; /* nor what it delegated */
    struct line *l = line(CP1_SEES);
    l->value[0] = exit->reason, l->value[1] = exit->qualification, l->value[2] = exit->rip;
    l->value[3] = exit->instruction_info, l->value[4] = exit->instruction_length;
    memcpy(l->gpr, t.m.gpr, sizeof(l->gpr));
}
