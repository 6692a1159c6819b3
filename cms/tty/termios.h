/* The structures and bits of termios(3) on x86-64 as ioctl_tty(2) has them; values that collide with no host header. */
#pragma once
#include <stdint.h>

enum { TTY_CHARACTERS = 19 };
struct tty_termios {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t character[TTY_CHARACTERS];
};
_Static_assert(sizeof(struct tty_termios) == 36, "struct termios of the kernel");

struct tty_window {
    uint16_t rows, columns, pixels_x, pixels_y;
};

enum {
    T_INTR,
    T_QUIT,
    T_ERASE,
    T_KILL,
    T_EOF,
    T_TIME,
    T_MIN,
    T_SWTC,
    T_START,
    T_STOP,
    T_SUSP,
    T_EOL,
    T_REPRINT,
    T_DISCARD,
    T_WERASE,
    T_LNEXT,
    T_EOL2
};
enum {
    I_ISTRIP = 0040,
    I_INLCR = 0100,
    I_IGNCR = 0200,
    I_ICRNL = 0400,
    I_IUCLC = 01000,
    I_IXON = 02000,
    I_IXANY = 04000,
    I_IMAXBEL = 020000,
    I_IUTF8 = 040000
};
enum { O_OPOST = 01, O_OLCUC = 02, O_ONLCR = 04, O_OCRNL = 010, O_ONOCR = 020, O_ONLRET = 040, O_TABS = 014000 };
enum { C_B38400 = 017, C_CS8 = 060, C_CREAD = 0200, C_HUPCL = 02000 };
enum {
    L_ISIG = 01,
    L_ICANON = 02,
    L_ECHO = 010,
    L_ECHOE = 020,
    L_ECHOK = 040,
    L_ECHONL = 0100,
    L_NOFLSH = 0200,
    L_TOSTOP = 0400,
    L_ECHOCTL = 01000,
    L_ECHOKE = 04000,
    L_IEXTEN = 0100000
};

enum {
    TTY_TCGETS = 0x5401,
    TTY_TCSETS,
    TTY_TCSETSW,
    TTY_TCSETSF,
    TTY_TCGETA,
    TTY_TCSETA,
    TTY_TCSETAW,
    TTY_TCSETAF,
    TTY_TCSBRK,
    TTY_TCXONC,
    TTY_TCFLSH,
    TTY_TIOCEXCL,
    TTY_TIOCNXCL,
    TTY_TIOCSCTTY,
    TTY_TIOCGPGRP,
    TTY_TIOCSPGRP,
    TTY_TIOCOUTQ,
    TTY_TIOCSTI,
    TTY_TIOCGWINSZ,
    TTY_TIOCSWINSZ,
    TTY_FIONREAD = 0x541b,
    TTY_TIOCNOTTY = 0x5422,
    TTY_TIOCSETD,
    TTY_TIOCGETD,
    TTY_TCSBRKP,
    TTY_TIOCGSID = 0x5429,
};
static const uint32_t TTY_TCGETS2 __attribute__((unused)) = 0x802c542a;
static const uint32_t TTY_TCSETS2 __attribute__((unused)) = 0x402c542b;
