/* Harbour: a case-management system with one column per flag, exported as CSV. */
#include "people.h"

static const char *const header =
    "case_no,intake_date,sex,age,nationality,country_exploited,months_exploited,debt_bondage,earnings_taken,threats,psych_abuse,"
    "phys_abuse,sexual_abuse,false_promises,drugs,restrict_finance,restrict_movement,restrict_medical,withhold_necessities,long_hours,"
    "withhold_docs,labour_exp,sexual_exp,forced_marriage,organ_removal,sector,sex_type,recruiter,caseworker_name,notes\r\n";

static void cell(su_buf *b, const char *text)
{
    su_buf_char(b, ',');
    su_buf_csv(b, su_str_of(text), ',');
}

/* 1, 0 (a known no) or -99 (not recorded); tells whether 1 was printed. */
static bool flag(su_buf *b, su_random *r, bool yes, unsigned unrecorded)
{
    bool known = !su_draw_chance(r, unrecorded);
    su_buf_text(b, known ? yes ? ",1" : ",0" : ",-99");
    return known && yes;
}

static const char *nationality(su_random *r, const su_person *p)
{
    static const char *const dirty[] = { "ua", "UK", "Ivory Coast", "XX" };
    if (su_draw_chance(r, 10)) return dirty[su_random_below(r, 4)];
    return su_draw_chance(r, 50) ? "" : p->citizenship->alpha2;
}

static void who(su_buf *b, su_random *r, const su_person *p)
{
    static const char *const sexes[] = { "", "F", "M", "X", "X", "X" };
    su_buf_printf(b, "HB-%06llu,%04d-%02d-%02d", (unsigned long long)p->number, p->year, p->month, p->day);
    cell(b, sexes[p->sex]);
    if (su_draw_chance(r, 3))
        cell(b, "abt 30");
    else if (su_draw_chance(r, 80))
        cell(b, "");
    else
        su_buf_printf(b, ",%d", p->age);
    cell(b, nationality(r, p));
    cell(b, su_draw_chance(r, 100) ? "" : p->exploited_in->alpha2);
    if (su_draw_chance(r, 350))
        cell(b, "");
    else
        su_buf_printf(b, ",%d", p->months);
}

static void means(su_buf *b, su_random *r, const su_person *p, unsigned unrecorded)
{
    static const uint32_t columns[] = {
        1u << SU_MEANS_DEBT,          1u << SU_MEANS_EARNINGS,  1u << SU_MEANS_THREATS | 1u << SU_MEANS_POLICE | 1u << SU_MEANS_CHILDREN,
        1u << SU_MEANS_PSYCHOLOGICAL, 1u << SU_MEANS_PHYSICAL,  1u << SU_MEANS_SEXUAL,
        1u << SU_MEANS_PROMISES,      1u << SU_MEANS_DRUGS,     1u << SU_MEANS_MONEY,
        1u << SU_MEANS_MOVEMENT,      1u << SU_MEANS_MEDICAL,   1u << SU_MEANS_NECESSITIES,
        1u << SU_MEANS_HOURS,         1u << SU_MEANS_DOCUMENTS,
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) flag(b, r, p->means & columns[i], unrecorded);
}

static void exploitation(su_buf *b, su_random *r, const su_person *p, unsigned unrecorded)
{
    static const char *const sectors[] = { "",      "agriculture", "construction", "domestic work", "hospitality",
                                           "other", "other",       "other",        "other" };
    static const char *const recruiters[] = { "", "partner", "friend", "family", "other", "other", "" };
    const uint32_t labour_types = 1u << SU_EXPLOIT_LABOUR | 1u << SU_EXPLOIT_SERVITUDE | 1u << SU_EXPLOIT_BEGGING;
    bool labour = flag(b, r, p->exploitation & labour_types, unrecorded / 4);
    bool sexual = flag(b, r, p->exploitation & 1u << SU_EXPLOIT_SEX, unrecorded / 4);
    flag(b, r, p->exploitation & 1u << SU_EXPLOIT_MARRIAGE, unrecorded / 4);
    flag(b, r, p->exploitation & 1u << SU_EXPLOIT_ORGAN, unrecorded / 4);
    cell(b, labour ? sectors[p->sector] : "");
    /* One cell for two facts: this system keeps only the first. */
    cell(b, !sexual ? "" : p->prostitution ? "prostitution" : p->pornography ? "pornography" : "");
    cell(b, recruiters[p->recruiter]);
}

static void notes(su_buf *b, su_random *r, const su_person *p)
{
    char text[160];
    static const char *const sentences[] = {
        "Imaginary note on person %05llu, nothing here happened.",
        "Person %05llu said \"they kept my papers\", then left; imaginary.",
        "First meeting with person %05llu.\nSecond meeting, by phone. Both imaginary.",
        "Person %05llu asked for legal help, housing, a doctor (imaginary).",
    };
    snprintf(text, sizeof text, sentences[su_random_below(r, 4)], (unsigned long long)p->number);
    cell(b, su_draw_chance(r, 300) ? "" : text);
}

su_status su_export_harbour(su_context *ctx, uint64_t rows, uint64_t seed, const char *path)
{
    su_stream s;
    su_random r;
    su_status status = su_stream_open(ctx, &s, path);
    if (status != SU_OK) return status;
    su_random_seeded(&r, seed);
    su_buf_text(&s.buf, header);
    for (uint64_t i = 0; status == SU_OK && i < rows; i++) {
        su_person p;
        su_person_draw(&r, SU_ORG_HARBOUR, i + 1, &p);
        /* Some case workers tick only what they saw. */
        unsigned unrecorded = su_draw_chance(&r, 150) ? 600 : 60;
        who(&s.buf, &r, &p);
        means(&s.buf, &r, &p, unrecorded);
        exploitation(&s.buf, &r, &p, unrecorded);
        su_buf_printf(&s.buf, ",Caseworker %02d", su_draw_range(&r, 1, 24));
        notes(&s.buf, &r, &p);
        su_buf_text(&s.buf, "\r\n");
        status = su_stream_flush(ctx, &s, false);
    }
    if (status == SU_OK) status = su_stream_close(ctx, &s);
    su_stream_abandon(&s);
    return status;
}
