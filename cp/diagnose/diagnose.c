/* DIAGNOSE. In: a guest's VMCALL, every register and every byte of it hostile. Out: results in storage and registers.
 * A buffer is judged whole before anything happens, read once, and written once. */
#include "cp/diagnose.h"

#include <string.h>

#include "cp/diagnose/buffer.h"
#include "cp/diagnose/chain.h"
#include "cp/diagnose/directory.h"
#include "cp/diagnose/disk.h"
#include "cp/diagnose/machine.h"
#include "cp/diagnose/spool.h"
#include "cp/message/level.h"
#include "cp/session/dial.h"
#include "cp/session/obey.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { CONSOLE_ROOM = 32768 /* in the output queue, before a response may go to the console */ };
enum { CONSOLE_PIECE = 256 };

static uint64_t identify(struct vm *vm)
{
    struct diagnose_identity identity = {0};
    if (vm->vcpu.gpr[RCX] < sizeof identity)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, vm->vcpu.gpr[RBX], sizeof identity))
        return DIAGNOSE_BAD_ADDRESS;
    diagnose_pad(identity.product, sizeof identity.product, CP_PRODUCT);
    diagnose_pad(identity.version, sizeof identity.version, CP_VERSION);
    diagnose_pad(identity.user, sizeof identity.user, vm->config.userid);
    return diagnose_of_access(guest_write(&vm->storage, gpa(vm->vcpu.gpr[RBX]), &identity, sizeof identity));
}

static uint64_t times(struct vm *vm)
{
    uint64_t now = clock_unix_us();
    struct diagnose_times times = {
        .unix_seconds = now / 1000000,
        .microseconds = now % 1000000,
        .virtual_ns = clock_ns(vm->virtual_ticks),
        .total_ns = clock_ns(vm_total_ticks(vm)),
    };
    if (vm->vcpu.gpr[RCX] < sizeof times)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, vm->vcpu.gpr[RBX], sizeof times))
        return DIAGNOSE_BAD_ADDRESS;
    return diagnose_of_access(guest_write(&vm->storage, gpa(vm->vcpu.gpr[RBX]), &times, sizeof times));
}

static uint64_t chain(struct vm *vm)
{
    static char text[DIAGNOSE_CHAIN_MAX]; /* one call at a time */
    uint64_t at = vm->vcpu.gpr[RBX], size = vm->vcpu.gpr[RCX];
    if (!size || size > DIAGNOSE_CHAIN_MAX)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, at, size))
        return DIAGNOSE_BAD_ADDRESS;
    unsigned length = chain_text(vm, text, sizeof text), fits = length < size ? length : size;
    enum guest_access access = guest_write(&vm->storage, gpa(at), text, fits);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    vm->vcpu.gpr[RCX] = fits;
    vm->vcpu.gpr[RDX] = length > fits;
    return DIAGNOSE_OK;
}

/* In pieces, so that little is fetched in vain where there is little room. */
static uint64_t console(struct vm *vm)
{
    uint8_t bytes[CONSOLE_PIECE];
    uint64_t at = vm->vcpu.gpr[RBX], length = vm->vcpu.gpr[RCX];
    if (!length || length > DIAGNOSE_CONSOLE_MAX)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, at, length))
        return DIAGNOSE_BAD_ADDRESS;
    uint64_t done = 0;
    for (unsigned piece = sizeof bytes, taken = piece; done < length && taken == piece; done += taken) {
        piece = length - done < sizeof bytes ? (unsigned)(length - done) : (unsigned)sizeof bytes;
        enum guest_access access = guest_read(&vm->storage, gpa(at + done), bytes, piece);
        if (access != GUEST_OK && !done)
            return diagnose_of_access(access);
        taken = access == GUEST_OK ? machine_transmit(&vm->machine, 0, bytes, piece) : 0;
    }
    vm->vcpu.gpr[RCX] = done;
    return DIAGNOSE_OK;
}

static uint64_t special(struct vm *vm)
{
    struct diagnose_special message;
    struct special *queue = &vm->session->special;
    uint64_t *gpr = vm->vcpu.gpr;
    if (gpr[RCX] < sizeof message)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, gpr[RBX], sizeof message))
        return DIAGNOSE_BAD_ADDRESS;
    unsigned bytes = special_first(queue, &message);
    if (!bytes)
        return DIAGNOSE_NO_MESSAGE;
    enum guest_access access = guest_write(&vm->storage, gpa(gpr[RBX]), &message, bytes);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    special_drop(queue);
    gpr[RCX] = bytes;
    gpr[RDX] = queue->used != 0;
    return DIAGNOSE_OK;
}

static uint64_t forbidden(struct vm *vm)
{
    const char *names = vm->config.forbidden;
    uint64_t at = vm->vcpu.gpr[RBX];
    _Static_assert(sizeof vm->config.forbidden == DIAGNOSE_FORBIDDEN_BYTES, "the contract's");
    if (vm->vcpu.gpr[RCX] < sizeof vm->config.forbidden)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, at, sizeof vm->config.forbidden))
        return DIAGNOSE_BAD_ADDRESS;
    return diagnose_of_access(guest_write(&vm->storage, gpa(at), names, sizeof vm->config.forbidden));
}

static uint64_t line(struct vm *vm)
{
    uint64_t port = vm->vcpu.gpr[RBX];
    const struct session *there = dial_there(vm, port);
    vm->vcpu.gpr[RCX] = there ? session_columns(there) : 0;
    vm->vcpu.gpr[RDX] = there ? session_rows(there) : 0;
    return DIAGNOSE_OK;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

/* The task of a machine whose next line is to be obeyed: nothing is left of the one before. */
static bool next_line(struct session *s, struct response *response, unsigned *code)
{
    (void)s, (void)response, (void)code;
    return true;
}

/* A line takes longer, and the machine rests till it is done; SLEEP is done as soon as the machine does. */
static bool takes_longer(const struct session *s) { return session_rests(s) && s->state != SESSION_SLEEP; }

/* Obeys the lines of `text` in turn, up to the first that fails or changes what the machine does. Those after one that
 * takes longer, or for which there is no time now, are kept. */
static unsigned obey(struct session *s, struct response *response, char *text)
{
    unsigned code = 0;
    char *line = text;
    for (char *end; line && !code && !s->deed.noted && !session_rests(s); line = end ? end + 1 : NULL) {
        if (line != text && work_over()) {
            task_begin(s, next_line, true);
            break;
        }
        end = strchr(line, '\n');
        if (end)
            *end = 0;
        code = command_run(s, response, line);
    }
    if (takes_longer(s))
        memmove(s->asked.lines, line ? line : "", line ? strlen(line) + 1 : 1);
    return code;
}

static struct response begin_answer(struct session *s)
{
    static char buffer[DIAGNOSE_RESPONSE_MAX]; /* one call at a time: CP handles an exit to its end */
    const struct asked *asked = &s->asked;
    return (struct response){.session = s, .buffer = asked->size ? buffer : NULL, .size = asked->size - asked->used,
                             .machine_asks = true};
}

/* What was answered goes to the machine's buffer, and if that was all, the results to its registers. Returns RAX. */
static uint64_t give_answer(struct session *s, const struct response *response, unsigned code, bool all)
{
    struct asked *asked = &s->asked;
    struct vcpu *v = &s->vm->vcpu;
    enum guest_access access = guest_write(&s->vm->storage, gpa(asked->to + asked->used), response->buffer,
                                           response->length);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    asked->used += response->length;
    asked->truncated |= response->truncated;
    if (!all)
        return DIAGNOSE_OK;
    v->gpr[RBX] = code;
    v->gpr[RCX] = asked->used;
    v->gpr[RDX] = asked->truncated;
    return DIAGNOSE_OK;
}

bool diagnose_go_on(struct session *s)
{
    struct response response = begin_answer(s);
    unsigned code = 0;
    bool last = s->task.step(s, &response, &code);
    if (last && !code)
        code = obey(s, &response, s->asked.lines);
    s->vm->vcpu.gpr[RAX] = give_answer(s, &response, code, last && !takes_longer(s));
    return last;
}

static uint64_t command(struct vm *vm)
{
    uint64_t at = vm->vcpu.gpr[RBX], length = vm->vcpu.gpr[RCX];
    uint64_t to = vm->vcpu.gpr[RDX], size = vm->vcpu.gpr[RSI];
    char text[DIAGNOSE_COMMAND_MAX + 1];
    if (!length || length > DIAGNOSE_COMMAND_MAX || size > DIAGNOSE_RESPONSE_MAX)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, at, length) || (size && !diagnose_in_ram(vm, to, size)))
        return DIAGNOSE_BAD_ADDRESS;
    enum guest_access access = guest_read(&vm->storage, gpa(at), text, length);
    if (access == GUEST_OK && size)
        access = diagnose_touch(vm, to, size);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    text[length] = 0;
    struct session *s = vm->session;
    if (!size && output_room(&s->output) < CONSOLE_ROOM)
        return DIAGNOSE_BUSY;
    s->asked = (struct asked){.to = to, .size = size};
    work_slice();
    struct response response = begin_answer(s);
    unsigned code = obey(s, &response, text);
    return give_answer(s, &response, code, !takes_longer(s));
}

uint64_t diagnose(struct vm *vm)
{
    static const struct {
        enum diagnose_code code;
        uint64_t (*run)(struct vm *);
    } table[] = {{DIAGNOSE_IDENTIFY, identify}, {DIAGNOSE_COMMAND, command}, {DIAGNOSE_TIMES, times},
                 {DIAGNOSE_CHAIN, chain}, {DIAGNOSE_CONSOLE, console}, {DIAGNOSE_LINE, line},
                 {DIAGNOSE_BLOCK_IO, diagnose_block_io}, {DIAGNOSE_DEVICE, diagnose_device},
                 {DIAGNOSE_SPOOL_WRITE, diagnose_spool_write}, {DIAGNOSE_SPOOL_READ, diagnose_spool_read},
                 {DIAGNOSE_SPOOL_FILE, diagnose_spool_file}, {DIAGNOSE_DIRECTORY, diagnose_directory},
                 {DIAGNOSE_SPECIAL, special}, {DIAGNOSE_MACHINE, diagnose_machine},
                 {DIAGNOSE_FORBIDDEN, forbidden}};
    if (!vm->session || !vm->session->user)
        return DIAGNOSE_NOT_OFFERED;
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (vm->vcpu.gpr[RAX] == table[i].code)
            return machine_granted(&vm->config, GRANT_NO_DIAGNOSE) ? DIAGNOSE_NOT_OFFERED : table[i].run(vm);
    return DIAGNOSE_BAD_CODE;
}
