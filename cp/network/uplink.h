/* The NICs of the machine CP runs on, as ports: who drives them registers them, and who knows what LAN each is for
 * couples them. */
#pragma once
#include "cp/network/lan.h"

enum { UPLINKS = 4 };

void uplink_add(struct port *); /* the next; beyond UPLINKS nobody gets it. @pre an uplink, with account and address */
struct port *uplink_port(unsigned number); /* from 0; NULL: there is none */
