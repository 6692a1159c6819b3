/* Owns the table of systems saved by command, and the copying of a machine into a row of it. */
#include "cp/ipl/nss.h"

#include <string.h>

#include "cp/dispatch/vm.h"
#include "cp/ipl/nss_store.h"
#include "cp/storage/frame.h"
#include "cp/time/work.h"

static struct nss table[NSS_ROWS];

uint64_t nss_last_serial;

/* Who is being saved, one at a time. */
static struct job {
    const struct vm *vm; /* NULL: it was cancelled, or nobody is */
    struct nss *to;
    uint64_t at;         /* how far its pages are copied */
    enum nss_outcome outcome;
} job;

static const char no_frames[] = "saved systems may take no more page frames";

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* What it had is mapped by nobody, is given back, and is nowhere on the volume. */
static void free_if_done(struct nss *n)
{
    if (n->class == NSS_PURGED && !n->storage.sharers && !n->storage.account.frames && n->slot < 0 && n != job.to)
        n->class = NSS_FREE;
}

struct nss *nss_next(struct nss *at)
{
    for (at = at ? at + 1 : table; at < table + NSS_ROWS; at++) {
        free_if_done(at);
        if (at->class != NSS_FREE)
            return at;
    }
    return NULL;
}

struct nss *nss_of_class(const char *name, enum nss_class class)
{
    for (struct nss *n = NULL; (n = nss_next(n));)
        if (n->class == class && !strcmp(n->definition.name, name))
            return n;
    return NULL;
}

struct nss *nss_find(const char *name) { return nss_of_class(name, NSS_ACTIVE); }

uint64_t nss_room(void)
{
    uint64_t most = frame_total() / NSS_PART, held = 0;
    for (struct nss *n = NULL; (n = nss_next(n));)
        held += n->storage.account.frames - n->storage.account.dying;
    return held < most ? most - held : 0;
}

struct nss *nss_row(void)
{
    uint64_t room = nss_room();
    for (struct nss *n = table; n < table + NSS_ROWS; n++) {
        if (n->class != NSS_FREE)
            continue;
        *n = (struct nss){.class = NSS_SAVING, .slot = -1};
        guest_storage_init(&n->storage, GUEST_HOLE_START, room ? room : 1);
        n->storage.account.common = true;
        return n;
    }
    return NULL;
}

void nss_dispose(struct nss *n)
{
    frame_free(&n->storage.account, n->head);
    n->head = NULL;
    share_dismiss(&n->storage);
    vm_bury();
}

void *nss_page(struct nss *n, uint64_t *at)
{
    while (*at < GUEST_HOLE_START) {
        const uint64_t *leaves = guest_leaves(&n->storage, gpa(*at));
        if (!leaves) {
            *at = (*at | (SHARE_STEP - 1)) + 1;
            continue;
        }
        if (leaves[*at % SHARE_STEP / PAGE_SIZE])
            return guest_private(&n->storage, gpa(*at), NULL);
        *at += PAGE_SIZE;
    }
    return NULL;
}

const char *nss_define(const struct nss_definition *d, const char *by)
{
    const char *why = nss_definition_wrong(d);
    struct nss *n = nss_of_class(d->name, NSS_SKELETON);
    if (why)
        return why;
    if (!n && !(n = nss_row()))
        return "CP keeps no more";
    n->class = NSS_SKELETON;
    n->definition = *d;
    memcpy(n->by, by, strlen(by) + 1);
    return NULL;
}

void nss_forget(void)
{
    job = (struct job){.vm = NULL};
    nss_last_serial = 0;
    for (struct nss *n = NULL; (n = nss_next(n));) {
        n->class = NSS_PURGED;
        n->slot = -1;
        nss_dispose(n);
    }
}

static void purge(struct nss *n)
{
    n->class = NSS_PURGED;
    nss_dispose(n);
    nss_store_wake();
}

bool nss_purge(const char *name)
{
    static const enum nss_class order[] = {NSS_SKELETON, NSS_ACTIVE, NSS_DAMAGED};
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++) {
        struct nss *n = nss_of_class(name, order[i]);
        if (!n)
            continue;
        purge(n);
        return true;
    }
    return false;
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

static enum nss_outcome end_job(enum nss_outcome outcome)
{
    struct nss *n = job.to;
    job = (struct job){.vm = NULL};
    if (outcome == NSS_REFUSED && n && n->class == NSS_SAVING)
        purge(n);
    return outcome;
}

void nss_save_cancel(const struct vm *vm)
{
    if (job.vm != vm)
        return;
    if (job.to->class == NSS_KEEPING)
        job.vm = NULL; /* the next who saves waits for it */
    else
        end_job(NSS_REFUSED);
}

void nss_end_keeping(struct nss *n, bool failed)
{
    const char *name = n->definition.name;
    job.outcome = failed ? NSS_REFUSED : NSS_SAVED;
    if (!failed)
        while (nss_purge(name)) {} /* what it replaces, and its skeleton */
    n->class = failed ? NSS_PURGED : NSS_ACTIVE;
    if (failed)
        nss_dispose(n);
    if (!job.vm)
        end_job(job.outcome);
}

static bool is_zero(const uint64_t *page)
{
    for (unsigned i = 0; i < PAGE_SIZE / sizeof *page; i++)
        if (page[i])
            return false;
    return true;
}

/* From job.at on to the next place to look at. Its frame, if there is something to keep; it is not touched else. */
static const void *next_place(struct vm *vm, uint64_t *at)
{
    const uint64_t *leaves = guest_leaves(&vm->storage, gpa(job.at));
    *at = job.at;
    if (!leaves) {
        job.at = (job.at | (SHARE_STEP - 1)) + 1;
        return NULL;
    }
    job.at += PAGE_SIZE;
    if (!leaves[*at % SHARE_STEP / PAGE_SIZE] || !nss_saves(&job.to->definition, (uint32_t)(*at >> PAGE_SHIFT)))
        return NULL;
    const void *from = guest_pointer(&vm->storage, gpa(*at), NULL);
    return from && !is_zero(from) ? from : NULL;
}

static enum nss_outcome keep(const char **why)
{
    struct nss *n = job.to;
    n->serial = ++nss_last_serial;
    n->saved_us = clock_unix_us();
    if (!nss_has_volume()) {
        nss_end_keeping(n, false);
        return end_job(NSS_SAVED);
    }
    *why = nss_keep(n);
    return *why ? end_job(NSS_REFUSED) : NSS_MORE;
}

static enum nss_outcome copy(struct vm *vm, const char **why)
{
    uint64_t end = (uint64_t)nss_end(&job.to->definition) << PAGE_SHIFT, at;
    while (job.at < end) {
        const void *from = next_place(vm, &at);
        void *to = from ? guest_private(&job.to->storage, gpa(at), NULL) : NULL;
        if (from && !to) {
            *why = no_frames;
            return end_job(NSS_REFUSED);
        }
        if (to) {
            memcpy(to, from, PAGE_SIZE);
            job.to->pages++;
        }
        if (work_over())
            return NSS_MORE;
    }
    return keep(why);
}

static const char *begin(struct vm *vm, const char *name, const char *by)
{
    const struct nss *skeleton = nss_of_class(name, NSS_SKELETON);
    if (!skeleton)
        return "it is not defined";
    if (vm_is_at_reset(vm))
        return "nothing runs in the machine";
    if (!guest_is_ram(&vm->storage, gpa(((uint64_t)nss_end(&skeleton->definition) << PAGE_SHIFT) - 1)))
        return "the machine's storage ends below its pages";
    struct nss *n = nss_row();
    if (!n)
        return "CP keeps no more";
    job = (struct job){.vm = vm, .to = n};
    n->definition = skeleton->definition;
    memcpy(n->by, by, strlen(by) + 1);
    if (!(n->head = frame_alloc(&n->storage.account)))
        return no_frames;
    return cpu_state_get(vm, &n->head->cpu);
}

enum nss_outcome nss_save(struct vm *vm, const char *name, const char *by, const char **why)
{
    if (job.vm == vm && job.to->class == NSS_SAVING)
        return copy(vm, why);
    if (job.vm == vm && job.outcome == NSS_MORE)
        return NSS_MORE;
    if (job.vm == vm) {
        *why = "the volume failed";
        return end_job(job.outcome);
    }
    if (job.to || nss_reading() || machine_in_flight(&vm->machine))
        return NSS_BUSY;
    *why = begin(vm, name, by);
    return *why ? end_job(NSS_REFUSED) : NSS_MORE;
}
