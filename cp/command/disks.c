/* LINK DETACH: minidisks come and go. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/command/lan.h"
#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/session/link_tell.h"
#include "cp/session/record.h"
#include "cp/session/replace.h"
#include "cp/session/task.h"
#include "lib/format.h"

const char command_link_help[] =
    "LINK [TO] userid vdev1 [AS] vdev2 [mode] [[PASS=] password]\n"
    "  mode: R | RR | W | WR | M | MR | MW\n"
    "Gives your machine another user's minidisk vdev1 as its own device vdev2. R\n"
    "reads when nobody writes, RR always; W writes when nobody has it, M when nobody\n"
    "writes, MW always; WR and MR read when they cannot write. Default R.\n";
const char command_detach_help[] =
    "DETACH vdev [vdev ...]\n"
    "DETACH LAN lanname\n"
    "Takes devices from your machine. Minidisks keep what is on them. LAN ends a LAN\n"
    "that you have defined.\n";

enum { LINK_TRIES = 3 };

struct wish {
    const struct user *owner;
    const struct directory_disk *disk;
    char owner_id[DIRECTORY_NAME + 1], owner_vdev[5], as[5];
    unsigned vdev;
    enum link_mode mode;
    struct word password;
};

static void skip_word(struct call *c, const char *name)
{
    struct word w;
    if (word_is(call_peek(c), name, 2))
        call_next(c, &w);
}

static unsigned read_mode(struct call *c, struct wish *wish)
{
    char text[32];
    struct word w = call_peek(c);
    word_upper(w, text, sizeof text);
    wish->mode = LINK_R;
    if (!w.length || !strncmp(text, "PASS=", 5))
        return 0;
    call_next(c, &w);
    if (!link_mode_parse(text, strlen(text), &wish->mode))
        return FAIL(c, "LNM", 109, wish->owner_id, wish->owner_vdev, text);
    return 0;
}

static void read_password(struct call *c, struct wish *wish)
{
    call_next(c, &wish->password);
    if (wish->password.length < 5 || !word_is((struct word){wish->password.text, 5}, "PASS=", 5))
        return;
    wish->password.text += 5;
    wish->password.length -= 5;
    if (!wish->password.length)
        call_next(c, &wish->password);
}

static void name_devices(struct wish *wish, unsigned vdev)
{
    format_text(wish->owner_vdev, sizeof wish->owner_vdev, "%04X", vdev);
    format_text(wish->as, sizeof wish->as, "%04X", wish->vdev);
}

static unsigned read_wish(struct call *c, struct wish *wish)
{
    unsigned vdev, failed;
    skip_word(c, "TO");
    if ((failed = call_userid(c, "LNM", wish->owner_id)) || (failed = call_vdev(c, "LNM", &vdev)))
        return failed;
    skip_word(c, "AS");
    if ((failed = call_vdev(c, "LNM", &wish->vdev)))
        return failed;
    name_devices(wish, vdev);
    if ((failed = read_mode(c, wish)))
        return failed;
    read_password(c, wish);
    if ((failed = call_end(c, "LNM")))
        return failed;
    if (!(wish->owner = directory_find(&directory, wish->owner_id)))
        return FAIL(c, "LNM", 53, wish->owner_id);
    if (!(wish->disk = directory_find_disk(&directory, wish->owner, vdev)))
        return FAIL(c, "LNM", 107, wish->owner_id, wish->owner_vdev);
    return 0;
}

/* What the directory gave the user at LOGON, the user may link again. */
static bool needs_no_password(const struct session *s, const struct wish *wish)
{
    const struct user *mine = directory_find(&directory, s->user->id);
    if (wish->owner == mine)
        return true;
    for (unsigned i = 0; mine && i < mine->links; i++) {
        const struct directory_link *l = &directory.link[mine->link + i];
        bool reads = wish->mode == LINK_R || wish->mode == LINK_RR;
        if (&directory.disk[l->disk] == wish->disk && (reads || wish->mode == l->mode))
            return true;
    }
    return false;
}

/* What the mode needs in the way of a password: 0, *setting is NULL if it needs none; or it cannot be had. */
static unsigned find_setting(struct call *c, const struct wish *wish, const char **setting)
{
    static const uint8_t kind[LINK_MODES] = {
        [LINK_R] = PASSWORD_READ,     [LINK_RR] = PASSWORD_READ,    [LINK_W] = PASSWORD_WRITE,
        [LINK_WR] = PASSWORD_WRITE,   [LINK_M] = PASSWORD_MULTIPLE, [LINK_MR] = PASSWORD_MULTIPLE,
        [LINK_MW] = PASSWORD_MULTIPLE};
    const char *its = wish->disk->password[kind[wish->mode]];
    *setting = NULL;
    if (needs_no_password(c->session, wish) || (its && !strcmp(its, "ALL")))
        return 0;
    if (!its)
        return FAIL(c, "LNM", 111 + kind[wish->mode], wish->owner_id, wish->owner_vdev);
    if (c->session->user->kept->links_refused >= LINK_TRIES)
        return FAIL(c, "LNM", 115, "");
    *setting = its;
    return 0;
}

static void tell_linked(struct call *c, const struct wish *wish)
{
    struct link *l = link_find(c->session->user, wish->vdev);
    struct link_others others = link_others(wish->disk, c->session->user);
    char readers[32] = "", writers[32] = "";
    if (others.writers)
        format_text(writers, sizeof writers, "; R/W by %u user%s", others.writers, others.writers > 1 ? "s" : "");
    if (others.readers)
        format_text(readers, sizeof readers, "; R/O by %u user%s", others.readers, others.readers > 1 ? "s" : "");
    if (l->write || others.writers)
        response_line(c->response, "DASD %s LINKED %s%s%s", wish->as, l->write ? "R/W" : "R/O", writers, readers);
}

/* What came of a wish for another's minidisk. */
static unsigned recorded(struct call *c, const struct wish *wish, unsigned code)
{
    const struct link *l = code == 0 || code == 101 || code == 102 ? link_find(c->session->user, wish->vdev) : NULL;
    char refused[24];
    format_text(refused, sizeof refused, "REFUSED %03u", code);
    if (strcmp(wish->owner_id, c->session->user->id))
        (l ? record : record_vain)(c->session, "LINK %s %s AS %s %s", wish->owner_id, wish->owner_vdev, wish->as,
               !l ? refused : l->write ? "R/W" : "R/O");
    return code;
}

static unsigned link_it(struct call *c, const struct wish *wish)
{
    switch (link_make(c->session->user, &stack_first(c->session)->machine, wish->disk, wish->vdev, wish->mode)) {
    case LINK_OK: tell_linked(c, wish); return 0;
    case LINK_FORCED_READ: return link_tell_forced(c->response, wish->disk, c->session->user, wish->vdev);
    case LINK_REFUSED: return link_tell_refused(c->response, wish->disk);
    case LINK_VDEV_IN_USE: return FAIL(c, "LNM", 110, wish->owner_id, wish->owner_vdev, wish->as);
    case LINK_NO_VOLUME: return FAIL(c, "LNM", 108, wish->owner_id, wish->owner_vdev);
    default: return FAIL(c, "LNM", 9010, wish->owner_id, wish->owner_vdev);
    }
}

static unsigned make(struct call *c, const struct wish *wish) { return recorded(c, wish, link_it(c, wish)); }

struct link_asked {
    char owner[DIRECTORY_NAME + 1];
    unsigned owner_vdev, vdev;
    enum link_mode mode;
    uint64_t directory; /* the one in force */
};
_Static_assert(sizeof(struct link_asked) <= TASK_KEEPS, "kept till the password is hashed");

static bool link_checked(struct session *s, struct response *response, unsigned *code)
{
    const struct link_asked *asked = task_kept(s);
    struct call c = {.session = s, .response = response, .unread = ""};
    struct wish wish = {.vdev = asked->vdev, .mode = asked->mode};
    if (replace_holds())
        return false;
    bool right = sha512_crypt_matches(&s->crypt);
    memcpy(wish.owner_id, asked->owner, sizeof wish.owner_id);
    name_devices(&wish, asked->owner_vdev);
    if (asked->directory != directory_changes) { /* and with it, perhaps, the password */
        *code = recorded(&c, &wish, FAIL(&c, "LNM", 9088, wish.owner_id, wish.owner_vdev));
        return true;
    }
    wish.owner = directory_find(&directory, asked->owner);
    wish.disk = directory_find_disk(&directory, wish.owner, asked->owner_vdev);
    if (right) {
        *code = make(&c, &wish);
    } else {
        ++s->user->kept->links_refused;
        *code = recorded(&c, &wish, FAIL(&c, "LNM", 298, wish.owner_id, wish.owner_vdev));
    }
    return true;
}

static unsigned link_now(struct call *c)
{
    struct wish wish = {0};
    const char *setting;
    unsigned failed = read_wish(c, &wish);
    if (failed)
        return failed;
    if ((failed = find_setting(c, &wish, &setting)))
        return recorded(c, &wish, failed);
    if (!setting)
        return make(c, &wish);
    struct link_asked *asked = task_kept(c->session);
    *asked = (struct link_asked){.owner_vdev = wish.disk->vdev, .vdev = wish.vdev, .mode = wish.mode,
                                 .directory = directory_changes};
    memcpy(asked->owner, wish.owner_id, sizeof asked->owner);
    task_begin_hashed(c->session, link_checked, c->response->machine_asks, setting, wish.password.text,
                      wish.password.length);
    return 0;
}

static bool link_later(struct session *s, struct response *response, unsigned *code)
{
    char line[TASK_KEEPS];
    if (replace_holds())
        return false;
    format_text(line, sizeof line, "%s", (const char *)task_kept(s));
    *code = link_now(&(struct call){.session = s, .response = response, .unread = line});
    return true;
}

unsigned command_link(struct call *c)
{
    if (!replace_holds())
        return link_now(c);
    format_text(task_kept(c->session), TASK_KEEPS, "%s", c->unread);
    return task_run(c->session, c->response, link_later);
}

unsigned command_detach(struct call *c)
{
    unsigned vdev, failed = 0;
    char number[5];
    struct word w;
    if (word_is(call_peek(c), "LAN", 3)) {
        call_next(c, &w);
        return detach_lan(c);
    }
    do {
        if ((failed = call_vdev(c, "DTV", &vdev)))
            return failed;
        format_text(number, sizeof number, "%04X", vdev);
        if (!link_detach(c->session->user, &stack_first(c->session)->machine, vdev))
            return FAIL(c, "DTV", 40, number);
        response_line(c->response, "DASD %s DETACHED", number);
    } while (call_peek(c).length);
    return 0;
}
