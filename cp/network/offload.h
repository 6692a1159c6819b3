/* What a driver may leave to be done to a frame: its checksum, and cutting it into segments of TCP. Who reads the frame
 * may take it as it is, if their driver said so; for others it is done here, in software.
 *
 * The terms are those of virtio's header of a frame ("Network Device", "Device Operation"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_MOST = 1514, /* a frame without a tag and without the check sequence, which nobody here carries */
    ETHERNET_TAG = 4,     /* of IEEE 802.1Q */
    ETHERNET_ROOM = ETHERNET_MOST + ETHERNET_TAG,
    ETHERNET_UNCUT = 65535 + ETHERNET_HEADER, /* that is yet to be cut */
};

enum { OFFLOAD_CHECKSUM = 1 /* flags: NEEDS_CSUM */, OFFLOAD_TCPV4 = 1 /* gso_type */ };
enum { OFFLOAD_HEADERS = ETHERNET_HEADER + 60 + 60 }; /* of a segment, at most */

struct offload {
    uint8_t flags, gso_type;
    uint16_t header_bytes;  /* a hint */
    uint16_t segment_bytes; /* of TCP's data, in one segment */
    uint16_t checksum_start, checksum_offset; /* from where it counts; where it is from there */
};

/* Whether that can be done to the frame, which has no tag: all of it lies in the frame, and what is to be cut is TCP of
 * IPv4. The hint is true then. */
bool offload_judge(struct offload *, const uint8_t *frame, uint32_t bytes);

/* The checksum that is to be where the frame has its beginning. @pre sound */
uint16_t offload_checksum(const struct offload *, const uint8_t *frame, uint32_t bytes);

struct tcp_segment {
    uint8_t header[OFFLOAD_HEADERS];
    unsigned header_bytes;
    const uint8_t *data; /* in the frame */
    unsigned data_bytes;
};
/* The segment whose data begin so many bytes behind the frame's headers. False: there is none, the one before was the
 * last. @pre sound, with OFFLOAD_TCPV4 */
bool offload_segment(const struct offload *, const uint8_t *frame, uint32_t bytes, uint32_t from, struct tcp_segment *);
