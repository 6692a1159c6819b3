/* Owns the judgement of hardware errors and the notes of those nobody has heard of yet. In: banks, as
 * cp/cpu reads them. Out: a verdict, a stopped machine, words for the operator. SDM "Machine-Check Error
 * Codes", "Machine-Check Recovery". */
#include "cp/vcpu/machine_check.h"

#include "cp/vcpu/edge.h"
#include "lib/format.h"

enum { NOTES = 4, WATCH_SECONDS = 10 };
static const char goes_on[] = "all goes on";

void (*machine_check_told)(const struct machine_check *, const char *outcome);

/* Made by CP's own #MC, which may have interrupted anything, and told of from the
 * event loop: one writer, one reader. */
static struct machine_check notes[NOTES];
static volatile unsigned noted, told;
volatile bool machine_check_waits;

static void tell(const struct machine_check *check, const char *outcome)
{
    if (machine_check_told)
        machine_check_told(check, outcome);
}

void machine_check_note(const struct machine_check *check)
{
    if (noted - told < NOTES) /* of more at once the first count */
        notes[noted % NOTES] = *check, noted++;
    machine_check_waits = true;
}

/* Worst first; the first row one of whose bits are all set counts. */
static const struct rule {
    uint64_t bits;
    bool blind; /* only where the banks do not tell what must be done */
    enum machine_check_verdict verdict;
} rules[] = {
    {MACHINE_CHECK_CONTEXT_CORRUPT, false, MACHINE_CHECK_FATAL},
    /* one more, of which nothing is known */
    {MACHINE_CHECK_UNCORRECTED | MACHINE_CHECK_OVERFLOW, false, MACHINE_CHECK_FATAL},
    {MACHINE_CHECK_UNCORRECTED | MACHINE_CHECK_ACTION_REQUIRED, false, MACHINE_CHECK_VICTIM},
    {MACHINE_CHECK_UNCORRECTED, true, MACHINE_CHECK_VICTIM},
};

static enum machine_check_verdict judge_bank(uint64_t status, bool recovers)
{
    for (const struct rule *r = rules; r < rules + sizeof rules / sizeof *rules; r++)
        if ((status & r->bits) == r->bits && !(r->blind && recovers))
            return r->verdict;
    return MACHINE_CHECK_GO_ON;
}

static const struct machine_check_bank *worst(const struct machine_check *check, enum machine_check_verdict *verdict)
{
    const struct machine_check_bank *found = NULL;

    *verdict = MACHINE_CHECK_GO_ON;
    for (const struct machine_check_bank *b = check->bank; b < check->bank + check->banks; b++) {
        enum machine_check_verdict one = judge_bank(b->status, check->recovers);
        if (!found || one > *verdict)
            found = b, *verdict = one;
    }
    return found;
}

enum machine_check_verdict machine_check_judge(const struct machine_check *check)
{
    enum machine_check_verdict verdict;

    worst(check, &verdict);
    if (verdict == MACHINE_CHECK_GO_ON && !(check->global & MACHINE_CHECK_RESTART))
        return MACHINE_CHECK_VICTIM;
    return verdict;
}

void machine_check_text(const struct machine_check *check, char *text, size_t size)
{
    enum machine_check_verdict verdict;
    const struct machine_check_bank *b = worst(check, &verdict);

    if (!b)
        format_text(text, size, "no bank tells why, MCG_STATUS %llX", (unsigned long long)check->global);
    else if (b->status & MACHINE_CHECK_HAS_ADDRESS)
        format_text(text, size, "bank %u, status %016llX, address %llX", b->number, (unsigned long long)b->status,
                    (unsigned long long)b->address);
    else
        format_text(text, size, "bank %u, status %016llX", b->number, (unsigned long long)b->status);
}

bool machine_check_in_cp(const struct machine_check *check)
{
    if (machine_check_judge(check) != MACHINE_CHECK_GO_ON)
        return false;
    machine_check_note(check);
    return true;
}

/* What the banks hold; CP ends if that is not to be survived. */
static enum machine_check_verdict take(struct machine_check *check)
{
    cpu_machine_check_take(check);
    enum machine_check_verdict verdict = machine_check_judge(check);
    if (verdict == MACHINE_CHECK_FATAL)
        cpu_machine_check_end(check);
    return verdict;
}

static void stop(struct vm *vm, const struct machine_check *check)
{
    char outcome[60];

    vm_stop(vm, VM_STOP_MACHINE_CHECK, 0);
    format_text(outcome, sizeof outcome, "the machine of %s was stopped", vm->config.userid);
    tell(check, outcome);
}

enum exit_action machine_check_in_guest(struct vm *vm)
{
    struct machine_check check;

    if (take(&check) == MACHINE_CHECK_GO_ON) {
        tell(&check, goes_on);
        return EXIT_RESUME;
    }
    stop(vm, &check);
    return EXIT_STOP;
}

void machine_check_shut_down(struct vm *vm)
{
    struct machine_check check;

    if (!cpu_machine_check_under_way()) {
        vm_stop(vm, VM_STOP_TRIPLE_FAULT, 0);
        return;
    }
    take(&check);
    stop(vm, &check);
}

void machine_check_report(void)
{
    machine_check_waits = false;
    for (; told != noted; told++)
        tell(&notes[told % NOTES], goes_on);
}

/* Corrected errors raise nothing; nor is a #MC intercepted that QEMU's SVM gave to a guest. */
static void look(struct timer *timer)
{
    struct machine_check check;

    cpu_machine_check_take(&check);
    if (check.banks || check.global & MACHINE_CHECK_UNDER_WAY)
        tell(&check, goes_on);
    timer_arm(timer, clock_now() + WATCH_SECONDS * clock_hz);
}

void machine_check_watch(void)
{
    static struct timer timer = {.expire = look};

    if (cpu_machine_check_banks())
        timer_arm(&timer, clock_now() + WATCH_SECONDS * clock_hz);
}
