/* Storage for users: their rows in either directory (directory_block() in directory.h), and what is kept of them. Made
 * when it is wanted, a frame at a time; what was made stays. */
#pragma once
#include "cp/directory/directory.h"

/* There are as many as rows of users that directory_block() gave. */
struct user_kept *kept_row(unsigned row);
