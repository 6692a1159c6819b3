/* Addresses: as text, and made of whose they are. */
#include <stddef.h>

#include "cp/network/lan.h"
#include "lib/format.h"

enum { GROUP = 1, LOCAL = 2, HASHED = MAC - 1 };

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

bool mac_parse(const char *text, uint8_t mac[MAC])
{
    uint8_t any = 0;

    for (unsigned i = 0; i < MAC; i++) {
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || (i + 1 < MAC ? text[2] != '-' && text[2] != ':' : text[2]))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        any |= mac[i];
        text += 3;
    }
    return any && !(mac[0] & GROUP);
}

const char *mac_text(const uint8_t mac[MAC], char text[MAC_TEXT])
{
    format_text(text, MAC_TEXT, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return text;
}

/* FNV-1a, of which forty bits remain. */
void mac_of(const char *userid, unsigned vdev, uint8_t mac[MAC])
{
    uint64_t hash = 0xCBF29CE484222325;

    for (; *userid; userid++)
        hash = (hash ^ (uint8_t)*userid) * 0x100000001B3;
    hash = (hash ^ vdev) * 0x100000001B3;
    hash ^= hash >> 40;
    mac[0] = LOCAL;
    for (unsigned i = 1; i <= HASHED; i++, hash >>= 8)
        mac[i] = (uint8_t)hash;
}
