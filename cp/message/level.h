/* What this CP is, in the words QUERY CPLEVEL and DIAGNOSE answer with. */
#pragma once
#define CP_PRODUCT "VM/N"
#define CP_VERSION "1.0"
#define CP_LEVEL   "VM/N Version 1 Release 0"
#define CP_NODE    "VMN"
