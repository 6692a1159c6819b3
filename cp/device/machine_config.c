/* Owns where a machine's UARTs are, how CP's command line describes a machine, and what frames a machine may need. */
#include "cp/device/machine_config.h"

#include <string.h>

enum { DEFAULT_MIB = 64 };
enum {
#define FLAG(name, property)
#define DEVICE(name, property, device) | 1u << GRANT_##name
    EVERY_DEVICE = 0u
#include "cp/device/grants.def"
};

const struct machine_uart machine_uarts[MACHINE_UARTS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

uint64_t machine_config_frames(uint64_t storage_bytes)
{
    enum { MACHINE_AND_NEST = 1024, RAM_A_TABLE = 256 };
    uint64_t ram = storage_bytes / PAGE_SIZE;
    return ram + ram / RAM_A_TABLE + MACHINE_AND_NEST;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (text[n] && text[n] != ' ')
        n++;
    return n;
}

bool machine_forbids(const struct machine_config *config, const char *environment)
{
    size_t length = strlen(environment);
    for (const char *at = config->forbidden; *at; at += word_length(at), at += *at == ' ')
        if (word_length(at) == length && !memcmp(at, environment, length))
            return true;
    return false;
}

static bool take_storage(struct machine_config *config, const char *value)
{
    uint32_t mib = 0;
    for (; *value >= '0' && *value <= '9' && mib <= MACHINE_STORAGE_MAX_MIB; value++)
        mib = mib * 10 + (uint32_t)(*value - '0');
    config->storage_bytes = (uint64_t)mib << 20;
    return mib && mib <= MACHINE_STORAGE_MAX_MIB && !word_length(value);
}

static bool take_nesting(struct machine_config *config, const char *value)
{
    return nest_mode_parse(value, word_length(value), &config->nesting);
}

static bool take_nic(struct machine_config *config, const char *value)
{
    config->nics = 1;
    config->nic[0] = (struct machine_nic){.vdev = MACHINE_NIC_SINGLE};
    return word_length(value) == sizeof "uplink" - 1 && !memcmp(value, "uplink", sizeof "uplink" - 1);
}

static bool take_word(struct machine_config *config, const char *word)
{
    static const struct {
        const char *key;
        bool (*take)(struct machine_config *, const char *value);
    } row[] = {{"guest-memory=", take_storage}, {"nesting=", take_nesting}, {"nic=", take_nic}};
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++)
        if (!strncmp(word, row[i].key, strlen(row[i].key)))
            return row[i].take(config, word + strlen(row[i].key));
    return true; /* not about the machine */
}

const char *machine_config_read(struct machine_config *config, const char *line)
{
    *config = (struct machine_config){.storage_bytes = (uint64_t)DEFAULT_MIB << 20, .uarts = 1, .nesting = NEST_MEMORY,
                                      .grants = EVERY_DEVICE};
    for (const char *word = line; *word; word += word_length(word), word += *word == ' ')
        if (!take_word(config, word))
            return word;
    config->storage_maximum = config->storage_bytes;
    config->frame_limit = machine_config_frames(config->storage_maximum);
    return NULL;
}
