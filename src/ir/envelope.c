/* envelope.c -- foreign reasoning proofs, sealed into one opaque text and opened again.
 *
 * The text is "tg1:<dialect>:<base64url without padding of a JSON object>".  The object has the
 * members sig, id, text (strings, left out when empty), redacted and summary (true, left out
 * otherwise).  Alphabet and punctuation fit every field that clients hand back verbatim.
 *
 * It is a wrapping, not a protection: a client that forges one only makes a proof that its
 * provider will reject.  So opening is strict about form and asks for nothing more.  There is
 * exactly one spelling of a given object's bytes: base64 with stray bits is refused.
 *
 * The names of members beyond these are ignored, so that a later version can add some.
 */
#include "ir/envelope.h"

#include <assert.h>

#include "base/base64.h"
#include "base/buf.h"
#include "json/scan.h"
#include "json/write.h"

#define MARK "tg1:"

enum {
    DIALECT_NAME_MAX = 32,
    OBJECT_DEPTH = 4, /* we write one level; a later version may nest */
    OBJECT_FRAME = 128
};

static bool
name_ok(struct str s)
{
    if (s.n == 0 || s.n > DIALECT_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_' || s.p[i] == '-'))
            return false;
    return true;
}

static void
put_text(struct json_out *o, const char *key, struct str s)
{
    if (s.n)
        json_kv_str(o, key, s);
}

struct str
ir_seal(struct arena *a, const struct ir_block *think)
{
    struct str maker = str_z(think->origin), object;
    struct json_out o;
    struct buf b;
    char *text, *p;
    tg_rc rc;

    assert(name_ok(maker));
    /* No byte takes more than six when escaped, so the bound is never met. */
    buf_init(&b, (think->sig.n + think->sig_id.n + think->text.n) * 6 + OBJECT_FRAME);
    json_begin(&o, &b);
    json_open(&o, '{');
    put_text(&o, "sig", think->sig);
    put_text(&o, "id", think->sig_id);
    put_text(&o, "text", think->text);
    if (think->redacted)
        json_kv_bool(&o, "redacted", true);
    if (think->summary)
        json_kv_bool(&o, "summary", true);
    json_close(&o);
    rc = json_end(&o);
    assert(rc == TG_OK);
    (void)rc;
    object = buf_str(&b);
    text = p = arena_alloc(a, sizeof MARK + maker.n + 1 + (object.n + 2) / 3 * 4, 1);
    memcpy(p, MARK, sizeof MARK - 1);
    p += sizeof MARK - 1;
    memcpy(p, maker.p, maker.n);
    p += maker.n;
    *p++ = ':';
    p = base64url_put(p, object);
    buf_fini(&b);
    return str_of(text, (size_t)(p - text));
}

static bool
read_member(struct arena *a, const struct json_member *m, struct ir_block *to)
{
    const struct {
        struct str key;
        struct str *to;
    } texts[] = {{STR("sig"), &to->sig}, {STR("id"), &to->sig_id}, {STR("text"), &to->text}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (json_key_is(m->key, texts[i].key))
            return json_string(a, m->value, texts[i].to) == TG_OK;
    if (json_key_is(m->key, STR("redacted")))
        return json_bool(m->value, &to->redacted) == TG_OK;
    if (json_key_is(m->key, STR("summary")))
        return json_bool(m->value, &to->summary) == TG_OK;
    return true;
}

bool
ir_unseal(struct arena *a, struct str sealed, struct ir_block *think)
{
    struct ir_block got = {.kind = IR_THINK};
    struct str maker, packed, object;
    struct json_member m;
    struct json_iter it;

    if (!str_starts(sealed, STR(MARK)))
        return false;
    maker = str_cut(str_from(sealed, sizeof MARK - 1), ':', &packed);
    if (!name_ok(maker) || !base64url_get(a, packed, &object) ||
        json_check(object, OBJECT_DEPTH, NULL) != TG_OK || json_object(&it, object) != TG_OK)
        return false;
    while (json_next(&it, &m))
        if (!read_member(a, &m, &got))
            return false;
    if (it.rc != TG_OK)
        return false;
    think->sig = got.sig;
    think->sig_id = got.sig_id;
    think->redacted = got.redacted;
    think->summary = got.summary;
    think->origin = arena_dup(a, maker).p;
    if (got.text.n)
        think->text = got.text;
    return true;
}
