/* tables_model.c -- the options of a model. */
#include "policy/tables.h"

#define MODEL(member) offsetof(struct model_settings, member)

static const struct conf_row model_rows[] = {
    {.key = "name",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = MODEL(name),
     .min = 1,
     .max = 256,
     .help = "What clients ask for.\nA star stands for any run of characters, anywhere in the "
             "name; a name that begins with one must be quoted.\nAn exact name wins over "
             "patterns, and of those the one with the most characters that are no stars."},
    {.key = "upstream",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .offset = MODEL(upstream_name),
     .min = 1,
     .max = 128,
     .help = "Name of the upstream that serves it."},
    {.key = "model",
     .type = CONF_STRING,
     .offset = MODEL(model),
     .max = 256,
     .default_note = "what the client asked for",
     .help = "What the upstream is asked for."},
    {.key = "strict",
     .type = CONF_BOOL,
     .offset = MODEL(strict),
     .text = "false",
     .help =
         "A request field that the upstream's dialect cannot carry is refused with 400 instead "
         "of being dropped and named in\n.Ql x-triglot-dropped ."},
    {.key = "max_tokens",
     .type = CONF_INTEGER,
     .offset = MODEL(max_tokens),
     .width = sizeof(int64_t),
     .text = "8192",
     .min = 1,
     .max = 10000000,
     .help =
         "Answer length to ask for when the client said none and the upstream's dialect needs "
         "one, as messages does."},
    {.key = "capabilities",
     .type = CONF_SECTION,
     .flags = CONF_BRIEF | CONF_TOLD,
     .offset = MODEL(caps),
     .table = &settings_caps_table,
     .help = "What this model can take, with the keys of\n.Ic upstreams[].capabilities ;\nsee\n"
             ".Sx Capabilities ."},
    {.key = "parameters",
     .type = CONF_STRINGS,
     .offset = MODEL(parameters),
     .count_offset = MODEL(n_parameters),
     .max = PARAM_RULES_MAX,
     .default_note = "none",
     .help = "Rules about single members of the body that is sent to the upstream, in the "
             "upstream's words and in this order; see\n.Sx Parameter rules ."},
};
const struct conf_table settings_model_table = {
    .rows = model_rows,
    .n = COUNT(model_rows),
    .size = sizeof(struct model_settings),
    .pos_at = 1 + MODEL(at),
};
