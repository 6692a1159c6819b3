/* Cells to bytes: UTF-8, and of ECMA-48 CUP, SGR, ED; and the cursor's visibility (DECTCEM). */
#include "cp/device/vga_screen.h"

#include <string.h>

#include "lib/format.h"

_Static_assert(sizeof(struct vga_area) <= VGA_AREA_PAGES * PAGE_SIZE, "an area in its frames");
enum { CRTC_CURSOR_START = 0x0A, CRTC_START = 0x0C, CRTC_CURSOR = 0x0E, CURSOR_OFF = 0x20, GRAPHICS_MISC = 6,
       GRAPHICS_MODE = 1 };
enum { BLANK = 0x0720, MOST_OF_A_CELL = 48, PLAIN = 7, UNKNOWN = -1 };

/* Code page 437: 0 to 31, and from 127 on. */
static const uint16_t low_glyph[32] = {
    0x20,   0x263A, 0x263B, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25D8, 0x25CB, 0x25D9, 0x2642, 0x2640, 0x266A,
    0x266B, 0x263C, 0x25BA, 0x25C4, 0x2195, 0x203C, 0xB6,   0xA7,   0x25AC, 0x21A8, 0x2191, 0x2193, 0x2192, 0x2190,
    0x221F, 0x2194, 0x25B2, 0x25BC};
static const uint16_t high_glyph[129] = {
    0x2302, 0xC7,   0xFC,   0xE9,   0xE2,   0xE4,   0xE0,   0xE5,   0xE7,   0xEA,   0xEB,   0xE8,   0xEF,   0xEE,
    0xEC,   0xC4,   0xC5,   0xC9,   0xE6,   0xC6,   0xF4,   0xF6,   0xF2,   0xFB,   0xF9,   0xFF,   0xD6,   0xDC,
    0xA2,   0xA3,   0xA5,   0x20A7, 0x192,  0xE1,   0xED,   0xF3,   0xFA,   0xF1,   0xD1,   0xAA,   0xBA,   0xBF,
    0x2310, 0xAC,   0xBD,   0xBC,   0xA1,   0xAB,   0xBB,   0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
    0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510, 0x2514, 0x2534, 0x252C, 0x251C, 0x2500,
    0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256C, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C, 0x2588, 0x2584, 0x258C, 0x2590, 0x2580, 0x3B1,
    0xDF,   0x393,  0x3C0,  0x3A3,  0x3C3,  0xB5,   0x3C4,  0x3A6,  0x398,  0x3A9,  0x3B4,  0x221E, 0x3C6,  0x3B5,
    0x2229, 0x2261, 0xB1,   0x2265, 0x2264, 0x2320, 0x2321, 0xF7,   0x2248, 0xB0,   0x2219, 0xB7,   0x221A, 0x207F,
    0xB2,   0x25A0, 0xA0};

static uint16_t glyph(uint8_t code)
{
    return code < 32 ? low_glyph[code] : code >= 127 ? high_glyph[code - 127] : code;
}

void vga_screen_begin(struct vga_area *a)
{
    static const uint8_t start[] = {0x0D, 0x0E}; /* the cursor's rows of a character */
    memcpy(a->crtc + CRTC_CURSOR_START, start, sizeof start);
    a->graphics[GRAPHICS_MISC] = 0x0E;
    a->misc = 0x67;
}

static unsigned word_of(const struct vga_area *a, unsigned high) { return a->crtc[high] << 8 | a->crtc[high + 1]; }

static bool is_blank(uint16_t cell) { return !(cell & 0xFF) || (cell & 0xFF) == ' '; }

bool vga_screen_read(struct vga_area *a, struct guest_storage *storage)
{
    enum { ROW_BYTES = VGA_COLUMNS * 2 };
    bool text = false;
    for (unsigned row = 0; row < VGA_ROWS; row++) {
        unsigned at = (word_of(a, CRTC_START) * 2 + row * ROW_BYTES) % VGA_MEMORY_BYTES;
        unsigned first = VGA_MEMORY_BYTES - at < ROW_BYTES ? VGA_MEMORY_BYTES - at : ROW_BYTES;
        uint8_t *cells = (uint8_t *)&a->cell[row * VGA_COLUMNS];
        if (guest_read(storage, gpa(VGA_MEMORY + at), cells, first) ||
            guest_read(storage, gpa(VGA_MEMORY), cells + first, ROW_BYTES - first))
            return false;
        for (unsigned column = 0; column < VGA_COLUMNS && !text; column++)
            text = !is_blank(a->cell[row * VGA_COLUMNS + column]);
    }
    return text && !(a->graphics[GRAPHICS_MISC] & GRAPHICS_MODE);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static void add(struct vga_area *a, const char *text, size_t length)
{
    memcpy(a->output + a->pending, text, length);
    a->pending += (unsigned)length;
}
#define ADD(a, ...) \
    do { \
        char text_[MOST_OF_A_CELL]; \
        size_t length_ = format_text(text_, sizeof text_, __VA_ARGS__); \
        add(a, text_, length_); \
    } while (0)

static bool has_room(const struct vga_area *a) { return a->pending + 2 * MOST_OF_A_CELL <= VGA_OUTPUT; }

bool vga_screen_flush(struct vga_area *a, const struct vga_host *host)
{
    if (a->sent < a->pending)
        a->sent += host->output(host->context, a->output + a->sent, a->pending - a->sent);
    if (a->sent < a->pending)
        return false;
    a->sent = a->pending = 0;
    return true;
}

/* VGA's blue is the lowest bit, ECMA-48's the highest. */
static unsigned colour(unsigned vga) { return (vga & 2) | (vga & 1) << 2 | (vga >> 2 & 1); }

static void paint(struct vga_area *a, uint8_t attribute)
{
    unsigned ink = attribute & 15, paper = attribute >> 4 & 7;
    if (a->attribute_there == attribute)
        return;
    a->attribute_there = attribute;
    if (attribute == PLAIN) {
        ADD(a, "\033[m");
        return;
    }
    ADD(a, "\033[0;%u;%u%sm", (ink & 8 ? 90 : 30) + colour(ink), 40 + colour(paper), attribute & 0x80 ? ";5" : "");
}

static void character(struct vga_area *a, uint16_t code)
{
    char utf8[3];
    size_t n = 0;
    if (code < 0x80) {
        utf8[n++] = (char)code;
    } else if (code < 0x800) {
        utf8[n++] = (char)(0xC0 | code >> 6);
        utf8[n++] = (char)(0x80 | (code & 63));
    } else {
        utf8[n++] = (char)(0xE0 | code >> 12);
        utf8[n++] = (char)(0x80 | (code >> 6 & 63));
        utf8[n++] = (char)(0x80 | (code & 63));
    }
    add(a, utf8, n);
    a->column++;
    if (a->column == a->columns) /* whether it is in the next row by now is the terminal's affair */
        a->row = VGA_ROWS + a->top;
}

static void draw(struct vga_area *a, unsigned i)
{
    paint(a, a->cell[i] >> 8);
    character(a, glyph(a->cell[i] & 0xFF));
    a->there[i] = a->cell[i];
}

/* A few cells in between are written again: it is shorter. */
static void move(struct vga_area *a, unsigned row, unsigned column)
{
    enum { SHORT = 4 };
    while (a->row == row && a->column < column && column - a->column <= SHORT &&
           a->cell[row * VGA_COLUMNS + a->column] >> 8 == a->attribute_there)
        draw(a, row * VGA_COLUMNS + a->column);
    if (a->row == row && a->column == column)
        return;
    ADD(a, "\033[%u;%uH", row - a->top + 1, column + 1);
    a->row = row;
    a->column = column;
}

/* ---- the screen -------------------------------------------------------------------------------------------------- */

void vga_screen_anew(struct vga_area *a, unsigned columns, unsigned rows)
{
    a->columns = columns && columns < VGA_COLUMNS ? columns : VGA_COLUMNS;
    a->rows = rows && rows < VGA_ROWS ? rows : VGA_ROWS;
    a->top = a->row = a->column = 0;
    for (unsigned i = 0; i < VGA_ROWS * VGA_COLUMNS; i++)
        a->there[i] = BLANK;
    a->pending = a->sent = 0;
    ADD(a, "\033[m\033[2J\033[H\033[?25h");
    a->attribute_there = PLAIN;
    a->cursor_there = true;
}

static unsigned cursor_at(const struct vga_area *a)
{
    return (word_of(a, CRTC_CURSOR) - word_of(a, CRTC_START)) % (VGA_MEMORY_BYTES / 2);
}

static bool cursor_shown(const struct vga_area *a)
{
    return !(a->crtc[CRTC_CURSOR_START] & CURSOR_OFF) && cursor_at(a) < VGA_ROWS * VGA_COLUMNS;
}

/* On a lower terminal the rows with the cursor are seen: all are drawn anew when that moves. */
static void scroll(struct vga_area *a)
{
    unsigned row = cursor_shown(a) ? cursor_at(a) / VGA_COLUMNS : 0, top = a->top;
    if (row < a->top)
        top = row;
    else if (row >= a->top + a->rows)
        top = row - a->rows + 1;
    if (top == a->top)
        return;
    vga_screen_anew(a, a->columns, a->rows);
    a->top = a->row = top;
}

static bool same(uint16_t cell, uint16_t there)
{
    return cell == there || (is_blank(cell) && is_blank(there) && !((cell ^ there) >> 8 & 0xF0));
}

/* False: output[] is full. */
static bool cells(struct vga_area *a)
{
    for (unsigned row = a->top; row < a->top + a->rows; row++)
        for (unsigned column = 0; column < a->columns; column++) {
            unsigned i = row * VGA_COLUMNS + column;
            if (same(a->cell[i], a->there[i]))
                continue;
            if (!has_room(a))
                return false;
            move(a, row, column);
            draw(a, i);
        }
    return true;
}

static void cursor(struct vga_area *a)
{
    bool shown = cursor_shown(a);
    paint(a, PLAIN); /* what CP says is in no colour */
    if (shown != a->cursor_there)
        ADD(a, shown ? "\033[?25h" : "\033[?25l");
    a->cursor_there = shown;
    unsigned column = cursor_at(a) % VGA_COLUMNS;
    if (shown)
        move(a, cursor_at(a) / VGA_COLUMNS, column < a->columns ? column : a->columns - 1);
}

bool vga_screen_show(struct vga_area *a, const struct vga_host *host)
{
    if (!vga_screen_flush(a, host))
        return false;
    scroll(a);
    bool all = cells(a);
    if (all && has_room(a))
        cursor(a);
    return vga_screen_flush(a, host) && all;
}

void vga_screen_leave(struct vga_area *a, const struct vga_host *host)
{
    a->row = VGA_ROWS + a->top;
    if (!vga_screen_flush(a, host))
        return;
    ADD(a, "\033[m\033[%u;1H\033[?25h\r\n", a->rows);
    vga_screen_flush(a, host);
}
