/* Address spaces of programs: regions (what may be where) and the page tables that follow from them.
 *
 * In: requests in mmap's terms, faults. Out: page tables, copies to and from a program's storage. Pages come when they
 * are first touched; after space_fork both sides share them until one writes. User addresses are uint64_t, never
 * pointers: storage is reached through the tables, by whoever asks, whichever address space is loaded, so that a
 * hostile address leads to -EFAULT and nothing else. Errors are negative errnos as mmap(2), munmap(2), mprotect(2),
 * mremap(2), brk(2) and msync(2) name them.
 *
 * Storage is promised beyond what there is, by one rule: what could never be there at once, a private writable range
 * longer than all page frames together, is refused with -ENOMEM, unless it was asked for without a reserve. Otherwise
 * it is the touch that fails (SPACE_NO_STORAGE). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPACE_TOP_BITS = 47, SPACE_PAGE = 4096, SPACE_LOWEST = 65536, SPACE_REGIONS_MAX = 65530 };
static const uint64_t SPACE_TOP = (1ull << SPACE_TOP_BITS) - SPACE_PAGE; /* as Linux's TASK_SIZE */
static const uint64_t SPACE_STACK = 8 << 20;

enum space_access { SPACE_READ = 1, SPACE_WRITE = 2, SPACE_EXECUTE = 4 }; /* PROT_* */

/* What a region shows: a file's pages. */
struct space_object;
struct space_object_operations {
    /* The frame of the page at `offset`, with one more user; a negative errno: -ENXIO beyond the end (SIGBUS), -EIO,
     * -ENOMEM. With `write` the frame will be written through a shared mapping. May sleep. */
    int (*page)(struct space_object *, uint64_t offset, bool write, void **frame);
    void (*written)(struct space_object *, uint64_t offset, void *frame); /* a dirty shared page leaves, or msync */
    void (*hold)(struct space_object *);
    void (*let_go)(struct space_object *);
};
struct space_object {
    const struct space_object_operations *operations;
};

struct space;

struct space *space_make(void);                          /* one owner; NULL: no storage */
struct space *space_fork(struct space *);                /* NULL: no storage; the stack limit and break go along */
void space_hold(struct space *);                         /* one owner more (threads) */
void space_let_go(struct space *);                       /* the last gives everything back */
uint64_t space_root(const struct space *);               /* physical, for CR3 */

struct space_map {
    uint64_t address;  /* where; with `fixed` there and nowhere else, replacing what is there */
    uint64_t length;
    unsigned access;   /* of enum space_access; 0 reserves addresses and no storage */
    uint64_t below;    /* where there is no wish: at lower addresses than this; 0: as high as there is room */
    bool fixed, fixed_new /* -EEXIST instead of replacing */, shared, grows_down, populate, no_reserve;
    unsigned denied;             /* access that space_protect may not give either: a file not opened for writing */
    struct space_object *object; /* held once more; NULL: zeroes */
    uint64_t offset;
};
int64_t space_map(struct space *, const struct space_map *); /* the address, or a negative errno */
int space_unmap(struct space *, uint64_t address, uint64_t length);
int space_protect(struct space *, uint64_t address, uint64_t length, unsigned access);
struct space_remap {
    uint64_t old, old_length, new_length, new_address;
    bool may_move, fixed;
    bool leaves_old; /* mapped, without its pages; the lengths are the same */
};
int64_t space_remap(struct space *, const struct space_remap *);
int space_advise(struct space *, uint64_t address, uint64_t length, int advice); /* MADV_* */
int space_sync(struct space *, uint64_t address, uint64_t length);
/* A region that grows down does so until it has this length; at first SPACE_STACK. */
void space_set_stack_limit(struct space *, uint64_t bytes);
/* Brings all pages of the range in, for writing where that is allowed: -ENOMEM where not all of it is mapped or storage
 * ends, -EINTR where the caller has been killed. */
int space_populate(struct space *, uint64_t address, uint64_t length);
/* The page's state, of what is mapped there: 1 in storage, 0 not, -ENOMEM: nothing is mapped (mincore). */
int space_is_resident(struct space *, uint64_t address);
void space_set_break(struct space *, uint64_t start);    /* where brk's region begins */
uint64_t space_break(struct space *, uint64_t wanted);   /* as the system call: the break that is now */

enum space_fault { SPACE_MENDED, SPACE_NOT_MAPPED, SPACE_FORBIDDEN, SPACE_BEYOND_OBJECT, SPACE_NO_STORAGE,
                   SPACE_OBJECT_FAILED };
/* What a touch of `address` meets; mended: the touch may be tried again. */
enum space_fault space_fault(struct space *, uint64_t address, enum space_access);

/* 0 or -EFAULT; nothing is promised of what was copied before the fault. May sleep, as a fault may: the caller has a
 * user of the space. */
int space_copy_in(struct space *, void *to, uint64_t from, size_t bytes);
int space_copy_out(struct space *, uint64_t to, const void *from, size_t bytes);
int space_clear(struct space *, uint64_t to, size_t bytes);
/* Its length without NUL, or -EFAULT, or -ENAMETOOLONG when size bytes hold no NUL. */
int64_t space_copy_string(struct space *, char *to, uint64_t from, size_t size);
/* An aligned 32-bit word in place (futex), until the caller next sleeps; NULL: -EFAULT. `key`: the same for all who
 * share it, and for nobody else. */
uint32_t *space_word(struct space *, uint64_t address, bool write, uint64_t *key);

struct space_region_facts {
    uint64_t start, end, offset;
    unsigned access;
    bool shared, grows_down;
    struct space_object *object;
};
/* The first region that ends above `address`; false: none. For /proc/self/maps. */
bool space_region_at(const struct space *, uint64_t address, struct space_region_facts *);
struct space_facts {
    uint64_t mapped, resident; /* bytes */
};
struct space_facts space_facts(const struct space *);
/* Bits that whoever has the space keeps with it; a fork has none. */
unsigned space_marks(const struct space *);
void space_mark(struct space *, unsigned bits);
/* After an abend, when all that commands had in the heap, and all frames, are gone. */
void space_forget_all(void);
