/* DIAGNOSE of spooled devices. In: a guest's records, and where it wants others. Out: records of its own punch and
 * printer, and of files in its own reader. */
#include "cp/diagnose/spool.h"

#include "cp/diagnose/buffer.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/spool/unit.h"
#include "lib/format.h"

_Static_assert((int)DIAGNOSE_READER == (int)SPOOL_RDR && (int)DIAGNOSE_PRINTER == (int)SPOOL_PRT &&
                   (int)DIAGNOSE_PUNCH == (int)SPOOL_PUN && (int)DIAGNOSE_RECORD_MAX == (int)SPOOL_RECORD_MAX,
               "the contract's words are the spool's");

static uint8_t records[DIAGNOSE_SPOOL_MAX]; /* one call at a time */

static const uint64_t status[] = {
    [SPOOL_OK] = DIAGNOSE_OK,          [SPOOL_BUSY] = DIAGNOSE_BUSY,
    [SPOOL_NO_ROOM] = DIAGNOSE_SPOOL_FULL, [SPOOL_NONE] = DIAGNOSE_NO_FILE,
    [SPOOL_BROKEN] = DIAGNOSE_SPOOL_DAMAGED, [SPOOL_LENGTH_BAD] = DIAGNOSE_BAD_LENGTH,
};

/* DIAGNOSE_OK, or what is wrong with a buffer of so many bytes at RBX. */
static uint64_t judge(struct vm *vm, uint64_t bytes)
{
    return !bytes || bytes > DIAGNOSE_SPOOL_MAX                   ? DIAGNOSE_BAD_LENGTH
           : !diagnose_in_ram(vm, vm->vcpu.gpr[RBX], bytes) ? DIAGNOSE_BAD_ADDRESS
           : spool_obstacle()                                     ? DIAGNOSE_NO_SPOOL
                                                                  : DIAGNOSE_OK;
}

uint64_t diagnose_spool_write(struct vm *vm)
{
    uint64_t *gpr = vm->vcpu.gpr, wrong = judge(vm, gpr[RCX]);
    unsigned bytes = (unsigned)gpr[RCX];
    if (wrong)
        return wrong;
    if (gpr[RDX] != DIAGNOSE_PRINTER && gpr[RDX] != DIAGNOSE_PUNCH)
        return DIAGNOSE_NO_FILE;
    enum guest_access access = guest_read(&vm->storage, gpa(gpr[RBX]), records, bytes);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    enum spool_io io = spool_write(&vm->session->spool, (enum spool_queue)gpr[RDX], records, &bytes);
    if (!bytes)
        return status[io];
    gpr[RCX] = bytes;
    return DIAGNOSE_OK;
}

static void tell_damage(struct session *s, unsigned spoolid)
{
    char number[12];
    format_text(number, sizeof number, "%04u", spoolid);
    response_error(&(struct response){.session = s}, "SPL", 9082, number);
}

uint64_t diagnose_spool_read(struct vm *vm)
{
    uint64_t *gpr = vm->vcpu.gpr, wrong = judge(vm, gpr[RCX]);
    if (wrong)
        return wrong;
    if (gpr[RDX] > SPOOL_ID_MAX)
        return DIAGNOSE_NO_FILE;
    enum guest_access access = diagnose_touch(vm, gpr[RBX], gpr[RCX]);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    struct spool_reading reading = {.spoolid = (unsigned)gpr[RDX], .bytes = (unsigned)gpr[RCX]};
    enum spool_io io = spool_read(&vm->session->spool, &reading, records);
    if (io == SPOOL_BROKEN)
        tell_damage(vm->session, reading.spoolid);
    if (io != SPOOL_OK)
        return status[io];
    access = guest_write(&vm->storage, gpa(gpr[RBX]), records, reading.bytes);
    gpr[RBX] = reading.spoolid;
    gpr[RCX] = reading.bytes;
    gpr[RDX] = reading.end;
    return diagnose_of_access(access);
}

static const struct spool_file *file_behind(const struct user *user, enum spool_queue queue, uint64_t spoolid)
{
    int64_t order = INT64_MIN;
    if (spoolid) {
        const struct spool_file *f = spoolid <= SPOOL_ID_MAX ? spool_find(user->id, (unsigned)spoolid) : NULL;
        if (!f || f->queue != queue)
            return NULL;
        order = f->order;
    }
    return spool_next(user->id, NULL, queue, order);
}

uint64_t diagnose_spool_file(struct vm *vm)
{
    struct diagnose_spool_file file = {0};
    uint64_t *gpr = vm->vcpu.gpr, wrong = judge(vm, gpr[RCX] < sizeof file ? 0 : sizeof file);
    if (wrong)
        return wrong;
    const struct spool_file *f =
        gpr[RDX] < SPOOL_QUEUES ? file_behind(vm->session->user, (enum spool_queue)gpr[RDX], gpr[RSI]) : NULL;
    if (!f)
        return DIAGNOSE_NO_FILE;
    file = (struct diagnose_spool_file){.spoolid = f->spoolid, .records = f->records, .created = f->created,
                                        .class = f->class, .device = f->device, .hold = f->hold, .keep = f->keep,
                                        .copies = f->copies};
    diagnose_pad(file.origin, sizeof file.origin, f->origin);
    diagnose_pad(file.name, sizeof file.name, f->name);
    diagnose_pad(file.type, sizeof file.type, f->type);
    diagnose_pad(file.dist, sizeof file.dist, f->dist);
    return diagnose_of_access(guest_write(&vm->storage, gpa(gpr[RBX]), &file, sizeof file));
}
