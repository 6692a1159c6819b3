/* Which CMS this is. */
#pragma once

#define CMS_PRODUCT "VM/N"
#define CMS_VERSION "1.0"
enum { CMS_LEVEL = 1, CMS_SERVICE = 0 };
