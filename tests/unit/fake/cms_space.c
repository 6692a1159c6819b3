/* Programs' storage where a test has none: nothing can be reached. Weak, so that a test that has address spaces has
 * those. */
#include <errno.h>

#include "cms/space/space.h"

__attribute__((weak)) int space_copy_out(struct space *s, uint64_t to, const void *from, size_t bytes)
{
    return (void)s, (void)to, (void)from, (void)bytes, -EFAULT;
}

__attribute__((weak)) int space_copy_in(struct space *s, void *to, uint64_t from, size_t bytes)
{
    return (void)s, (void)to, (void)from, (void)bytes, -EFAULT;
}
