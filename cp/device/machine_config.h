/* What a machine is made of and granted. Filled by the directory (cp/directory/property.c) or, for a machine of --ipl,
 * by CP's command line; held by the machine; read by who makes its devices and by who describes them to it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/share.h"
#include "cp/storage/frame.h"
#include "nest/mode.h"

enum { MACHINE_FORBIDDEN = 47 };
enum { MACHINE_UARTS = 4, MACHINE_DISKS = 16, MACHINE_NICS = 2, MACHINE_STORAGE_MAX_MIB = 1 << 20 };
enum { MACHINE_NIC_SINGLE = 0x600 /* the NIC of a machine of --ipl */ };

enum machine_grant {
#define FLAG(name, property) GRANT_##name,
#include "cp/device/grants.def"
    GRANTS,
};

/* A NIC: what is its owner's to say nothing about. */
struct machine_nic {
    uint16_t vdev;
    uint16_t vlan;  /* on a trunk: the one without a tag */
    uint32_t rate;  /* KiB a second that it may send; 0: any number */
    uint8_t mac[6];
    bool trunk;     /* it may send from any address, and with tags (cp/network/lan.h) */
};

struct machine_config {
    const char *userid;       /* whose it is, 1 to 8 characters; lives as long as the machine */
    uint64_t storage_bytes;   /* RAM; DEFINE STORAGE changes it ... */
    uint64_t storage_maximum; /* ... up to here */
    uint64_t frame_limit;     /* frames on its account at most, 0: any number */
    enum frame_rank rank;     /* whether the last frames are for it */
    struct share share;       /* of the processor, from LOGON on */
    unsigned uarts;           /* 1 to MACHINE_UARTS */
    enum nest_mode nesting;   /* the virtual VMX it is offered */
    unsigned nics;            /* none unless somebody says so */
    struct machine_nic nic[MACHINE_NICS];
    uint32_t grants;          /* 1 << enum machine_grant */
    char forbidden[MACHINE_FORBIDDEN + 1]; /* execution environments that its user is not to have, between blanks */
};

static inline bool machine_granted(const struct machine_config *config, enum machine_grant grant)
{
    return config->grants & 1u << grant;
}

/* Whether the environment of that name is among those that are forbidden. */
bool machine_forbids(const struct machine_config *, const char *environment);

/* Where UARTs are, the first `uarts` of them. */
extern const struct machine_uart {
    uint16_t port;
    uint8_t irq;
} machine_uarts[MACHINE_UARTS];

/* The frames that storage of so many bytes may take: RAM, the tables that map it, the
 * machine itself, its virtual VMX. */
uint64_t machine_config_frames(uint64_t storage_bytes);

/* The machine of --ipl as CP's command line says: "guest-memory=MIB" (64), "nesting=MODE" (memory),
 * "nic=uplink" (none);
 * one UART, every device that can be granted. All is filled in but userid and rank. NULL, or the word
 * that asks for what there is not. */
const char *machine_config_read(struct machine_config *, const char *line);
