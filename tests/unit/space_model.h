/* Address spaces and a model of them, which is told of the same requests: a window of pages, each with what it shows.
 * Numbers come from whoever asks, so that a random test and a fuzzer share it. */
#pragma once
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/space/internal.h"

enum { MODEL_ARENA = 24 << 20, WINDOW = 40, SPACES = 4, FILE_PAGES = 24, OBJECTS = 64 };
static const uint64_t WINDOW_START = 0x7f0000000000ull - 20 * SPACE_PAGE; /* over the seam of two tables */

#define SAY(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

/* What shared pages show: of a file, or of nothing. */
struct model_object {
    uint64_t value[WINDOW > FILE_PAGES ? WINDOW : FILE_PAGES];
    unsigned pages, users;
    bool is_file;
};

struct model_page {
    bool mapped, shared, own; /* own: no longer what the object shows */
    unsigned access;
    struct model_object *object; /* NULL: private zeroes */
    unsigned at;                 /* page of the object */
    uint64_t value;
};

struct range {
    unsigned first, pages;
};

struct model_space {
    struct space *space; /* NULL: none */
    struct model_page page[WINDOW];
};

static _Alignas(SPACE_PAGE) char model_arena[MODEL_ARENA];
static struct model_space model[SPACES];
static struct model_object model_objects[OBJECTS];
static unsigned (*model_number)(unsigned below);

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static struct {
    struct space_object object;
    int users;
    char *frame[FILE_PAGES];
    bool dirty[FILE_PAGES];
} file;

static uint64_t file_value(unsigned page) { return 0xf11e0000 + page; }

static uint64_t *cell(void *frame, unsigned number) { return (uint64_t *)frame + number * 37 % 512; }

static int file_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    uint64_t page = offset / SPACE_PAGE;
    (void)o;
    if (page >= FILE_PAGES)
        return -ENXIO;
    if (!file.frame[page]) {
        file.frame[page] = cms_frame_take();
        SAY(file.frame[page]);
        memset(file.frame[page], 0, SPACE_PAGE);
        *cell(file.frame[page], (unsigned)page) = file_value((unsigned)page);
    }
    if (write)
        file.dirty[page] = true;
    cms_frame_share(file.frame[page]);
    *frame = file.frame[page];
    return 0;
}

static void file_written(struct space_object *o, uint64_t offset, void *frame)
{
    (void)o;
    SAY(frame == file.frame[offset / SPACE_PAGE]);
    file.dirty[offset / SPACE_PAGE] = false;
}

static void file_hold(struct space_object *o) { (void)o, file.users++; }
static void file_let_go(struct space_object *o) { (void)o, file.users--; }

static const struct space_object_operations file_operations = {file_page, file_written, file_hold, file_let_go};

/* ---- the model --------------------------------------------------------------------------------------------------- */

static struct model_object *object_make(unsigned pages)
{
    for (struct model_object *o = model_objects + 1; o < model_objects + OBJECTS; o++)
        if (!o->users) {
            *o = (struct model_object){.pages = pages};
            return o;
        }
    return NULL;
}

static void page_drop(struct model_page *p)
{
    if (p->mapped && p->object)
        p->object->users--;
    *p = (struct model_page){0};
}

static bool page_shows(const struct model_page *p, uint64_t *value)
{
    if (p->object && !p->own && p->at >= p->object->pages)
        return false;
    *value = p->object && !p->own ? p->object->value[p->at] : p->value;
    return true;
}

/* Pages that may be written are the space's own from then on. 0, or -ENOMEM at the first that cannot come. */
static int pages_come(struct model_space *m, struct range r)
{
    for (unsigned i = 0; i < r.pages; i++) {
        struct model_page *p = &m->page[r.first + i];
        uint64_t shown;
        if (!p->mapped || (p->access && !page_shows(p, &shown)))
            return -ENOMEM;
        if (p->access & SPACE_WRITE && !p->shared)
            p->own = true, p->value = shown;
    }
    return 0;
}

static uint64_t address_of(unsigned page) { return WINDOW_START + (uint64_t)page * SPACE_PAGE; }

static void model_begin(unsigned (*number)(unsigned below))
{
    memset(model, 0, sizeof model);
    memset(model_objects, 0, sizeof model_objects);
    memset(&file, 0, sizeof file);
    cms_heap_start(model_arena, sizeof model_arena);
    space_forget_all();
    model_number = number;
    file.object.operations = &file_operations;
    model_objects[0] = (struct model_object){.pages = FILE_PAGES, .is_file = true, .users = 1};
    for (unsigned i = 0; i < FILE_PAGES; i++)
        model_objects[0].value[i] = file_value(i);
    model[0].space = space_make();
    SAY(model[0].space);
}

/* ---- what the processor would see -------------------------------------------------------------------------------- */

static void assert_entry(const struct model_space *m, unsigned page, uint64_t entry)
{
    const struct model_page *p = &m->page[page];
    uint64_t shown = 0;
    SAY(entry & ENTRY_PRESENT);
    SAY(p->mapped);
    SAY(page_shows(p, &shown));
    char *frame = entry_frame(entry);
    uint64_t found = 0;
    for (unsigned i = 0; i < 512; i++)
        found |= ((uint64_t *)frame)[i]; /* one word at most is not zero */
    SAY(found == shown);
    SAY(!(entry & ENTRY_USER) || p->access);
    SAY(!(entry & ENTRY_WRITE) || (p->access & SPACE_WRITE && (p->shared || cms_frame_users(frame) == 1)));
    SAY(entry & ENTRY_NO_EXECUTE || p->access & SPACE_EXECUTE);
}

static void assert_space(const struct model_space *m)
{
    uint64_t resident = 0;
    for (unsigned i = 0; i < WINDOW; i++) {
        const uint64_t *entry = table_find(m->space, address_of(i));
        if (entry && *entry) {
            assert_entry(m, i, *entry);
            resident += SPACE_PAGE;
        }
        struct space_region_facts f;
        bool there = space_region_at(m->space, address_of(i), &f) && f.start <= address_of(i);
        SAY(there == m->page[i].mapped);
        SAY(!there || (f.access == m->page[i].access && f.shared == m->page[i].shared));
    }
    SAY(space_facts(m->space).resident == resident);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static struct range any_range(void)
{
    unsigned first = model_number(WINDOW), most = WINDOW - first < 9 ? WINDOW - first : 9;
    return (struct range){first, 1 + model_number(most)};
}

static uint64_t start_of(struct range r) { return address_of(r.first); }
static uint64_t bytes_of(struct range r) { return (uint64_t)r.pages * SPACE_PAGE - model_number(SPACE_PAGE); }

static struct model_space *any_space(void)
{
    for (;;) {
        struct model_space *m = &model[model_number(SPACES)];
        if (m->space)
            return m;
        for (m = model; m < model + SPACES; m++)
            if (m->space)
                return m;
    }
}

static void do_map(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    struct space_map map = {.address = start_of(r), .length = bytes_of(r), .access = model_number(8), .fixed = true,
                            .shared = model_number(2), .fixed_new = !model_number(4), .populate = !model_number(4)};
    struct model_object *object = NULL;
    unsigned at = 0;
    bool taken = false;

    if (model_number(3) == 0) {
        object = model_objects;
        at = model_number(FILE_PAGES + 2);
        map.object = &file.object;
        map.offset = (uint64_t)at * SPACE_PAGE;
    } else if (map.shared && !(object = object_make(r.pages))) {
        return;
    }
    for (unsigned i = 0; i < r.pages; i++)
        taken |= m->page[r.first + i].mapped;
    int64_t result = space_map(m->space, &map);
    if (map.fixed_new && taken) {
        SAY(result == -EEXIST);
        return;
    }
    SAY(result == (int64_t)map.address);
    for (unsigned i = 0; i < r.pages; i++) {
        struct model_page *p = &m->page[r.first + i];
        page_drop(p);
        *p = (struct model_page){true, map.shared, false, map.access, object, at + i, 0};
        if (object)
            object->users++;
    }
    if (map.populate)
        pages_come(m, r);
}

static void do_unmap(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    SAY(!space_unmap(m->space, start_of(r), bytes_of(r)));
    for (unsigned i = 0; i < r.pages; i++)
        page_drop(&m->page[r.first + i]);
}

static void do_protect(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    unsigned access = model_number(8);
    int result = space_protect(m->space, start_of(r), bytes_of(r), access), expected = 0;
    for (unsigned i = 0; i < r.pages && !expected; i++)
        if (m->page[r.first + i].mapped)
            m->page[r.first + i].access = access;
        else
            expected = -ENOMEM;
    SAY(result == expected);
}

static void do_read(void)
{
    struct model_space *m = any_space();
    unsigned page = model_number(WINDOW);
    const struct model_page *p = &m->page[page];
    uint64_t shown = 0, words[512], found = 0;
    int result = space_copy_in(m->space, words, address_of(page), sizeof words);
    SAY(result == (p->mapped && p->access && page_shows(p, &shown) ? 0 : -EFAULT));
    for (unsigned i = 0; !result && i < 512; i++)
        found |= words[i];
    SAY(result || found == shown);
}

/* The page is cleared but for one word: where is of no interest. */
static void do_write(void)
{
    struct model_space *m = any_space();
    unsigned page = model_number(WINDOW);
    struct model_page *p = &m->page[page];
    uint64_t words[512] = {0}, shown, value = 1 + model_number(1u << 16);
    words[model_number(512)] = value;
    int result = space_copy_out(m->space, address_of(page), words, sizeof words);
    SAY(result == (p->mapped && p->access & SPACE_WRITE && page_shows(p, &shown) ? 0 : -EFAULT));
    if (result)
        return;
    if (p->shared)
        p->object->value[p->at] = value;
    else
        p->own = true, p->value = value;
}

static void do_fork(void)
{
    struct model_space *from = any_space(), *to = model;
    while (to < model + SPACES && to->space)
        to++;
    if (to == model + SPACES)
        return;
    *to = *from;
    to->space = space_fork(from->space);
    SAY(to->space);
    for (unsigned i = 0; i < WINDOW; i++)
        if (to->page[i].mapped && to->page[i].object)
            to->page[i].object->users++;
}

static void end_space(struct model_space *m)
{
    space_let_go(m->space);
    for (unsigned i = 0; i < WINDOW; i++)
        page_drop(&m->page[i]);
    m->space = NULL;
}

static void do_end(void)
{
    struct model_space *m = any_space();
    unsigned others = 0;
    for (unsigned i = 0; i < SPACES; i++)
        others += model[i].space && &model[i] != m;
    if (others)
        end_space(m);
}

static void do_forget(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    int expected = 0;
    for (unsigned i = 0; i < r.pages; i++) {
        struct model_page *p = &m->page[r.first + i];
        if (!p->mapped)
            expected = -ENOMEM;
        else if (!p->shared)
            p->own = false, p->value = 0;
    }
    SAY(space_advise(m->space, start_of(r), bytes_of(r), 4 /* MADV_DONTNEED */) == expected);
}

static void do_sync(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    int expected = 0;
    for (unsigned i = 0; i < r.pages; i++)
        if (!m->page[r.first + i].mapped)
            expected = -ENOMEM;
    SAY(space_sync(m->space, start_of(r), bytes_of(r)) == expected);
}

static void do_populate(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    int expected = pages_come(m, r);
    SAY(space_populate(m->space, start_of(r), bytes_of(r)) == expected);
}

static inline int64_t remap(struct space *in, uint64_t old, uint64_t old_length, uint64_t new_length, bool may_move,
                            bool fixed, uint64_t new_address)
{
    return space_remap(in, &(struct space_remap){old, old_length, new_length, new_address, may_move, fixed, false});
}

static bool continues_in_model(const struct model_page *a, const struct model_page *b)
{
    return a->mapped && b->mapped && a->access == b->access && a->shared == b->shared && a->object == b->object &&
           (!a->object || a->at + 1 == b->at);
}

/* Within the window, to a fixed place: grows, shrinks, moves. */
static void do_remap(void)
{
    struct model_space *m = any_space();
    struct range old = any_range(), new = any_range();
    bool overlap = old.first < new.first + new.pages && new.first < old.first + old.pages;
    bool one = m->page[old.first].mapped;
    for (unsigned i = 1; i < old.pages; i++)
        one &= continues_in_model(&m->page[old.first + i - 1], &m->page[old.first + i]);
    int64_t result = remap(m->space, start_of(old), bytes_of(old), bytes_of(new), true, true, start_of(new));
    if (overlap || !one) {
        SAY(result == (overlap ? -EINVAL : -EFAULT));
        return;
    }
    SAY(result == (int64_t)start_of(new));
    struct model_page was[WINDOW];
    memcpy(was, m->page, sizeof was);
    for (unsigned i = 0; i < new.pages; i++) {
        struct model_page *p = &m->page[new.first + i];
        page_drop(p);
        *p = was[old.first];
        if (i < old.pages)
            *p = was[old.first + i];
        else
            p->own = false, p->value = 0, p->at += i;
        if (p->object)
            p->object->users++;
    }
    for (unsigned i = 0; i < old.pages; i++)
        page_drop(&m->page[old.first + i]);
}

static void do_resize(void)
{
    struct model_space *m = any_space();
    struct range r = any_range();
    unsigned pages = 1 + model_number(12), free_behind = 0;
    bool one = m->page[r.first].mapped;
    for (unsigned i = 1; i < r.pages; i++)
        one &= continues_in_model(&m->page[r.first + i - 1], &m->page[r.first + i]);
    while (r.first + r.pages + free_behind < WINDOW && !m->page[r.first + r.pages + free_behind].mapped)
        free_behind++;
    if (r.first + pages > WINDOW)
        return; /* nothing is mapped there, and the model ends */
    int64_t result = remap(m->space, start_of(r), bytes_of(r), (uint64_t)pages * SPACE_PAGE, false, false, 0);
    if (!one || pages > r.pages + free_behind) {
        SAY(result == (one ? -ENOMEM : -EFAULT));
        return;
    }
    SAY(result == (int64_t)start_of(r));
    for (unsigned i = pages; i < r.pages; i++)
        page_drop(&m->page[r.first + i]);
    for (unsigned i = r.pages; i < pages; i++) {
        struct model_page *p = &m->page[r.first + i];
        *p = m->page[r.first];
        p->own = false, p->value = 0, p->at += i;
        if (p->object)
            p->object->users++;
    }
}

static void model_step(void)
{
    static void (*const all[])(void) = {do_map, do_map, do_map, do_unmap, do_protect, do_protect, do_read, do_write,
                                        do_write, do_write, do_fork, do_end, do_forget, do_sync, do_populate,
                                        do_remap, do_resize};
    all[model_number(sizeof all / sizeof *all)]();
    for (unsigned i = 0; i < SPACES; i++)
        if (model[i].space)
            assert_space(&model[i]);
}

/* Nothing is left of it but what the file has. */
static void model_end(void)
{
    size_t of_file = 0;
    for (unsigned i = 0; i < SPACES; i++)
        if (model[i].space)
            end_space(&model[i]);
    for (unsigned i = 0; i < FILE_PAGES; i++) {
        of_file += file.frame[i] != NULL;
        SAY(!file.frame[i] || cms_frame_users(file.frame[i]) == 1);
    }
    SAY(file.users == 0);
    SAY(cms_frames_in_use() == of_file);
    SAY(cms_heap_in_use() == 0);
}
