/* What NETDATA is made of, for who writes it and who reads it: flags of segments, keys of text units. */
#pragma once

enum { NETDATA_FIRST = 0x80, NETDATA_LAST = 0x40, NETDATA_CONTROL = 0x20, NETDATA_RECORD_NUMBER = 0x10 };
enum { NETDATA_SEGMENT = 253, NETDATA_HEAD = 2, NETDATA_NAME = 6 };

enum netdata_unit {
    INMDSNAM = 0x0002,
    INMTERM = 0x0028,
    INMDSORG = 0x003c,
    INMLRECL = 0x0042,
    INMRECFM = 0x0049,
    INMTNODE = 0x1001,
    INMTUID = 0x1002,
    INMFNODE = 0x1011,
    INMFUID = 0x1012,
    INMLCHG = 0x1021,
    INMFTIME = 0x1024,
    INMFACK = 0x1026,
    INMERRCD = 0x1027,
    INMUTILN = 0x1028,
    INMSIZE = 0x102c,
    INMFFM = 0x102d,
    INMNUMF = 0x102f,
};

/* INMRECFM; both: undefined */
enum { NETDATA_FIXED = 0x8000, NETDATA_VARIABLE = 0x4000 };
