/* Storage of a guest's guest as the nest below maps it: page by page, through the EPT of the page its L1 runs on, and
 * so on down to the machine's own storage. What was found is kept as a processor keeps translations: until INVEPT. */
#include "nest/chain_host.h"

#include "nest/chain.h"
#include "nest/ept.h"
#include "nest/merge.h"

#include <string.h>

enum { PAGE_BYTES = 4096, WITHIN = PAGE_BYTES - 1 };

void nest_chain_places_forget(struct nest_chain *chain)
{
    for (unsigned i = 0; i < NEST_PLACES; i++)
        chain->places[i].gpa = NEST_NO_ADDRESS;
}

/* The owner's EPT. Not written to is a page whose dirty flag is to be set first. */
static bool walk(const struct nest_chain *chain, uint64_t gpa, unsigned access, struct ept_mapping *mapping)
{
    const struct vmcs *vmcs12 = &chain->of->vmcs12;
    *mapping = (struct ept_mapping){.gpa = gpa, .rights = EPT_READ | EPT_WRITE | EPT_EXECUTE, .dirty = true};
    if (!(nest_secondary(vmcs12) & CPU2_EPT))
        return true;
    if (!chain->outer->root->chain_walks)
        return false;
    chain->outer->root->chain_walks--;
    const struct ept_memory memory = nest_ept_memory(chain->outer);
    if (ept_walk(&memory, vmcs12->ept_pointer, gpa, access, mapping) != EPT_MAPPED)
        return false;
    if (!mapping->dirty)
        mapping->rights &= ~EPT_WRITE;
    return true;
}

static const struct nest_place *place_find(struct nest_chain *chain, uint64_t gpa, unsigned access);

/* The page there in the nest below: where CP reaches it, and its address in the machine. */
static bool below(const struct nest_chain *chain, uint64_t gpa, unsigned access, struct nest_place *place)
{
    const struct nest_host *host = chain->outer->host;
    if (chain->outer->chain) {
        const struct nest_place *there = place_find(chain->outer->chain, gpa, access);
        if (!there)
            return false;
        place->at = there->at;
        place->root_gpa = there->root_gpa;
        place->rights &= there->rights;
        return true;
    }
    place->root_gpa = gpa;
    place->at = host->page(host->context, gpa);
    return place->at;
}

/* @pre gpa is a page's. NULL: not mapped so, or no storage */
static const struct nest_place *place_find(struct nest_chain *chain, uint64_t gpa, unsigned access)
{
    struct nest_place *place = &chain->places[gpa / PAGE_BYTES % NEST_PLACES], found = {.gpa = gpa};
    struct ept_mapping mapping;
    if (__builtin_expect(place->gpa == gpa && !(access & ~place->rights), 1))
        return place;
    if (!walk(chain, gpa, access, &mapping))
        return NULL;
    found.rights = mapping.rights;
    if (!below(chain, mapping.gpa, access, &found) || (access & ~found.rights))
        return NULL;
    *place = found;
    return place;
}

static const struct nest_place *place_of(void *context, uint64_t gpa, unsigned access)
{
    struct nest *nest = context;
    const struct nest_place *place = place_find(nest->chain, gpa & ~(uint64_t)WITHIN, access);
    if (!place)
        nest->root->chain_missed = true;
    return place;
}

static const struct nest_host *root_host(const void *context)
{
    return ((const struct nest *)context)->root->host;
}

/* Fields of what is loaded: the same VMCS, whoever asks. */
static uint64_t get(void *context, enum vmcs_field field)
{
    const struct nest_host *root = root_host(context);
    return root->get(root->context, field);
}

static void set(void *context, enum vmcs_field field, uint64_t value)
{
    const struct nest_host *root = root_host(context);
    root->set(root->context, field, value);
}

static size_t piece(uint64_t gpa, size_t bytes)
{
    size_t left = PAGE_BYTES - (gpa & WITHIN);
    return bytes < left ? bytes : left;
}

static bool read(void *context, uint64_t gpa, void *to, size_t bytes)
{
    uint8_t *into = to;
    for (size_t part; bytes; gpa += part, into += part, bytes -= part) {
        const struct nest_place *place = place_of(context, gpa, EPT_READ);
        part = piece(gpa, bytes);
        if (!place)
            return false;
        memcpy(into, place->at + (gpa & WITHIN), part);
    }
    return true;
}

static bool write(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    const struct nest_host *root = root_host(context);
    const uint8_t *out = from;
    for (size_t part; bytes; gpa += part, out += part, bytes -= part) {
        const struct nest_place *place = place_of(context, gpa, EPT_READ | EPT_WRITE);
        part = piece(gpa, bytes);
        if (!place || !root->write(root->context, place->root_gpa + (gpa & WITHIN), out, part))
            return false;
    }
    return true;
}

/* L1 runs: an operand of its VMX instruction. */
static bool linear(void *context, uint64_t address, enum nest_access access, uint64_t *gpa, uint32_t *error)
{
    const struct nest_host *root = root_host(context);
    if (root->linear_own(root->context, address, access, gpa, error))
        return true;
    if (*error == NEST_UNREACHABLE)
        ((struct nest *)context)->root->chain_missed = true;
    return false;
}

static void *page(void *context, uint64_t gpa)
{
    const struct nest_place *place = place_of(context, gpa, EPT_READ | EPT_WRITE);
    return place ? place->at : NULL;
}

static uint64_t pin(void *context, uint64_t gpa)
{
    const struct nest_host *root = root_host(context);
    const struct nest_place *place = place_of(context, gpa, EPT_READ | EPT_WRITE);
    return place ? root->pin(root->context, place->root_gpa) : NEST_NO_ADDRESS;
}

/* A place may be another by now: as in the root's host, a page is held by the machine's being in VMX operation. */
static void unpin(void *context, uint64_t gpa)
{
    (void)context, (void)gpa;
}

static bool translate(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    const struct nest_host *root = root_host(context);
    const struct nest_place *place = place_of(context, gpa, access == NEST_WRITE ? EPT_READ | EPT_WRITE : EPT_READ);
    if (!place || !root->translate(root->context, place->root_gpa, access, translation))
        return false;
    translation->hpa += place->root_gpa & (translation->bytes - 1);
    translation->bytes = PAGE_BYTES;
    translation->rights &= place->rights;
    return true;
}

static uint64_t version(void *context, uint64_t gpa)
{
    const struct nest_host *root = root_host(context);
    const struct nest_place *place = root->version ? place_of(context, gpa, EPT_READ) : NULL;
    return place ? root->version(root->context, place->root_gpa) : 0;
}

static void *frame_alloc(void *context)
{
    const struct nest_host *root = root_host(context);
    return root->frame_alloc(root->context);
}

static void frame_free(void *context, void *frame)
{
    const struct nest_host *root = root_host(context);
    root->frame_free(root->context, frame);
}

static void tables_free(void *context, void *books, uint64_t *tree, uint64_t frames)
{
    const struct nest_host *root = root_host(context);
    root->tables_free(root->context, books, tree, frames);
}

/* An L1's MSRs are its owner's to know: who has lists of them is not entered here. */
static bool rdmsr(void *context, uint32_t msr, uint64_t *value)
{
    (void)context, (void)msr, (void)value;
    return false;
}

static bool wrmsr(void *context, uint32_t msr, uint64_t value)
{
    (void)context, (void)msr, (void)value;
    return false;
}

static uint64_t tsc(void *context)
{
    const struct nest_host *root = root_host(context);
    return root->tsc(root->context);
}

void nest_chain_host_fill(struct nest_chain *chain)
{
    const struct nest_host *root = chain->outer->root->host;
    chain->host = (struct nest_host){
        .context = chain->nest, .gpr = root->gpr, .get = get, .set = set, .read = read, .write = write,
        .linear = linear, .page = page, .pin = pin, .unpin = unpin, .translate = translate, .version = version,
        .frame_alloc = frame_alloc, .frame_free = frame_free, .tables_free = root->tables_free ? tables_free : NULL,
        .rdmsr = rdmsr, .wrmsr = wrmsr, .tsc = tsc,
    };
}
