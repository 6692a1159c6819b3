/* Blob to source. In: a directory of CP's. Out: lines. */
#include <libfdt.h>
#include <string.h>

#include "cms/directory/source.h"
#include "lib/format.h"

enum { INDENT = 4, TOGETHER = 100 /* columns of a property whose texts stand in one line */ };

struct writer {
    source_line *line;
    void *context;
    char *text; /* the line at hand */
    size_t size, length;
    unsigned depth;
};

static void add(struct writer *w, const char *text)
{
    w->length += format_text(w->text + w->length, w->size - w->length, "%s", text);
    if (w->length >= w->size)
        w->length = w->size - 1;
}

static void indent(struct writer *w, unsigned depth)
{
    w->length = 0;
    for (unsigned i = 0; i < depth * INDENT; i++)
        add(w, " ");
}

static int end_line(struct writer *w) { return w->line(w->context, w->text, w->length); }

static void add_text(struct writer *w, const char *text)
{
    add(w, "\"");
    for (; *text; text++) {
        char piece[3] = {*text, 0, 0};
        if (*text == '"' || *text == '\\')
            piece[0] = '\\', piece[1] = *text;
        add(w, piece);
    }
    add(w, "\"");
}

/* One or two numbers, none of which is as large as four letters; a directory has no other. */
static bool is_cells(const char *value, int bytes) { return (bytes == 4 || bytes == 8) && !*value; }

static void add_cells(struct writer *w, const char *value, int bytes)
{
    char number[16];
    for (int at = 0; at < bytes; at += 4) {
        format_text(number, sizeof number, at ? " %u" : "<%u", (unsigned)fdt32_ld((const fdt32_t *)(value + at)));
        add(w, number);
    }
    add(w, ">");
}

static int write_texts(struct writer *w, const char *value, int bytes)
{
    for (const char *at = value; at < value + bytes; at += strlen(at) + 1) {
        if (at > value && bytes > TOGETHER) {
            add(w, ",");
            int rc = end_line(w);
            if (rc)
                return rc;
            indent(w, w->depth + 1);
        } else if (at > value) {
            add(w, ", ");
        }
        add_text(w, at);
    }
    return 0;
}

static int write_property(struct writer *w, const void *blob, int at)
{
    const char *name;
    int bytes, rc = 0;
    const char *value = fdt_getprop_by_offset(blob, at, &name, &bytes);
    if (!value || bytes < 0)
        return -1;
    indent(w, w->depth);
    add(w, name);
    if (bytes)
        add(w, " = ");
    if (is_cells(value, bytes))
        add_cells(w, value, bytes);
    else if (bytes && value[bytes - 1])
        return -1;
    else
        rc = write_texts(w, value, bytes);
    add(w, ";");
    return rc ? rc : end_line(w);
}

static int begin_node(struct writer *w, const void *blob, int at)
{
    const char *name = fdt_get_name(blob, at, NULL);
    indent(w, w->depth);
    add(w, w->depth++ ? name ? name : "?" : "/");
    add(w, " {");
    return end_line(w);
}

static int end_node(struct writer *w)
{
    indent(w, w->depth ? --w->depth : 0);
    add(w, "};");
    return end_line(w);
}

int source_write(const void *blob, source_line *line, void *context, char *scratch, size_t size)
{
    struct writer w = {.line = line, .context = context, .text = scratch, .size = size};
    int next = 0, rc = line(context, "/dts-v1/;", 9);
    for (int at = 0; !rc; at = next) {
        uint32_t tag = fdt_next_tag(blob, at, &next);
        if (next <= at)
            return -1;
        if (tag == FDT_END)
            break;
        if (tag != FDT_NOP)
            rc = tag == FDT_BEGIN_NODE ? begin_node(&w, blob, at)
                 : tag == FDT_PROP     ? write_property(&w, blob, at)
                                       : end_node(&w);
    }
    return rc;
}
