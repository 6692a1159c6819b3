/* Saved systems on the volume (nss_format.h). In: the area, systems that are to be kept or are purged. Out: sectors,
 * systems again after a start. */
#pragma once
#include <stdbool.h>

#include "cp/device/disk.h"
#include "cp/ipl/nss.h"

/* From now on; `area` NULL: systems are in storage only. `lost` is told of each that is damaged, when that is known. */
void nss_start(struct disk *area, void (*lost)(const char *name, const char *why));
bool nss_reading(void);               /* what is on the volume is not all known yet */
bool nss_has_volume(void);
/* NULL, or why not; *nss is KEEPING from here on, until nss_end_keeping(). */
const char *nss_keep(struct nss *);
void nss_store_wake(void);            /* some row is PURGED */
bool nss_store_idle(void);            /* nothing is on its way to the volume */
