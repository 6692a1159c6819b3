/* Systems saved by command, as other families' commands name them. */
#pragma once
#include "cp/command/command.h"

unsigned command_query_nss(struct call *); /* QUERY NSS */
unsigned command_purge_nss(struct call *); /* PURGE NSS name */
