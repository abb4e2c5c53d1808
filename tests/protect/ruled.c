#include "ruled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

void ruled_init(ruled *x, world *w)
{
    static const char *const digits[] = { "1", "2", "3", "4", "5", "6", "7", "8" };
    memset(x, 0, sizeof *x);
    su_arena_init(&x->arena);
    x->schema = (su_schema) { .name = "toy", .fields = x->fields, .field_count = w->matrix.column_count, .rules = x->rules };
    for (uint32_t c = 0; c < w->matrix.column_count; c++) {
        su_str codes[8];
        for (uint32_t v = 0; v + 1 < w->columns[c].card; v++) codes[v] = su_str_of(digits[v]);
        x->fields[c] = (su_field) { .name = w->columns[c].name,
                                    .type = SU_TYPE_CODE,
                                    .released = true,
                                    .codelist = su_codelist_exact(&x->arena, w->columns[c].name, codes, w->columns[c].card - 1) };
        w->columns[c].field = c;
    }
}

void ruled_free(ruled *x)
{
    for (uint32_t c = 0; c < x->schema.field_count; c++) su_codelist_free((su_codelist *)x->fields[c].codelist);
    su_arena_free(&x->arena);
}

void ruled_add(ruled *x, uint32_t a, uint32_t when, bool excludes, uint32_t b, uint32_t then)
{
    uint32_t i = x->schema.rule_count++;
    su_record_rule *r = &x->rules[i];
    *r = (su_record_rule) {
        .name = "a rule", .excludes = excludes, .if_field = a, .field = b, .if_values = x->values[i][0], .values = x->values[i][1]
    };
    for (uint16_t v = 1; v < 8; v++) {
        if (when >> v & 1) r->if_values[r->if_count++] = v;
        if (then >> v & 1) r->values[r->count++] = v;
    }
}

bool obeys(const ruled *x, const uint16_t *record)
{
    for (uint32_t i = 0; i < x->schema.rule_count; i++) {
        const su_record_rule *r = &x->rules[i];
        bool condition = false, other = false;
        for (uint32_t k = 0; k < r->if_count; k++) condition = condition || record[r->if_field] == r->if_values[k];
        for (uint32_t k = 0; k < r->count; k++) other = other || record[r->field] == r->values[k];
        if (!r->soft && condition && other == r->excludes) return false;
    }
    return true;
}

void chain(ruled *x, world *w, uint64_t rows, su_random *random)
{
    world_init(w, rows, (uint32_t[]) { 4, 3, 3, 4 }, 4, random);
    ruled_init(x, w);
    ruled_add(x, 0, 6, false, 1, 2);
    ruled_add(x, 1, 2, false, 2, 2);
    ruled_add(x, 2, 2, true, 3, 4);
}

su_release *plan_of(const ruled *x, const world *w, su_mechanism mechanism, double epsilon)
{
    su_context ctx;
    su_release *r = NULL;
    su_release_options o = {
        .epsilon = epsilon, .length = 3, .seconds = 0.5, .mechanism = mechanism, .k = su_mechanism_bound(mechanism) ? 0 : 5
    };
    su_context_init(&ctx);
    if (su_release_plan(&ctx, &x->schema, w->columns, w->matrix.column_count, &o, &r)) fail_msg("%s", ctx.message);
    return r;
}
