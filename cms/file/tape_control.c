/* TAPE's control functions: the tape to where it is wanted, and tape marks. */
#include "cms/command/messages.h"
#include "cms/file/tape.h"

static int read_count(const struct arguments *a, uint32_t *count)
{
    *count = 1;
    if (a->count > 2)
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    if (a->count == 2 && (!cms_number(&a->operand[1], count) || !*count))
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[1]));
    return 0;
}

/* Counts blocks and marks, or marks alone, from `at` to `end` or to the count-th; *before: where that begins. */
static int count_to(struct tape_in *in, bool marks, uint64_t end, uint32_t *count, uint64_t *before)
{
    struct aws_reader *tape = &in->dump->tape;
    uint32_t most = *count;
    size_t length;
    for (*count = 0; *count < most && tape->at < end;) {
        uint64_t at = tape->at;
        if (cms_halted())
            return COMMAND_HALTED;
        enum aws_status status = aws_read(tape, in->dump->block, &length);
        if (status == AWS_END)
            return 0;
        if (status == AWS_DAMAGED || status == AWS_IO)
            return cms_tape_failed(in, DUMP_TAPE);
        if (!marks || status == AWS_MARK) {
            ++*count;
            *before = at;
        }
    }
    return 0;
}

static int forward(struct tape_in *in, bool marks, uint32_t count)
{
    uint64_t before;
    uint32_t passed = count;
    int rc = count_to(in, marks, UINT64_MAX, &passed, &before);
    in->unit->at = in->dump->tape.at;
    return rc || passed == count ? rc : cms_tape_failed(in, DUMP_END);
}

/* A tape's blocks can only be counted from its beginning. */
static int backward(struct tape_in *in, bool marks, uint32_t count)
{
    uint64_t end = in->unit->at, before = 0;
    uint32_t all = UINT32_MAX;
    in->dump->tape.at = 0;
    int rc = count_to(in, marks, end, &all, &before);
    if (rc)
        return rc;
    in->unit->at = 0;
    if (count > all)
        return cms_tape_failed(in, DUMP_END);
    in->dump->tape.at = 0;
    all -= count - 1;
    rc = count_to(in, marks, end, &all, &before);
    in->unit->at = before;
    return rc;
}

static int move(const struct arguments *a, struct tape *t, int (*how)(struct tape_in *, bool, uint32_t), bool marks)
{
    struct tape_in in = {0};
    uint32_t count;
    int rc = read_count(a, &count);
    if (rc)
        return rc;
    rc = cms_tape_open(&in, t->unit);
    if (!rc)
        rc = how(&in, marks, count);
    cms_tape_close(&in);
    return rc;
}

int cms_tape_bsf(const struct arguments *a, struct tape *t) { return move(a, t, backward, true); }
int cms_tape_bsr(const struct arguments *a, struct tape *t) { return move(a, t, backward, false); }
int cms_tape_fsf(const struct arguments *a, struct tape *t) { return move(a, t, forward, true); }
int cms_tape_fsr(const struct arguments *a, struct tape *t) { return move(a, t, forward, false); }

int cms_tape_rew(const struct arguments *a, struct tape *t)
{
    uint32_t count;
    int rc = read_count(a, &count);
    if (!rc)
        t->unit->at = 0;
    return rc;
}

int cms_tape_wtm(const struct arguments *a, struct tape *t)
{
    struct tape_out out = {0};
    uint32_t count;
    int rc = read_count(a, &count);
    if (rc)
        return rc;
    rc = cms_tape_create(&out, t->unit);
    for (; !rc && count; count--)
        rc = cms_halted() ? COMMAND_HALTED : aws_write_mark(&out.dump->tape) ? cms_tape_out_failed(&out) : 0;
    if (!rc)
        rc = cms_tape_commit(&out, out.at);
    cms_tape_abandon(&out);
    return rc;
}
