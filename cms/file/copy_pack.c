/* COPYFILE's PACK and UNPACK, and how other commands know a packed file: its bytes are nothing they could show. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/copyfile.h"

static enum edf_status put_block(void *context, const uint8_t block[PACK_LRECL])
{
    struct copy *c = context;
    return edf_write(c->writer, block, PACK_LRECL);
}

int cms_copy_packed(struct copy *c, const struct file_found *found, struct edf_reader *reader)
{
    struct packer *p = &c->pack.packer;
    const struct pack_form form = {found->facts.recfm, c->fill, found->facts.lrecl};
    uint32_t length;
    enum edf_status status = EDF_OK;
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    p->put = put_block, p->context = c;
    pack_begin(p, &form);
    while (!p->status && !(status = edf_read(reader, c->record, EDF_LRECL_MAX, &length))) {
        if (cms_halted())
            return COMMAND_HALTED;
        pack_record(p, c->record, length);
    }
    if (status && status != EDF_END)
        return cms_file_failed("CPY", status, found->mode, text);
    status = pack_end(p);
    return status ? cms_file_failed("CPY", status, c->to_mode, c->to_text) : 0;
}

/* ---- UNPACK ------------------------------------------------------------------------------------------------------ */

static enum edf_status get_block(void *reader, uint8_t block[PACK_LRECL])
{
    uint32_t length;
    return edf_read(reader, block, PACK_LRECL, &length);
}

static int not_unpacked(const struct copy *c, const struct file_found *found, enum unpack_result result)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    if (result == UNPACK_READ)
        return cms_file_failed("CPY", c->pack.unpacker.status, found->mode, text);
    return cms_message("CPY", MESSAGE_NOT_PACKED, text, c->pack.unpacker.reason);
}

static bool has_packed_form(const struct edf_file_facts *facts)
{
    return facts->recfm == 'F' && facts->lrecl == PACK_LRECL;
}

int cms_copy_unpack_begin(struct copy *c, struct file_found *found, struct edf_reader *reader)
{
    struct unpacker *u = &c->pack.unpacker;
    u->get = get_block, u->context = reader;
    u->reason = "it is not of format F 1024";
    enum unpack_result result = has_packed_form(&found->facts) ? unpack_begin(u) : UNPACK_WRONG;
    if (result)
        return not_unpacked(c, found, result);
    found->facts.recfm = u->form.recfm;
    found->facts.lrecl = u->form.lrecl;
    return 0;
}

int cms_copy_unpacked(struct copy *c, const struct file_found *found)
{
    enum unpack_result result;
    uint32_t length;
    while (!(result = unpack_record(&c->pack.unpacker, c->record, &length))) {
        if (cms_halted())
            return COMMAND_HALTED;
        enum edf_status status = edf_write(c->writer, c->record, length);
        if (status)
            return cms_file_failed("CPY", status, c->to_mode, c->to_text);
    }
    return result == UNPACK_END ? 0 : not_unpacked(c, found, result);
}

/* ---- for other commands ------------------------------------------------------------------------------------------ */

/* A file that cannot be read is not said to be packed: whoever reads it says why. */
int cms_file_refuse_packed(const char *module, const struct file_found *found)
{
    const struct edf_file_facts *f = &found->facts;
    struct edf_reader *reader;
    uint8_t first[PACK_MAGIC];
    uint32_t length = 0;
    char text[FILE_ID_MAX];
    if (!has_packed_form(f) || !f->records || edf_open(found->mode->disk, f->name, f->type, &reader))
        return 0;
    enum edf_status status = edf_read(reader, first, sizeof first, &length);
    edf_close(reader);
    if (status || !pack_begins(first, sizeof first))
        return 0;
    cms_file_found_text(found, text);
    return cms_message(module, MESSAGE_PACKED, text, text);
}
