/* msg.c -- system text and messages of a Messages request.
 *
 * Tool results stand in user messages here and are messages of their own inside, one each, in
 * front of what else the turn says: the other dialects want them right behind the calls.
 *
 * Claude Code puts a line into its system text that differs with every request and is meant for
 * its maker's billing.  It would defeat every prompt cache on the way, so it is left out.
 */
#include "dialect/messages/messages_int.h"

static struct ir_msg *
add_message(struct messages_dec *d, struct ir_msg ***tail, enum ir_role role, unsigned place)
{
    struct ir_msg *m = arena_new(d->in.a, struct ir_msg);

    m->role = role;
    m->place = place;
    **tail = m;
    *tail = &m->next;
    d->req->n_msgs++;
    return m;
}

static tg_rc
read_message(struct messages_dec *d, const struct field_at *at,
             const struct json_member *message, struct ir_msg ***tail)
{
    static const char *const keys[] = {"role", "content"};
    struct field_at role_at = {at, keys[0], 0}, content_at = {at, keys[1], 0};
    struct ir_block *blocks = NULL, *results = NULL;
    struct messages_blocks to = {&blocks}, to_results = {&results};
    struct messages_place p = {&content_at, MESSAGES_IN_USER, &to, &to_results};
    enum ir_role role = IR_USER;
    struct json_member m[2];
    struct str word = {NULL, 0};
    tg_rc rc = messages_pick(d, at, message->value, keys, 2, m);

    if (rc == TG_OK)
        rc = field_string_needed(&d->in, at, keys[0], &m[0], &word);
    if (rc != TG_OK)
        return rc;
    if (str_eq(word, STR("assistant"))) {
        role = IR_MODEL;
        p.where = MESSAGES_IN_MODEL;
    } else if (str_eq(word, STR("system"))) {
        role = IR_SYSTEM;
        p.where = MESSAGES_IN_SYSTEM;
    } else if (!str_eq(word, STR("user"))) {
        return field_refuse(&d->in, &role_at, "invalid_value",
                            "must be one of user, assistant, system");
    }
    if (!field_has(&m[1]))
        return field_refuse_missing(&d->in, at, keys[1]);
    rc = messages_read_content(d, &p, &m[1]);
    if (rc != TG_OK)
        return rc;
    while (results) {
        struct ir_block *next = results->next;

        results->next = NULL;
        add_message(d, tail, IR_TOOL, at->index + 1)->blocks = results;
        results = next;
        if (!results && !blocks)
            return TG_OK;
    }
    add_message(d, tail, role, at->index + 1)->blocks = blocks;
    return TG_OK;
}

tg_rc
messages_read_messages(struct messages_dec *d, const struct json_member *messages)
{
    struct field_at at = {NULL, "messages", 0}, elem = {&at, NULL, 0};
    struct ir_msg **tail = &d->req->msgs;
    struct json_iter it;
    struct json_member m;
    tg_rc rc = TG_OK;

    while (*tail)
        tail = &(*tail)->next;
    if (!field_has(messages))
        return field_refuse_missing(&d->in, NULL, "messages");
    if (json_array(&it, messages->value) != TG_OK)
        return field_refuse_type(&d->in, &at, "an array", messages->kind);
    for (; rc == TG_OK && json_next(&it, &m); elem.index++)
        rc = read_message(d, &elem, &m, &tail);
    if (rc == TG_OK && elem.index == 0)
        rc = field_refuse(&d->in, &at, "empty_array", "at least one message is needed");
    return rc;
}

/* Takes the billing line out of the beginning of a text. */
static struct str
without_billing(struct str text)
{
    static const struct str mark = {"x-anthropic-billing-header:", 27};
    size_t end;

    if (!str_starts(text, mark))
        return text;
    end = str_find(text, '\n');
    while (end < text.n && text.p[end] == '\n')
        end++;
    return str_from(text, end);
}

tg_rc
messages_read_system(struct messages_dec *d, const struct json_member *system)
{
    struct field_at at = {NULL, "system", 0};
    struct ir_block *blocks = NULL, **b = &blocks;
    struct messages_blocks to = {&blocks};
    struct messages_place p = {&at, MESSAGES_IN_SYSTEM, &to, NULL};
    struct ir_msg **tail = &d->req->msgs;
    tg_rc rc;

    if (!field_has(system))
        return TG_OK;
    rc = messages_read_content(d, &p, system);
    if (rc != TG_OK)
        return rc;
    while (*b) {
        struct str text = (*b)->text;

        (*b)->text = without_billing(text);
        if ((*b)->kind == IR_TEXT && (*b)->text.n == 0)
            *b = (*b)->next;
        else
            b = &(*b)->next;
    }
    if (blocks)
        add_message(d, &tail, IR_SYSTEM, 0)->blocks = blocks;
    return TG_OK;
}
