/* Counting: random bundles and random questions, each answered a second time in a slow and obvious way. */
#include "world.h"

/* ---- the slow way ---- */

typedef struct filter {
    unsigned field;
    bool any[LONG_CODES];
    size_t count;
} filter;
typedef struct question {
    unsigned by[3];
    size_t by_count, where_count;
    filter where[3];
    bool group;
} question;

static bool matches(size_t row, const question *q)
{
    for (size_t i = 0; i < q->where_count; i++) {
        bool any = false;
        for (unsigned v = 0; v < sizes[q->where[i].field]; v++)
            any = any || (q->where[i].any[v] && holds(row, (attribute) { q->where[i].field, v }));
        if (!any) return false;
    }
    return true;
}

static size_t add(attribute *x, size_t n, attribute one)
{
    for (size_t i = 0; i < n; i++)
        if (x[i].field == one.field && x[i].value == one.value) return n;
    x[n] = one;
    return n + 1;
}

/* The columns of the tables in the report; a set of columns was counted together when a table has them all, or a count was published. */
static bool counted_together(const attribute *x, size_t n)
{
    static const int tables[][R + 1] = {
        { FLAG1, CODE, YEAR, -1 }, { SET, CODE, FLAG1, -1 }, { LONG, FLAG1, -1 }, { FLAG1, FLAG2, CODE, -1 }, { FLAG3, -1 }
    };
    if (n <= 1) return true;
    for (size_t t = 0; t < 5; t++) {
        size_t inside = 0;
        for (size_t i = 0; i < n; i++) {
            bool repeated = false, there = false;
            for (size_t k = 0; k < i; k++) repeated = repeated || x[k].field == x[i].field;
            for (int k = 0; tables[t][k] >= 0; k++) there = there || tables[t][k] == (int)x[i].field;
            inside += there && !repeated;
        }
        if (inside == n) return true;
    }
    for (size_t i = 0; i < w.counts; i++) {
        unsigned mine[FIELDS] = { 0 }, theirs[FIELDS] = { 0 };
        for (size_t k = 0; k < n; k++) mine[x[k].field]++;
        for (size_t k = 0; k < w.list[i].n; k++) theirs[w.list[i].of[k].field]++;
        if (memcmp(mine, theirs, sizeof mine) == 0) return true;
    }
    return false;
}

typedef struct sum {
    double count, low, high;
    size_t found, missing, length;
} sum;

static void add_up(const question *q, size_t at, attribute *x, size_t n, sum *s)
{
    if (at == q->where_count) {
        const published *p = look_up(x, n);
        s->length = n;
        if (!p) {
            s->missing++;
            return;
        }
        s->found++;
        s->count += p->count;
        s->low += p->low;
        s->high += p->high;
        return;
    }
    for (unsigned v = 0; v < sizes[q->where[at].field]; v++) {
        attribute more[8];
        if (!q->where[at].any[v]) continue;
        memcpy(more, x, n * sizeof *x);
        add_up(q, at + 1, more, add(more, n, (attribute) { q->where[at].field, v }), s);
    }
}

static su_figure slow_records(const question *q, const attribute *cell, size_t n, su_reason why)
{
    size_t count = 0;
    for (size_t row = 0; row < w.rows; row++) {
        bool all = matches(row, q);
        for (size_t i = 0; i < n; i++) all = all && holds(row, cell[i]);
        count += all;
    }
    return (su_figure) { .state = count ? SU_CELL_ESTIMATED : SU_CELL_ABSENT,
                         .source = SU_SOURCE_RECORDS,
                         .reason = count ? why : SU_REASON_NO_RECORD,
                         .known = count > 0,
                         .count = (double)count,
                         .low = NAN,
                         .high = NAN };
}

static su_figure slow_figure(const question *whole, const attribute *cell, size_t n)
{
    static const su_reason hidden[] = { SU_REASON_GATE, SU_REASON_GATE, SU_REASON_K, SU_REASON_GATE };
    question q = *whole;
    attribute x[8];
    size_t used = 0, left = 0;
    for (size_t i = 0; i < n; i++) used = add(x, used, cell[i]);
    /* A filter on a single-valued column of the cell is met by the cell's own code. */
    for (size_t i = 0; i < q.where_count; i++) {
        bool own = false;
        for (size_t k = 0; k < n; k++)
            own = own || (q.where[i].field != SET && q.where[i].field < FLAG1 && cell[k].field == q.where[i].field);
        if (!own) q.where[left++] = q.where[i];
    }
    q.where_count = left;
    size_t all = used;
    attribute y[8];
    memcpy(y, x, sizeof x);
    for (size_t i = 0; i < left; i++) {
        if (q.where[i].field == SET && q.where[i].count > 1) return slow_records(whole, cell, n, SU_REASON_OVERLAP);
        for (unsigned v = 0; v < sizes[q.where[i].field]; v++)
            if (q.where[i].any[v]) {
                all = add(y, all, (attribute) { q.where[i].field, v });
                break;
            }
    }
    if (all > R) return slow_records(whole, cell, n, SU_REASON_LENGTH);
    if (!counted_together(y, all)) return slow_records(whole, cell, n, SU_REASON_TABLE);
    if (all == 0) return (su_figure) { .known = true, .count = 650, .low = 600.5, .high = 700.3 };
    sum s = { 0 };
    add_up(&q, 0, x, used, &s);
    su_figure f = { .known = s.found > 0, .count = s.count, .low = s.found ? s.low : NAN, .high = s.found ? s.high : NAN };
    if (!s.found) {
        f.state = SU_CELL_SUPPRESSED;
        f.reason = hidden[s.length];
    } else if (s.missing) {
        f.state = SU_CELL_UNCERTAIN;
        f.reason = SU_REASON_PARTS;
        f.high = NAN;
    } else if ((f.high - f.low) / 2 > f.count / 2) {
        f.state = SU_CELL_UNCERTAIN;
        f.reason = SU_REASON_WIDE;
    }
    return f;
}

/* ---- asking both ways ---- */

static void ask_something(question *q, su_buf *address)
{
    memset(q, 0, sizeof *q);
    address->n = 0;
    q->by_count = below(4);
    q->group = below(4) == 0;
    for (size_t i = 0; i < q->by_count; i++) {
        bool again = true;
        while (again) {
            q->by[i] = below(FIELDS);
            again = false;
            for (size_t k = 0; k < i; k++) again = again || q->by[k] == q->by[i];
        }
        su_buf_printf(address, "%s%s", i ? "," : "by=", names[q->by[i]]);
    }
    su_buf_printf(address, "%s", q->group ? "&group=g" : "");
    size_t filters = below(4);
    for (size_t i = 0; i < filters; i++) {
        filter *f = &q->where[q->where_count];
        f->field = below(FIELDS);
        bool again = false;
        for (size_t k = 0; k < q->where_count; k++) again = again || q->where[k].field == f->field;
        if (again) continue;
        size_t codes = 1 + (below(2) ? below(sizes[f->field] < 7 ? sizes[f->field] : 7) : 0);
        su_buf_printf(address, "&where=%s:", names[f->field]);
        for (size_t k = 0; k < codes; k++) {
            char code[16];
            unsigned v = below(f->field == LONG && below(3) ? 6 : sizes[f->field]);
            code_text((attribute) { f->field, v }, code);
            su_buf_printf(address, "%s%s", k ? "%7C" : "", code);
            f->count += !f->any[v];
            f->any[v] = true;
        }
        q->where_count++;
    }
    su_buf_text(address, "");
}

static void same(double a, double b, const char *what, const char *address)
{
    if (isnan(a) ? !isnan(b) : fabs(a - b) > 1e-6) fail_msg("%s: %s is %g, should be %g", address, what, a, b);
}

static void same_figure(const su_figure *got, const su_figure *should, const char *address)
{
    if (got->known != should->known || got->state != should->state || got->source != should->source || got->reason != should->reason)
        fail_msg("%s: state %d source %d reason %d known %d, should be %d %d %d %d", address, got->state, got->source, got->reason,
                 got->known, should->state, should->source, should->reason, should->known);
    if (!got->known) return;
    same(got->count, should->count, "count", address);
    same(got->low, should->low, "low", address);
    same(got->high, should->high, "high", address);
}

/* Records that match and could have had an answer: of the group, or of each column of by. */
static double slow_denominator(const question *q, const attribute *only, size_t n)
{
    double count = 0;
    for (size_t row = 0; row < w.rows; row++) {
        bool in = matches(row, q);
        bool group = (w.has[row][FLAG1] | w.has[row][FLAG2]) != 0;
        for (size_t i = 0; i < n; i++) in = in && holds(row, only[i]);
        if (q->group) in = in && group;
        for (size_t i = 0; i < q->by_count && !q->group; i++) {
            unsigned f = q->by[i];
            in = in && (f == LONG ? w.long_code[row] > 0 : f == FLAG1 || f == FLAG2 ? group : f == FLAG3 ? true : w.has[row][f] != 0);
        }
        count += in;
    }
    return count;
}

static void check_cell(const question *q, const su_tabulation *t, const su_cell *c, const char *address)
{
    attribute cell[4];
    for (size_t d = 0; d < t->dimensions; d++) {
        const su_dimension *dim = &t->dimension[d];
        cell[d] = dim->field >= 0 ? (attribute) { (unsigned)dim->field, dim->value[c->at[d]] } : (attribute) { dim->value[c->at[d]], 0 };
    }
    su_figure should = slow_figure(q, cell, t->dimensions);
    same_figure(&c->n, &should, address);
    double of = slow_denominator(q, cell, q->group ? t->dimensions - 1 : 0);
    if (should.known && of > 0) same(c->percent, fmin(100, 100 * should.count / of), "percent", address);
}

static void check_question(const question *q, const char *address)
{
    su_arena arena;
    su_args args;
    su_ask ask;
    su_problem problem;
    su_tabulation t;
    su_arena_init(&arena);
    if (!su_args_parse(address, &arena, &args, &problem) || !su_ask_parse(cube, &args, &arena, &ask, &problem) ||
        !su_cube_tabulate(cube, &ask, &arena, &t, &problem))
        fail_msg("%s: %s", address, problem.detail);
    su_figure total = slow_figure(q, NULL, 0);
    same_figure(&t.total, &total, address);
    if (t.dimensions) same(t.denominator.count, slow_denominator(q, NULL, 0), "denominator", address);
    size_t cells = 1;
    for (size_t d = 0; d < t.dimensions; d++) cells *= t.dimension[d].count;
    if (t.dimensions) assert_int_equal(t.cell_count + t.not_listed, cells);
    size_t step = t.cell_count > 60 ? 1 + t.cell_count / 60 : 1;
    for (size_t i = 0; i < t.cell_count; i += step) check_cell(q, &t, &t.cells[i], address);
    su_arena_free(&arena);
}

static void random_questions(void **state)
{
    (void)state;
    su_random seeds;
    su_buf address = { 0 };
    question q;
    assert_int_equal(su_random_system(&ctx, &seeds), SU_OK);
    for (int i = 0; i < 12; i++) {
        uint64_t seed = i < 6 ? (uint64_t)i + 1 : su_random_u64(&seeds);
        print_message("# world of seed %llu\n", (unsigned long long)seed);
        make_world(seed);
        for (int k = 0; k < 120; k++) {
            ask_something(&q, &address);
            check_question(&q, address.p);
        }
        free_world();
    }
    su_buf_free(&address);
}

/* Neighbours of a set: every attribute that a table of the set and that column has, largest first. */
static void combinations(void **state)
{
    (void)state;
    make_world(3);
    su_arena arena;
    su_args args;
    su_ask ask;
    su_problem problem;
    su_company company;
    su_arena_init(&arena);
    assert_true(su_args_parse("attr=a:a1&attr=f1:1", &arena, &args, &problem));
    assert_true(su_ask_parse_set(cube, &args, &arena, &ask, &problem));
    su_cube_combinations(cube, &ask, 1000, &arena, &company);
    question none = { .by_count = 0 };
    attribute set[3] = { { CODE, 1 }, { FLAG1, 0 } };
    su_figure should = slow_figure(&none, set, 2);
    same_figure(&company.set, &should, "the set");
    size_t known = 0;
    for (unsigned f = 0; f < FIELDS; f++)
        for (unsigned v = 0; v < sizes[f]; v++) {
            if (f == CODE || f == FLAG1) continue;
            set[2] = (attribute) { f, v };
            should = slow_figure(&none, set, 3);
            known += should.known;
            for (size_t i = 0; i < company.count; i++)
                if (company.with[i].field == f && company.with[i].value == v) same_figure(&company.with[i].n, &should, "a neighbour");
        }
    assert_int_equal(company.count, known);
    assert_int_equal(company.count + company.hidden, 4 + LONG_CODES + 5 + 1 + 1);
    for (size_t i = 1; i < company.count; i++) assert_true(company.with[i - 1].n.count >= company.with[i].n.count);
    su_cube_combinations(cube, &ask, 2, &arena, &company);
    assert_int_equal(company.count, known < 2 ? known : 2);
    su_arena_free(&arena);
    free_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_questions),
        cmocka_unit_test(combinations),
    };
    return cmocka_run_group_tests_name("portal: query", tests, set_up, NULL);
}
