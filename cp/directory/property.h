/* What a node of the directory may hold: tables of properties. Each row's function judges the value, puts it where it
 * belongs, and says what is wrong with it. */
#pragma once
#include "cp/directory/directory.h"

struct value {
    const char *at;
    unsigned bytes;
};

/* What a property's function writes to: the row being filled. */
struct row {
    struct directory *directory;
    struct user *user;
    struct directory_disk *disk;
    struct directory_link *link;
    struct directory_range *area;
    struct directory_lan *lan;
    unsigned nic; /* of the user's machine */
};

struct property {
    const char *name;
    const char *(*take)(struct row *, struct value); /* NULL: well; else the reason */
    bool required;
    const char *(*each)(const char *); /* of a list: judges one of its strings, before all are taken */
};

/* Each ends with a row without a name. */
enum {
    PROPERTY_LONGEST = 4096, /* bytes of a value, or of each string in a list */
};

extern const struct property directory_root_properties[], directory_no_properties[], directory_user_properties[],
    directory_disk_properties[], directory_link_properties[], directory_area_properties[], directory_nic_properties[],
    directory_lan_properties[];
