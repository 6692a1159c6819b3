/* In: page frames. Out: rows of users, and as many of what is kept of them. */
#include "cp/directory/rows.h"

struct frame_account directory_account = {.rank = FRAME_OPERATOR, .common = true};

enum {
    KEPT_BLOCK = PAGE_SIZE / sizeof(struct user_kept),
    KEPT_BLOCKS = 2 * DIRECTORY_BLOCKS * DIRECTORY_BLOCK / KEPT_BLOCK + 1,
};
_Static_assert(DIRECTORY_BLOCK * sizeof(struct user) <= PAGE_SIZE, "a frame is a block");

/* The first are there, so that somebody can be in a directory in any case. */
static struct user first[DIRECTORY_BLOCK];
static struct user_kept first_kept[KEPT_BLOCK], *kept[KEPT_BLOCKS] = {first_kept};
static unsigned users, kept_blocks = 1;
static bool first_taken;

struct user_kept *kept_row(unsigned row) { return &kept[row / KEPT_BLOCK][row % KEPT_BLOCK]; }

static bool keep_more(void)
{
    bool enough = users + DIRECTORY_BLOCK <= kept_blocks * KEPT_BLOCK;
    return enough || ((kept[kept_blocks] = frame_alloc(&directory_account)) && ++kept_blocks);
}

struct user *directory_block(void)
{
    struct user *block = !first_taken ? first : keep_more() ? frame_alloc(&directory_account) : NULL;
    first_taken = true;
    users += block ? DIRECTORY_BLOCK : 0;
    return block;
}

void rows_give_back(struct directory *d)
{
    directory_clear(d);
    for (unsigned i = 0; i < DIRECTORY_BLOCKS && d->rows; i++) {
        struct user *block = d->rows->block[i];
        users -= block ? DIRECTORY_BLOCK : 0;
        d->rows->block[i] = NULL;
        if (block == first)
            first_taken = false;
        else
            frame_free(&directory_account, block);
    }
}
