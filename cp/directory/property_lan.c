/* The directory's properties that networks have: those of a NIC and of a LAN. */
#include <libfdt.h>
#include <string.h>

#include "cp/directory/property.h"
#include "cp/network/lan.h"

static bool cell_of(struct value v, uint32_t most, uint32_t *out)
{
    if (v.bytes != sizeof *out)
        return false;
    *out = fdt32_ld((const fdt32_t *)(const void *)v.at);
    return *out <= most;
}

static const char *take_flag(struct value v, bool *flag)
{
    *flag = true;
    return v.bytes ? "takes no value" : NULL;
}

static const char *take_vlan(struct value v, uint16_t *vlan)
{
    uint32_t number;
    if (!cell_of(v, VLAN_LAST, &number))
        return "is not one cell of 0 to 4094";
    *vlan = (uint16_t)number;
    return NULL;
}

/* ---- of a NIC ---------------------------------------------------------------------------------------------------- */

static struct machine_nic *nic_of(const struct row *row) { return &row->user->machine.nic[row->nic]; }

static const char *judge_lan(const char *text)
{
    char owner[DIRECTORY_NAME + 1], name[DIRECTORY_NAME + 1];
    return directory_lan_name(text, owner, name) ? NULL : "has no owner and name of a LAN, as SYSTEM NET1";
}

static const char *take_lan(struct row *row, struct value v)
{
    row->user->nic_lans[row->nic] = v.at;
    row->user->nic_lans_bytes[row->nic] = v.bytes;
    return NULL;
}

static const char *take_mac(struct row *row, struct value v)
{
    bool text = v.bytes && strnlen(v.at, v.bytes) == v.bytes - 1;
    row->user->nic_has_mac[row->nic] = true;
    return text && mac_parse(v.at, nic_of(row)->mac) ? NULL : "is no address of a station, as 02-00-00-00-00-01";
}

static const char *take_nic_vlan(struct row *row, struct value v) { return take_vlan(v, &nic_of(row)->vlan); }
static const char *take_trunk(struct row *row, struct value v) { return take_flag(v, &nic_of(row)->trunk); }

static const char *take_rate(struct row *row, struct value v)
{
    if (!cell_of(v, DIRECTORY_RATE_MOST, &nic_of(row)->rate) || !nic_of(row)->rate)
        return "is not one cell of 1 to 1048576 (KiB a second)";
    return NULL;
}

const struct property directory_nic_properties[] = {
    {"lan", take_lan, true, judge_lan}, {"mac", take_mac, false, NULL},     {"vlan", take_nic_vlan, false, NULL},
    {"rate", take_rate, false, NULL},   {"trunk", take_trunk, false, NULL}, {0},
};

/* ---- of a LAN ---------------------------------------------------------------------------------------------------- */

static const char *take_uplink(struct row *row, struct value v)
{
    uint32_t number;
    if (!cell_of(v, DIRECTORY_UPLINKS - 1, &number))
        return "is not one cell of 0 to 3: which NIC of the real machine";
    row->lan->uplink = true;
    row->lan->number = (uint8_t)number;
    return NULL;
}

static const char *take_native(struct row *row, struct value v) { return take_vlan(v, &row->lan->native); }
static const char *take_isolated(struct row *row, struct value v) { return take_flag(v, &row->lan->isolated); }

const struct property directory_lan_properties[] = {
    {"uplink", take_uplink, false, NULL},
    {"native-vlan", take_native, false, NULL},
    {"isolated", take_isolated, false, NULL},
    {0},
};
