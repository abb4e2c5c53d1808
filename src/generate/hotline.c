/* Hotline: a call log kept in a workbook; several answers share a cell. */
#include "people.h"

#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

static const char *const headers[] = { "Call ID",       "Call date",        "Gender",
                                       "Age band",      "Citizenship",      "Country of exploitation",
                                       "Duration",      "Means of control", "Exploitation",
                                       "Labour sector", "Sex industry",     "Recruiter",
                                       "Caller phone",  "Narrative" };
#define COLUMNS (sizeof headers / sizeof headers[0])

typedef struct sheet {
    lxw_worksheet *out;
    lxw_format *date;
    lxw_row_t row;
    lxw_col_t column;
    lxw_error error;
} sheet;

static void text(sheet *s, const char *value)
{
    lxw_error e = value[0] ? worksheet_write_string(s->out, s->row, s->column, value, NULL) : LXW_NO_ERROR;
    if (e != LXW_NO_ERROR) s->error = e;
    s->column++;
}

static void list(sheet *s, uint32_t set, const char *const *words)
{
    char joined[512] = "";
    size_t n = 0;
    for (unsigned i = 0; set >> i; i++)
        if (set >> i & 1) n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%s", n ? "; " : "", words[i]);
    text(s, joined);
}

static const char *age_band(su_random *r, const su_person *p)
{
    static const struct {
        int max;
        const char *name;
    } bands[] = {
        { 8, "0–8" },    { 17, "9–17" },  { 20, "18–20" }, { 23, "21–23" }, { 26, "24–26" },
        { 29, "27–29" }, { 38, "30–38" }, { 47, "39–47" }, { 999, "48+" },
    };
    if (su_draw_chance(r, 150)) return su_draw_chance(r, 500) ? "unknown" : "";
    size_t i = 0;
    while (p->age > bands[i].max) i++;
    return bands[i].name;
}

static void who(sheet *s, su_random *r, const su_person *p)
{
    static const char *const genders[] = { "unknown", "woman", "man", "trans woman", "trans man", "non-binary" };
    static const char *const sloppy[] = { "Unknown", " Woman", "MAN ", "Trans Woman", "Trans man", "non - binary" };
    lxw_datetime date = { .year = p->year, .month = p->month, .day = p->day };
    worksheet_write_number(s->out, s->row, s->column++, 100000.0 + (double)p->number, NULL);
    worksheet_write_datetime(s->out, s->row, s->column++, &date, s->date);
    text(s, su_draw_chance(r, 20) ? "" : su_draw_chance(r, 5) ? sloppy[p->sex] : genders[p->sex]);
    text(s, age_band(r, p));
    text(s, su_draw_chance(r, 5) ? "Stateless" : su_draw_chance(r, 300) ? "" : su_draw_chance(r, 40) ? "unknown" : p->citizenship->alpha3);
    text(s, su_draw_chance(r, 20) ? "" : p->exploited_in->alpha3);
    text(s, su_draw_chance(r, 400) ? su_draw_chance(r, 400) ? "unknown" : ""
            : p->months < 12       ? "less than a year"
            : p->months <= 24      ? "1-2 years"
                                   : "more than 2 years");
}

static void what(sheet *s, su_random *r, const su_person *p)
{
    static const char *const means[SU_MEANS_COUNT] = {
        "debt bondage",        "takes earnings",        "threats",         "threat of police",    "uses children", "psychological abuse",
        "physical abuse",      "sexual abuse",          "false promises",  "drugs or alcohol",    "limits money",  "limits movement",
        "limits medical care", "withholds necessities", "excessive hours", "withholds documents", "other",
    };
    static const char *const types[SU_EXPLOIT_COUNT] = { "labour",          "domestic servitude", "forced begging", "sex",
                                                         "forced marriage", "organ removal",      "other" };
    static const char *const sectors[] = { "agriculture", "construction", "domestic work", "hotel and restaurant", "begging", "other" };
    static const uint32_t sector_of[] = { 0, 1, 2, 4, 8, 16, 32, 32, 32 };
    static const char *const sex_types[] = { "prostitution", "pornography", "online services" };
    static const char *const recruiters[] = {
        "", "intimate partner", "friend or acquaintance", "family member", "employer or recruiter", "stranger", "unknown"
    };
    list(s, su_draw_chance(r, 240) ? 0 : su_person_at_most(r, p->means, 6), means);
    bool known = !su_draw_chance(r, 50);
    list(s, known ? p->exploitation : 0, types);
    uint32_t sector = sector_of[p->sector];
    if (sector && su_draw_chance(r, 40)) sector |= UINT32_C(1) << su_random_below(r, 6);
    list(s, known ? sector : 0, sectors);
    uint32_t sex = (p->prostitution ? 1u : 0) | (p->pornography ? 2u : 0);
    if (sex && su_draw_chance(r, 90)) sex |= 4u;
    list(s, known ? su_person_at_most(r, sex, 2) : 0, sex_types);
    text(s, recruiters[p->recruiter]);
}

static void call(sheet *s, su_random *r, const su_person *p)
{
    static const char *const narratives[] = {
        "Imaginary call %05llu: asked where to find help.",
        "  Imaginary call %05llu – the line was cut  ",
        "Imaginary call %05llu: “I want to go home”, said in two languages.",
        "Imaginary call %05llu,\nsecond call the next day",
    };
    char buffer[160];
    s->column = 0;
    who(s, r, p);
    what(s, r, p);
    snprintf(buffer, sizeof buffer, "+1-555-01%02d", su_draw_range(r, 0, 99));
    text(s, buffer);
    snprintf(buffer, sizeof buffer, narratives[su_random_below(r, 4)], (unsigned long long)p->number);
    text(s, buffer);
    s->row++;
}

su_status su_export_hotline(su_context *ctx, uint64_t rows, uint64_t seed, const char *path)
{
    su_random r;
    /* A fixed time of creation: same seed, same bytes. */
    char title[] = "Imaginary call log";
    lxw_doc_properties properties = { .title = title, .created = 1735689600 };
    lxw_workbook *book = workbook_new(path);
    if (!book) return su_fail(ctx, SU_IO, "cannot write %s: not enough memory", path);
    workbook_set_properties(book, &properties);
    sheet s = { .out = workbook_add_worksheet(book, "Calls"), .date = workbook_add_format(book) };
    lxw_worksheet *about = workbook_add_worksheet(book, "About");
    format_set_num_format(s.date, "yyyy-mm-dd");
    worksheet_write_string(about, 0, 0, "Imaginary calls, generated by Suha: no person behind any row.", NULL);
    for (size_t i = 0; i < COLUMNS; i++) text(&s, headers[i]);
    s.row = 1;
    su_random_seeded(&r, seed);
    for (uint64_t i = 0; i < rows && !su_cancelled(ctx); i++) {
        su_person p;
        su_person_draw(&r, SU_ORG_HOTLINE, i + 1, &p);
        call(&s, &r, &p);
    }
    lxw_error e = workbook_close(book);
    if (e == LXW_NO_ERROR) e = s.error;
    if (e != LXW_NO_ERROR) return su_fail(ctx, SU_IO, "cannot write %s: %s", path, lxw_strerror(e));
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "stopped while writing %s", path) : SU_OK;
}
