/* pairs_cases.h -- what is sent through every pair of dialects. */
#ifndef TESTS_SUPPORT_PAIRS_CASES_H
#define TESTS_SUPPORT_PAIRS_CASES_H

#include "base/arena.h"
#include "support/prng.h"
#include "triglot/ir.h"

struct pairs_case {
    const char *name;
    struct ir_res *(*make)(struct arena *);
};
extern const struct pairs_case pairs_cases[];
extern const unsigned pairs_n_cases;

/* A random answer of texts, reasoning and calls, one choice, that every dialect can say. */
struct ir_res *pairs_gen(struct arena *a, struct prng *r);

/* One answer (pairs_cut_answer) as differently as upstreams cut it into records. */
struct pairs_cut {
    const char *dialect, *name, *stream;
};
extern const struct pairs_cut pairs_cuts[];
extern const unsigned pairs_n_cuts;
struct ir_res *pairs_cut_answer(struct arena *a);

/* Two calls in Chat's words, their ids missing or odd. */
extern const char *const pairs_odd_ids[];
extern const unsigned pairs_n_odd_ids;

/* A text with one citation of https://z.example/?a=1&b=2, titled Weather. */
extern const struct pairs_cut pairs_cited[];
extern const unsigned pairs_n_cited;

/* Requests as clients write them.  may_refuse: the field for which an upstream of another
 * dialect may refuse it, or NULL.  not_to: dialects that have it in another form, or not at
 * all, as the mapping says: there it must only go through. */
struct pairs_request {
    const char *dialect, *name, *body, *may_refuse, *not_to;
};
extern const struct pairs_request pairs_requests[];
extern const unsigned pairs_n_requests;

/* Answers that come back in the next request; needle: what the maker must find in that. */
struct pairs_return {
    const char *name, *needle;
    struct ir_res *(*make)(struct arena *, const char *maker);
};
extern const struct pairs_return pairs_back[];
extern const unsigned pairs_n_back;

#endif
