/* Refuge: a French-speaking NGO's spreadsheet with the column names of HTCDS, saved as CSV with semicolons and a byte order mark. */
#include "people.h"

static const char *const header =
    "\xEF\xBB\xBF"
    "cas_Id;x_RegistrationYear;prs_FirstName;prs_SecondName;prs_Birthdate;prs_Gender;prs_Citizenship;x_AgeAtIdentification;"
    "vic_AgeWhenTrafficked;x_ExploitationCountry;x_DurationMonths;vic_MethodsOfControl;vic_TypeOfExploitation;vic_ForcedLabourIndustry;"
    "vic_TypeOfSexExploitation;vic_RelationshipToTrafficker\n";

static void cell(su_buf *b, const char *text)
{
    su_buf_char(b, ';');
    su_buf_csv(b, su_str_of(text), ';');
}

static void list(su_buf *b, uint32_t set, const char *const *words)
{
    bool first = true;
    su_buf_char(b, ';');
    for (unsigned i = 0; set >> i; i++) {
        if (!(set >> i & 1)) continue;
        if (!first) su_buf_text(b, " | ");
        su_buf_text(b, words[i]);
        first = false;
    }
}

static const char *citizenship(su_random *r, const su_person *p)
{
    static const char *const dirty[] = { "Cote d'Ivoire", "RDC", "Birmanie", "Atlantide" };
    if (su_draw_chance(r, 10)) return dirty[su_random_below(r, 4)];
    return su_draw_chance(r, 40) ? "" : p->citizenship->french;
}

static void who(su_buf *b, su_random *r, const su_person *p, unsigned *case_of_year)
{
    static const char *const sexes[] = { "", "Féminin", "Masculin", "Transgenre féminin", "Transgenre masculin", "Non conforme" };
    su_buf_printf(b, "R-%04d-%04u;%04d;Personne imaginée;Nº %05llu", p->year, ++case_of_year[p->year % 10], p->year,
                  (unsigned long long)p->number);
    bool age_known = !su_draw_chance(r, 60);
    if (age_known && !su_draw_chance(r, 150))
        su_buf_printf(b, ";%02d/%02d/%04d", p->day, p->month, p->year - p->age);
    else
        cell(b, "");
    bool shouted = su_draw_chance(r, 3);
    if (p->sex == SU_SEX_WOMAN && shouted)
        cell(b, "FÉMININ");
    else
        cell(b, p->sex == SU_SEX_NONE && su_draw_chance(r, 600) ? "Non précisé / inconnu" : sexes[p->sex]);
    cell(b, citizenship(r, p));
    if (age_known)
        su_buf_printf(b, ";%d", p->age);
    else
        cell(b, "");
    int before = p->age - p->months / 12;
    if (age_known && !su_draw_chance(r, 370))
        su_buf_printf(b, ";%d", before < 0 ? 0 : before);
    else
        cell(b, "");
    cell(b, su_draw_chance(r, 50) ? "" : p->exploited_in->french);
    if (su_draw_chance(r, 300))
        cell(b, "");
    else
        su_buf_printf(b, ";%d", p->months);
}

static void what(su_buf *b, su_random *r, const su_person *p)
{
    static const char *const means[SU_MEANS_COUNT] = {
        "Servitude pour dettes",
        "Confiscation des revenus",
        "Menaces physiques",
        "Menaces de dénonciation aux autorités",
        "Menaces contre les enfants ou la famille",
        "Violence psychologique",
        "Violence physique",
        "Violence sexuelle",
        "Fausses promesses",
        "Substances psychoactives",
        "Accès restreint à l’argent",
        "Restriction de la liberté de mouvement",
        "Accès restreint aux soins médicaux",
        "Privation de produits de première nécessité",
        "Horaires de travail excessifs",
        "Confiscation des documents",
        "Autre",
    };
    static const char *const others[] = { "Enrôlement forcé par des acteurs non étatiques", "Adoption forcée", "Gestation pour autrui",
                                          "Autre" };
    static const char *const sex_types[] = { "Prostitution", "Pornographie", "Services interactifs à distance", "Services sexuels privés" };
    static const char *const sectors[] = { "",
                                           "Culture et élevage",
                                           "Construction",
                                           "Travail domestique",
                                           "Hébergement et restauration",
                                           "Autre",
                                           "Pêche et aquaculture",
                                           "Industrie manufacturière",
                                           "Autre" };
    static const char *const recruiters[] = { "", "Partenaire intime", "Ami ou connaissance", "Famille", "Autre", "Autre", "Inconnu" };
    const char *types[SU_EXPLOIT_COUNT] = {
        p->age < 18 ? "Travail des enfants" : "Travail forcé",
        "Servitude",
        "Mendicité forcée",
        "Exploitation sexuelle",
        "Mariage forcé",
        "Prélèvement d’organes",
        others[su_random_below(r, 4)],
    };
    list(b, su_draw_chance(r, 140) ? 0 : su_person_at_most(r, p->means, 6), means);
    bool known = !su_draw_chance(r, 20);
    list(b, known ? p->exploitation : 0, types);
    cell(b, known ? p->sector == SU_SECTOR_AGRICULTURE && su_draw_chance(r, 80) ? "Sylviculture" : sectors[p->sector] : "");
    uint32_t sex = (p->prostitution ? 1u : 0) | (p->pornography ? 2u : 0);
    if (sex && su_draw_chance(r, 60)) sex |= 4u;
    if (sex && su_draw_chance(r, 50)) sex |= 8u;
    list(b, known ? su_person_at_most(r, sex, 2) : 0, sex_types);
    cell(b, recruiters[p->recruiter]);
}

su_status su_export_refuge(su_context *ctx, uint64_t rows, uint64_t seed, const char *path)
{
    su_stream s;
    su_random r;
    unsigned case_of_year[10] = { 0 };
    su_status status = su_stream_open(ctx, &s, path);
    if (status != SU_OK) return status;
    su_random_seeded(&r, seed);
    su_buf_text(&s.buf, header);
    for (uint64_t i = 0; status == SU_OK && i < rows; i++) {
        su_person p;
        su_person_draw(&r, SU_ORG_REFUGE, i + 1, &p);
        who(&s.buf, &r, &p, case_of_year);
        what(&s.buf, &r, &p);
        su_buf_char(&s.buf, '\n');
        status = su_stream_flush(ctx, &s, false);
    }
    if (status == SU_OK) status = su_stream_close(ctx, &s);
    su_stream_abandon(&s);
    return status;
}
