#include "cp/network/uplink.h"

#include <stddef.h>

static struct port *port[UPLINKS];
static unsigned ports;

void uplink_add(struct port *p)
{
    if (ports < UPLINKS)
        port[ports++] = p;
}

struct port *uplink_port(unsigned number) { return number < ports ? port[number] : NULL; }
