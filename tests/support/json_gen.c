/* json_gen.c -- random JSON texts from a seed.
 *
 * Recursive, by as many levels as the caller asks for.
 */
#include "support/json_gen.h"

#include <stdlib.h>

static void
add(struct buf *b, const char *z)
{
    if (buf_append(b, str_z(z)) != TG_OK)
        abort();
}

static const char *
pick(struct prng *r, const char *const *v, size_t n)
{
    return v[prng_below(r, n)];
}

#define PICK(r, v) pick((r), (v), sizeof(v) / sizeof *(v))

static void
gen_space(struct prng *r, struct buf *b)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t", "\r\n", "  \n\t "};

    add(b, PICK(r, spaces));
}

static void
gen_string(struct prng *r, struct buf *b)
{
    static const char *const pieces[] = {
        "a",
        "text ",
        "key",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\\\"",
        "\\\\",
        "\\/",
        "\\n",
        "\\u0041",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\x7f",
        "a run of plain text that is longer than sixteen bytes ",
        "\\t",
        "\\b\\f\\r"};

    add(b, "\"");
    for (uint64_t n = prng_below(r, 6); n > 0; n--)
        add(b, PICK(r, pieces));
    add(b, "\"");
}

static void
gen_scalar(struct prng *r, struct buf *b)
{
    static const char *const others[] = {"null",    "true",
                                         "false",   "0",
                                         "-0",      "1",
                                         "-12",     "3.25",
                                         "1e5",     "1E+5",
                                         "-1.5e-3", "9007199254740993",
                                         "0.0",     "123456789.000001",
                                         "0e0"};

    if (prng_below(r, 2))
        gen_string(r, b);
    else
        add(b, PICK(r, others));
}

static void
gen_key(struct prng *r, struct buf *b)
{
    static const char *const keys[] = {"\"a\"", "\"b\"", "\"\\u0061\"", "\"\"", "\"type\""};

    if (prng_below(r, 2))
        gen_string(r, b);
    else
        add(b, PICK(r, keys));
}

void
json_gen(struct prng *r, struct buf *b, unsigned depth)
{
    uint64_t what = depth ? prng_below(r, 4) : 0, n = prng_below(r, 5);

    gen_space(r, b);
    if (what < 2) {
        gen_scalar(r, b);
        gen_space(r, b);
        return;
    }
    add(b, what == 2 ? "{" : "[");
    gen_space(r, b);
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            add(b, ",");
        if (what == 2) {
            gen_space(r, b);
            gen_key(r, b);
            gen_space(r, b);
            add(b, ":");
        }
        json_gen(r, b, depth - 1);
    }
    add(b, what == 2 ? "}" : "]");
    gen_space(r, b);
}
