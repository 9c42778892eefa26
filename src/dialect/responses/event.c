/* event.c -- events written as the records of a Responses stream.
 *
 *   created, in_progress
 *   for each item:  output_item.added ... output_item.done
 *     message:      for each part: content_part.added, deltas, text.done, content_part.done
 *     reasoning:    when it has text: summary_part.added, deltas, text.done, part.done
 *     call:         deltas, arguments.done
 *   completed, incomplete or failed
 *
 * Text blocks that follow each other are parts of one message, so whether an item is done shows
 * only when the next block begins or the answer stops; then it is known too whether it was cut.
 * Blocks come one at a time (the sequencer sees to that).  Summaries get their part with the
 * first text, so reasoning that is only a proof has none.
 *
 * A free-form tool that was lowered to a function for the upstream is raised again: the call's
 * arguments are held until they are whole, because the text lies inside them.
 *
 * Invariants
 *  (1) Numbers run 0, 1, 2 ... over all records; every added has its done.
 *  (2) A done record's text is that of the deltas before it, and the last record's output is
 *      the items that were said to be done.
 *  (3) Records are appended whole or not at all, and then nothing is remembered of them.
 */
#include "dialect/responses/responses_int.h"

enum {
    ITEMS_MAX = 4096,
    TEXT_MAX = 32 << 20 /* of one answer, kept for the last record */
};

struct out {
    struct dialect_enc *e;
    struct responses_enc *st;
    struct buf *b;
    tg_rc rc;
};

static void
put(struct out *o, struct str s)
{
    if (o->rc == TG_OK)
        o->rc = buf_append(o->b, s);
}

static void
put_uint(struct out *o, uint64_t v)
{
    char text[20], *p = text + sizeof text;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    put(o, str_of(p, (size_t)(text + sizeof text - p)));
}

/* The beginning of a record, up to the number. */
static void
begin(struct out *o, struct json_out *j, const char *type)
{
    put(o, STR("event: "));
    put(o, str_z(type));
    put(o, STR("\ndata: "));
    json_begin(j, o->b);
    json_open(j, '{');
    json_kv_str(j, "type", str_z(type));
    json_kv_int(j, "sequence_number", (int64_t)o->st->seq++);
}

static void
end(struct out *o, struct json_out *j)
{
    tg_rc rc;

    json_close(j);
    rc = json_end(j);
    if (o->rc == TG_OK)
        o->rc = rc;
    put(o, STR("\n\n"));
}

/* A record about an item: its id and place, and where in it. */
static void
begin_in(struct out *o, struct json_out *j, const char *type, const struct responses_item *it,
         const char *inner, unsigned index)
{
    begin(o, j, type);
    json_kv_str(j, "item_id", it->id);
    json_kv_int(j, "output_index", it->index);
    if (inner)
        json_kv_int(j, inner, index);
}

static void
put_item(struct out *o, const char *type, const struct responses_item *it, bool begun)
{
    struct json_out j;

    begin(o, &j, type);
    json_kv_int(&j, "output_index", it->index);
    json_key(&j, "item");
    responses_put_item(&j, it, begun);
    end(o, &j);
}

static void
put_part(struct out *o, const char *type, const struct responses_item *it,
         const struct responses_part *p, bool begun)
{
    struct json_out j;

    begin_in(o, &j, type, it, "content_index", it->n_parts - 1);
    json_key(&j, "part");
    responses_put_part(&j, p, begun);
    end(o, &j);
}

static void
put_summary_part(struct out *o, const char *type, const struct responses_item *it, bool begun)
{
    static const struct responses_text nothing;
    struct json_out j;

    begin_in(o, &j, type, it, "summary_index", 0);
    json_key(&j, "part");
    json_open(&j, '{');
    json_kv_str(&j, "type", STR("summary_text"));
    json_key(&j, "text");
    responses_put_text(&j, begun ? &nothing : &it->text);
    json_close(&j);
    end(o, &j);
}

static void
put_object(struct out *o, const char *type, enum responses_status status,
           const struct tg_err *err)
{
    struct json_out j;

    begin(o, &j, type);
    json_key(&j, "response");
    responses_put_object(&j, o->e, o->st, status, err);
    end(o, &j);
}

/* What kind of text an item's deltas carry. */
enum voice { SAYS, REFUSES, THINKS, CALLS, CALLS_CUSTOM };

static const struct voice_words {
    struct str delta; /* event line, data line, up to the number */
    struct str tail;  /* behind the text                          */
    const char *done, *key, *inner;
} voices[] = {
#define DELTA(type)                                                                            \
    {                                                                                          \
        "event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":",                  \
            sizeof("event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":") - 1   \
    }
#define TAIL(text)                                                                             \
    {                                                                                          \
        text, sizeof(text) - 1                                                                 \
    }
    [SAYS] = {DELTA("response.output_text.delta"), TAIL("\",\"logprobs\":[]}\n\n"),
              "response.output_text.done", "text", "content_index"},
    [REFUSES] = {DELTA("response.refusal.delta"), TAIL("\"}\n\n"), "response.refusal.done",
                 "refusal", "content_index"},
    [THINKS] = {DELTA("response.reasoning_summary_text.delta"), TAIL("\"}\n\n"),
                "response.reasoning_summary_text.done", "text", "summary_index"},
    [CALLS] = {DELTA("response.function_call_arguments.delta"), TAIL("\"}\n\n"),
               "response.function_call_arguments.done", "arguments", NULL},
    [CALLS_CUSTOM] = {DELTA("response.custom_tool_call_input.delta"), TAIL("\"}\n\n"),
                      "response.custom_tool_call_input.done", "input", NULL},
#undef DELTA
#undef TAIL
};

static enum voice
voice_of(const struct responses_item *it)
{
    if (it->kind == IR_CALL)
        return it->custom ? CALLS_CUSTOM : CALLS;
    if (it->kind == IR_THINK)
        return THINKS;
    return it->last_part->kind == IR_REFUSAL ? REFUSES : SAYS;
}

static struct responses_text *
text_of(struct responses_item *it)
{
    return it->kind == IR_TEXT ? &it->last_part->text : &it->text;
}

/* `,"item_id":"...","output_index":N,"content_index":N,"delta":"`, the same for all deltas of a
 * block. */
static struct str
delta_head(const struct out *o, const struct responses_item *it)
{
    const char *inner = voices[voice_of(it)].inner;
    unsigned index = it->kind == IR_TEXT ? it->n_parts - 1 : 0;
    struct str id = it->id;
    struct buf b;

    /* Ids of ours need no escapes; a provider's may. */
    buf_init(&b, id.n * 6);
    if (json_escape(&b, id) == TG_OK)
        id = arena_dup(o->e->arena, buf_str(&b));
    buf_fini(&b);
    if (!inner)
        return arena_printf(o->e->arena,
                            ",\"item_id\":\"%.*s\",\"output_index\":%u,\"delta\":\"",
                            STR_ARG(id), (unsigned)it->index);
    return arena_printf(o->e->arena,
                        ",\"item_id\":\"%.*s\",\"output_index\":%u,\"%s\":%u,\"delta\":\"",
                        STR_ARG(id), (unsigned)it->index, inner, index);
}

static void
put_delta(struct out *o, const struct responses_item *it, struct str text)
{
    const struct voice_words *v = &voices[voice_of(it)];

    put(o, v->delta);
    put_uint(o, o->st->seq++);
    put(o, o->st->delta_head);
    if (o->rc == TG_OK)
        o->rc = json_escape(o->b, text);
    put(o, v->tail);
}

/* The record that repeats a block's text. */
static void
put_text_done(struct out *o, struct responses_item *it)
{
    const struct voice_words *v = &voices[voice_of(it)];
    struct json_out j;

    begin_in(o, &j, v->done, it, v->inner, it->kind == IR_TEXT ? it->n_parts - 1 : 0);
    json_key(&j, v->key);
    responses_put_text(&j, text_of(it));
    if (voice_of(it) == SAYS) {
        json_key(&j, "logprobs");
        json_open(&j, '[');
        json_close(&j);
    }
    end(o, &j);
}

/* The last item is whole, or as whole as it will get. */
static void
finish_item(struct out *o, bool cut)
{
    struct responses_item *it = o->st->last;

    if (!o->st->item_open)
        return;
    it->cut = cut;
    put_item(o, "response.output_item.done", it, false);
    o->st->item_open = false;
}

static void
open_item(struct out *o, const struct ir_block *head)
{
    struct responses_item *it;

    finish_item(o, false);
    it = responses_new_item(o->e, o->st, head);
    put_item(o, "response.output_item.added", it, true);
    if (o->rc != TG_OK)
        return;
    responses_link_item(o->st, it);
    o->st->item_open = true;
}

static tg_rc
on_open(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    const struct ir_block *head = ev->head;
    struct responses_part *part;
    bool spoken;

    if (!head || st->block_open || st->stopped)
        return TG_EPROTO;
    spoken = head->kind == IR_TEXT || head->kind == IR_REFUSAL;
    if (!spoken && head->kind != IR_THINK && head->kind != IR_CALL)
        return TG_EINVAL;
    if (st->n_items == ITEMS_MAX)
        return TG_ELIMIT;
    if (!spoken || !st->item_open || st->last->kind != IR_TEXT)
        open_item(o, head);
    if (o->rc == TG_OK && spoken) {
        /* Added before it is written, and taken off again should that fail. */
        struct responses_part *before = st->last->last_part;

        part = responses_add_part(o->e->arena, st->last, head->kind);
        put_part(o, "response.content_part.added", st->last, part, true);
        if (o->rc != TG_OK) {
            st->last->n_parts--;
            st->last->last_part = before;
            if (before)
                before->next = NULL;
            else
                st->last->parts = NULL;
        }
    }
    if (o->rc != TG_OK)
        return o->rc;
    st->block_open = true;
    st->block = ev->block;
    st->delta_head = delta_head(o, st->last);
    return TG_OK;
}

static tg_rc
on_delta(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_item *it = st->last;

    if (!st->block_open || st->block != ev->block)
        return TG_EPROTO;
    if (ev->text.n == 0)
        return TG_OK;
    if (ev->text.n > TEXT_MAX - st->bytes)
        return TG_ELIMIT;
    if (it->kind == IR_THINK && it->text.n == 0)
        put_summary_part(o, "response.reasoning_summary_part.added", it, true);
    if (!it->wrapped)
        put_delta(o, it, ev->text);
    if (o->rc != TG_OK)
        return o->rc;
    responses_text_add(o->e->arena, text_of(it), ev->text);
    st->bytes += ev->text.n;
    return TG_OK;
}

/* Places that are not known become the text so far. */
static int64_t
characters(const struct responses_text *t)
{
    int64_t n = 0;

    for (const struct responses_piece *i = t->first; i; i = i->next)
        for (size_t k = 0; k < i->n; k++)
            n += ((unsigned char)i->p[k] & 0xc0) != 0x80;
    return n;
}

static tg_rc
on_note(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_part *p = st->block_open ? st->last->last_part : NULL;
    struct ir_note *n;
    struct json_out j;

    if (!ev->note || !p || p->kind != IR_TEXT || st->block != ev->block)
        return TG_EPROTO;
    if (p->n_notes == ITEMS_MAX)
        return TG_OK;
    n = arena_new(o->e->arena, struct ir_note);
    *n = (struct ir_note){.url = arena_dup(o->e->arena, ev->note->url),
                          .title = arena_dup(o->e->arena, ev->note->title),
                          .start = ev->note->start < 0 ? 0 : ev->note->start,
                          .end = ev->note->end < 0 ? characters(&p->text) : ev->note->end};
    begin_in(o, &j, "response.output_text.annotation.added", st->last, "content_index",
             st->last->n_parts - 1);
    json_kv_int(&j, "annotation_index", p->n_notes);
    json_key(&j, "annotation");
    responses_put_note(&j, n);
    end(o, &j);
    if (o->rc != TG_OK)
        return o->rc;
    *p->notes_tail = n;
    p->notes_tail = &n->next;
    p->n_notes++;
    return TG_OK;
}

/* Arguments that came as nothing are an empty object; a lowered text is raised. */
static void
settle_call(struct out *o, struct responses_item *it)
{
    if (it->wrapped) {
        responses_unwrap(o->e->arena, it);
        it->wrapped = false;
        if (it->text.n)
            put_delta(o, it, responses_text_join(o->e->arena, &it->text));
    } else if (!it->custom && it->text.n == 0) {
        put_delta(o, it, STR("{}"));
        if (o->rc == TG_OK)
            responses_text_add(o->e->arena, &it->text, STR("{}"));
    }
}

static tg_rc
on_close(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;
    struct responses_item *it = st->last;
    struct responses_text before;
    bool wrapped;

    if (!st->block_open || st->block != ev->block)
        return TG_EPROTO;
    before = it->text;
    wrapped = it->wrapped;
    if (it->kind == IR_CALL)
        settle_call(o, it);
    if (it->kind == IR_THINK && ev->head)
        it->proof = responses_proof(o->e->arena, ev->head);
    if (it->kind != IR_THINK || it->text.n)
        put_text_done(o, it);
    if (it->kind == IR_THINK && it->text.n)
        put_summary_part(o, "response.reasoning_summary_part.done", it, false);
    if (it->kind == IR_TEXT)
        put_part(o, "response.content_part.done", it, it->last_part, false);
    st->block_open = false;
    if (o->rc != TG_OK) {
        it->text = before;
        it->wrapped = wrapped;
    }
    return o->rc;
}

static tg_rc
on_stop(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;

    if (st->block_open || st->stopped)
        return TG_EPROTO;
    finish_item(o, responses_status_of(ev->stop) == RESPONSES_INCOMPLETE);
    st->stop = ev->stop;
    st->stopped = true;
    return o->rc;
}

/* Everything that is open is closed as it is; then the answer has failed. */
static tg_rc
on_error(struct out *o, const struct ir_event *ev)
{
    struct responses_enc *st = o->st;

    if (!ev->err)
        return TG_EPROTO;
    if (!st->begun)
        return responses_encode_error_record(ev->err, o->b);
    if (st->block_open)
        o->rc = on_close(o, &(struct ir_event){.kind = IR_EV_CLOSE, .block = st->block});
    finish_item(o, true);
    put_object(o, "response.failed", RESPONSES_FAILED, ev->err);
    return o->rc;
}

static tg_rc
on_end(struct out *o)
{
    enum responses_status status = responses_status_of(o->st->stop);

    put_object(o, status == RESPONSES_INCOMPLETE ? "response.incomplete" : "response.completed",
               status, NULL);
    put(o, dialect_responses.stream_end);
    return o->rc;
}

static tg_rc
on_start(struct out *o)
{
    put_object(o, "response.created", RESPONSES_IN_PROGRESS, NULL);
    put_object(o, "response.in_progress", RESPONSES_IN_PROGRESS, NULL);
    o->st->begun = true;
    return o->rc;
}

static tg_rc
encode(struct out *o, const struct ir_event *ev)
{
    switch (ev->kind) {
    case IR_EV_START:
        return on_start(o);
    case IR_EV_OPEN:
        return on_open(o, ev);
    case IR_EV_DELTA:
        return on_delta(o, ev);
    case IR_EV_NOTE:
        return on_note(o, ev);
    case IR_EV_CLOSE:
        return on_close(o, ev);
    case IR_EV_STOP:
        return on_stop(o, ev);
    case IR_EV_USAGE:
        if (!ev->usage)
            return TG_EPROTO;
        o->e->usage = *ev->usage;
        return TG_OK;
    case IR_EV_END:
        return on_end(o);
    case IR_EV_ERROR:
        return on_error(o, ev);
    case IR_EV_KIND_N:
        break;
    }
    return TG_EPROTO;
}

tg_rc
responses_encode_ev(struct dialect_enc *e, const struct ir_event *ev, struct buf *b)
{
    struct responses_enc *st = e->state, saved = *st;
    struct out o = {e, st, b, TG_OK};
    size_t before = b->n;
    tg_rc rc;

    /* The dialect has one answer. */
    if (ev->kind >= IR_EV_OPEN && ev->kind <= IR_EV_STOP && ev->choice != 0)
        return TG_EPROTO;
    if (!st->begun && ev->kind != IR_EV_START && ev->kind != IR_EV_ERROR)
        return TG_EPROTO;
    rc = encode(&o, ev);
    if (rc != TG_OK) {
        buf_truncate(b, before);
        *st = saved;
    }
    return rc;
}
