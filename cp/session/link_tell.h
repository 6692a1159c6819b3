/* The HCPLNM messages for LINK_FORCED_READ and LINK_REFUSED (cp/minidisk/link.h): who has the minidisk. They return the
 * return code. */
#pragma once
struct directory_disk;
struct response;
struct user;

/* `user`: who got it, as `vdev`. */
unsigned link_tell_forced(struct response *, const struct directory_disk *, const struct user *, unsigned vdev);
unsigned link_tell_refused(struct response *, const struct directory_disk *);
