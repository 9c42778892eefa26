/* res.c -- a whole response written as a response object.
 *
 * The items are those of the stream: neighbouring texts are parts of one message, each call and
 * each piece of reasoning is an item of its own.  Only the texts are borrowed instead of kept.
 */
#include "dialect/responses/enc_int.h"

static void
borrow(struct arena *a, struct responses_text *t, struct str s)
{
    if (s.n == 0)
        return;
    t->first = t->last = arena_new(a, struct responses_piece);
    *t->first = (struct responses_piece){.p = s.p, .n = s.n};
    t->n = s.n;
}

static int64_t
characters(struct str s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void
add_notes(struct arena *a, struct responses_part *p, const struct ir_block *b)
{
    for (const struct ir_note *from = b->notes; from; from = from->next) {
        struct ir_note *n = arena_new(a, struct ir_note);

        *n = *from;
        n->next = NULL;
        n->start = n->start < 0 ? 0 : n->start;
        n->end = n->end < 0 ? characters(b->text) : n->end;
        *p->notes_tail = n;
        p->notes_tail = &n->next;
        p->n_notes++;
    }
}

static tg_rc
add_block(struct dialect_enc *e, struct responses_enc *st, const struct ir_block *b)
{
    bool spoken = b->kind == IR_TEXT || b->kind == IR_REFUSAL;
    struct responses_part *p;

    if (!spoken && b->kind != IR_THINK && b->kind != IR_CALL)
        return TG_EINVAL;
    if (!spoken || st->n_items == 0 || st->last->kind != IR_TEXT)
        responses_link_item(st, responses_new_item(e, st, b));
    if (spoken) {
        p = responses_add_part(e->arena, st->last, b->kind);
        borrow(e->arena, &p->text, b->text);
        borrow(e->arena, &p->logprobs, responses_elements(b->logprobs));
        responses_end_part(e->arena, p);
        add_notes(e->arena, p, b);
        return TG_OK;
    }
    borrow(e->arena, &st->last->text, b->text);
    if (b->kind == IR_THINK)
        st->last->proof = responses_proof(e->arena, b);
    else if (!st->last->custom && b->text.n == 0)
        borrow(e->arena, &st->last->text, STR("{}"));
    return TG_OK;
}

tg_rc
responses_encode_res(struct dialect_enc *e, const struct ir_res *res, struct buf *b)
{
    struct responses_enc st = {0};
    size_t before = b->n;
    struct json_out o;
    tg_rc rc = TG_OK;

    if (res->n_answers != 1)
        return TG_EINVAL;
    for (const struct ir_block *i = res->answers[0].blocks; i && rc == TG_OK; i = i->next)
        rc = add_block(e, &st, i);
    if (rc != TG_OK)
        return rc;
    e->usage = res->usage;
    st.stop = res->answers[0].stop;
    if (st.n_items && responses_status_of(st.stop) == RESPONSES_INCOMPLETE)
        st.last->cut = true;
    json_begin(&o, b);
    responses_put_object(&o, e, &st, responses_status_of(st.stop), NULL);
    rc = json_end(&o);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
