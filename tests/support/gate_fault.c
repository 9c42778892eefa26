/* gate_fault.c -- one planned fault in a gateway on the simulated ring.
 *
 * The linker puts the functions below in the place of those that can fail; each counts down to
 * the planned fault and otherwise does what the real one does.  What of the runtime can fail:
 *
 *   libc's heap     base/mem.c ends the process, whoever asked
 *   bounded buffer  buf_append and its relatives: TG_ELIMIT
 *   stacks          co_spawn: TG_EUNAVAIL (no memory) or TG_ELIMIT (too many), one path
 *   offload queue   co_offload: TG_EUNAVAIL
 *   descriptors     socket(2), and accept and connect by the ring's own faults
 *
 * Suspensions are seen where all of them pass, in co_park and co_yield.
 */
#include "support/gate_fault.h"

#include <string.h>
#include <sys/types.h>

#include "api/exchange.h"
#include "base/buf.h"
#include "co/co_int.h"
#include "support/ring_sim.h"

static struct {
    bool armed, hit;
    struct gate_fault f;
    uint64_t left;
    struct co_post post;
    struct co_timer timer;
    long heap;
    unsigned access_lines, false_lines;
} plan;

static void
act(void)
{
    plan.f.act(plan.f.arg);
}

static void
act_posted(struct co_post *p)
{
    (void)p;
    act();
}

static void
act_late(struct co_timer *t)
{
    (void)t;
    act();
}

void
gate_fault_arm(const struct gate_fault *f)
{
    plan.f = *f;
    plan.left = f->n;
    plan.hit = false;
    plan.armed = true;
    plan.post.fn = act_posted;
    co_timer_init(&plan.timer, act_late);
    if (f->kind == GATE_FAULT_SUBMIT)
        ring_sim_fail(f->n, f->sys_errno);
    else if (f->kind == GATE_FAULT_RESULT)
        ring_sim_fail_result(f->n, f->sys_errno);
    else if (f->kind == GATE_FAULT_SHORT)
        ring_sim_fail_short(f->n);
    else if (f->kind == GATE_FAULT_SOCKET)
        ring_sim_fail_socket(f->n, f->sys_errno);
}

bool
gate_fault_happened(void)
{
    return plan.hit || ring_sim_failed();
}

bool
gate_fault_disarm(void)
{
    bool happened = gate_fault_happened();

    if (plan.armed && co_self)
        co_timer_clear(&plan.timer);
    plan.armed = false;
    ring_sim_fail(0, 0);
    return happened;
}

long
gate_fault_heap(void)
{
    return plan.heap;
}

unsigned
gate_fault_access_lines(void)
{
    return plan.access_lines;
}

unsigned
gate_fault_false_lines(void)
{
    return plan.false_lines;
}

static bool
by_script(void)
{
    return co_self && co_self->cur && strncmp(co_self->cur->name, "script", 6) == 0;
}

/* Counts one thing of this kind; true when it is the one to fail. */
static bool
hit(enum gate_fault_kind kind)
{
    if (!plan.armed || plan.f.kind != kind || plan.hit || by_script())
        return false;
    plan.hit = --plan.left == 0;
    return plan.hit;
}

/* The heap. */

void *__real_aligned_alloc(size_t align, size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_aligned_alloc(size_t align, size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

void *
__wrap_aligned_alloc(size_t align, size_t n)
{
    if (hit(GATE_FAULT_HEAP))
        return NULL;
    plan.heap++;
    return __real_aligned_alloc(align, n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    if (hit(GATE_FAULT_HEAP))
        return NULL;
    plan.heap++;
    return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
    if (hit(GATE_FAULT_HEAP))
        return NULL;
    plan.heap += p == NULL;
    return __real_realloc(p, n);
}

void
__wrap_free(void *p)
{
    plan.heap -= p != NULL;
    __real_free(p);
}

/* Bounded buffers. */

tg_rc __real_buf_append(struct buf *b, struct str s);
tg_rc __real_buf_putc(struct buf *b, char c);
tg_rc __real_buf_reserve(struct buf *b, size_t n, char **ret);
tg_rc __wrap_buf_append(struct buf *b, struct str s);
tg_rc __wrap_buf_putc(struct buf *b, char c);
tg_rc __wrap_buf_reserve(struct buf *b, size_t n, char **ret);

tg_rc
__wrap_buf_append(struct buf *b, struct str s)
{
    return hit(GATE_FAULT_BOUND) ? TG_ELIMIT : __real_buf_append(b, s);
}

tg_rc
__wrap_buf_putc(struct buf *b, char c)
{
    return hit(GATE_FAULT_BOUND) ? TG_ELIMIT : __real_buf_putc(b, c);
}

tg_rc
__wrap_buf_reserve(struct buf *b, size_t n, char **ret)
{
    return hit(GATE_FAULT_BOUND) ? TG_ELIMIT : __real_buf_reserve(b, n, ret);
}

/* Coroutines and threads. */

struct co *__real_co_stack_get(struct co_stacks *p);
struct co *__wrap_co_stack_get(struct co_stacks *p);
tg_rc __real_co_offload(tg_rc (*fn)(void *arg), void *arg);
tg_rc __wrap_co_offload(tg_rc (*fn)(void *arg), void *arg);
tg_rc __real_co_park(struct co *c, co_interrupt_fn *interrupt, void *waits_on);
tg_rc __wrap_co_park(struct co *c, co_interrupt_fn *interrupt, void *waits_on);
tg_rc __real_co_yield(void);
tg_rc __wrap_co_yield(void);

struct co *
__wrap_co_stack_get(struct co_stacks *p)
{
    return hit(GATE_FAULT_STACK) ? NULL : __real_co_stack_get(p);
}

tg_rc
__wrap_co_offload(tg_rc (*fn)(void *arg), void *arg)
{
    return hit(GATE_FAULT_OFFLOAD) ? TG_EUNAVAIL : __real_co_offload(fn, arg);
}

static void
suspends(void)
{
    if (!hit(GATE_FAULT_PARK))
        return;
    if (plan.f.late)
        co_timer_set(&plan.timer, co_now());
    else
        co_post(co_self, &plan.post);
}

tg_rc
__wrap_co_park(struct co *c, co_interrupt_fn *interrupt, void *waits_on)
{
    suspends();
    return __real_co_park(c, interrupt, waits_on);
}

tg_rc
__wrap_co_yield(void)
{
    suspends();
    return __real_co_yield();
}

/* Looked at, not failed. */

void __real_access_log(struct exchange *x);
void __wrap_access_log(struct exchange *x);

void
__wrap_access_log(struct exchange *x)
{
    plan.access_lines++;
    plan.false_lines += x->reply.ended && x->reply.status == 200 && !x->broken &&
                        x->end == END_NONE && x->err.kind != TG_ERR_NONE;
    __real_access_log(x);
}
