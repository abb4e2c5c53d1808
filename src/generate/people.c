#include "people.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const su_country countries[] = {
    { "UKR", "UA", "Ukraine" },
    { "MDA", "MD", "Moldavie" },
    { "ROU", "RO", "Roumanie" },
    { "BGR", "BG", "Bulgarie" },
    { "PHL", "PH", "Philippines" },
    { "IDN", "ID", "Indonésie" },
    { "KHM", "KH", "Cambodge" },
    { "MMR", "MM", "Myanmar (Birmanie)" },
    { "NPL", "NP", "Népal" },
    { "BGD", "BD", "Bangladesh" },
    { "IND", "IN", "Inde" },
    { "PAK", "PK", "Pakistan" },
    { "LKA", "LK", "Sri Lanka" },
    { "VNM", "VN", "Viêt Nam" },
    { "THA", "TH", "Thaïlande" },
    { "NGA", "NG", "Nigeria" },
    { "GHA", "GH", "Ghana" },
    { "SLE", "SL", "Sierra Leone" },
    { "ETH", "ET", "Éthiopie" },
    { "ERI", "ER", "Érythrée" },
    { "SOM", "SO", "Somalie" },
    { "KEN", "KE", "Kenya" },
    { "UGA", "UG", "Ouganda" },
    { "MDG", "MG", "Madagascar" },
    { "CIV", "CI", "Côte d’Ivoire" },
    { "SEN", "SN", "Sénégal" },
    { "MLI", "ML", "Mali" },
    { "BFA", "BF", "Burkina Faso" },
    { "COD", "CD", "Congo-Kinshasa" },
    { "RUS", "RU", "Russie" },
    { "BLR", "BY", "Biélorussie" },
    { "UZB", "UZ", "Ouzbékistan" },
    { "KGZ", "KG", "Kirghizstan" },
    { "TJK", "TJ", "Tadjikistan" },
    { "KAZ", "KZ", "Kazakhstan" },
    { "COL", "CO", "Colombie" },
    { "VEN", "VE", "Venezuela" },
    { "BOL", "BO", "Bolivie" },
    { "HND", "HN", "Honduras" },
    { "MEX", "MX", "Mexique" },
    { "HTI", "HT", "Haïti" },
    { "USA", "US", "États-Unis" },
    { "GBR", "GB", "Royaume-Uni" },
    { "DEU", "DE", "Allemagne" },
    { "ITA", "IT", "Italie" },
    { "ESP", "ES", "Espagne" },
    { "FRA", "FR", "France" },
    { "POL", "PL", "Pologne" },
    { "TUR", "TR", "Turquie" },
    { "ARE", "AE", "Émirats arabes unis" },
    { "SAU", "SA", "Arabie saoudite" },
    { "QAT", "QA", "Qatar" },
    { "LBN", "LB", "Liban" },
    { "JOR", "JO", "Jordanie" },
    { "MYS", "MY", "Malaisie" },
    { "SGP", "SG", "Singapour" },
    { "NAM", "NA", "Namibie" },
    { "ZAF", "ZA", "Afrique du Sud" },
    { "ARG", "AR", "Argentine" },
    { "CHN", "CN", "Chine" },
    { "NLD", "NL", "Pays-Bas" },
    { "BEL", "BE", "Belgique" },
    { "GRC", "GR", "Grèce" },
    { "ALB", "AL", "Albanie" },
    { "TLS", "TL", "Timor oriental" },
    { "GIN", "GN", "Guinée" },
    { "CMR", "CM", "Cameroun" },
    { "LBY", "LY", "Libye" },
    { "TUN", "TN", "Tunisie" },
    { "MAR", "MA", "Maroc" },
};

typedef struct corridor {
    const char *from, *to;
    unsigned weight;
} corridor;
#define CORRIDORS 12

/* A pattern of trafficking. Rates are per mille; weights are relative. */
typedef struct pattern {
    unsigned in_org[3];    /* weight in harbour, hotline, refuge */
    unsigned sexes[6];     /* weight per su_sex */
    int age_low, age_high; /* two draws in the range are averaged: a hump */
    corridor corridors[CORRIDORS];
    unsigned means[SU_MEANS_COUNT];
    unsigned exploitation[SU_EXPLOIT_COUNT];
    unsigned sectors[9]; /* weight per su_sector */
    unsigned prostitution, pornography;
    unsigned recruiters[7]; /* weight per su_recruiter */
    int months_high;
} pattern;

static const pattern patterns[] = {
    /* domestic work in another country */
    { { 20, 12, 18 },
      { 8, 960, 25, 3, 1, 3 },
      18,
      52,
      { { "PHL", "SAU", 16 },
        { "PHL", "ARE", 12 },
        { "ETH", "LBN", 14 },
        { "ETH", "SAU", 9 },
        { "IDN", "MYS", 14 },
        { "IDN", "SGP", 6 },
        { "KEN", "SAU", 9 },
        { "LKA", "JOR", 7 },
        { "MDG", "LBN", 6 },
        { "UGA", "ARE", 5 },
        { "NPL", "QAT", 4 },
        { "BOL", "ARG", 4 } },
      { 300, 420, 330, 220, 40, 520, 350, 90, 430, 5, 380, 640, 300, 420, 720, 690, 30 },
      { 150, 930, 0, 15, 0, 0, 10 },
      { 2, 0, 0, 930, 15, 0, 0, 0, 20 },
      800,
      20,
      { 60, 5, 90, 40, 430, 40, 60 },
      60 },
    /* construction and factories */
    { { 26, 8, 7 },
      { 8, 60, 920, 0, 0, 2 },
      18,
      58,
      { { "UKR", "RUS", 18 },
        { "UZB", "RUS", 12 },
        { "TJK", "RUS", 11 },
        { "BLR", "RUS", 9 },
        { "KGZ", "KAZ", 6 },
        { "NPL", "QAT", 9 },
        { "IND", "ARE", 8 },
        { "BGD", "MYS", 9 },
        { "UKR", "POL", 6 },
        { "ROU", "GBR", 4 },
        { "VNM", "POL", 3 },
        { "PAK", "TUR", 3 } },
      { 420, 560, 300, 230, 15, 260, 240, 5, 640, 15, 310, 380, 210, 290, 690, 560, 25 },
      { 990, 0, 0, 2, 0, 0, 5 },
      { 6, 25, 690, 5, 20, 0, 5, 210, 60 },
      500,
      20,
      { 70, 5, 180, 30, 480, 60, 70 },
      30 },
    /* agriculture and fishing */
    { { 18, 8, 8 },
      { 10, 190, 795, 0, 0, 5 },
      14,
      60,
      { { "KHM", "THA", 16 },
        { "MMR", "THA", 17 },
        { "ROU", "ITA", 8 },
        { "BGR", "ITA", 6 },
        { "MLI", "CIV", 8 },
        { "BFA", "CIV", 9 },
        { "HND", "USA", 5 },
        { "MEX", "USA", 9 },
        { "UKR", "UKR", 4 },
        { "BGR", "GRC", 3 },
        { "IDN", "IDN", 5 },
        { "MAR", "ESP", 5 } },
      { 470, 520, 350, 260, 20, 230, 330, 8, 560, 60, 300, 440, 330, 370, 740, 480, 30 },
      { 995, 0, 5, 3, 0, 0, 5 },
      { 5, 610, 20, 8, 10, 0, 320, 10, 30 },
      500,
      20,
      { 80, 8, 190, 80, 420, 70, 80 },
      40 },
    /* hotels, restaurants, nail bars, shops */
    { { 9, 7, 5 },
      { 10, 560, 420, 3, 2, 5 },
      17,
      48,
      { { "PHL", "USA", 12 },
        { "CHN", "USA", 9 },
        { "CHN", "FRA", 6 },
        { "BGD", "GBR", 6 },
        { "VNM", "GBR", 10 },
        { "IND", "DEU", 5 },
        { "THA", "DEU", 4 },
        { "MEX", "USA", 9 },
        { "COL", "ESP", 5 },
        { "PAK", "ITA", 4 },
        { "LKA", "SGP", 3 },
        { "ALB", "BEL", 3 } },
      { 430, 530, 280, 300, 15, 300, 160, 40, 520, 20, 330, 330, 190, 220, 780, 570, 30 },
      { 985, 15, 5, 30, 0, 0, 5 },
      { 5, 5, 5, 10, 800, 0, 0, 20, 155 },
      600,
      30,
      { 70, 10, 190, 80, 430, 40, 70 },
      30 },
    /* sexual exploitation of adults */
    { { 17, 30, 34 },
      { 6, 925, 25, 30, 2, 12 },
      18,
      42,
      { { "NGA", "ITA", 16 },
        { "NGA", "FRA", 7 },
        { "ROU", "GBR", 9 },
        { "MDA", "TUR", 9 },
        { "UKR", "TUR", 6 },
        { "BGR", "DEU", 7 },
        { "COL", "ESP", 7 },
        { "USA", "USA", 18 },
        { "THA", "MYS", 4 },
        { "VEN", "COL", 6 },
        { "ROU", "ROU", 5 },
        { "CIV", "TUN", 3 } },
      { 490, 610, 470, 240, 130, 640, 560, 520, 530, 320, 420, 560, 260, 280, 340, 420, 40 },
      { 20, 25, 6, 985, 10, 0, 8 },
      { 20, 0, 0, 10, 20, 0, 0, 0, 20 },
      880,
      110,
      { 50, 250, 230, 60, 160, 170, 80 },
      48 },
    /* sexual exploitation of children */
    { { 6, 18, 12 },
      { 10, 800, 175, 6, 2, 7 },
      4,
      17,
      { { "USA", "USA", 26 },
        { "PHL", "PHL", 20 },
        { "KHM", "KHM", 9 },
        { "IDN", "IDN", 8 },
        { "COL", "COL", 6 },
        { "MEX", "MEX", 6 },
        { "GBR", "GBR", 6 },
        { "FRA", "FRA", 5 },
        { "THA", "THA", 4 },
        { "ROU", "ROU", 4 },
        { "UKR", "UKR", 3 },
        { "KEN", "KEN", 3 } },
      { 40, 330, 360, 90, 60, 600, 420, 620, 260, 310, 190, 390, 120, 190, 90, 60, 40 },
      { 10, 15, 10, 985, 15, 0, 10 },
      { 20, 0, 0, 15, 10, 0, 0, 0, 10 },
      620,
      480,
      { 60, 90, 140, 550, 10, 120, 50 },
      40 },
    /* child labour and begging */
    { { 7, 6, 10 },
      { 12, 440, 545, 0, 0, 3 },
      3,
      17,
      { { "HTI", "HTI", 12 },
        { "GHA", "GHA", 14 },
        { "SEN", "SEN", 10 },
        { "GIN", "SEN", 7 },
        { "MLI", "SEN", 6 },
        { "BFA", "CIV", 9 },
        { "ROU", "FRA", 6 },
        { "ALB", "GRC", 5 },
        { "COD", "COD", 6 },
        { "IND", "IND", 7 },
        { "BGD", "BGD", 6 },
        { "CMR", "CMR", 4 } },
      { 60, 430, 410, 60, 20, 430, 460, 40, 340, 20, 360, 330, 390, 560, 520, 40, 40 },
      { 620, 190, 420, 15, 10, 0, 40 },
      { 15, 230, 10, 190, 15, 380, 120, 20, 60 },
      500,
      50,
      { 50, 3, 90, 590, 110, 60, 60 },
      60 },
    /* forced marriage */
    { { 3, 4, 7 },
      { 5, 965, 22, 2, 0, 6 },
      13,
      34,
      { { "VNM", "CHN", 18 },
        { "MMR", "CHN", 16 },
        { "KHM", "CHN", 10 },
        { "PAK", "PAK", 8 },
        { "PAK", "GBR", 7 },
        { "BGD", "IND", 6 },
        { "SOM", "SOM", 6 },
        { "ETH", "ETH", 5 },
        { "SLE", "SLE", 4 },
        { "NPL", "IND", 4 },
        { "TUR", "TUR", 3 },
        { "ERI", "LBY", 4 } },
      { 190, 120, 480, 90, 150, 600, 430, 530, 420, 40, 380, 700, 280, 260, 230, 400, 40 },
      { 25, 160, 5, 130, 990, 0, 10 },
      { 15, 10, 0, 120, 10, 0, 0, 0, 15 },
      700,
      20,
      { 50, 160, 110, 510, 20, 120, 60 },
      72 },
    /* organ removal, surrogacy and what fits nowhere */
    { { 1, 2, 1 },
      { 15, 380, 590, 3, 2, 10 },
      17,
      50,
      { { "IND", "IND", 20 },
        { "NPL", "IND", 14 },
        { "PAK", "PAK", 10 },
        { "MDA", "TUR", 8 },
        { "UKR", "UKR", 6 },
        { "NAM", "ZAF", 8 },
        { "SLE", "GHA", 5 },
        { "BLR", "POL", 4 },
        { "TLS", "IDN", 4 },
        { "KAZ", "TUR", 3 },
        { "NLD", "NLD", 3 },
        { "TUN", "LBY", 4 } },
      { 520, 190, 330, 120, 40, 330, 160, 20, 760, 40, 210, 230, 210, 110, 40, 190, 60 },
      { 30, 10, 10, 20, 10, 620, 420 },
      { 30, 0, 5, 5, 0, 0, 0, 5, 10 },
      500,
      50,
      { 90, 10, 150, 90, 60, 330, 120 },
      6 },
};

const su_country *su_countries(size_t *count)
{
    *count = COUNT(countries);
    return countries;
}

static const su_country *country_named(const char *alpha3)
{
    for (size_t i = 0; i < COUNT(countries); i++)
        if (strcmp(countries[i].alpha3, alpha3) == 0) return &countries[i];
    return &countries[0];
}

static const su_country *country_any(su_random *r) { return &countries[su_random_below(r, COUNT(countries))]; }

static void draw_countries(su_random *r, const pattern *p, su_person *out)
{
    unsigned weights[CORRIDORS];
    for (unsigned i = 0; i < CORRIDORS; i++) weights[i] = p->corridors[i].weight;
    const corridor *c = &p->corridors[su_draw_weighted(r, weights, CORRIDORS)];
    out->citizenship = su_draw_chance(r, 60) ? country_any(r) : country_named(c->from);
    out->exploited_in = su_draw_chance(r, 50) ? country_any(r) : su_draw_chance(r, 90) ? out->citizenship : country_named(c->to);
}

static uint32_t draw_set(su_random *r, const unsigned *per_mille, unsigned n)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < n; i++)
        if (su_draw_chance(r, per_mille[i])) set |= UINT32_C(1) << i;
    return set;
}

static void draw_kind(su_random *r, const pattern *p, su_person *out)
{
    const uint32_t labour = 1u << SU_EXPLOIT_LABOUR | 1u << SU_EXPLOIT_SERVITUDE | 1u << SU_EXPLOIT_BEGGING;
    out->exploitation = draw_set(r, p->exploitation, SU_EXPLOIT_COUNT);
    if (!out->exploitation) out->exploitation = UINT32_C(1) << su_draw_weighted(r, p->exploitation, SU_EXPLOIT_COUNT);
    out->exploitation = su_person_at_most(r, out->exploitation, 3);
    if (out->exploitation & labour) out->sector = (su_sector)su_draw_weighted(r, p->sectors, COUNT(p->sectors));
    if (out->exploitation & 1u << SU_EXPLOIT_SEX) {
        out->prostitution = su_draw_chance(r, p->prostitution);
        out->pornography = su_draw_chance(r, p->pornography);
    }
}

void su_person_draw(su_random *r, su_organisation org, uint64_t number, su_person *out)
{
    static const unsigned year_weights[10] = { 6, 7, 9, 10, 11, 8, 9, 12, 14, 14 };
    unsigned weights[COUNT(patterns)];
    for (size_t i = 0; i < COUNT(patterns); i++) weights[i] = patterns[i].in_org[org];
    const pattern *p = &patterns[su_draw_weighted(r, weights, COUNT(patterns))];
    memset(out, 0, sizeof *out);
    out->number = number;
    out->year = 2015 + (int)su_draw_weighted(r, year_weights, 10);
    out->month = su_draw_range(r, 1, 12);
    out->day = su_draw_range(r, 1, 28);
    out->sex = (su_sex)su_draw_weighted(r, p->sexes, 6);
    out->age = (su_draw_range(r, p->age_low, p->age_high) + su_draw_range(r, p->age_low, p->age_high)) / 2;
    out->age += su_draw_chance(r, 40) ? su_draw_range(r, 0, 25) : 0;
    draw_countries(r, p, out);
    out->months = su_draw_range(r, 0, su_draw_range(r, 1, su_draw_chance(r, 80) ? 240 : p->months_high));
    out->means = draw_set(r, p->means, SU_MEANS_COUNT);
    draw_kind(r, p, out);
    out->recruiter = (su_recruiter)su_draw_weighted(r, p->recruiters, 7);
}

uint32_t su_person_at_most(su_random *r, uint32_t set, unsigned most)
{
    unsigned n = (unsigned)__builtin_popcount(set);
    while (n > most) {
        uint64_t nth = su_random_below(r, n);
        uint32_t rest = set;
        while (nth--) rest &= rest - 1;
        set &= ~(rest & -rest);
        n--;
    }
    return set;
}
