/* AWSTAPE blocks, from and to bytes. */
#include "cms/tape/aws.h"

enum { FLAG_FIRST = 0x80, FLAG_MARK = 0x40, FLAG_LAST = 0x20, AT_FLAGS = 4 };

static enum aws_status damaged(struct aws_reader *r, const char *why)
{
    r->why = why;
    return AWS_DAMAGED;
}

struct piece {
    size_t length;
    uint8_t flags;
};

/* The header at `at`. */
static enum aws_status read_header(struct aws_reader *r, uint64_t at, struct piece *piece)
{
    uint8_t header[AWS_HEADER];
    int n = r->read(r->ctx, at, header, sizeof header);
    if (n < 0)
        return AWS_IO;
    if (n == 0)
        return AWS_END;
    if (n < AWS_HEADER)
        return damaged(r, "the file ends within a block's header");
    *piece = (struct piece){(size_t)(header[0] | header[1] << 8), header[AT_FLAGS]};
    bool mark = piece->flags & FLAG_MARK;
    if (mark && piece->length)
        return damaged(r, "a tape mark has a length");
    return mark ? AWS_MARK : AWS_BLOCK;
}

static enum aws_status read_piece(struct aws_reader *r, uint64_t at, const struct piece *piece, uint8_t *to)
{
    int n = r->read(r->ctx, at, to, piece->length);
    if (n < 0)
        return AWS_IO;
    return (size_t)n == piece->length ? AWS_BLOCK : damaged(r, "the file ends within a block");
}

enum aws_status aws_read(struct aws_reader *r, uint8_t *block, size_t *length)
{
    uint64_t at = r->at;
    struct piece piece;
    bool first = true;
    *length = 0;
    do {
        enum aws_status status = read_header(r, at, &piece);
        if (first && status == AWS_MARK) {
            r->at += AWS_HEADER;
            r->previous = 0;
        }
        if (status != AWS_BLOCK)
            return first || status == AWS_IO ? status : damaged(r, "a block has no last piece");
        if (first != !!(piece.flags & FLAG_FIRST))
            return damaged(r, first ? "a block has no first piece" : "a block has no last piece");
        if (!piece.length || piece.length > AWS_BLOCK_MAX - *length)
            return damaged(r, "a block is empty or longer than 65535 bytes");
        status = read_piece(r, at + AWS_HEADER, &piece, block + *length);
        if (status != AWS_BLOCK)
            return status;
        at += AWS_HEADER + piece.length;
        *length += piece.length;
        first = false;
    } while (!(piece.flags & FLAG_LAST));
    r->previous = (uint16_t)piece.length;
    r->at = at;
    return AWS_BLOCK;
}

static int write_header(struct aws_writer *w, size_t length, uint8_t flags)
{
    const uint8_t header[AWS_HEADER] = {(uint8_t)length,          (uint8_t)(length >> 8), (uint8_t)w->previous,
                                        (uint8_t)(w->previous >> 8), flags,               0};
    w->previous = (uint16_t)length;
    return w->write(w->ctx, header, sizeof header);
}

int aws_write(struct aws_writer *w, const uint8_t *block, size_t length)
{
    int rc = write_header(w, length, FLAG_FIRST | FLAG_LAST);
    return rc ? rc : w->write(w->ctx, block, length);
}

int aws_write_mark(struct aws_writer *w)
{
    return write_header(w, 0, FLAG_MARK);
}
