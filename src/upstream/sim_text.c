/* sim_text.c -- readable nonsense from a seed.
 *
 * A sentence is a plan of word classes; each class has a list of words.  A token is a word with
 * the space in front of it; long words are two tokens, as in real tokenizers, so that clients
 * see text that parts inside words.  Some words are not ASCII, so that clients' decoders have
 * something to do: tokens never part inside a character, and readers must be able to rely on
 * that.
 */
#include "upstream/sim_int.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

uint64_t
sim_rng_next(struct sim_rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t
sim_rng_below(struct sim_rng *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)sim_rng_next(r) * n >> 64);
}

/* Eight bytes at a time; the length goes in, so that texts that only differ in zero bytes at
 * the end differ. */
uint64_t
sim_hash(uint64_t h, struct str s)
{
    const uint64_t k = UINT64_C(0x9fb21c651e98df25);
    size_t i = 0;
    uint64_t v;

    h ^= s.n * k;
    for (; i + 8 <= s.n; i += 8) {
        memcpy(&v, s.p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        h = (h ^ v) * k;
        h ^= h >> 29;
    }
    for (v = 0; i < s.n; i++)
        v = v << 8 | (unsigned char)s.p[i];
    h = (h ^ v) * k;
    return h ^ (h >> 32);
}

static const char *const articles[] = {"the", "a", "this", "every", "one", "our"};
static const char *const adjectives[] = {"quiet",  "small",   "bright", "early",     "patient",
                                         "copper", "distant", "naïve",  "remarkable"};
static const char *const nouns[] = {"river",    "lantern", "garden",   "café",     "signal",
                                    "mountain", "bridge",  "notebook", "harbour",  "漢字",
                                    "weather",  "clock",   "engine",   "gardener", "window",
                                    "piñata",   "library", "kettle"};
static const char *const verbs[] = {"carries", "finds",  "remembers", "follows", "paints",
                                    "opens",   "counts", "answers",   "keeps",   "translates"};
static const char *const places[] = {"near", "under", "beyond", "inside", "behind", "across"};
static const char *const adverbs[] = {"slowly",    "today", "again",
                                      "carefully", "often", "quietly"};
static const char *const signs[] = {"🌊", "→", "☕", "🙂"};

static const struct {
    char slot;
    const char *const *words;
    size_t n;
} classes[] = {
    {'D', articles, COUNT(articles)}, {'A', adjectives, COUNT(adjectives)},
    {'N', nouns, COUNT(nouns)},       {'V', verbs, COUNT(verbs)},
    {'P', places, COUNT(places)},     {'R', adverbs, COUNT(adverbs)},
    {'S', signs, COUNT(signs)},
};

static const char *const sentences[] = {"DANVDN",  "DNVDANPDN", "RDNVDN", "DNVRPDAN",
                                        "DANVDNS", "DNPDNVR",   "DNVDNR", "PDANDNVDN"};

void
sim_text_init(struct sim_text *t, uint64_t seed)
{
    *t = (struct sim_text){.rng = {seed}, .slots = ""};
}

static struct str
next_word(struct sim_text *t)
{
    char slot;

    t->first = !*t->slots;
    if (t->first)
        t->slots = sentences[sim_rng_below(&t->rng, COUNT(sentences))];
    slot = *t->slots++;
    for (size_t i = 0; i < COUNT(classes); i++)
        if (classes[i].slot == slot)
            return str_z(classes[i].words[sim_rng_below(&t->rng, classes[i].n)]);
    return STR("and");
}

struct str
sim_text_next(struct sim_text *t, bool last, char out[SIM_TOKEN_MAX])
{
    bool whole = t->rest.n == 0, split;
    struct str word = whole ? next_word(t) : t->rest;
    size_t n = 0, take = word.n;

    /* Only ASCII words are long enough to be split. */
    split = whole && !last && word.n > 7 && (unsigned char)word.p[4] < 0x80 &&
            (unsigned char)word.p[3] < 0x80;
    if (split)
        take = 4;
    if (whole && t->begun)
        out[n++] = ' ';
    memcpy(out + n, word.p, take);
    if (whole && t->first && out[n] >= 'a' && out[n] <= 'z')
        out[n] = (char)(out[n] - 'a' + 'A');
    n += take;
    t->rest = split ? str_from(word, take) : (struct str){NULL, 0};
    if (t->rest.n == 0 && (last || !*t->slots)) {
        out[n++] = '.';
        t->slots = "";
    }
    t->begun = true;
    return str_of(out, n);
}
