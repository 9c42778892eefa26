/* expect.c -- applying the rows of what is expected. */
#include "dialect/expect.h"

static bool
fits(const struct expect_row *row, enum caps_server server, struct str model)
{
    struct str rest = str_z(row->models);

    if (!(row->servers & 1U << server))
        return false;
    if (rest.n == 0)
        return true;
    while (rest.n)
        if (str_glob(str_cut(rest, ' ', &rest), model))
            return true;
    return false;
}

static void
set(bool *to, enum ir_tri v)
{
    if (v != IR_UNSAID)
        *to = v == IR_YES;
}

static void
apply(const struct expect_row *row, struct ir_caps *caps)
{
    if (row->thinking)
        caps->thinking = row->thinking;
    if (row->system)
        caps->system = row->system;
    if (row->replay)
        caps->replay = row->replay;
    if (row->format)
        caps->format = row->format;
    set(&caps->custom_tools, row->custom_tools);
    set(&caps->developer_role, row->developer_role);
    set(&caps->completion_tokens, row->completion_tokens);
    set(&caps->sampling, row->sampling);
    set(&caps->cache_marks, row->cache_marks);
    set(&caps->prefill, row->prefill);
    set(&caps->logprobs, row->logprobs);
    set(&caps->web_search, row->web_search);
    set(&caps->parallel_calls, row->parallel_calls);
    if (row->stop_max)
        caps->stop_max = row->stop_max == EXPECT_NO_STOPS ? 0 : (unsigned)row->stop_max;
    if (row->tool_name_max)
        caps->tool_name_max = row->tool_name_max;
}

void
expect_apply(const struct expect_row *rows, size_t n, enum caps_server server, struct str model,
             struct ir_caps *caps)
{
    for (size_t i = 0; i < n; i++)
        if (fits(&rows[i], server, model))
            apply(&rows[i], caps);
}

struct str
expect_bare(struct str model)
{
    for (size_t i = model.n; i > 0; i--)
        if (model.p[i - 1] == '/')
            return str_from(model, i);
    return model;
}
