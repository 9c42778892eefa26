/* shapes_int.h -- reading a stream's records, for the checks of their shape. */
#ifndef TESTS_SUPPORT_SHAPES_INT_H
#define TESTS_SUPPORT_SHAPES_INT_H

#include "support/shapes.h"
#include "json/scan.h"

struct shape {
    struct arena *a;
    struct str rest;
    struct shape_record r; /* the newest */
    unsigned n;            /* how many there were */
};

bool shape_record(struct shape *s);
/* What is wrong with the newest record, with the record. */
const char *shape_wrong(struct shape *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What stands at a path; JSON_NONE, "" or -1 when there is nothing (of that kind). */
enum json_kind shape_kind(struct str value, const char *path);
struct str shape_text(struct shape *s, struct str value, const char *path);
struct str shape_raw(struct str value, const char *path);
int64_t shape_int(struct str value, const char *path);

#endif
