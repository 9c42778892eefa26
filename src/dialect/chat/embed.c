/* embed.c -- embeddings, request and response.
 *
 * An input is one text, a list of texts, one list of token numbers, or a list of such lists.
 * Token lists stay the spans they are: nobody here knows whose numbers they are.  Vectors go
 * out as numbers or, as the SDKs ask for unless told otherwise, as base64 of little-endian
 * binary32.
 */
#include <stdio.h>

#include "dialect/chat/chat_int.h"

enum { INPUTS_MAX = 2048, DIMENSIONS_MAX = 65536 };

static tg_rc
read_input(const struct chat_dec *d, const struct field_at *at, const struct json_member *m,
           struct str *ret)
{
    tg_rc rc;

    if (m->kind == JSON_ARRAY) {
        *ret = m->value;
        return TG_OK;
    }
    if (m->kind != JSON_STRING)
        return field_refuse_type(&d->in, at, "a string or an array of token numbers", m->kind);
    rc = field_string(&d->in, at, m, ret);
    if (rc == TG_OK && ret->n == 0)
        rc = field_refuse(&d->in, at, "invalid_value", "must not be empty");
    return rc;
}

static tg_rc
read_inputs(const struct chat_dec *d, const struct json_member *input, struct ir_embed_req *req)
{
    struct field_at at = {NULL, "input", 0}, elem = {&at, NULL, 0};
    struct json_iter it;
    struct json_member m;
    tg_rc rc;

    if (!field_has(input))
        return field_refuse_missing(&d->in, NULL, at.name);
    /* One text, or one list of token numbers. */
    if (json_array(&it, input->value) != TG_OK ||
        (json_next(&it, &m) && m.kind == JSON_NUMBER)) {
        req->inputs = arena_new(d->in.a, struct str);
        req->n_inputs = 1;
        return read_input(d, &at, input, req->inputs);
    }
    req->inputs = arena_array(d->in.a, struct str, INPUTS_MAX);
    rc = json_array(&it, input->value);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++) {
        if (elem.index == INPUTS_MAX)
            return field_refuse(&d->in, &at, "invalid_value", "at most %d inputs", INPUTS_MAX);
        rc = read_input(d, &elem, &m, &req->inputs[elem.index]);
    }
    req->n_inputs = elem.index;
    if (rc == TG_OK && elem.index == 0)
        rc = field_refuse(&d->in, &at, "empty_array", "at least one input is needed");
    return rc;
}

static tg_rc
read_encoding(const struct chat_dec *d, const struct json_member *m, struct ir_embed_req *req)
{
    struct field_at at = {NULL, "encoding_format", 0};
    struct str word = STR("float");
    tg_rc rc = field_string(&d->in, &at, m, &word);

    if (rc != TG_OK)
        return rc;
    req->base64 = str_eq(word, STR("base64"));
    if (!req->base64 && !str_eq(word, STR("float")))
        return field_refuse(&d->in, &at, "invalid_value", "must be \"float\" or \"base64\"");
    return TG_OK;
}

tg_rc
chat_decode_embed(struct arena *a, struct str body, struct ir_embed_req *ret,
                  struct tg_err *err)
{
    static const char *const keys[] = {"model", "input", "dimensions", "encoding_format"};
    struct ir_embed_req req = {.dimensions = -1};
    struct chat_dec d = {.in = {a, err}};
    struct field_at dimensions = {NULL, keys[2], 0};
    struct json_member m[4];
    tg_rc rc = field_check(&d.in, body);

    if (rc == TG_OK)
        rc = field_pick(&d.in, NULL, body, keys, 4, m);
    if (rc == TG_OK)
        rc = field_string_needed(&d.in, NULL, keys[0], &m[0], &req.model);
    if (rc == TG_OK)
        rc = read_inputs(&d, &m[1], &req);
    if (rc == TG_OK)
        rc = field_int(&d.in, &dimensions, &m[2], 1, DIMENSIONS_MAX, &req.dimensions);
    if (rc == TG_OK)
        rc = read_encoding(&d, &m[3], &req);
    if (rc == TG_OK)
        *ret = req;
    return rc;
}

/* The byte at place i of n floats written one behind the other, lowest byte first. */
static unsigned
byte_at(const float *v, size_t i)
{
    uint32_t bits;

    memcpy(&bits, &v[i / 4], sizeof bits);
    return bits >> (i % 4 * 8) & 0xff;
}

/* RFC 4648 section 4.  The text needs no escaping. */
static void
put_base64(struct json_out *o, const float *v, unsigned n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bytes = (size_t)n * 4;

    json_str_open(o);
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned three = byte_at(v, i) << 16;
        char four[4] = {0, 0, '=', '='};

        if (i + 1 < bytes)
            three |= byte_at(v, i + 1) << 8;
        if (i + 2 < bytes)
            three |= byte_at(v, i + 2);
        four[0] = digits[three >> 18];
        four[1] = digits[three >> 12 & 63];
        if (i + 1 < bytes)
            four[2] = digits[three >> 6 & 63];
        if (i + 2 < bytes)
            four[3] = digits[three & 63];
        json_str_part(o, str_of(four, 4));
    }
    json_str_close(o);
}

/* Nine digits say a binary32 exactly. */
static void
put_floats(struct json_out *o, const float *v, unsigned n)
{
    char text[32];

    json_open(o, '[');
    for (unsigned i = 0; i < n; i++) {
        int k = snprintf(text, sizeof text, "%.9g", (double)v[i]);

        json_raw(o, str_of(text, k > 0 ? (size_t)k : 0));
    }
    json_close(o);
}

tg_rc
chat_encode_embed(const struct dialect_enc *e, const struct ir_embed_req *req,
                  const struct ir_embed_res *res, struct buf *b)
{
    size_t before = b->n;
    struct json_out o;
    tg_rc rc;

    json_begin(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, "object", STR("list"));
    json_key(&o, "data");
    json_open(&o, '[');
    for (unsigned i = 0; i < res->n; i++) {
        const float *v = res->values + (size_t)i * res->dimensions;

        json_open(&o, '{');
        json_kv_str(&o, "object", STR("embedding"));
        json_kv_int(&o, "index", i);
        json_key(&o, "embedding");
        if (req->base64)
            put_base64(&o, v, res->dimensions);
        else
            put_floats(&o, v, res->dimensions);
        json_close(&o);
    }
    json_close(&o);
    json_kv_str(&o, "model", e->model);
    json_key(&o, "usage");
    json_open(&o, '{');
    json_kv_int(&o, "prompt_tokens", res->usage.input < 0 ? 0 : res->usage.input);
    json_kv_int(&o, "total_tokens", res->usage.input < 0 ? 0 : res->usage.input);
    json_close(&o);
    json_close(&o);
    rc = json_end(&o);
    if (rc != TG_OK)
        buf_truncate(b, before);
    return rc;
}
