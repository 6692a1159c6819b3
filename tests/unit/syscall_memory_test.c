/* The calls about storage: what they answer, row by row. */
#include "tests/unit/space_scene.h"

#include "cms/process/process.h"
#include "cms/syscall/memory_calls.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/file.h"

static struct files *files;
static char *page;
static int users, mapped;

/* The caller. */
struct process *process_current(void) { return NULL; }
struct space *process_space(struct process *p) { return (void)p, s; }
struct files *process_files(struct process *p) { return (void)p, files; }
struct place *process_place(struct process *p) { return (void)p, NULL; }

static int object_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    (void)o, (void)write;
    if (offset)
        return -ENXIO;
    cms_frame_share(page);
    *frame = page;
    return 0;
}

static void object_hold(struct space_object *o) { (void)o, users++; }
static void object_let_go(struct space_object *o) { (void)o, users--; }
static const struct space_object_operations object_operations = {object_page, NULL, object_hold, object_let_go};
static struct space_object object = {&object_operations};

static int map_operation(struct file *f, struct space_object **o)
{
    (void)f;
    users++, mapped++;
    *o = &object;
    return 0;
}

static const struct file_operations mappable = {.map = map_operation}, other;

enum { READER, WRITER, BOTH, UNMAPPABLE };

static int begin(void **state)
{
    static const struct {
        const struct file_operations *operations;
        uint32_t flags;
    } kinds[] = {{&mappable, ABI_O_RDONLY}, {&mappable, ABI_O_WRONLY}, {&mappable, ABI_O_RDWR}, {&other, ABI_O_RDWR}};
    if (set_up(state))
        return 1;
    files = files_make();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(files_add(files, file_make(kinds[i].operations, NULL, kinds[i].flags), 0, false), i);
    page = cms_frame_take();
    memset(page, 0x44, P);
    users = mapped = 0;
    return 0;
}

static int end(void **state)
{
    files_let_go(files);
    space_unmap(s, SPACE_LOWEST, SPACE_TOP - SPACE_LOWEST);
    assert_int_equal(users, 0);
    cms_frame_give(page);
    return tear_down(state);
}

#define CALL(name, ...) call_##name(&(const struct call){{__VA_ARGS__}})

enum { PRIVATE = 2, SHARED = 1, VALIDATE = 3, FIXED = 0x10, ANONYMOUS = 0x20, LOW = 0x40, DOWN = 0x100,
       POPULATE = 0x8000, HUGE = 0x40000, NOREPLACE = 0x100000, UNKNOWN = 0x4000000 };
static const uint64_t NO_FILE = UINT64_MAX;

static void mmap_answers_as_linux(void **state)
{
    static const struct {
        uint64_t address, length, access, flags, file, offset;
        int64_t answer; /* 1: an address */
    } rows[] = {
        {0, P, RW, PRIVATE | ANONYMOUS, NO_FILE, 0, 1},
        {0, P, RW, SHARED | ANONYMOUS, NO_FILE, 0, 1},
        {0, P, RW, PRIVATE | ANONYMOUS | UNKNOWN, NO_FILE, 0, 1},
        {0, P, RW, PRIVATE | ANONYMOUS, NO_FILE, 5, -EINVAL},
        {0, P, RW, PRIVATE | ANONYMOUS, NO_FILE, 8 * P, 1},
        {0, 0, RW, PRIVATE | ANONYMOUS, NO_FILE, 0, -EINVAL},
        {0, P, RW, ANONYMOUS, NO_FILE, 0, -EINVAL},
        {0, P, RW, VALIDATE | ANONYMOUS, NO_FILE, 0, -EINVAL},
        {0, P, RW, 5 | ANONYMOUS, NO_FILE, 0, -EINVAL},
        {0, P, RW, SHARED | ANONYMOUS | DOWN, NO_FILE, 0, -EINVAL},
        {0, P, RW, PRIVATE | ANONYMOUS | HUGE, NO_FILE, 0, -ENOMEM},
        {AT + 1, P, RW, PRIVATE | ANONYMOUS | FIXED, NO_FILE, 0, -EINVAL},
        {0, P, RW, PRIVATE | ANONYMOUS | FIXED, NO_FILE, 0, -EPERM},
        {0, UINT64_MAX, RW, PRIVATE | ANONYMOUS, NO_FILE, 0, -ENOMEM},
        {0, P, RW, PRIVATE, NO_FILE, 0, -EBADF},
        {0, P, RW, PRIVATE, 77, 0, -EBADF},
        {0, P, RW, PRIVATE, READER, 0, 1},
        {0, P, RW, SHARED, READER, 0, -EACCES},
        {0, P, SPACE_READ, SHARED, READER, 0, 1},
        {0, P, SPACE_READ, PRIVATE, WRITER, 0, -EACCES},
        {0, P, RW, SHARED, BOTH, 0, 1},
        {0, P, RW, SHARED, BOTH, 1, -EINVAL},
        {0, P, RW, VALIDATE, BOTH, 0, 1},
        {0, P, RW, VALIDATE | UNKNOWN, BOTH, 0, -EOPNOTSUPP},
        {0, P, RW, SHARED, BOTH, UINT64_MAX - P + 1, -EOVERFLOW},
        {0, P, RW, PRIVATE, UNMAPPABLE, 0, -ENODEV},
        {0, P, RW, PRIVATE | DOWN, BOTH, 0, -ENODEV},
        {0, P, RW, PRIVATE | HUGE, BOTH, 0, -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = CALL(mmap, rows[i].address, rows[i].length, rows[i].access, rows[i].flags, rows[i].file,
                           rows[i].offset);
        if (rows[i].answer == 1 ? got <= 0 : got != rows[i].answer)
            fail_msg("row %zu: %ld", i, (long)got);
    }
    assert_int_equal(mapped, 5); /* and what was refused afterwards */
}

static void flags_have_their_effect(void **state)
{
    (void)state;
    int64_t low = CALL(mmap, 0, P, RW, PRIVATE | ANONYMOUS | LOW, NO_FILE, 0);
    assert_true(low > 0 && low < (int64_t)(1ull << 31));
    int64_t there = CALL(mmap, 0, 2 * P, RW, PRIVATE | ANONYMOUS | POPULATE, NO_FILE, 0);
    assert_int_equal(space_is_resident(s, (uint64_t)there + P), 1);
    assert_int_equal(CALL(mmap, (uint64_t)there, P, RW, PRIVATE | ANONYMOUS | NOREPLACE, NO_FILE, 0), -EEXIST);
    assert_int_equal(CALL(mmap, (uint64_t)there, P, RW, PRIVATE | ANONYMOUS | FIXED, NO_FILE, 0), there);
    int64_t file = CALL(mmap, 0, 2 * P, RW, PRIVATE, READER, 0);
    assert_int_equal(get8(s, (uint64_t)file), 0x44);
    assert_int_equal(put8(s, (uint64_t)file, 1), 0);
    assert_int_equal(*page, 0x44);
    assert_int_equal(space_fault(s, (uint64_t)file + P, SPACE_READ), SPACE_BEYOND_OBJECT);
    file = CALL(mmap, 0, P, SPACE_READ, SHARED, READER, 0);
    assert_int_equal(CALL(mprotect, (uint64_t)file, P, RW), -EACCES);
    file = CALL(mmap, 0, P, RW, SHARED, BOTH, 0);
    assert_int_equal(put8(s, (uint64_t)file, 2), 0);
    assert_int_equal(*page, 2);
}

static void mprotect_answers_as_linux(void **state)
{
    enum { GROWS_DOWN = 0x01000000, GROWS_UP = 0x02000000 };
    (void)state;
    map(AT, 4 * P, RW);
    space_map(s, &(struct space_map){.address = AT + 64 * P, .length = 4 * P, .access = RW, .fixed = true,
                                     .grows_down = true});
    assert_int_equal(CALL(mprotect, AT, P, SPACE_READ), 0);
    assert_int_equal(CALL(mprotect, AT, P, SPACE_READ | 8), 0);
    assert_int_equal(CALL(mprotect, AT, P, 16), -EINVAL);
    assert_int_equal(CALL(mprotect, AT + 1, P, SPACE_READ), -EINVAL);
    assert_int_equal(CALL(mprotect, AT, 0, SPACE_READ), 0);
    assert_int_equal(CALL(mprotect, AT, UINT64_MAX, SPACE_READ), -ENOMEM);
    assert_int_equal(CALL(mprotect, AT + 3 * P, 2 * P, SPACE_READ), -ENOMEM);
    assert_int_equal(CALL(mprotect, AT, P, SPACE_READ | GROWS_UP), -EINVAL);
    assert_int_equal(CALL(mprotect, AT, P, SPACE_READ | GROWS_DOWN), -EINVAL);
    assert_int_equal(CALL(mprotect, AT + 66 * P, P, SPACE_READ | GROWS_DOWN), 0);
    assert_int_equal(put8(s, AT + 64 * P, 1), -EFAULT);
    assert_int_equal(put8(s, AT + 67 * P, 1), 0);
}

static void mremap_answers_as_linux(void **state)
{
    enum { MAYMOVE = 1, MOVES_TO = 3, DONTUNMAP = 4 };
    (void)state;
    map(AT, 2 * P, RW);
    put8(s, AT, 9);
    assert_int_equal(CALL(mremap, AT, P, P, 8), -EINVAL);
    assert_int_equal(CALL(mremap, AT, P, P, 2, AT + 8 * P), -EINVAL);
    assert_int_equal(CALL(mremap, AT, P, P, DONTUNMAP), -EINVAL);
    assert_int_equal(CALL(mremap, AT, P, 2 * P, DONTUNMAP | MAYMOVE), -EINVAL);
    assert_int_equal(CALL(mremap, AT, 2 * P, 4 * P, 0), AT);
    assert_int_equal(CALL(mremap, AT, 4 * P, 2 * P, 0), AT);
    assert_int_equal(CALL(mremap, AT, 2 * P, 2 * P, MOVES_TO, AT + 16 * P), AT + 16 * P);
    assert_int_equal(get8(s, AT + 16 * P), 9);
    int64_t to = CALL(mremap, AT + 16 * P, 2 * P, 2 * P, DONTUNMAP | MAYMOVE);
    assert_int_equal(get8(s, (uint64_t)to), 9);
    assert_int_equal(get8(s, AT + 16 * P), 0);
}

static void the_rest_answers_as_linux(void **state)
{
    uint8_t vector[4];
    (void)state;
    map(AT, 4 * P, RW);
    put8(s, AT + P, 1);
    assert_int_equal(CALL(munmap, AT + 1, P), -EINVAL);
    assert_int_equal(CALL(munmap, AT, 0), -EINVAL);
    assert_int_equal(CALL(munmap, AT + 100 * P, P), 0);
    assert_int_equal(CALL(msync, AT, P, 4), 0);
    assert_int_equal(CALL(msync, AT, P, 5), -EINVAL);
    assert_int_equal(CALL(msync, AT, P, 8), -EINVAL);
    assert_int_equal(CALL(msync, AT + 1, P, 4), -EINVAL);
    assert_int_equal(CALL(msync, AT, 9 * P, 4), -ENOMEM);
    assert_int_equal(CALL(msync, AT, UINT64_MAX, 4), -ENOMEM);
    assert_int_equal(CALL(madvise, AT, P, 77), -EINVAL);
    assert_int_equal(CALL(mincore, AT, 2 * P, AT + 3 * P), 0);
    assert_int_equal(space_copy_in(s, vector, AT + 3 * P, 2), 0);
    assert_true(!vector[0] && vector[1]);
    assert_int_equal(CALL(mincore, AT + 1, P, AT), -EINVAL);
    assert_int_equal(CALL(mincore, AT, 5 * P, AT), -ENOMEM);
    assert_int_equal(CALL(mincore, AT, P, 8), -EFAULT);
    assert_int_equal(CALL(mincore, AT, UINT64_MAX, AT), -ENOMEM);
}

static void locks_bring_pages_in(void **state)
{
    (void)state;
    map(AT, 4 * P, RW);
    assert_int_equal(CALL(mlock, AT + 5, P), 0);
    assert_int_equal(space_is_resident(s, AT + P), 1);
    assert_int_equal(space_is_resident(s, AT + 2 * P), 0);
    assert_int_equal(CALL(mlock, AT, 5 * P), -ENOMEM);
    assert_int_equal(CALL(mlock, AT, UINT64_MAX - 2 * P), -EINVAL);
    assert_int_equal(CALL(mlock, AT, 1ull << 46), -ENOMEM);
    assert_int_equal(CALL(mlock2, AT, P, 2), -EINVAL);
    assert_int_equal(CALL(mlock2, AT + 3 * P, P, 1), 0);
    assert_int_equal(space_is_resident(s, AT + 3 * P), 0);
    assert_int_equal(CALL(munlock, AT, 4 * P), 0);
    assert_int_equal(CALL(munlock, AT, 5 * P), -ENOMEM);
    assert_int_equal(CALL(mlockall, 0), -EINVAL);
    assert_int_equal(CALL(mlockall, 8), -EINVAL);
    assert_int_equal(CALL(mlockall, 4), -EINVAL);
    assert_int_equal(CALL(mlockall, 2), 0);
    assert_int_equal(space_is_resident(s, AT + 2 * P), 0);
    assert_int_equal(CALL(mlockall, 3), 0);
    assert_int_equal(space_is_resident(s, AT + 2 * P), 1);
    assert_int_equal(CALL(munlockall, 0), 0);
}

static void barriers_are_registered_first(void **state)
{
    (void)state;
    int64_t all = CALL(membarrier, 0, 0);
    assert_true(all & 8 && all & 16);
    assert_int_equal(CALL(membarrier, 0, 1), -EINVAL);
    assert_int_equal(CALL(membarrier, 1, 0), 0);
    assert_int_equal(CALL(membarrier, 8, 0), -EPERM);
    assert_int_equal(CALL(membarrier, 16, 0), 0);
    assert_int_equal(CALL(membarrier, 8, 0), 0);
    assert_int_equal(CALL(membarrier, 32, 0), -EPERM);
    assert_int_equal(CALL(membarrier, 3, 0), -EINVAL);
    assert_int_equal(CALL(membarrier, 1 << 20, 0), -EINVAL);
}

static void the_break_is_told(void **state)
{
    (void)state;
    space_set_break(s, AT);
    assert_int_equal(CALL(brk, 0), AT);
    assert_int_equal(CALL(brk, AT + 3 * P), AT + 3 * P);
    assert_int_equal(CALL(brk, 5), AT + 3 * P);
}

#undef T
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(mmap_answers_as_linux), T(flags_have_their_effect), T(mprotect_answers_as_linux),
        T(mremap_answers_as_linux), T(the_rest_answers_as_linux), T(locks_bring_pages_in),
        T(barriers_are_registered_first), T(the_break_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
