/* coding.c -- content codings undone.
 *
 * A decoder is a chain of at most three stages, one a coding, the last applied first.  Each
 * stage turns input into runs of at most 64 KiB and passes every run on before it makes the
 * next, so that nothing is held but one run a stage; the last stage writes straight into the
 * caller's buffer.  How much a stage before the last may make of one piece is bounded like the
 * output: otherwise a bomb inside another coding would cost time without a bound, if no memory.
 *
 * gzip may have several members and zstd several frames, one behind the other (RFC 1952 section
 * 2.2, RFC 8878 section 3.1).  "deflate" is the zlib format (RFC 9110 section 8.4.1.2), but
 * many peers send it raw: the first two bytes tell.
 *
 * What may go wrong: corrupt or truncated data, anything behind the end of it, and more output
 * than the bound.  Memory that zlib, brotli or zstd cannot get counts as corrupt data: what
 * they ask for depends on the data (zstd windows above 8 MiB are refused).
 */
#include "http/coding.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { STAGES_MAX = 3, RUN_MAX = 64 * 1024, ZSTD_WINDOW_LOG_MAX = 23 };

enum kind { GZIP, DEFLATE, BROTLI, ZSTD };

/* What a stage did with some of its input. */
enum outcome { FLOWING, ENDED, CORRUPT };

struct stage {
    enum kind kind;
    bool begun;          /* a byte of it has come                              */
    bool ended;          /* at the end of the coded data, or of a member of it */
    bool z_open;         /* deflate: the first two bytes have been seen        */
    unsigned char first; /* deflate: the first one, until the second comes */
    unsigned char *run;  /* output of all but the last stage             */
    union {
        z_stream z;
        BrotliDecoderState *br;
        ZSTD_DCtx *zstd;
    };
};

struct coding {
    unsigned n;
    struct stage stages[STAGES_MAX]; /* in the order of decoding */
    size_t passed;                   /* made by stages before the last, of this piece */
    tg_rc rc;                        /* the sticky failure */
};

static bool
stage_open(struct stage *s, enum kind kind)
{
    s->kind = kind;
    switch (kind) {
    case GZIP:
        s->z_open = inflateInit2(&s->z, 16 + MAX_WBITS) == Z_OK;
        return s->z_open;
    case DEFLATE:
        return true;
    case BROTLI:
        s->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        return s->br != NULL;
    case ZSTD:
        s->zstd = ZSTD_createDCtx();
        return s->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax,
                                                               ZSTD_WINDOW_LOG_MAX));
    }
    return false;
}

static void
stage_close(struct stage *s)
{
    switch (s->kind) {
    case GZIP:
    case DEFLATE:
        if (s->z_open)
            inflateEnd(&s->z);
        break;
    case BROTLI:
        if (s->br)
            BrotliDecoderDestroyInstance(s->br);
        break;
    case ZSTD:
        ZSTD_freeDCtx(s->zstd);
        break;
    }
    mem_free(s->run);
}

static enum outcome
inflate_some(struct stage *s, struct str *in, char *out, size_t cap, size_t *ret_n)
{
    uInt avail = in->n > UINT32_MAX ? UINT32_MAX : (uInt)in->n;
    int r;

    s->z.next_in = (unsigned char *)(uintptr_t)in->p;
    s->z.avail_in = avail;
    s->z.next_out = (unsigned char *)out;
    s->z.avail_out = (uInt)cap;
    r = inflate(&s->z, Z_NO_FLUSH);
    *ret_n = cap - s->z.avail_out;
    *in = str_from(*in, avail - s->z.avail_in);
    if (r == Z_STREAM_END)
        return ENDED;
    return r == Z_OK || r == Z_BUF_ERROR ? FLOWING : CORRUPT;
}

/* Opens the inflater when the second byte is there.  A zlib header is a multiple of 31 and says
 * method 8; a raw stream that does would begin with a stored block whose padding is not zero,
 * which no encoder writes. */
static bool
deflate_start(struct stage *s, struct str *in)
{
    unsigned char second, out;
    int wbits;

    if (!s->begun) {
        s->first = (unsigned char)in->p[0];
        *in = str_from(*in, 1);
        return true;
    }
    second = (unsigned char)in->p[0];
    wbits = (s->first & 15) == 8 && s->first >> 4 <= 7 && (s->first << 8 | second) % 31 == 0
                ? MAX_WBITS
                : -MAX_WBITS;
    s->z_open = inflateInit2(&s->z, wbits) == Z_OK;
    if (!s->z_open)
        return false;
    s->z.next_in = &s->first;
    s->z.avail_in = 1;
    s->z.next_out = &out; /* one byte of deflate makes no output */
    s->z.avail_out = 1;
    return inflate(&s->z, Z_NO_FLUSH) == Z_OK && s->z.avail_in == 0 && s->z.avail_out == 1;
}

static enum outcome
stage_some(struct stage *s, struct str *in, char *out, size_t cap, size_t *ret_n)
{
    *ret_n = 0;
    switch (s->kind) {
    case DEFLATE:
        if (!s->z_open)
            return deflate_start(s, in) ? FLOWING : CORRUPT;
        return inflate_some(s, in, out, cap, ret_n);
    case GZIP:
        return inflate_some(s, in, out, cap, ret_n);
    case BROTLI: {
        const unsigned char *next_in = (const unsigned char *)in->p;
        unsigned char *next_out = (unsigned char *)out;
        size_t avail_in = in->n, avail_out = cap;
        BrotliDecoderResult r = BrotliDecoderDecompressStream(s->br, &avail_in, &next_in,
                                                              &avail_out, &next_out, NULL);

        *ret_n = cap - avail_out;
        *in = str_from(*in, in->n - avail_in);
        if (r == BROTLI_DECODER_RESULT_SUCCESS)
            return ENDED;
        return r == BROTLI_DECODER_RESULT_ERROR ? CORRUPT : FLOWING;
    }
    case ZSTD: {
        ZSTD_inBuffer zin = {in->p, in->n, 0};
        ZSTD_outBuffer zout = {out, cap, 0};
        size_t r = ZSTD_decompressStream(s->zstd, &zout, &zin);

        *ret_n = zout.pos;
        *in = str_from(*in, zin.pos);
        if (ZSTD_isError(r))
            return CORRUPT;
        return r == 0 ? ENDED : FLOWING;
    }
    }
    return CORRUPT;
}

/* More input behind an end: another member or frame, where the coding has such. */
static bool
stage_again(struct stage *s)
{
    s->ended = false;
    return s->kind == ZSTD || (s->kind == GZIP && inflateReset(&s->z) == Z_OK);
}

static tg_rc
corrupt(struct coding *c, struct tg_err *err, const char *what)
{
    c->rc = TG_EPROTO;
    return tg_fail(err, TG_EPROTO, TG_ERR_INVALID_REQUEST, "invalid_content_encoding",
                   "the body is not what its Content-Encoding says: %s", what);
}

static tg_rc
too_large(struct coding *c, struct tg_err *err)
{
    c->rc = TG_ELIMIT;
    return tg_fail(err, TG_ELIMIT, TG_ERR_TOO_LARGE, "request_too_large",
                   "the decoded body is too large");
}

static tg_rc
again(struct coding *c, struct tg_err *err)
{
    return c->rc == TG_ELIMIT ? too_large(c, err) : corrupt(c, err, "bad data");
}

static tg_rc run_stage(struct coding *c, unsigned i, struct str in, struct buf *out,
                       struct tg_err *err);

/* Decodes one run; *ret_full says that there may be more without more input. */
static tg_rc
one_run(struct coding *c, unsigned i, struct str *in, struct buf *out, bool *ret_full,
        struct tg_err *err)
{
    struct stage *s = &c->stages[i];
    bool last = i + 1 == c->n;
    size_t cap = RUN_MAX, n;
    char extra, *to;
    enum outcome o;
    tg_rc rc;

    if (!last) {
        if (!s->run)
            s->run = mem_alloc(RUN_MAX);
        to = (char *)s->run;
    } else if (out->n == out->max) {
        to = &extra; /* nothing may come any more, but the data may still have to end */
        cap = 1;
    } else {
        if (cap > out->max - out->n)
            cap = out->max - out->n;
        if (buf_reserve(out, cap, &to) != TG_OK)
            return too_large(c, err);
    }
    o = stage_some(s, in, to, cap, &n);
    s->begun = true;
    s->ended = o == ENDED;
    *ret_full = n == cap && o == FLOWING;
    if (last) {
        if (n && to == &extra)
            return too_large(c, err);
        buf_commit(out, n);
    } else if (n) {
        c->passed += n;
        if (c->passed > RUN_MAX && c->passed - RUN_MAX > out->max)
            return too_large(c, err);
        rc = run_stage(c, i + 1, str_of(to, n), out, err);
        if (rc != TG_OK)
            return rc;
    }
    return o == CORRUPT ? corrupt(c, err, "bad data") : TG_OK;
}

static tg_rc
run_stage(struct coding *c, unsigned i, struct str in, struct buf *out, struct tg_err *err)
{
    struct stage *s = &c->stages[i];
    bool full = false;

    while (in.n || full) {
        tg_rc rc;

        if (s->ended && !stage_again(s))
            return corrupt(c, err, "data behind its end");
        rc = one_run(c, i, &in, out, &full, err);
        if (rc != TG_OK)
            return rc;
    }
    return TG_OK;
}

tg_rc
coding_feed(struct coding *c, struct str in, struct buf *out, struct tg_err *err)
{
    if (c->rc != TG_OK)
        return again(c, err);
    c->passed = 0;
    return run_stage(c, 0, in, out, err);
}

tg_rc
coding_end(struct coding *c, struct tg_err *err)
{
    if (c->rc != TG_OK)
        return again(c, err);
    if (!c->stages[0].begun)
        return TG_OK;
    for (unsigned i = 0; i < c->n; i++)
        if (!c->stages[i].ended)
            return corrupt(c, err, "it ends too early");
    return TG_OK;
}

static bool
kind_of(struct str name, enum kind *ret)
{
    static const struct {
        struct str name;
        enum kind kind;
    } names[] = {
        {STR("gzip"), GZIP}, {STR("x-gzip"), GZIP}, {STR("deflate"), DEFLATE},
        {STR("br"), BROTLI}, {STR("zstd"), ZSTD},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_ieq(names[i].name, name)) {
            *ret = names[i].kind;
            return true;
        }
    return false;
}

static tg_rc
unsupported(struct tg_err *err, const char *what)
{
    tg_fail(err, TG_EINVAL, TG_ERR_INVALID_REQUEST, "unsupported_content_encoding",
            "%s; gzip, deflate, br and zstd are understood", what);
    if (err)
        err->http = 415;
    return TG_EINVAL;
}

tg_rc
coding_new(struct str value, struct coding **ret, struct tg_err *err)
{
    enum kind kinds[STAGES_MAX];
    struct coding *c;
    unsigned n = 0;

    while (value.n) {
        struct str name = str_trim(str_cut(value, ',', &value));

        if (name.n == 0 || str_ieq(name, STR("identity")))
            continue;
        if (n == STAGES_MAX)
            return unsupported(err, "too many content codings");
        if (!kind_of(name, &kinds[n++]))
            return unsupported(err, "unknown content coding");
    }
    if (n == 0) {
        *ret = NULL;
        return TG_OK;
    }
    c = mem_new(struct coding);
    c->n = n;
    for (unsigned i = 0; i < n; i++)
        if (!stage_open(&c->stages[i], kinds[n - 1 - i]))
            mem_exhausted(sizeof *c);
    *ret = c;
    return TG_OK;
}

tg_rc
coding_of(const struct http_head *h, struct coding **ret, struct tg_err *err)
{
    struct str name = STR("content-encoding");
    struct buf list;
    tg_rc rc = TG_OK;

    if (http_header_count(h, name) <= 1)
        return coding_new(http_header_get(h, name), ret, err);
    buf_init(&list, 4096);
    for (unsigned i = 0; i < h->n_headers && rc == TG_OK; i++)
        if (str_ieq(h->headers[i].name, name)) {
            rc = buf_append(&list, h->headers[i].value);
            if (rc == TG_OK)
                rc = buf_putc(&list, ',');
        }
    /* A list too long to be put together is too long to be understood. */
    rc = coding_new(rc == TG_OK ? buf_str(&list) : STR("-"), ret, err);
    buf_fini(&list);
    return rc;
}

void
coding_free(struct coding *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n; i++)
        stage_close(&c->stages[i]);
    mem_free(c);
}
