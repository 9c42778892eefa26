/* think.c -- the reasoning items of a Responses request.
 *
 * What a summary says goes before what the reasoning itself says; the parts of one become one
 * text.  encrypted_content is the proof of whoever made it: a provider of this dialect, or,
 * inside an envelope of this gateway, another one.
 */
#include "dialect/responses/in_int.h"

#include "ir/envelope.h"

/* The texts of an array of {"type","text"}, with `between` between them. */
static tg_rc
join_texts(struct responses_reader *r, const struct field_at *at,
           const struct json_member *list, struct str between, struct str *ret)
{
    static const char *const inner[] = {"text"};
    struct field_at elem = {at, NULL, 0};
    struct json_iter it;
    struct json_member m, text;
    size_t used = 0;
    char *p;
    tg_rc rc = TG_OK;

    if (!field_has(list))
        return TG_OK;
    if (json_array(&it, list->value) != TG_OK)
        return field_refuse_type(&r->in, at, "an array", list->kind);
    /* Unescaped and joined they are no longer than written: an element has more around its text
     * than what goes between two. */
    p = arena_alloc(r->in.a, list->value.n + 1, 1);
    for (; json_next(&it, &m); elem.index++) {
        struct field_at text_at = {&elem, "text", 0};
        struct str s = {NULL, 0};

        rc = field_pick(&r->in, &elem, m.value, inner, 1, &text);
        if (rc == TG_OK)
            rc = field_string(&r->in, &text_at, &text, &s);
        if (rc != TG_OK)
            return rc;
        if (s.n == 0)
            continue;
        if (used && between.n) {
            memcpy(p + used, between.p, between.n);
            used += between.n;
        }
        memcpy(p + used, s.p, s.n);
        used += s.n;
    }
    *ret = str_of(p, used);
    return TG_OK;
}

tg_rc
responses_read_think(struct responses_reader *r, const struct field_at *at, struct str item,
                     struct ir_block **ret)
{
    static const char *const keys[] = {"summary", "content", "encrypted_content", "id"};
    struct field_at places[4];
    struct ir_block *b = arena_new(r->in.a, struct ir_block);
    struct str proof = {NULL, 0};
    struct json_member m[4];
    tg_rc rc = field_pick(&r->in, at, item, keys, 4, m);

    for (unsigned i = 0; i < 4; i++)
        places[i] = (struct field_at){at, keys[i], 0};
    b->kind = IR_THINK;
    if (rc == TG_OK)
        rc = join_texts(r, &places[0], &m[0], STR("\n\n"), &b->text);
    b->summary = b->text.n > 0;
    if (rc == TG_OK && !b->summary)
        rc = join_texts(r, &places[1], &m[1], STR(""), &b->text);
    if (rc == TG_OK)
        rc = field_string(&r->in, &places[2], &m[2], &proof);
    if (rc == TG_OK)
        rc = field_string(&r->in, &places[3], &m[3], &b->sig_id);
    if (rc != TG_OK)
        return rc;
    if (proof.n == 0) {
        b->sig_id = (struct str){NULL, 0};
    } else if (!ir_unseal(r->in.a, proof, b)) {
        b->sig = proof;
        b->origin = dialect_responses.name;
        b->redacted = b->text.n == 0;
    }
    *ret = b->text.n || proof.n ? b : NULL;
    return TG_OK;
}
