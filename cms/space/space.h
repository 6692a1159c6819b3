/* Address spaces of programs: regions (what may be where) and the page tables that follow from them.
 *
 * In: requests in mmap's terms, faults. Out: page tables, copies to and from a program's storage. Pages come when they
 * are first touched; after space_fork both sides share them until one writes. User addresses are uint64_t, never
 * pointers: storage is reached through the tables, by whoever asks, whichever address space is loaded, so that a hostile
 * address leads to -EFAULT and nothing else. Errors are negative errnos as mmap(2), munmap(2), mprotect(2), mremap(2),
 * brk(2) and msync(2) name them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPACE_TOP_BITS = 47 };
static const uint64_t SPACE_TOP = (1ull << SPACE_TOP_BITS) - 4096; /* as Linux's TASK_SIZE */

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
struct space *space_fork(struct space *);                /* NULL: no storage */
void space_hold(struct space *);                         /* one owner more (threads) */
void space_let_go(struct space *);                       /* the last gives everything back */
uint64_t space_root(const struct space *);               /* physical, for CR3 */

struct space_map {
    uint64_t address;  /* where; with `fixed` there and nowhere else, replacing what is there */
    uint64_t length;
    unsigned access;   /* of enum space_access; 0 reserves addresses and no storage */
    bool fixed, fixed_new /* -EEXIST instead of replacing */, shared, grows_down, populate;
    struct space_object *object; /* NULL: zeroes */
    uint64_t offset;
};
int64_t space_map(struct space *, const struct space_map *); /* the address, or a negative errno */
int space_unmap(struct space *, uint64_t address, uint64_t length);
int space_protect(struct space *, uint64_t address, uint64_t length, unsigned access);
int64_t space_remap(struct space *, uint64_t old, uint64_t old_length, uint64_t new_length, bool may_move,
                    bool fixed, uint64_t new_address);
int space_advise(struct space *, uint64_t address, uint64_t length, int advice); /* MADV_* */
int space_sync(struct space *, uint64_t address, uint64_t length);
void space_set_break(struct space *, uint64_t start);    /* where brk's region begins */
uint64_t space_break(struct space *, uint64_t wanted);   /* as the system call: the break that is now */

enum space_fault { SPACE_MENDED, SPACE_NOT_MAPPED, SPACE_FORBIDDEN, SPACE_BEYOND_OBJECT, SPACE_NO_STORAGE,
                   SPACE_OBJECT_FAILED };
/* What a touch of `address` meets; mended: the touch may be tried again. */
enum space_fault space_fault(struct space *, uint64_t address, enum space_access);

/* 0 or -EFAULT; nothing is promised of what was copied before the fault. */
int space_copy_in(struct space *, void *to, uint64_t from, size_t bytes);
int space_copy_out(struct space *, uint64_t to, const void *from, size_t bytes);
int space_clear(struct space *, uint64_t to, size_t bytes);
/* Its length without NUL, or -EFAULT, or -ENAMETOOLONG when size bytes hold no NUL. */
int64_t space_copy_string(struct space *, char *to, uint64_t from, size_t size);
/* An aligned 32-bit word in place (futex), until the caller next sleeps; NULL: -EFAULT. `key`: the same for all who share
 * it, and for nobody else. */
uint32_t *space_word(struct space *, uint64_t address, bool write, uint64_t *key);

struct space_region_facts {
    uint64_t start, end, offset;
    unsigned access;
    bool shared;
    struct space_object *object;
};
/* The first region that ends above `address`; false: none. For /proc/self/maps. */
bool space_region_at(const struct space *, uint64_t address, struct space_region_facts *);
struct space_facts {
    uint64_t mapped, resident; /* bytes */
};
struct space_facts space_facts(const struct space *);
