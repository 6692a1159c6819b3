/* Storage for users: their rows in either directory (directory_block() in directory.h), and what is kept of them. Made
 * when it is wanted, a frame at a time. */
#pragma once
#include "cp/directory/directory.h"
#include "cp/storage/frame.h"

/* Of directories, from nothing that is kept back for CP: somebody's directory may be as large as they like. */
extern struct frame_account directory_account;

/* The rows of a directory that nobody uses any more, of whose users nothing is kept. */
void rows_give_back(struct directory *);

/* There are as many as rows of users that directory_block() gave. */
struct user_kept *kept_row(unsigned row);
