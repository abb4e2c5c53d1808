/* pairs: victims and their perpetrators, one row per pair (instruments/ctdc-vp-2022). Imaginary. */
#include "shapes.h"

#define MOST_PERPETRATORS 12u

/* A kind of case: weights of values, rates per mille. */
typedef struct scene {
    unsigned weight, years[4], gender[3], minor, from[5], same_region, labour, sexual;
    unsigned more;                                           /* one more perpetrator, after each */
    unsigned ip_gender[3], ip_age[4], relation[3], roles[5]; /* of a perpetrator */
} scene;

static const scene scenes[] = {
    { 30,
      { 8, 22, 40, 30 },
      { 94, 5, 1 },
      180,
      { 20, 12, 30, 36, 2 },
      550,
      60,
      970,
      480,
      { 35, 64, 1 },
      { 2, 45, 40, 13 },
      { 45, 33, 22 },
      { 520, 310, 560, 480, 120 } },
    { 26,
      { 20, 30, 30, 20 },
      { 22, 77, 1 },
      60,
      { 14, 8, 46, 31, 1 },
      350,
      980,
      30,
      620,
      { 25, 74, 1 },
      { 1, 25, 55, 19 },
      { 66, 28, 6 },
      { 610, 350, 330, 560, 90 } },
    { 20,
      { 15, 25, 35, 25 },
      { 96, 3, 1 },
      90,
      { 30, 4, 60, 5, 1 },
      150,
      960,
      90,
      350,
      { 60, 39, 1 },
      { 1, 20, 55, 24 },
      { 70, 20, 10 },
      { 580, 300, 450, 600, 60 } },
    { 14,
      { 10, 20, 35, 35 },
      { 60, 38, 2 },
      960,
      { 35, 20, 35, 9, 1 },
      850,
      420,
      480,
      260,
      { 42, 57, 1 },
      { 6, 34, 42, 18 },
      { 20, 25, 62 },
      { 330, 210, 640, 590, 70 } },
    { 10,
      { 5, 15, 40, 40 },
      { 80, 14, 6 },
      300,
      { 10, 52, 18, 19, 1 },
      880,
      150,
      860,
      180,
      { 28, 70, 2 },
      { 3, 52, 36, 9 },
      { 28, 30, 45 },
      { 410, 160, 700, 520, 210 } },
};

static const char *const years[] = { "2005--2010", "2011--2014", "2015--2018", "2019--2022" };
static const char *const genders[] = { "Female", "Male", "Transgender/NonConforming" };
static const char *const regions[] = { "Africa", "Americas", "Asia", "Europe", "Oceania" };
static const char *const ages[] = { "0--17", "18--29", "30--47", "48+" };
static const char *const relations[] = { "StrangerUnknownOther", "FriendAcquaintance", "FamilyIntimatePartner" };

static void cell(su_buf *b, su_random *r, unsigned unrecorded, const char *text)
{
    su_buf_char(b, ',');
    if (!su_draw_chance(r, unrecorded)) su_buf_text(b, text);
}

static const char *drawn(su_random *r, const char *const *names, const unsigned *weights, size_t n)
{
    return names[su_draw_weighted(r, weights, n)];
}

static void victim(su_random *r, const scene *s, uint64_t number, su_buf *b)
{
    size_t from = su_draw_weighted(r, s->from, 5), in = su_draw_chance(r, s->same_region) ? from : su_draw_weighted(r, s->from, 5);
    su_buf_printf(b, "V%07llu", (unsigned long long)number);
    cell(b, r, 10, drawn(r, years, s->years, 4));
    cell(b, r, 15, drawn(r, genders, s->gender, 3));
    cell(b, r, 120, su_draw_chance(r, s->minor) ? "Minor" : "Adult");
    cell(b, r, 60, regions[from]);
    cell(b, r, 90, regions[in]);
    cell(b, r, 0, su_draw_chance(r, s->labour) ? "1" : "");
    cell(b, r, 0, su_draw_chance(r, s->sexual) ? "1" : "");
}

static void perpetrator(su_random *r, const scene *s, su_buf *b)
{
    size_t citizen = su_draw_weighted(r, s->from, 5), other = su_draw_weighted(r, s->from, 5);
    bool two = su_draw_chance(r, 40) && other != citizen;
    char text[40];
    snprintf(text, sizeof text, "%s%s%s", regions[citizen], two ? ";" : "", two ? regions[other] : "");
    cell(b, r, 330, text);
    cell(b, r, 200, drawn(r, genders, s->ip_gender, 3));
    cell(b, r, 560, drawn(r, ages, s->ip_age, 4));
    cell(b, r, 250, drawn(r, relations, s->relation, 3));
    for (size_t i = 0; i < 5; i++) cell(b, r, 0, su_draw_chance(r, s->roles[i]) ? "1" : "");
    su_buf_char(b, '\n');
}

su_status su_shape_pairs(su_context *ctx, uint64_t victims, uint64_t seed, const char *path)
{
    unsigned weights[sizeof scenes / sizeof *scenes];
    su_stream s;
    su_random r;
    su_buf head = { 0 };
    su_status status = su_stream_open(ctx, &s, path);
    if (status != SU_OK) return status;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) weights[i] = scenes[i].weight;
    su_random_seeded(&r, seed);
    su_buf_text(&s.buf, "victimID,yearRegister,gender,majorityStatus,UN_COO_Region,UN_COE_Region,isForcedLabour,isSexualExploit,"
                        "IP_citizen_UNRegion,IP_Gender,IP_ageBroad,IP_Relation,IP_RecruiterBroker,IP_TransactionProcess,"
                        "IP_ControlAbuseKidnap,IP_Exploiter,IP_PayMoney\n");
    for (uint64_t i = 0; status == SU_OK && i < victims; i++) {
        const scene *kind = &scenes[su_draw_weighted(&r, weights, sizeof scenes / sizeof *scenes)];
        head.n = 0;
        victim(&r, kind, i + 1, &head);
        for (unsigned k = 0; k == 0 || (k < MOST_PERPETRATORS && su_draw_chance(&r, kind->more)); k++) {
            su_buf_add(&s.buf, head.p, head.n);
            perpetrator(&r, kind, &s.buf);
        }
        status = su_stream_flush(ctx, &s, false);
    }
    su_buf_free(&head);
    if (status == SU_OK) status = su_stream_close(ctx, &s);
    su_stream_abandon(&s);
    return status;
}
