/* conf.c -- fuzz target: any text is either a configuration or a list of errors, never a crash.
 *
 * What is accepted is dumped, and the dump must be accepted in turn and dump the same again,
 * comments aside: printing and reading are each other's inverse.  No message may show what a
 * variable holds, save for the path of a file that cannot be read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MUST(cond)                                                                             \
    do {                                                                                       \
        if (!(cond))                                                                           \
            abort();                                                                           \
    } while (0)

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("K", "canary-5ecret", 1);
    setenv("E", "", 1);
    return 0;
}

static char *
dump(const struct settings *s)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    settings_dump(s, f);
    fclose(f);
    return text;
}

/* Quoted text may hold what begins a comment too, but then it is cut from both dumps alike. */
static char *
without_comments(const char *text)
{
    char *copy = malloc(strlen(text) + 1), *out = copy;

    while (*text) {
        size_t n = strcspn(text, "\n");
        const char *comment = memmem(text, n, "  # ", 4);

        memcpy(out, text, comment ? (size_t)(comment - text) : n);
        out += comment ? (size_t)(comment - text) : n;
        text += n + (text[n] == '\n');
        *out++ = '\n';
    }
    *out = '\0';
    return copy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *s, *again;
    char *said = NULL, *first, *second, *first_bare, *second_bare;
    size_t said_n;
    FILE *f = open_memstream(&said, &said_n);
    tg_rc rc = settings_load_text(str_of((const char *)data, size), "f", f, &s);

    fclose(f);
    MUST((rc == TG_OK) == !memmem(said, said_n, "f:", 2) || memmem(said, said_n, "warning", 7));
    MUST(!memmem(said, said_n, "canary-5ecret", 13) || memmem(data, size, "canary", 6) ||
         memmem(data, size, "file", 4));
    free(said);
    if (rc != TG_OK)
        return 0;
    first = dump(s);
    MUST(settings_load_text(str_z(first), "f", NULL, &again) == TG_OK);
    second = dump(again);
    first_bare = without_comments(first);
    second_bare = without_comments(second);
    MUST(strcmp(first_bare, second_bare) == 0);
    free(first_bare);
    free(second_bare);
    free(first);
    free(second);
    settings_unref(again);
    settings_unref(s);
    return 0;
}
