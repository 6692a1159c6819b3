"""A minidisk as another tool may leave it: filled to the last block, its directory's own block count never kept up,
with a file of no records and perhaps one whose name has a control character. None of cms/edf is used."""
BLOCK = 512


def _name(text, size=8):
    return text.ljust(size).encode("cp037")  # which agrees with 1047 on these


def _entry(name, lrecl, origin, blocks, records, levels):
    entry = bytearray(64)
    entry[:16] = name
    entry[0x18:0x1a] = _name("A1", 2)
    entry[0x1e], entry[0x1f], entry[0x34], entry[0x35] = 0xc6, 0x08, levels, 4
    for offset, value in ((0x20, lrecl), (0x28, origin), (0x2c, blocks), (0x30, records)):
        entry[offset:offset + 4] = value.to_bytes(4, "big")
    entry[0x36:0x3c] = bytes.fromhex("191231235959")
    return entry


def full_disk(path, files=20, each=3, hostile=False):
    """Files F0 FILE, F1 FILE, ... of `each` records of 512 times the letter A, B, ...; VOID FILE, which is empty;
    and, if `hostile`, a file named E, ESC, L. There is no free block."""
    entries, used = [], []

    def take(content=b""):
        used.append(content.ljust(BLOCK, b"\0"))
        return len(used)  # blocks are counted from 1

    for _ in range(5):  # three reserved ones, and the two places of the directory's first block
        take()
    directory_blocks = (files + 3 + hostile + 7) // 8
    map_block, pointers = take(), take()
    directory = [4] + [take() for _ in range(directory_blocks - 1)]
    for n in range(files):
        data = [take(bytes([65 + n % 26]) * BLOCK) for _ in range(each)]
        top = take(b"".join(block.to_bytes(4, "big") for block in data))
        entries.append(_entry(_name(f"F{n}") + _name("FILE"), BLOCK, top, each, each, 1))
    entries.append(_entry(_name("VOID") + _name("FILE"), 80, 0, 0, 0, 0))
    if hostile:
        name = _name("E", 1) + b"\x27" + _name("L", 6) + _name("FILE")
        entries.append(_entry(name, BLOCK, take(b"x" * BLOCK), 1, 1, 0))
    own = (1).to_bytes(4, "big") + bytes(4) + _name("DIRECTOR"), (2).to_bytes(4, "big") + bytes(4) + _name("ALLOCMAP")
    entries[:0] = [_entry(own[0], 64, pointers, 1, len(entries) + 2, 1), _entry(own[1], BLOCK, map_block, 1, 1, 0)]
    listing = b"".join(map(bytes, entries))
    for n, block in enumerate(directory):
        used[block - 1] = listing[n * BLOCK:(n + 1) * BLOCK].ljust(BLOCK, b"\0")
    used[pointers - 1] = b"".join(block.to_bytes(4, "big") for block in directory).ljust(BLOCK, b"\0")
    bits = "1" * len(used)
    used[map_block - 1] = int(bits.ljust(BLOCK * 8, "0"), 2).to_bytes(BLOCK, "big")
    label = bytearray(_name("CMS1OTHER ", 10) + b"\0\x02").ljust(BLOCK, b"\0")
    for offset, value in ((0x0c, BLOCK), (0x10, 4), (0x1c, len(used)), (0x20, len(used)), (0x24, 64), (0x28, 8)):
        label[offset:offset + 4] = value.to_bytes(4, "big")
    used[1] = bytes(label)
    with open(path, "wb") as image:
        image.write(b"".join(used))
    return path
