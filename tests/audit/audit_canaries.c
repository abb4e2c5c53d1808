/* Layer 6 of the tests of privacy (docs/methods/audit.md): the audit in one run of Steinke, Nasr, Jagielski 2023 (arXiv 2305.08846). A thousand
 * imaginary people, canaries, are put into a table of 17,000 by fair coins; the table is measured once; an attacker who knows everything
 * but the coins and sees the noisy tables guesses the coins of the canaries he is surest of. How often he is right bounds epsilon from
 * below.
 *
 * usage: audit_canaries [RUNS]     runs per setting, each judged by itself; seed: SUHA_TEST_SEED; instruments below SUHA_SOURCE */
#include "attack.h"

#include <suha/generate.h>
#include <suha/harmonise.h>
#include <suha/protect.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANARIES 1000u
#define ALPHA 1e-5 /* chance that one run fails by bad luck */
static const uint64_t guesses[] = { 20, 60, 200, 600, 1000 };
#define CHOICES (sizeof guesses / sizeof *guesses)

static void stop(const su_context *ctx, su_status st)
{
    if (!st) return;
    fprintf(stderr, "audit_canaries: %s\n", ctx->message);
    exit(2);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool from_source(void *arg, const char *path, su_str *bytes)
{
    su_arena *arena = arg;
    const char *root = getenv("SUHA_SOURCE");
    su_context ctx;
    su_context_init(&ctx);
    su_buf read = { 0 };
    bool found = su_file_read(&ctx, su_arena_printf(arena, "%s/instruments/%s", root ? root : ".", path), 1 << 24, &read) == SU_OK;
    if (found) *bytes = (su_str) { su_arena_strndup(arena, read.p ? read.p : "", read.n), read.n };
    su_buf_free(&read);
    return found;
}

/* The shape c17k with its public domain. */
static su_code_matrix *people(su_context *ctx, su_arena *arena, su_schema **schema)
{
    su_raw_table *raw = NULL;
    su_case_table *cases = NULL;
    su_harmonise_report *notes = NULL;
    su_harmonise_options options = { .max_rejected = 0 };
    su_code_matrix *m = NULL;
    char path[] = "/tmp/suha-audit-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    if (fd < 0) exit(2);
    close(fd);
    unlink(path);
    stop(ctx, su_generate(ctx, "c17k", 0, 1, path));
    su_status st = su_table_read(ctx, path, NULL, &raw);
    unlink(path);
    stop(ctx, st);
    stop(ctx, su_schema_load(ctx, "c17k", from_source, arena, schema));
    stop(ctx, su_harmonise(ctx, raw, *schema, NULL, &options, &cases, &notes));
    stop(ctx, su_code_matrix_of(ctx, cases, &m));
    su_harmonise_report_free(notes);
    su_case_table_free(cases);
    su_raw_table_free(raw);
    return m;
}

typedef struct trial {
    su_code_matrix canaries, drawn; /* all canaries; the people and the canaries whose coin fell */
    bool in[CANARIES];
} trial;

static void copy_columns(su_arena *arena, const su_code_matrix *like, su_code_matrix *out, uint64_t room)
{
    *out = (su_code_matrix) { .column_count = like->column_count };
    out->columns = su_arena_array(arena, like->column_count, sizeof *out->columns);
    for (uint32_t c = 0; c < like->column_count; c++) {
        out->columns[c] = like->columns[c];
        out->columns[c].codes = su_arena_array(arena, room, sizeof(uint16_t));
    }
}

/* A canary has a value in every coded column, drawn evenly, and flags by coin: nobody has her combination. */
static void trial_init(trial *t, su_arena *arena, const su_code_matrix *m, su_random *random)
{
    copy_columns(arena, m, &t->canaries, CANARIES);
    copy_columns(arena, m, &t->drawn, m->row_count + CANARIES);
    t->canaries.row_count = CANARIES;
    t->drawn.row_count = m->row_count;
    for (uint32_t i = 0; i < CANARIES; i++) t->in[i] = su_random_below(random, 2);
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint16_t *canary = (uint16_t *)(uintptr_t)t->canaries.columns[c].codes, *drawn = (uint16_t *)(uintptr_t)t->drawn.columns[c].codes;
        uint32_t card = m->columns[c].card;
        uint64_t rows = m->row_count;
        memcpy(drawn, m->columns[c].codes, rows * sizeof *drawn);
        for (uint32_t i = 0; i < CANARIES; i++) {
            canary[i] = (uint16_t)(card > 2 ? 1 + su_random_below(random, card - 1) : su_random_below(random, card));
            if (t->in[i]) drawn[rows++] = canary[i];
        }
        t->drawn.row_count = rows;
    }
}

/* ---- the attack -------------------------------------------------------------------------------------------------- */

typedef struct guess {
    double score;
    bool in;
} guess;

static int by_score(const void *a, const void *b)
{
    const guess *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

static size_t cell_of(const su_release *r, const su_release_table *t, const su_code_matrix *m, uint64_t row)
{
    size_t cell = 0;
    for (uint32_t i = 0; i < t->length; i++) cell = cell * r->columns[t->columns[i]].card + m->columns[t->columns[i]].codes[row];
    return cell;
}

/* Over the cells of a canary, what was seen less what was to be expected with every coin at one half, weighted by precision: the logarithm
 * of the likelihood ratio of her being in, were she the only canary. */
static void score(const su_release *r, const trial *t, const su_measurement *noisy, const su_measurement *known,
                  const su_measurement *canaries, guess *out)
{
    for (uint32_t i = 0; i < CANARIES; i++) out[i] = (guess) { 0, t->in[i] };
    for (size_t k = 0; k < r->table_count; k++) {
        double weight = 1 / su_discrete_gaussian_variance(r->tables[k].variance);
        for (uint32_t i = 0; i < CANARIES; i++) {
            size_t cell = cell_of(r, &r->tables[k], &t->canaries, i);
            out[i].score += weight * ((double)(noisy->cells[k][cell] - known->cells[k][cell]) - (double)canaries->cells[k][cell] / 2);
        }
    }
    qsort(out, CANARIES, sizeof *out, by_score);
}

typedef struct finding {
    double certain, usual;            /* lower bounds of epsilon with confidence 1 - ALPHA and 95 % */
    uint64_t right[CHOICES], best_of; /* right guesses for each number of guesses; the choice behind `usual` */
} finding;

static finding judge(const guess *sorted, double delta)
{
    finding f = { .certain = 0 };
    for (size_t g = 0; g < CHOICES; g++) {
        uint64_t half = guesses[g] / 2;
        for (uint64_t i = 0; i < half; i++) f.right[g] += !sorted[i].in + sorted[CANARIES - 1 - i].in;
        f.certain = fmax(f.certain, attack_one_run_epsilon(CANARIES, guesses[g], f.right[g], delta, ALPHA / CHOICES));
        double usual = attack_one_run_epsilon(CANARIES, guesses[g], f.right[g], delta, 0.05 / CHOICES);
        if (usual > f.usual) f.usual = usual, f.best_of = g;
    }
    return f;
}

/* One measurement at the epsilon planned. */
static finding attack_once(su_context *ctx, const su_code_matrix *m, double epsilon, su_random *random, double *stated)
{
    su_arena arena;
    su_arena_init(&arena);
    trial t;
    trial_init(&t, &arena, m, random);
    su_release *r = NULL;
    su_measurement *noisy = NULL, *known = NULL, *canaries = NULL;
    su_release_options o = { .epsilon = epsilon, .length = 3 };
    stop(ctx, su_release_plan(ctx, NULL, m->columns, m->column_count, &o, &r));
    stop(ctx, su_release_measure(ctx, r, &t.drawn, random, &noisy));
    stop(ctx, su_release_measure_exact(ctx, r, m, &known));
    stop(ctx, su_release_measure_exact(ctx, r, &t.canaries, &canaries));
    guess *sorted = su_arena_array(&arena, CANARIES, sizeof *sorted);
    score(r, &t, noisy, known, canaries, sorted);
    finding f = judge(sorted, r->options.delta);
    *stated = r->epsilon_stated;
    su_measurement_free(noisy);
    su_measurement_free(known);
    su_measurement_free(canaries);
    su_release_free(r);
    su_arena_free(&arena);
    return f;
}

int main(int argc, char **argv)
{
    unsigned runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5, passed = 0, failed = 0;
    const char *given = getenv("SUHA_TEST_SEED");
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    stop(&ctx, su_random_system(&ctx, &random));
    uint64_t seed = given ? strtoull(given, NULL, 10) : su_random_u64(&random) >> 1;
    printf("# SUHA_TEST_SEED=%llu\n", (unsigned long long)seed);
    su_random_seeded(&random, seed);
    su_arena arena;
    su_arena_init(&arena);
    su_schema *schema = NULL;
    su_code_matrix *m = people(&ctx, &arena, &schema);
    /* The last one is the control: noise planned for epsilon 100, said to be for 2. */
    static const struct {
        double planned, claimed;
    } settings[] = { { 1, 1 }, { 4, 4 }, { 12, 12 }, { 100, 2 } };
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        bool control = settings[s].claimed < settings[s].planned;
        double worst = 0, best = INFINITY, sum = 0, stated = 0;
        uint64_t right = 0;
        for (unsigned i = 0; i < runs; i++) {
            finding f = attack_once(&ctx, m, settings[s].planned, &random, &stated);
            worst = fmax(worst, f.certain);
            best = fmin(best, f.certain);
            sum += f.usual;
            right += f.right[CHOICES - 1];
        }
        bool good = control ? best > settings[s].claimed : worst <= stated;
        printf(
            "%s %s epsilon %g, %u runs of %llu people and %u canaries: epsilon at least %.3f (95 %%, mean of the runs), %.3f at confidence "
            "1 - 1e-5; %.1f %% of all coins guessed\n",
            good ? "ok    " : "FAILED", control ? "control: noise for epsilon 100 refutes" : "noise for", settings[s].claimed, runs,
            (unsigned long long)m->row_count, CANARIES, sum / runs, control ? best : worst, 100.0 * (double)right / (runs * CANARIES));
        passed += good;
        failed += !good;
    }
    printf("%u passed, %u failed\n", passed, failed);
    su_code_matrix_free(m);
    su_schema_free(schema);
    su_arena_free(&arena);
    return failed ? 1 : 0;
}
