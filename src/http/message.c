/* message.c -- look-ups in the head of an HTTP/1 message.
 *
 * Heads hold at most HTTP_HEADERS_MAX fields, so everything is a linear search.  Lists are
 * split at commas only: the fields that are asked for here (Connection, Expect) have no quoted
 * strings.
 */
#include "http/message.h"

#include <stddef.h>
#include <stdint.h>

struct str
http_header_get(const struct http_head *h, struct str name)
{
    for (unsigned i = 0; i < h->n_headers; i++)
        if (str_ieq(h->headers[i].name, name))
            return h->headers[i].value;
    return (struct str){NULL, 0};
}

bool
http_has_type(const struct http_head *h, struct str type)
{
    struct str params, got = str_cut(http_header_get(h, STR("content-type")), ';', &params);

    return str_ieq(str_trim(got), type);
}

unsigned
http_header_count(const struct http_head *h, struct str name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->n_headers; i++)
        n += str_ieq(h->headers[i].name, name);
    return n;
}

bool
http_header_has_token(const struct http_head *h, struct str name, struct str token)
{
    for (unsigned i = 0; i < h->n_headers; i++) {
        struct str rest = h->headers[i].value;

        if (!str_ieq(h->headers[i].name, name))
            continue;
        while (rest.n > 0)
            if (str_ieq(str_trim(str_cut(rest, ',', &rest)), token))
                return true;
    }
    return false;
}

struct str
http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        struct str text;
    } reasons[] = {
        {100, STR("Continue")},
        {101, STR("Switching Protocols")},
        {200, STR("OK")},
        {201, STR("Created")},
        {202, STR("Accepted")},
        {204, STR("No Content")},
        {206, STR("Partial Content")},
        {301, STR("Moved Permanently")},
        {302, STR("Found")},
        {303, STR("See Other")},
        {304, STR("Not Modified")},
        {307, STR("Temporary Redirect")},
        {308, STR("Permanent Redirect")},
        {400, STR("Bad Request")},
        {401, STR("Unauthorized")},
        {402, STR("Payment Required")},
        {403, STR("Forbidden")},
        {404, STR("Not Found")},
        {405, STR("Method Not Allowed")},
        {406, STR("Not Acceptable")},
        {408, STR("Request Timeout")},
        {409, STR("Conflict")},
        {410, STR("Gone")},
        {411, STR("Length Required")},
        {412, STR("Precondition Failed")},
        {413, STR("Content Too Large")},
        {414, STR("URI Too Long")},
        {415, STR("Unsupported Media Type")},
        {416, STR("Range Not Satisfiable")},
        {417, STR("Expectation Failed")},
        {421, STR("Misdirected Request")},
        {422, STR("Unprocessable Content")},
        {424, STR("Failed Dependency")},
        {426, STR("Upgrade Required")},
        {425, STR("Too Early")},
        {426, STR("Upgrade Required")},
        {428, STR("Precondition Required")},
        {429, STR("Too Many Requests")},
        {431, STR("Request Header Fields Too Large")},
        {451, STR("Unavailable For Legal Reasons")},
        {499, STR("Client Closed Request")},
        {500, STR("Internal Server Error")},
        {501, STR("Not Implemented")},
        {502, STR("Bad Gateway")},
        {503, STR("Service Unavailable")},
        {504, STR("Gateway Timeout")},
        {505, STR("HTTP Version Not Supported")},
        {507, STR("Insufficient Storage")},
        {529, STR("Overloaded")},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return STR("Unknown");
}

static bool
is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

bool
http_value_ok(struct str s)
{
    const char *p = s.p, *end = p + s.n;

    /* Eight at a time while all of them are from ' ' to '~': no carry passes from one to the
     * next unless there is another kind of byte. */
    for (; end - p >= 8; p += 8) {
        const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
        uint64_t v;

        memcpy(&v, p, 8);
        if (((v - ones * 0x20) | (v + ones) | v) & highs)
            break;
    }
    for (; p < end; p++)
        if (is_control((unsigned char)*p))
            return false;
    return true;
}
