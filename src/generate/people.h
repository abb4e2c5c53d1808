/* people: one model of imaginary people for the three organisations' exports: who, from where to where, into what, by which means.
 * Shares are plausible, not measured: nothing here may be cited. */
#ifndef SU_GENERATE_PEOPLE_H
#define SU_GENERATE_PEOPLE_H

#include "draw.h"

typedef enum su_sex { SU_SEX_NONE, SU_SEX_WOMAN, SU_SEX_MAN, SU_SEX_TRANS_WOMAN, SU_SEX_TRANS_MAN, SU_SEX_OTHER } su_sex;

/* Means of control, in the order in which the three exports name them. */
enum {
    SU_MEANS_DEBT,
    SU_MEANS_EARNINGS,
    SU_MEANS_THREATS,
    SU_MEANS_POLICE,
    SU_MEANS_CHILDREN,
    SU_MEANS_PSYCHOLOGICAL,
    SU_MEANS_PHYSICAL,
    SU_MEANS_SEXUAL,
    SU_MEANS_PROMISES,
    SU_MEANS_DRUGS,
    SU_MEANS_MONEY,
    SU_MEANS_MOVEMENT,
    SU_MEANS_MEDICAL,
    SU_MEANS_NECESSITIES,
    SU_MEANS_HOURS,
    SU_MEANS_DOCUMENTS,
    SU_MEANS_OTHER,
    SU_MEANS_COUNT
};

enum {
    SU_EXPLOIT_LABOUR,
    SU_EXPLOIT_SERVITUDE,
    SU_EXPLOIT_BEGGING,
    SU_EXPLOIT_SEX,
    SU_EXPLOIT_MARRIAGE,
    SU_EXPLOIT_ORGAN,
    SU_EXPLOIT_OTHER,
    SU_EXPLOIT_COUNT
};

typedef enum su_sector {
    SU_SECTOR_NONE,
    SU_SECTOR_AGRICULTURE,
    SU_SECTOR_CONSTRUCTION,
    SU_SECTOR_DOMESTIC,
    SU_SECTOR_HOSPITALITY,
    SU_SECTOR_BEGGING,
    SU_SECTOR_FISHING,
    SU_SECTOR_FACTORY,
    SU_SECTOR_OTHER
} su_sector;

typedef enum su_recruiter {
    SU_RECRUITER_NONE,
    SU_RECRUITER_PARTNER,
    SU_RECRUITER_FRIEND,
    SU_RECRUITER_FAMILY,
    SU_RECRUITER_EMPLOYER,
    SU_RECRUITER_STRANGER,
    SU_RECRUITER_UNKNOWN
} su_recruiter;

typedef struct su_country {
    const char *alpha3, *alpha2, *french;
} su_country;

typedef struct su_person {
    uint64_t number;      /* running, unique over the three files */
    int year, month, day; /* of registration */
    su_sex sex;
    int age; /* years, when identified */
    const su_country *citizenship, *exploited_in;
    int months;                     /* of exploitation */
    uint32_t means;                 /* bit i = means i */
    uint32_t exploitation;          /* bit i = type i */
    su_sector sector;               /* SU_SECTOR_NONE without labour exploitation */
    bool prostitution, pornography; /* false without sexual exploitation */
    su_recruiter recruiter;
} su_person;

/* The mixes differ: a case-management system sees more labour exploitation, a hotline more domestic cases, a refuge more women. */
typedef enum su_organisation { SU_ORG_HARBOUR, SU_ORG_HOTLINE, SU_ORG_REFUGE } su_organisation;
void su_person_draw(su_random *r, su_organisation org, uint64_t number, su_person *out);
/* Keeps at most `most` bits of a set, drawn at random. */
uint32_t su_person_at_most(su_random *r, uint32_t set, unsigned most);
const su_country *su_countries(size_t *count);

/* The three exports, exactly as instruments/ctdc-2024/mappings/README.md states them. */
su_status su_export_harbour(su_context *ctx, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;
su_status su_export_hotline(su_context *ctx, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;
su_status su_export_refuge(su_context *ctx, uint64_t rows, uint64_t seed, const char *path) SU_MUST_CHECK;

#endif
