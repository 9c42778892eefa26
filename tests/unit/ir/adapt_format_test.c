/* adapt_format_test.c -- forms of the answer that the model cannot be held to, in words. */
#include "unit/ir/adapt_rig.h"

#define OBJECT "  text \"Answer with a single JSON object and nothing else.\"\n"
#define SCHEMA                                                                                 \
    "  text \"Answer with a single JSON value and nothing else, without a code fence around "  \
    "it. It must be valid against this JSON schema:\\n"

static const char schema[] = "{\"type\":\"object\",\"properties\":{}}";

/* What can be asked for by what is asked for. */
static void
words_stand_for_what_is_missing(void **state)
{
    static const struct {
        enum caps_format can;
        bool schema; /* asked for; else any object */
        const char *format, *words;
    } rows[] = {
        {CAPS_FORMAT_SCHEMA, true, "format schema={\"type\":\"object\",\"properties\":{}}\n",
         ""},
        {CAPS_FORMAT_SCHEMA, false, "format json\n", ""},
        {CAPS_FORMAT_OBJECT, true, "format json\n",
         SCHEMA "{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{}}\"\n"},
        {CAPS_FORMAT_OBJECT, false, "format json\n", ""},
        {CAPS_FORMAT_ONLY_SCHEMA, true,
         "format schema={\"type\":\"object\",\"properties\":{}}\n", ""},
        {CAPS_FORMAT_ONLY_SCHEMA, false, "", OBJECT},
        {CAPS_FORMAT_PROMPT, true, "",
         SCHEMA "{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{}}\"\n"},
        {CAPS_FORMAT_PROMPT, false, "", OBJECT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool words = rows[i].words[0];
        struct rig g;

        rig_open(&g);
        g.route.caps.format = rows[i].can;
        g.req.format_json = !rows[i].schema;
        g.req.format_schema = rows[i].schema ? str_z(schema) : STR("");
        rig_say(&g, IR_SYSTEM, SAID("sys"));
        rig_say(&g, IR_SYSTEM, SAID("tem"));
        rig_say(&g, IR_USER, SAID("hi"));
        rig_say(&g, IR_SYSTEM, SAID("late"));
        rig_fit_ok(&g);
        assert_string_equal(
            rig_req(&g, &g.fitted),
            arena_printf(&g.a,
                         "model \"m\"\n%ssystem\n  text \"sys\"\nsystem\n  text \"tem\"\n%s%s"
                         "user\n  text \"hi\"\nsystem\n  text \"late\"\n",
                         rows[i].format, words ? "system\n" : "", rows[i].words)
                .p);
        assert_string_equal(rig_drops(&g), words ? "response_format" : "");
        assert_int_equal(g.fitted.n_msgs, 4 + words);
        assert_null(g.adapt);
        assert_null(g.req.msgs->next->next->next->next);
        g.route.strict = true;
        assert_int_equal(rig_fit(&g), words ? TG_EINVAL : TG_OK);
        rig_close(&g);
    }
}

static void
the_field_is_named_in_the_clients_words(void **state)
{
    static const char *const rows[][2] = {{"chat", "response_format"},
                                          {"responses", "text.format"},
                                          {"messages", "output_config.format"},
                                          {NULL, "response_format"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;

        rig_open(&g);
        g.req.origin = rows[i][0];
        g.req.format_schema = str_z(schema);
        g.req.format_description = STR("Be brief.");
        g.req.format_name = STR("n");
        g.req.format_strict = IR_YES;
        g.route.caps.format = CAPS_FORMAT_PROMPT;
        rig_fit_ok(&g);
        assert_string_equal(rig_drops(&g), rows[i][1]);
        assert_string_equal(rig_req(&g, &g.fitted),
                            "model \"m\"\nsystem\n" SCHEMA
                            "{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{}}\\n"
                            "Be brief.\"\n");
        rig_close(&g);
    }
}

/* Insisting on an object would contradict a schema of something else. */
static void
an_array_is_no_object(void **state)
{
    static const struct {
        const char *schema;
        bool object;
    } rows[] = {{"{\"type\":\"object\"}", true},
                {"{\"type\":\"array\"}", false},
                {"{\"type\":[\"object\",\"null\"]}", false},
                {"{\"$ref\":\"#/x\"}", false},
                {"true", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;

        rig_open(&g);
        g.req.format_schema = str_z(rows[i].schema);
        g.route.caps.format = CAPS_FORMAT_OBJECT;
        rig_fit_ok(&g);
        assert_int_equal(g.fitted.format_json, rows[i].object);
        assert_int_equal(g.fitted.format_schema.n, 0);
        rig_close(&g);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_stand_for_what_is_missing),
        cmocka_unit_test(the_field_is_named_in_the_clients_words),
        cmocka_unit_test(an_array_is_no_object),
    };

    return cmocka_run_group_tests_name("ir/adapt_format", tests, NULL, NULL);
}
