/* answer_media.c -- audio and images of an answer, as text.
 *
 * A client of another dialect that reads text must be told something: of speech its transcript,
 * which stands beside the sound; of an image its address, the way Markdown has it.  An image
 * that came inside the answer has no address, and of it only the place is told.
 */
#include "dialect/chat/answer_int.h"

enum { ADDRESS_MAX = 2048 };

tg_rc
chat_take_audio(struct dialect_dec *dec, uint32_t choice, struct str audio)
{
    struct json_member m;

    if (!json_get(audio, STR("transcript"), &m) || m.kind != JSON_STRING)
        return TG_OK;
    return chat_speak(dec, choice, IR_TEXT, false, m.value);
}

/* An address of the web that needs no quoting there. */
static bool
is_plain_address(struct str s)
{
    if (s.n > ADDRESS_MAX || !(str_starts(s, STR("https://")) || str_starts(s, STR("http://"))))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || memchr("()<>\\", s.p[i], 5))
            return false;
    return true;
}

static tg_rc
say_image(struct dialect_dec *dec, uint32_t choice, struct str address)
{
    bool plain = is_plain_address(chat_text(dec, address));
    tg_rc rc = chat_speak(dec, choice, IR_TEXT, false,
                          plain ? STR("\"![image](\"") : STR("\"(image)\""));

    if (rc == TG_OK && plain)
        rc = chat_speak(dec, choice, IR_TEXT, false, address);
    return rc == TG_OK && plain ? chat_speak(dec, choice, IR_TEXT, false, STR("\")\"")) : rc;
}

tg_rc
chat_take_images(struct dialect_dec *dec, uint32_t choice, struct str images)
{
    struct chat_answer *st = dec->state;
    struct chat_choice *ch = &st->choices[choice];
    struct json_member image, url;
    struct json_iter it;
    tg_rc rc = json_array(&it, images);

    if (rc != TG_OK)
        return TG_OK;
    st->odd = true; /* what is said does not stand in the record */
    while (rc == TG_OK && json_next(&it, &image)) {
        if (!json_path(image.value, "image_url.url", &url) || url.kind != JSON_STRING)
            continue;
        if (ch->speaking && ch->kind == IR_TEXT)
            rc = chat_speak(dec, choice, IR_TEXT, false, STR("\"\\n\\n\""));
        if (rc == TG_OK)
            rc = say_image(dec, choice, url.value);
    }
    return rc;
}
