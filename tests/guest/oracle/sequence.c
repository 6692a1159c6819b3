/* Sequences of generated instructions; see sequence.h. */
#include "tests/guest/oracle/sequence.h"

#include <string.h>

#define NOT_CANONICAL 0x8000000000000000ull
enum { DR7_NONE = 0x400, DR7_EXECUTE = 0, DR7_WRITE = 1, DR7_IO = 2, DR7_ACCESS = 3, SCRATCH_PORT = 0x3FF };

uint64_t oracle_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545F4914F6CDD1Dull;
}

unsigned oracle_below(uint64_t *state, unsigned n) { return (unsigned)((oracle_random(state) >> 33) % n); }

uint64_t sequence_random(struct sequence *s) { return oracle_random(&s->seed); }
unsigned sequence_below(struct sequence *s, unsigned n) { return oracle_below(&s->seed, n); }

void put(struct sequence *s, unsigned bytes, const void *code)
{
    s->instruction[s->instructions++] = (uint16_t)s->bytes;
    memcpy(s->code + s->bytes, code, bytes);
    s->bytes += bytes;
}

/* ---- operands ------------------------------------------------------------------------- */

/* What is asked of a device's register must be four bytes, and of one that only keeps what is stored. */
static uint64_t device_register(struct sequence *s)
{
    static const uint16_t registers[] = {0x80 /* TPR */, 0xD0 /* LDR */, 0xE0 /* DFR */};

    return ORACLE_AT(PAGE_DEVICE, registers[sequence_below(s, 3)]);
}

static uint64_t over_the_end(struct sequence *s, enum oracle_page page, unsigned bytes)
{
    return ORACLE_AT(page + 1, 0) - 1 - (bytes > 1 ? sequence_below(s, bytes - 1) : 0);
}

uint64_t sequence_place(struct sequence *s, unsigned bytes, bool aligned)
{
    unsigned kind = sequence_below(s, 26), middle = TOUCHED_MIDDLE + sequence_below(s, 4) * 16;

    if (!aligned)
        middle += sequence_below(s, 16);
    if (bytes == 4 && kind < 5)
        return device_register(s);
    if (s->host.stores_halves && bytes >= 16 && (kind == 9 || kind == 11))
        kind = 12;
    if (aligned && (kind == 7 || kind == 9 || (kind >= 11 && kind <= 14)))
        kind = 18;
    switch (kind) {
    case 5:
    case 6: return ORACLE_AT(PAGE_FRESH + sequence_below(s, 2), middle);
    case 7: return over_the_end(s, PAGE_FRESH, bytes);
    case 8: return ORACLE_AT(PAGE_ABSENT, middle);
    case 9: return over_the_end(s, PAGE_DATA2, bytes);
    case 10: return ORACLE_AT(PAGE_READ, middle);
    case 11: return s->host.reads_first ? ORACLE_AT(PAGE_READ, middle) : over_the_end(s, PAGE_READ, bytes);
    case 12:
    case 13:
    case 14: return over_the_end(s, PAGE_DATA, bytes);
    case 15:
    case 16: return ORACLE_AT(PAGE_LAZY, middle);
    case 24: return ORACLE_AT(PAGE_HOLE, middle);
    case 25: return aligned ? ORACLE_AT(PAGE_HOLE, middle) : over_the_end(s, PAGE_FRESH2, bytes);
    case 17: return sequence_below(s, 4) ? ORACLE_AT(PAGE_DATA2, middle) : NOT_CANONICAL | middle;
    default: return ORACLE_AT(PAGE_DATA, middle);
    }
}

uint64_t sequence_memory(struct sequence *s, unsigned bytes, bool aligned)
{
    for (;;) {
        uint64_t at = sequence_place(s, bytes, aligned);
        if (at >= ORACLE_AT(PAGE_DEVICE + 1, 0) || at + bytes <= ORACLE_AT(PAGE_HOLE, 0))
            return at;
    }
}

/* ---- the whole ----------------------------------------------------------------------------- */

static const struct row *pick(struct sequence *s)
{
    static unsigned sum;
    const struct row *row = oracle_rows;

    if (!sum)
        for (unsigned i = 0; i < oracle_row_count; i++)
            sum += oracle_rows[i].weight;
    unsigned at = sequence_below(s, sum);
    while (at >= row->weight)
        at -= row++->weight;
    bool other = (s->mood == MOOD_BREAKPOINTS && row->form & SENDS) || (s->host.stale_flags && row->form & KEEPS_FLAGS);
    return other ? oracle_rows : row;
}

/* Undefined flags become defined ones. */
static void put_comparison(struct sequence *s)
{
    PUT(s, 0x48, 0x83, (uint8_t)(0xF8 | (sequence_below(s, 4) == 0)), (uint8_t)sequence_random(s));
}

static void put_unit(struct sequence *s)
{
    struct unit *unit = &s->unit[s->units++];

    unit->start = (uint16_t)s->bytes;
    unit->row = pick(s);
    unit->undefined = unit->row->undefined;
    unit->row->emit(s, unit->row);
    if (unit->undefined)
        put_comparison(s);
}

static void arm(struct sequence *s, unsigned n, uint64_t address, unsigned what, unsigned length)
{
    s->dr[n] = address;
    s->dr7 |= 2ull << 2 * n | (uint64_t)(what | length << 2) << (16 + 4 * n);
}

/* Where some host meets it otherwise there is none. */
static bool breakable(const struct sequence *s, unsigned n)
{
    const uint8_t *code = s->code + s->instruction[n];
    uint8_t before = n ? s->code[s->instruction[n - 1]] : 0;

    return !(s->host.breaks_repetitions && (code[0] == 0xF2 || code[0] == 0xF3)) &&
           !(s->host.breaks_behind_mov_ss && before == 0x8E) &&
           !(s->host.skips_behind_int && (before == 0xCC || before == 0xCD));
}

/* Often behind the one before: what RF does to that one it must not do to this. */
static void break_at(struct sequence *s, unsigned n, unsigned *last)
{
    unsigned instruction = n % 2 && *last + 1u < s->instructions ? *last + 1 : sequence_below(s, s->instructions);

    *last = instruction;
    if (breakable(s, instruction))
        arm(s, n, ORACLE_AT(PAGE_CODE, s->offset) + s->instruction[instruction], DR7_EXECUTE, 0);
}

/* They lie where the operands do. */
static void watch(struct sequence *s, unsigned n)
{
    uint64_t data = ORACLE_AT(sequence_below(s, 2) ? PAGE_DATA : PAGE_FRESH, TOUCHED_MIDDLE) + sequence_below(s, 8) * 8;

    if (sequence_below(s, 3) == 0)
        arm(s, n, SCRATCH_PORT, DR7_IO, 0);
    else if (sequence_below(s, 3) == 0)
        arm(s, n, device_register(s), DR7_ACCESS, 3);
    else
        arm(s, n, data, sequence_below(s, 2) ? DR7_WRITE : DR7_ACCESS, 3);
}

bool sequence_denies(uint64_t seed, uint64_t number)
{
    return (seed + number * 0x9E3779B97F4A7C15ull) * 0xBF58476D1CE4E5B9ull >> 40 & 1;
}

static void start(struct sequence *s, uint64_t seed, uint64_t number)
{
    memset(s, 0, offsetof(struct sequence, unit));
    s->seed = (seed * 0x9E3779B97F4A7C15ull + number) * 0xBF58476D1CE4E5B9ull | 1;
    for (unsigned i = 0; i < 8; i++)
        sequence_random(s);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = sequence_random(s);
        s->registers[i] = sequence_below(s, 3) ? value >> sequence_below(s, 64) : value;
        s->vector[i][0] = sequence_random(s);
        s->vector[i][1] = sequence_random(s);
    }
    s->registers[4] = ORACLE_AT(PAGE_RETURN, -0x100);
    s->flags = 2 | (sequence_random(s) & (FLAGS_ARITHMETIC | FLAG_I));
    s->offset = (uint16_t)(ORACLE_PAGE - 16 - sequence_below(s, 400));
    s->dr7 = DR7_NONE;
    s->nmis = sequence_below(s, 3);
}

void sequence_make(struct sequence *s, uint64_t seed, uint64_t number, struct oracle_host host,
                   struct oracle_place place)
{
    start(s, seed, number);
    s->host = host;
    s->place = place;
    s->denies = sequence_denies(seed, number);
    unsigned mood = sequence_below(s, 8), units = 4 + sequence_below(s, MOST_UNITS - 4);

    s->mood = mood < 3                                  ? MOOD_PLAIN
              : mood < 5                                ? MOOD_STEPPED
              : mood < 7 || s->host.no_data_breakpoints ? MOOD_BREAKPOINTS
                                                        : MOOD_WATCHED;
    unsigned last = 0;
    while (s->units < units)
        put_unit(s);
    if (s->mood == MOOD_STEPPED)
        s->flags |= FLAG_T;
    for (unsigned n = 0; n < 4; n++) {
        if (s->mood == MOOD_BREAKPOINTS)
            break_at(s, n, &last);
        if (s->mood == MOOD_WATCHED)
            watch(s, n);
    }
}
