#include "sample.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { YEAR, GENDER, AGE, CITIZEN, PLACE, MONTHS, SERVICES, THREATS, DEBT, LABOUR, SEXUAL, NAME, FIELDS };

static su_codelist *list_of(su_arena *a, const char *id, const char *const (*pairs)[2], uint32_t n)
{
    su_codelist *l = su_arena_alloc(a, sizeof *l);
    l->id = id;
    l->count = n;
    l->codes = su_arena_array(a, n, sizeof *l->codes);
    for (uint32_t i = 0; i < n; i++) {
        l->codes[i].code = pairs[i][0];
        l->codes[i].label[SU_LANG_EN] = pairs[i][1];
    }
    return l;
}

static su_codelist *countries(su_arena *a)
{
    static const char *const pairs[][2] = {
        { "AFG", "Afghanistan" },
        { "ALB", "Albania" },
        { "ARG", "Argentina" },
        { "ARM", "Armenia" },
        { "BGD", "Bangladesh" },
        { "BLR", "Belarus" },
        { "BOL", "Bolivia" },
        { "BRA", "Brazil" },
        { "BGR", "Bulgaria" },
        { "KHM", "Cambodia" },
        { "CMR", "Cameroon" },
        { "COL", "Colombia" },
        { "CIV", "Côte d'Ivoire" },
        { "ETH", "Ethiopia" },
        { "GEO", "Georgia" },
        { "GHA", "Ghana" },
        { "GTM", "Guatemala" },
        { "HTI", "Haiti" },
        { "IND", "India" },
        { "IDN", "Indonesia" },
        { "KEN", "Kenya" },
        { "KGZ", "Kyrgyzstan" },
        { "LAO", "Lao People's Democratic Republic" },
        { "MDG", "Madagascar" },
        { "MLI", "Mali" },
        { "MEX", "Mexico" },
        { "MDA", "Moldova" },
        { "MMR", "Myanmar" },
        { "NPL", "Nepal" },
        { "NER", "Niger" },
        { "NGA", "Nigeria" },
        { "PHL", "Philippines" },
        { "ROU", "Romania" },
        { "SEN", "Senegal" },
        { "LKA", "Sri Lanka" },
        { "UKR", "Ukraine" },
    };
    su_codelist *l = list_of(a, "iso-3166-1", pairs, sizeof pairs / sizeof *pairs);
    l->codes[0].label[SU_LANG_AR] = "أفغانستان";
    l->codes[0].label[SU_LANG_FR] = "Afghanistan";
    return l;
}

static void fields(su_schema *s, const char *hostile)
{
    static const char *const gender[][2] = { { "Man", "Man" }, { "Woman", "Woman" }, { "Trans", "Trans, transgender or non-conforming" } };
    static const char *const age[][2] = { { "0--8", "0 to 8" },     { "9--17", "9 to 17" },   { "18--20", "18 to 20" },
                                          { "21--23", "21 to 23" }, { "24--26", "24 to 26" }, { "27--29", "27 to 29" },
                                          { "30--38", "30 to 38" }, { "39--47", "39 to 47" }, { "48+", "48 and above" } };
    static const char *const months[][2] = { { "0--12", "up to one year" },
                                             { "13--24", "one to two years" },
                                             { "25+", "more than two years" } };
    static const char *const service[][2] = {
        { "shelter", "Shelter" }, { "legal;aid", "=Legal aid" }, { "=health", "Health care" }, { "school", "School, training" }
    };
    static const char *const yes[][2] = { { "1", "Yes" } };
    static const struct {
        const char *name, *title;
        su_type type;
        su_role role;
        bool released;
        int group;
    } plan[FIELDS] = {
        { "yearOfRegistration", "Year of registration", SU_TYPE_YEAR, SU_ROLE_ATTRIBUTE, true, -1 },
        { "gender", "Gender", SU_TYPE_CODE, SU_ROLE_QUASI_IDENTIFIER, true, -1 },
        { "ageBroad", "Age band", SU_TYPE_CODE, SU_ROLE_QUASI_IDENTIFIER, true, -1 },
        { "citizenship", "Citizenship", SU_TYPE_CODE, SU_ROLE_QUASI_IDENTIFIER, true, -1 },
        { "CountryOfExploitation", "Country of exploitation", SU_TYPE_CODE, SU_ROLE_QUASI_IDENTIFIER, true, -1 },
        { "traffickMonths", "Months trafficked", SU_TYPE_CODE, SU_ROLE_ATTRIBUTE, true, -1 },
        { "services", "Services received", SU_TYPE_CODE_SET, SU_ROLE_ATTRIBUTE, true, -1 },
        { "meansThreats", "Threats to the person or the family", SU_TYPE_FLAG, SU_ROLE_SENSITIVE, true, 0 },
        { "meansDebt", "Debt bondage, or earnings taken", SU_TYPE_FLAG, SU_ROLE_SENSITIVE, true, 0 },
        { "isForcedLabour", "Forced labour", SU_TYPE_FLAG, SU_ROLE_SENSITIVE, true, 1 },
        { "isSexualExploit", "Sexual exploitation", SU_TYPE_FLAG, SU_ROLE_SENSITIVE, true, 1 },
        { "caseName", "Name of the person", SU_TYPE_TEXT, SU_ROLE_IDENTIFIER, false, -1 },
    };
    su_arena *a = &s->arena;
    s->fields = su_arena_array(a, FIELDS, sizeof *s->fields);
    s->field_count = FIELDS;
    for (int i = 0; i < FIELDS; i++) {
        s->fields[i] = (su_field) { .name = plan[i].name,
                                    .title = plan[i].title,
                                    .type = plan[i].type,
                                    .role = plan[i].role,
                                    .released = plan[i].released,
                                    .group = plan[i].group,
                                    .missing_print = "" };
        s->fields[i].titles[SU_LANG_EN] = plan[i].title;
    }
    su_codelist *country = countries(a), *flag = list_of(a, "flag-present", yes, 1);
    s->codelists = su_arena_array(a, 1, sizeof *s->codelists);
    s->codelist_count = 1; /* the one list with a dictionary of its own */
    s->fields[YEAR].codelist = s->codelists[0] = su_codelist_years(a, "yearOfRegistration", 2010, 2022);
    s->fields[YEAR].has_min = s->fields[YEAR].has_max = true;
    s->fields[YEAR].min = 2010;
    s->fields[YEAR].max = 2022;
    s->fields[GENDER].codelist = list_of(a, "gender", gender, 3);
    s->fields[AGE].codelist = list_of(a, "age-broad", age, 9);
    s->fields[CITIZEN].codelist = s->fields[PLACE].codelist = country;
    s->fields[MONTHS].codelist = list_of(a, "../../months", months, 3);
    s->fields[SERVICES].codelist = list_of(a, "services", service, 4);
    s->fields[SERVICES].separator = ";";
    for (int i = THREATS; i <= SEXUAL; i++) s->fields[i].codelist = flag;
    s->fields[PLACE].missing_print = "-99";
    if (!hostile) return;
    s->fields[GENDER].title = s->fields[GENDER].description = hostile;
    s->fields[THREATS].title = hostile;
    s->fields[GENDER].codelist->codes[0].label[SU_LANG_EN] = hostile;
    s->fields[GENDER].codelist->codes[1].code = hostile;
    s->fields[GENDER].codelist->codes[2].note = hostile;
}

static su_schema *schema_of(const char *hostile)
{
    static const su_group groups[] = { { "means", "Means of control" }, { "exploitation", "Type of exploitation" } };
    su_schema *s = su_alloc(sizeof *s);
    su_arena_init(&s->arena);
    s->name = "sample-2026";
    s->title = hostile ? hostile : "Imaginary cases";
    s->description = hostile ? hostile : "Generated cases of people who do not exist, shaped like a case table on human trafficking.";
    s->version = "1";
    s->groups = su_arena_array(&s->arena, 2, sizeof *s->groups);
    memcpy(s->groups, groups, sizeof groups);
    if (hostile) s->groups[1].title = hostile;
    s->group_count = 2;
    fields(s, hostile);
    return s;
}

static void columns(su_release *r, const su_schema *s)
{
    r->columns = su_arena_array(&r->arena, FIELDS + 4, sizeof *r->columns);
    for (uint32_t f = 0; f < FIELDS; f++) {
        if (f == MONTHS || f == NAME) continue;
        const su_codelist *l = s->fields[f].codelist;
        if (f == SERVICES) {
            for (uint32_t v = 1; v <= l->count; v++)
                r->columns[r->column_count++] =
                    (su_matrix_column) { su_arena_printf(&r->arena, "services_%s", l->codes[v - 1].code), f, (uint16_t)v, 2, NULL, NULL };
        } else
            r->columns[r->column_count++] = (su_matrix_column) { s->fields[f].name, f, 0, l->count + 1, NULL, NULL };
    }
}

/* Skewed codes: the smaller of two draws; one in six is absent. */
static uint16_t draw(su_random *random, uint32_t card)
{
    if (su_random_below(random, 6) == 0) return 0;
    uint64_t a = su_random_below(random, card - 1), b = su_random_below(random, card - 1);
    return (uint16_t)(1 + (a < b ? a : b));
}

static void records(su_release *r, const su_sample_options *o)
{
    su_random random;
    su_random_seeded(&random, o->seed + 1);
    r->record_count = o->rows ? o->rows : 400;
    r->records = su_arena_array(&r->arena, r->column_count, sizeof *r->records);
    for (uint32_t c = 0; c < r->column_count; c++) r->records[c] = su_arena_array(&r->arena, r->record_count, sizeof(uint16_t));
    for (uint64_t row = 0; row < r->record_count; row++)
        for (uint32_t c = 0; c < r->column_count; c++) {
            uint32_t card = r->columns[c].card;
            r->records[c][row] = card == 2 ? su_random_below(&random, 10) < 3 + c % 4 : draw(&random, card);
        }
}

static void add_aggregate(su_release *r, uint32_t length, su_attribute a, su_attribute b, uint64_t count, uint64_t floor)
{
    if (count < floor) {
        r->suppressed_by_gate[length] += count > 0;
        return;
    }
    su_aggregate *g = &r->aggregates[r->aggregate_count++];
    double half = 7.3 + (double)length * 2.1;
    *g = (su_aggregate) { .length = length, .at = { a, b }, .count = count, .ci_high = (double)count + half };
    g->ci_low = (double)count > half ? (double)count - half : 0;
}

static void aggregates(su_release *r, uint64_t floor)
{
    uint64_t cells = 0;
    for (uint32_t c = 0; c < r->column_count; c++) cells += r->columns[c].card;
    r->aggregates = su_arena_array(&r->arena, cells * cells, sizeof *r->aggregates);
    for (uint32_t c = 0; c < r->column_count; c++)
        for (uint32_t v = 1; v < r->columns[c].card; v++) {
            uint64_t n = 0;
            for (uint64_t row = 0; row < r->record_count; row++) n += r->records[c][row] == v;
            add_aggregate(r, 1, (su_attribute) { (uint16_t)c, (uint16_t)v }, (su_attribute) { 0, 0 }, n, floor);
        }
    for (uint32_t c = 0; c < r->column_count; c++)
        for (uint32_t d = c + 1; d < r->column_count; d++) {
            uint32_t wide = r->columns[d].card;
            uint64_t *n = su_alloc_array((size_t)r->columns[c].card * wide, sizeof *n);
            for (uint64_t row = 0; row < r->record_count; row++) n[r->records[c][row] * wide + r->records[d][row]]++;
            for (uint32_t v = 1; v < r->columns[c].card; v++)
                for (uint32_t w = 1; w < wide; w++)
                    add_aggregate(r, 2, (su_attribute) { (uint16_t)c, (uint16_t)v }, (su_attribute) { (uint16_t)d, (uint16_t)w },
                                  n[v * wide + w], floor);
            free(n);
        }
}

static void workload(su_release *r)
{
    r->tables = su_arena_array(&r->arena, 3, sizeof *r->tables);
    for (uint32_t i = 0; i < 3; i++)
        r->tables[i] = (su_release_table) { .length = 2,
                                            .columns = { i, i + 1 },
                                            .cells = r->columns[i].card * r->columns[i + 1].card,
                                            .variance = { 225, 4 },
                                            .share = 1.0 / 3 };
    r->table_count = 3;
    r->dropped = su_arena_array(&r->arena, 1, sizeof *r->dropped);
    r->dropped[0] = (su_dropped_table) { .length = 2, .columns = { 3, 4 }, .cells = 37 * 37 };
    r->dropped_count = 1;
    r->gate[1] = 3;
    r->gate[2] = 1.5;
}

void su_sample_make(const su_sample_options *o, su_sample *out)
{
    su_schema *s = schema_of(o->hostile);
    su_release *r = su_alloc(sizeof *r);
    su_arena_init(&r->arena);
    r->schema = s;
    r->options = (su_release_options) { .epsilon = 2, .delta = 1e-9, .length = 2, .k = o->k, .domain_from_data = o->domain_from_data };
    r->private_noise = !o->seeded_noise;
    r->rho = 0.0475;
    r->epsilon_stated = 1.99;
    columns(r, s);
    records(r, o);
    workload(r);
    r->total_estimate = (double)r->record_count - 0.4;
    r->total_ci_low = (double)r->record_count - 9.6;
    r->total_ci_high = (double)r->record_count + 8.8;
    aggregates(r, 4);
    *out = (su_sample) { s, r };
}

void su_sample_free(su_sample *s)
{
    su_arena_free(&s->release->arena);
    free(s->release);
    su_codelist_free(s->schema->codelists[0]);
    su_arena_free(&s->schema->arena);
    free(s->schema);
}

void su_sample_folder(char *out)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, 256, "%s/suha-test-XXXXXX", base && base[0] && strlen(base) < 200 ? base : "/tmp");
    if (!mkdtemp(out)) abort();
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void su_sample_remove(const char *dir) { nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS); }
