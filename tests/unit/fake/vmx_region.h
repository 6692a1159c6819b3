/* The fake machine's VMCS regions, for its own files. */
#pragma once
#include "tests/unit/fake/vmx_machine.h"

/* VMPTRLD: hardware holds the region's contents from here on. */
void fake_region_load(struct fake_vmx *, struct fake_region *);
/* VMWRITE of `fields` from image to the loaded region. */
void fake_region_push(struct fake_vmx *, const struct vmcs *image, const struct vmcs_set *fields);
/* As the fake machine carries them out. */
extern const struct nest_hardware fake_region_hardware;
