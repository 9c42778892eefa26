/* dec_part.c -- the content parts of an upstream's messages, and their citations.
 *
 * Citations come one by one and stand again in the part that repeats them, so they are told
 * apart by their number.  Those that cite no address are counted and passed over.
 */
#include "dialect/responses/dec_int.h"

static int64_t
number_of(const struct json_member *m)
{
    int64_t v;

    return m->kind == JSON_NUMBER && json_i64(m->value, &v) == TG_OK && v >= 0 ? v : -1;
}

static tg_rc
put_note(struct dialect_dec *d, struct arena *tmp, struct responses_block *b, struct str value)
{
    enum { TYPE, URL, TITLE, START, END, N };
    static const struct str names[N] = {
        {"type", 4}, {"url", 3}, {"title", 5}, {"start_index", 11}, {"end_index", 9}};
    struct ir_note note = {.start = -1, .end = -1};
    struct json_member m[N];

    b->notes++;
    if (!json_pick(value, names, N, m) || m[TYPE].kind != JSON_STRING ||
        !str_eq(m[TYPE].value, STR("\"url_citation\"")))
        return TG_OK;
    note.url = responses_text_of(tmp, &m[URL]);
    note.title = responses_text_of(tmp, &m[TITLE]);
    note.start = number_of(&m[START]);
    note.end = number_of(&m[END]);
    return d->sink->put(
        d->sink, &(struct ir_event){.kind = IR_EV_NOTE, .block = b->number, .note = &note});
}

tg_rc
responses_on_note(struct dialect_dec *d, struct arena *tmp, uint32_t index, uint32_t place,
                  struct str note)
{
    struct responses_seen *it = responses_find_item(d->state, index, IR_TEXT);
    struct responses_block *b = it ? responses_need_block(d, it, place, IR_TEXT) : NULL;

    return b && b->opened && !b->closed ? put_note(d, tmp, b, note) : TG_OK;
}

/* A part repeated, with its citations: the end of its block. */
tg_rc
responses_on_part(struct dialect_dec *d, struct arena *tmp, uint32_t index, uint32_t place,
                  struct str part)
{
    enum { TYPE, TEXT, REFUSAL, LOGPROBS, NOTES, N };
    static const struct str names[N] = {
        {"type", 4}, {"text", 4}, {"refusal", 7}, {"logprobs", 8}, {"annotations", 11}};
    struct json_member m[N], note;
    struct responses_said said = {.whole = true};
    struct responses_seen *it;
    struct responses_block *b;
    struct json_iter iter;
    bool refusal;
    unsigned n = 0;
    tg_rc rc;

    if (!json_pick(part, names, N, m) || m[TYPE].kind != JSON_STRING)
        return TG_OK;
    refusal = str_eq(m[TYPE].value, STR("\"refusal\""));
    if (!refusal && !str_eq(m[TYPE].value, STR("\"output_text\"")))
        return TG_OK;
    said.text = responses_text_of(tmp, &m[refusal ? REFUSAL : TEXT]);
    if (!refusal && m[LOGPROBS].kind == JSON_ARRAY && m[LOGPROBS].value.n > 2)
        said.logprobs = m[LOGPROBS].value;
    rc = responses_on_text(d, index, place, refusal ? IR_REFUSAL : IR_TEXT, &said);
    it = responses_find_item(d->state, index, IR_TEXT);
    if (rc != TG_OK || !it)
        return rc;
    b = responses_need_block(d, it, place, refusal ? IR_REFUSAL : IR_TEXT);
    if (b->opened && !b->closed && !refusal && m[NOTES].kind == JSON_ARRAY &&
        json_array(&iter, m[NOTES].value) == TG_OK)
        while (rc == TG_OK && json_next(&iter, &note))
            if (n++ >= b->notes)
                rc = put_note(d, tmp, b, note.value);
    return rc == TG_OK ? responses_close_block(d, b, NULL) : rc;
}
