/* sim_embed.c -- simulated embeddings: unit vectors that depend on seed and text alone.
 *
 * Each coordinate is the sum of four uniform numbers, near enough to a normal one that
 * directions are spread evenly, so that different texts are nearly orthogonal, as in a vector
 * store they are to be told apart.
 */
#include <math.h>

#include "upstream/sim_int.h"

enum { DIMENSIONS = 64, DIMENSIONS_MAX = 4096 };

static double
coordinate(struct sim_rng *rng)
{
    uint64_t bits = sim_rng_next(rng);
    double sum = 0;

    for (int i = 0; i < 4; i++, bits >>= 16)
        sum += (double)(bits & 0xffff) / 65535.0 - 0.5;
    return sum;
}

static void
unit_vector(float *v, unsigned n, uint64_t seed)
{
    struct sim_rng rng = {seed};
    double square = 0;

    for (unsigned i = 0; i < n; i++) {
        double x = coordinate(&rng);

        v[i] = (float)x;
        square += x * x;
    }
    if (square == 0) {
        v[0] = 1;
        square = 1;
    }
    for (unsigned i = 0; i < n; i++)
        v[i] = (float)(v[i] / sqrt(square));
}

tg_rc
sim_embed(struct arena *a, const struct sim_params *p, const struct ir_embed_req *req,
          struct ir_embed_res *ret, struct tg_err *err)
{
    struct ir_embed_res res = {.n = req->n_inputs, .dimensions = DIMENSIONS};

    if (p->error_status)
        return sim_error(p->error_status, err);
    if (req->dimensions == 0 || req->dimensions > DIMENSIONS_MAX)
        return tg_refuse(err, "invalid_value", "dimensions",
                         "the simulated model makes 1 to %d dimensions", DIMENSIONS_MAX);
    if (req->dimensions > 0)
        res.dimensions = (unsigned)req->dimensions;
    res.values = arena_array(a, float, (size_t)res.n *res.dimensions);
    res.usage = (struct ir_usage){.cached = 0, .reasoning = 0};
    for (unsigned i = 0; i < res.n; i++) {
        unit_vector(res.values + (size_t)i * res.dimensions, res.dimensions,
                    sim_hash((uint64_t)p->seed + 1, req->inputs[i]));
        res.usage.input += sim_words(req->inputs[i]);
    }
    *ret = res;
    return TG_OK;
}
