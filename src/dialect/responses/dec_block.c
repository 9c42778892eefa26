/* dec_block.c -- blocks of an upstream's answer, and what has been put of each.
 *
 * The dialect says everything several times: in pieces, in records that repeat a part, an item,
 * and at last the whole answer.  Some servers leave out the pieces, some the repetitions.  So
 * every piece and every repetition comes here, and what is put is what has not been put before:
 * a block remembers how many bytes of its text went out and a hash of them, and of a repetition
 * that begins with the same bytes the rest is put.  One that differs cannot be taken back and
 * is passed over.  Log probabilities are told apart by their number.
 */
#include "dialect/responses/dec_int.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "ir/unfold.h"

/* A polynomial of the bytes so far, so that it does not matter where the pieces were cut. Eight
 * steps at once do not wait for each other. */
static uint64_t
add_to_hash(uint64_t hash, struct str s)
{
    const uint64_t k1 = UINT64_C(1099511628211), k2 = k1 * k1, k3 = k2 * k1, k4 = k2 * k2;
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

    for (; end - p >= 8; p += 8)
        hash = hash * (k4 * k4) + p[0] * (k4 * k3) + p[1] * (k3 * k3) + p[2] * (k4 * k1) +
               p[3] * k4 + p[4] * k3 + p[5] * k2 + p[6] * k1 + p[7];
    for (; p < end; p++)
        hash = hash * k1 + *p;
    return hash;
}

struct responses_block *
responses_need_block(struct dialect_dec *d, struct responses_seen *it, uint32_t place,
                     enum ir_kind kind)
{
    struct responses_block **at = &it->blocks;

    /* A message's parts are told apart by place; other items have one block. */
    while (*at && it->kind == IR_TEXT && ((*at)->place != place || (*at)->kind != kind))
        at = &(*at)->next;
    if (!*at) {
        *at = arena_new(d->arena, struct responses_block);
        (*at)->place = place;
        (*at)->kind = kind;
        (*at)->hash = HASH_EMPTY;
    }
    return *at;
}

tg_rc
responses_open_block(struct dialect_dec *d, struct responses_block *b, struct ir_block *head)
{
    struct responses_dec *st = d->state;
    struct ir_event ev = {.kind = IR_EV_OPEN, .head = head};

    b->opened = true;
    ev.block = b->number = st->next_block++;
    return d->sink->put(d->sink, &ev);
}

tg_rc
responses_close_block(struct dialect_dec *d, struct responses_block *b,
                      const struct ir_block *head)
{
    struct ir_event ev = {.kind = IR_EV_CLOSE, .block = b->number, .head = head};

    if (!b->opened || b->closed)
        return TG_OK;
    b->closed = true;
    return d->sink->put(d->sink, &ev);
}

/* The elements of an array from the n-th on, as an array in the arena; empty when there are no
 * more.  *ret_n: how many the array has. */
static struct str
elements_from(struct arena *a, struct str array, unsigned n, unsigned *ret_n)
{
    struct json_iter it;
    struct json_member m;
    const char *from = NULL, *end = NULL;
    unsigned i = 0;

    if (json_array(&it, array) == TG_OK)
        for (; json_next(&it, &m); i++) {
            if (i == n)
                from = m.value.p;
            end = m.value.p + m.value.n;
        }
    *ret_n = i;
    if (!from)
        return (struct str){NULL, 0};
    return n == 0 ? array : arena_printf(a, "[%.*s]", (int)(end - from), from);
}

/* Log probabilities go with the first piece of their text. */
static tg_rc
put_logged(struct dialect_dec *d, const struct responses_block *b, struct str text,
           struct str logprobs)
{
    struct ir_event ev = {.kind = IR_EV_DELTA, .block = b->number, .logprobs = logprobs};
    size_t n = text.n > IR_PIECE_MAX ? utf8_floor(text, IR_PIECE_MAX) : text.n;
    tg_rc rc;

    n = n ? n : IR_PIECE_MAX;
    ev.text = str_of(text.p, n < text.n ? n : text.n);
    rc = d->sink->put(d->sink, &ev);
    return rc == TG_OK ? ir_put_text(d->sink, &ev, str_from(text, ev.text.n)) : rc;
}

static tg_rc
put_piece(struct dialect_dec *d, struct responses_block *b, struct str text,
          struct str logprobs)
{
    struct ir_event place = {.kind = IR_EV_DELTA, .block = b->number};

    if (text.n) {
        b->n += text.n;
        b->hash = add_to_hash(b->hash, text);
    }
    return logprobs.n ? put_logged(d, b, text, logprobs) : ir_put_text(d->sink, &place, text);
}

/* What of a repeated text has not been put; empty where the two differ. */
static struct str
rest_of(const struct responses_block *b, struct str text)
{
    if (text.n <= b->n || add_to_hash(HASH_EMPTY, str_of(text.p, b->n)) != b->hash)
        return (struct str){NULL, 0};
    return str_from(text, b->n);
}

tg_rc
responses_put_said(struct dialect_dec *d, struct responses_block *b,
                   const struct responses_said *said)
{
    struct str text = said->text, logprobs = {NULL, 0};
    unsigned n = 0;
    tg_rc rc;

    /* Only log probabilities may yet come for a text that is whole. */
    if (b->closed || (b->whole && !(said->whole && said->logprobs.n)))
        return TG_OK;
    if (said->whole)
        text = rest_of(b, text);
    if (said->logprobs.n) {
        logprobs = elements_from(d->arena, said->logprobs, said->whole ? b->logprobs : 0, &n);
        if (!said->whole)
            b->logprobs += n;
        else if (n > b->logprobs)
            b->logprobs = n;
    }
    rc = put_piece(d, b, text, logprobs);
    b->whole = said->whole && said->text.n > 0 && said->text.n == b->n;
    return rc;
}

tg_rc
responses_next_part(struct dialect_dec *d, struct responses_block *b, uint32_t place,
                    bool apart)
{
    static const struct str nothing;
    tg_rc rc = apart ? put_piece(d, b, STR("\n\n"), nothing) : TG_OK;

    b->place = place;
    b->n = 0;
    b->hash = HASH_EMPTY;
    b->whole = false;
    return rc;
}
