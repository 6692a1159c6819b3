/* CP's directory as CP keeps it, a device tree blob; the driver room provides it by DIAGNOSE (cp/diagnose.h). */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum cms_directory_status {
    CMS_DIRECTORY_OK,
    CMS_DIRECTORY_ABSENT,  /* no CP is there that gives one, or it has none on a volume */
    CMS_DIRECTORY_DENIED,  /* the user is not of class B */
    CMS_DIRECTORY_LONG,    /* CP takes no such long one */
    CMS_DIRECTORY_CROSSED, /* somebody else gave CP another one meanwhile */
};

/* The whole blob, in storage of the heap that the caller frees. */
enum cms_directory_status cms_directory_get(void **blob, size_t *bytes);
enum cms_directory_status cms_directory_put(const void *blob, size_t bytes);
