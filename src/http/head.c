/* head.c -- version, target, Host, framing, connection.
 *
 * A request is refused when two readers could understand it differently; a request target when
 * it is not one of the forms that an origin server gets (RFC 9112 section 3.2).  CONNECT and
 * its authority form are refused here, so that nothing behind this file ever sees them.
 *
 * Of an absolute target only path and query count.  Its authority must then be the one in Host:
 * the RFC lets the target win, others look at Host, and a request on which the two differ is
 * just what must not pass.
 */
#include "http/head.h"

#include "base/ascii.h"
#include "base/num.h"

/* The fields that decide something, found in one pass. */
struct fields {
    struct str host, length, coding, expect; /* the first of each */
    unsigned hosts, lengths, codings;        /* how many          */
    bool close, keep;                        /* in Connection     */
};

static bool
is(const struct http_header *h, struct str name)
{
    return str_ieq(h->name, name);
}

static void
read_connection(struct fields *f, struct str rest)
{
    while (rest.n) {
        struct str token = str_trim(str_cut(rest, ',', &rest));

        f->close = f->close || str_ieq(token, STR("close"));
        f->keep = f->keep || str_ieq(token, STR("keep-alive"));
    }
}

static void
first(struct str *to, unsigned *count, struct str value)
{
    if ((*count)++ == 0)
        *to = value;
}

static struct fields
find_fields(const struct http_head *head)
{
    struct fields f = {.hosts = 0};

    for (unsigned i = 0; i < head->n_headers; i++) {
        const struct http_header *h = &head->headers[i];

        switch (h->name.n) { /* most names differ in length already */
        case 4:
            if (is(h, STR("host")))
                first(&f.host, &f.hosts, h->value);
            break;
        case 6:
            if (is(h, STR("expect")))
                f.expect = h->value;
            break;
        case 10:
            if (is(h, STR("connection")))
                read_connection(&f, h->value);
            break;
        case 14:
            if (is(h, STR("content-length")))
                first(&f.length, &f.lengths, h->value);
            break;
        case 17:
            if (is(h, STR("transfer-encoding")))
                first(&f.coding, &f.codings, h->value);
            break;
        default:
            break;
        }
    }
    return f;
}

static bool
keeps_alive(const struct http_head *h, const struct fields *f)
{
    return (h->minor == 1 || f->keep) && !f->close;
}

/* "HTTP/1.0" or "HTTP/1.1"; false for all else. */
static bool
read_version(struct str s, unsigned *minor)
{
    if (str_eq(s, STR("HTTP/1.1")))
        *minor = 1;
    else if (str_eq(s, STR("HTTP/1.0")))
        *minor = 0;
    else
        return false;
    return true;
}

/* host [":" port], where host is a name, an IPv4 address or "[" IPv6 "]".  Empty is malformed:
 * http has no empty host (RFC 9110 section 4.2.1). */
static bool
authority_ok(struct str s)
{
    size_t i = 0;

    if (s.n && s.p[0] == '[') {
        for (i = 1; i < s.n && (num_hex_digit(s.p[i]) >= 0 || s.p[i] == ':' || s.p[i] == '.');)
            i++;
        if (i < 4 || i == s.n || s.p[i++] != ']')
            return false;
    } else {
        while (i < s.n && (ascii_is_alnum(s.p[i]) || memchr("-._~%", s.p[i], 5)))
            i++;
        if (i == 0)
            return false;
    }
    if (i < s.n && s.p[i++] != ':')
        return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* Percent signs are followed by two hexadecimal digits; in a path they stand for no byte that
 * ends a line or a C string. */
static const char *
check_percent(struct str s, bool path)
{
    for (size_t i = 0; i < s.n; i++) {
        int hi, lo, c;

        if (s.p[i] != '%')
            continue;
        hi = i + 1 < s.n ? num_hex_digit(s.p[i + 1]) : -1;
        lo = i + 2 < s.n ? num_hex_digit(s.p[i + 2]) : -1;
        if (hi < 0 || lo < 0)
            return "bad percent-encoding in the request target";
        c = hi * 16 + lo;
        if (path && (c == 0 || c == '\r' || c == '\n'))
            return "the path holds an encoded NUL, CR or LF";
    }
    return NULL;
}

/* Takes scheme and authority off an absolute target; *target is then path and query. */
static const char *
strip_origin(const struct fields *f, struct str *target)
{
    struct str s = *target, authority;
    size_t skip = 7;

    if (s.n > 8 && str_ieq(str_of(s.p, 8), STR("https://")))
        skip = 8;
    else if (s.n <= 7 || !str_ieq(str_of(s.p, 7), STR("http://")))
        return "the request target is neither a path nor an http URL";
    s = str_from(s, skip);
    authority = str_of(s.p, 0);
    while (authority.n < s.n && s.p[authority.n] != '/' && s.p[authority.n] != '?')
        authority.n++;
    if (!authority_ok(authority))
        return "bad authority in the request target";
    if (f->hosts && !str_ieq(authority, f->host))
        return "the request target and Host name different hosts";
    s.p += authority.n;
    s.n -= authority.n;
    *target = s;
    return NULL;
}

static const char *
read_target(struct http_head *h, const struct fields *f)
{
    struct str t = h->target;
    const char *why;

    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] <= ' ' || t.p[i] > '~' || t.p[i] == '#' || t.p[i] == '\\')
            return "the request target holds a character that is not allowed there";
    if (str_eq(h->method, STR("CONNECT")))
        return "CONNECT is not supported";
    if (str_eq(t, STR("*"))) {
        h->path = t;
        return str_eq(h->method, STR("OPTIONS")) ? NULL : "\"*\" is a target for OPTIONS only";
    }
    if (t.n == 0 || t.p[0] != '/') {
        why = strip_origin(f, &t);
        if (why)
            return why;
    }
    h->path = str_cut(t, '?', &h->query);
    if (h->path.n == 0)
        h->path = STR("/");
    why = check_percent(h->path, true);
    return why ? why : check_percent(h->query, false);
}

static const char *
check_host(const struct http_head *h, const struct fields *f)
{
    if (f->hosts > 1)
        return "more than one Host";
    if (f->hosts == 0)
        return h->minor == 1 ? "Host is missing" : NULL;
    return authority_ok(f->host) ? NULL : "bad Host";
}

/* Transfer-Encoding and Content-Length; framing stays as it was when neither is there. */
static const char *
read_framing(struct http_head *h, const struct fields *f)
{
    if (f->lengths && f->codings)
        return "both Content-Length and Transfer-Encoding";
    if (f->lengths > 1)
        return "more than one Content-Length";
    if (f->codings > 1)
        return "more than one Transfer-Encoding";
    if (f->codings && h->minor == 0)
        return "Transfer-Encoding in HTTP/1.0";
    if (f->codings && !str_ieq(f->coding, STR("chunked")))
        return "a Transfer-Encoding other than chunked";
    if (f->lengths && num_u64(f->length, INT64_MAX, &h->length) != TG_OK)
        return "bad Content-Length";
    if (f->codings)
        h->framing = HTTP_CHUNKED;
    else if (f->lengths)
        h->framing = HTTP_SIZED;
    return NULL;
}

const char *
head_request(struct http_head *h, struct str line)
{
    struct fields f = find_fields(h);
    struct str rest;
    const char *why;

    h->method = str_cut(line, ' ', &rest);
    h->target = str_cut(rest, ' ', &rest);
    if (!read_version(rest, &h->minor))
        return "the request line is not \"METHOD target HTTP/1.1\"";
    h->framing = HTTP_NO_BODY;
    why = check_host(h, &f);
    if (!why)
        why = read_target(h, &f);
    if (!why)
        why = read_framing(h, &f);
    if (why)
        return why;
    h->keep_alive = keeps_alive(h, &f);
    h->expect_continue = h->minor == 1 && str_ieq(f.expect, STR("100-continue"));
    return NULL;
}

const char *
head_response(struct http_head *h, struct str line, bool to_head_request)
{
    struct str rest, version = str_cut(line, ' ', &rest), status = str_cut(rest, ' ', &rest);
    struct fields f = find_fields(h);
    bool had_length;
    uint64_t code;
    const char *why;

    if (!read_version(version, &h->minor))
        return "the status line is not \"HTTP/1.1 status reason\"";
    if (status.n != 3 || num_u64(status, 999, &code) != TG_OK || code < 100)
        return "bad status code";
    h->status = (unsigned)code;
    h->framing = HTTP_UNTIL_CLOSE;
    why = read_framing(h, &f);
    if (why)
        return why;
    h->keep_alive = keeps_alive(h, &f);
    had_length = h->framing == HTTP_CHUNKED || (h->framing == HTTP_SIZED && h->length > 0);
    if (h->status < 200 || h->status == 204 || h->status == 304 || to_head_request) {
        /* A peer that announces a body where there is none may also send it. */
        if (had_length && (h->status < 200 || h->status == 204))
            h->keep_alive = false;
        h->framing = HTTP_NO_BODY;
    }
    if (h->framing == HTTP_UNTIL_CLOSE)
        h->keep_alive = false;
    return NULL;
}
