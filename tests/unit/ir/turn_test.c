/* turn_test.c -- where the user's last turn begins. */
#include "ir/turn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* u = the user's words, b = his words beside results, t = results, m = the model, s = system.
 */
static unsigned
last_turn(const char *roles)
{
    struct ir_block text = {.kind = IR_TEXT, .text = STR("x")}, result = {.kind = IR_RESULT},
                    both = {.kind = IR_RESULT, .next = &text};
    struct ir_msg msgs[8] = {{.role = IR_USER}};
    struct ir_req req = {.origin = "messages"};

    for (int i = 0; roles[i]; i++) {
        msgs[i].role = roles[i] == 'm'   ? IR_MODEL
                       : roles[i] == 's' ? IR_SYSTEM
                       : roles[i] == 't' ? IR_TOOL
                                         : IR_USER;
        msgs[i].blocks = roles[i] == 't' ? &result : roles[i] == 'b' ? &both : &text;
        msgs[i].next = roles[i + 1] ? &msgs[i + 1] : NULL;
        req.msgs = msgs;
    }
    return ir_last_turn(&req);
}

static void
words_behind_results_begin_no_turn(void **state)
{
    (void)state;
    assert_int_equal(last_turn(""), 0);
    assert_int_equal(last_turn("s"), 0);
    assert_int_equal(last_turn("su"), 2);
    assert_int_equal(last_turn("umt"), 1);
    assert_int_equal(last_turn("umb"), 1);
    assert_int_equal(last_turn("umtu"), 1);
    assert_int_equal(last_turn("umtsu"), 1);
    assert_int_equal(last_turn("umtmu"), 5);
    assert_int_equal(last_turn("umbmu"), 5);
    assert_int_equal(last_turn("umumt"), 3);
}

static void
the_old_form_of_tools(void **state)
{
    struct ir_tool tool = {.name = STR("f"), .raw = STR("{\"name\":\"f\"}")};
    struct ir_req req = {.origin = "chat"};

    (void)state;
    assert_false(ir_one_call_form(&req));
    req.tools = &tool;
    assert_true(ir_one_call_form(&req));
    req.origin = "messages";
    assert_false(ir_one_call_form(&req));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_behind_results_begin_no_turn),
                                       cmocka_unit_test(the_old_form_of_tools)};

    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
