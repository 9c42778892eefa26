/* think.c -- reasoning, read from and written into the fields that Chat servers have for it.
 *
 * The dialect itself has none.  Servers of open models put the thoughts into reasoning_content
 * or reasoning; routers add reasoning_details, a list whose elements also hold proofs:
 *
 *   {"type":"reasoning.text","text":T,"signature":S}      thoughts, and their maker's signature
 *   {"type":"reasoning.summary","summary":T}              a summary of them
 *   {"type":"reasoning.encrypted","data":S,"id":I}        thoughts that only the maker can read
 *
 * A proof of another dialect's maker travels in the same elements, sealed (ir/envelope.h).
 */
#include "dialect/chat/chat_int.h"
#include "ir/envelope.h"

static void
text_of(struct arena *a, const struct json_member *m, struct str *ret)
{
    if (m->kind == JSON_STRING && json_string(a, m->value, ret) != TG_OK)
        *ret = (struct str){NULL, 0};
}

bool
chat_read_detail(struct arena *a, struct str element, struct ir_block *ret)
{
    struct str type = {NULL, 0}, sig = {NULL, 0}, id = {NULL, 0}, text = {NULL, 0};
    struct json_iter it;
    struct json_member m;
    struct ir_block b = {.kind = IR_THINK};

    if (json_object(&it, element) != TG_OK)
        return false;
    while (json_next(&it, &m)) {
        if (json_key_is(m.key, STR("type")))
            text_of(a, &m, &type);
        else if (json_key_is(m.key, STR("text")) || json_key_is(m.key, STR("summary")))
            text_of(a, &m, &text);
        else if (json_key_is(m.key, STR("signature")) || json_key_is(m.key, STR("data")))
            text_of(a, &m, &sig);
        else if (json_key_is(m.key, STR("id")))
            text_of(a, &m, &id);
    }
    b.summary = str_eq(type, STR("reasoning.summary"));
    b.redacted = str_eq(type, STR("reasoning.encrypted"));
    if (!b.summary && !b.redacted && !str_eq(type, STR("reasoning.text")))
        return false;
    b.text = text;
    if (sig.n && !ir_unseal(a, sig, &b)) {
        b.sig = sig;
        b.sig_id = id;
        b.origin = dialect_chat.name;
    }
    *ret = b;
    return b.text.n || b.sig.n || b.sig_id.n;
}

/* Takes the elements in.  Returns the one block that has no text of its own, where there is
 * exactly one: reasoning_content is its text.  A summary and the encrypted thoughts behind it
 * are one block. */
static struct ir_block *
read_details(struct chat_dec *d, struct str details, struct chat_blocks *to, bool *ret_text)
{
    struct ir_block got, *bare = NULL, *last = NULL;
    struct json_iter it;
    struct json_member m;
    unsigned n_bare = 0;

    *ret_text = false;
    if (json_array(&it, details) != TG_OK)
        return NULL;
    while (json_next(&it, &m)) {
        if (!chat_read_detail(d->in.a, m.value, &got))
            continue;
        *ret_text |= got.text.n > 0;
        if (last && last->summary && !last->sig.n && got.redacted && !got.text.n) {
            got.text = last->text;
            got.summary = true;
            got.redacted = false;
        } else {
            last = chat_add_block(d, to, IR_THINK);
        }
        *last = got;
        if (!got.text.n && !got.redacted) {
            bare = last;
            n_bare++;
        }
    }
    return n_bare == 1 ? bare : NULL;
}

tg_rc
chat_read_think(struct chat_dec *d, const struct field_at *at, const struct json_member *text,
                const struct json_member *details, struct chat_blocks *to)
{
    struct field_at list = {at->up, "reasoning_details", 0};
    struct str said = {NULL, 0};
    struct chat_blocks from = *to;
    struct ir_block *bare = NULL, *behind, *b;
    bool has_text = false;
    tg_rc rc = TG_OK;

    if (field_has(text))
        rc = field_string(&d->in, at, text, &said);
    if (rc != TG_OK)
        return rc;
    if (field_has(details)) {
        if (details->kind != JSON_ARRAY)
            return field_refuse_type(&d->in, &list, "an array", details->kind);
        bare = read_details(d, details->value, to, &has_text);
    }
    if (said.n == 0 || has_text)
        return TG_OK;
    if (bare) {
        bare->text = said;
        return TG_OK;
    }
    /* Thoughts come before the proofs that do not tell whose they are. */
    behind = *from.tail;
    b = chat_add_block(d, &from, IR_THINK);
    b->text = said;
    b->next = behind;
    if (!behind)
        *to = from;
    return TG_OK;
}

void
chat_put_proof(struct json_out *o, struct arena *a, const struct ir_block *think,
               uint32_t index)
{
    bool ours = !think->origin || strcmp(think->origin, dialect_chat.name) == 0;
    bool seal = a && think->origin && (!ours || think->text.n);
    bool opaque = think->redacted || (!seal && think->summary);

    json_open(o, '{');
    json_kv_str(o, "type", opaque ? STR("reasoning.encrypted") : STR("reasoning.text"));
    json_kv_str(o, opaque ? "data" : "signature", seal ? ir_seal(a, think) : think->sig);
    if (!seal && think->sig_id.n)
        json_kv_str(o, "id", think->sig_id);
    json_kv_int(o, "index", index);
    json_close(o);
}
