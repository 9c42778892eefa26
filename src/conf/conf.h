/* conf.h -- a YAML file into a struct, driven by tables of options.
 *
 * A table is an array of rows, one an option: its key, its type, where in the struct it goes,
 * its default as text, its limits and its help.  The same rows fill the struct, word the
 * errors, print the effective configuration and generate the option list of the manual page, so
 * none of these can drift from another.  This layer knows no option by name.
 *
 * Accepted YAML: one document of mappings, sequences and scalars.  Anchors, aliases, tags and
 * merge keys are refused by name.  In every scalar value ${NAME} is replaced from the
 * environment (undefined is an error), ${NAME:-text} likewise with a default for a variable
 * that is unset or empty, and $$ is a dollar sign.  An empty value or null is an option that is
 * not set.
 *
 * Bounds: 1 MiB of file, 16 levels, 4 MiB after expansion, 20 errors shown.  Reading files
 * blocks: start-up, or an offload thread.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/err.h"
#include "triglot/str.h"

enum {
    CONF_FILE_BYTES_MAX = 1 << 20,
    CONF_EXPANDED_BYTES_MAX = 4 << 20,
    CONF_VALUE_BYTES_MAX = 64 << 10,
    CONF_DEPTH_MAX = 16,
    CONF_ERRORS_MAX = 20,
    CONF_LIST_MAX = 64, /* elements of a list whose row does not say */
    CONF_TEXT_MAX = 4096,
};

/* A place in the file, counted from 1; line 0 is no place. */
struct conf_pos {
    unsigned line, column;
};

struct conf_diag {
    FILE *out;        /* NULL = silent, only counted */
    const char *file; /* name to print, borrowed */
    unsigned errors, warnings;
};

/* Prints `file:line:column: text`, cleaned of control bytes.  After CONF_ERRORS_MAX errors the
 * rest are counted and one line says so. */
void conf_error(struct conf_diag *d, struct conf_pos at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "warning: " before the text. */
void conf_warn(struct conf_diag *d, struct conf_pos at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The name nearest to `got`, for "did you mean": by edit distance, or because one begins with
 * the other.  Keeps the best of several offers. */
struct conf_guess {
    struct str got, best;
    unsigned distance;
};
void conf_guess_init(struct conf_guess *g, struct str got);
void conf_guess_offer(struct conf_guess *g, struct str name);
/* ` (did you mean "x"?)` in out[n], or "" when nothing is near.  Returns out. */
const char *conf_guess_text(const struct conf_guess *g, char *out, size_t n);

enum conf_source {
    CONF_DEFAULT,
    CONF_FILE,    /* `at` says where; `env` names the variables in it, if any */
    CONF_ENV,     /* a variable, named by `env`                               */
    CONF_BUILTIN, /* set by the program                                       */
    CONF_BAD,     /* named in the file, but with an error: the field is unset */
};

struct conf_origin {
    const void *field; /* address of the field, or of a list's element */
    enum conf_source source;
    struct conf_pos at;
    struct str env; /* borrowed */
};

/* Where the value of each field came from, by the field's address. */
struct conf_origins {
    struct conf_origin *v;
    size_t n, cap;
    bool sorted;
};
void conf_origins_init(struct conf_origins *o);
void conf_origins_fini(struct conf_origins *o);
void conf_origins_add(struct conf_origins *o, struct conf_origin origin);
/* Readies o for look-ups after the last conf_origins_add. */
void conf_origins_sort(struct conf_origins *o);
/* The latest origin of a field; source CONF_DEFAULT when none was added. */
struct conf_origin conf_origin_of(const struct conf_origins *o, const void *field);

enum conf_type {
    CONF_STRING,   /* struct str                                                      */
    CONF_BOOL,     /* bool                                                            */
    CONF_INTEGER,  /* unsigned or int64_t, by width                                   */
    CONF_SECONDS,  /* int64_t milliseconds; text: 15, 0.5, 500ms, 15s, 2m, 1h         */
    CONF_BYTES,    /* int64_t; text: 65536, 64KiB, 64MiB, 1GiB                        */
    CONF_ENUM,     /* int-sized enum, by names                                        */
    CONF_CHOICE,   /* struct str, one of names                                        */
    CONF_SECRET,   /* struct secret; text, or file:/path whose contents are the value */
    CONF_STRINGS,  /* struct str * and an unsigned count; a scalar is a list of one   */
    CONF_SECTION,  /* a struct inside the struct                                      */
    CONF_SECTIONS, /* array of structs in the arena and an unsigned count             */
};

enum {
    CONF_RELOAD = 0,   /* SIGHUP takes a new value up */
    CONF_RESTART = 1,  /* only a restart does         */
    CONF_REQUIRED = 2, /* must be set in its section  */
    CONF_BRIEF = 4,    /* CONF_SECTION: the dump leaves out what nobody set */
    CONF_TOLD = 8,     /* sections: the manual has their options elsewhere, help says where */
};

struct conf_name {
    const char *name; /* NULL ends the list */
    int value;
};

struct conf_table;

struct conf_row {
    const char *key;
    enum conf_type type;
    unsigned flags;
    size_t offset;       /* of the field in the table's struct                         */
    size_t count_offset; /* lists: of its unsigned count                               */
    size_t width;        /* CONF_INTEGER: sizeof the field                             */
    const char *text;    /* default, read as if it stood in the file; NULL = zero/none */
    /* Limits of the stored value (integer, seconds in ms, bytes); of the length of a string
     * (max 0 = CONF_TEXT_MAX); of the number of elements of a list (max 0 = CONF_LIST_MAX). */
    int64_t min, max;
    /* The words of a closed set; CONF_INTEGER: words that stand for a value, which may be
     * beyond the limits, besides the digits (NULL = none). */
    const struct conf_name *names;
    const struct conf_table *table; /* sections: their rows              */
    unsigned spare;                 /* CONF_SECTIONS: room for as many more elements */
    /* NULL, or whether the option makes sense in this section (its struct is filled); where it
     * does not it may not be set, with only_for as the reason, and is not dumped. */
    bool (*applies)(const void *section);
    const char *only_for;
    const char *type_note;    /* manual: the type in words, where the row's own would not do */
    const char *default_note; /* manual: the default in words, for one that is computed    */
    const char *help;         /* manual: mdoc text, sentences on lines of their own        */
};

struct conf_table {
    const struct conf_row *rows;
    size_t n;      /* at most 64 */
    size_t size;   /* of the struct */
    size_t pos_at; /* 1 + offset of a struct conf_pos to be filled, or 0 */
};

/* Fills the struct at base with the defaults of the table and its sections.  Text goes into the
 * arena.  The defaults are part of the program: a wrong one is an assertion. */
void conf_defaults(const struct conf_table *t, void *base, struct arena *a);

/* Reads text into the struct at base, defaults first.  Every problem goes to d; TG_ECONFIG when
 * there was an error, and the struct is then still whole: fields in error hold their defaults
 * and have the origin CONF_BAD.  Secrets are the caller's to fini in either case.  o is sorted.
 */
TG_MUST_USE tg_rc conf_load(struct str text, const struct conf_table *t, void *base,
                            struct arena *a, struct conf_origins *o, struct conf_diag *d);

/* The struct as YAML, the origin of each value as a comment; secrets as ***. */
void conf_dump(const struct conf_table *t, const void *base, const struct conf_origins *o,
               const char *file, FILE *out);
/* The rows as items of an mdoc list (the caller opens and closes it). */
void conf_mdoc(const struct conf_table *t, FILE *out);
/* Top-level rows with CONF_RESTART whose values differ, as "a, b" in ret[n]; returns whether
 * there are any. */
bool conf_restart_differs(const struct conf_table *t, const void *a, const void *b, char *ret,
                          size_t n);

/* Appends a file's contents.  TG_ECONFIG when it cannot be read or is larger than max; with
 * regular also when it is no regular file (a pipe could block for ever). */
TG_MUST_USE tg_rc conf_read_file(const char *path, bool regular, size_t max, struct buf *ret,
                                 struct tg_err *err);

/* "libyaml 0.2.5" */
const char *conf_library(void);

#endif
