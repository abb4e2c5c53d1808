/* dates: the ways in which exports write a day or a year. */
#ifndef SUHA_HARMONISE_DATES_H
#define SUHA_HARMONISE_DATES_H

#include "numbers.h"

typedef struct civil_date {
    int year, month, day;
} civil_date;

/* 3/4/2019 is read day first unless the column as a whole says otherwise: some value can only be month first, and none can only be day
 * first. */
typedef enum date_order { DATE_DAY_FIRST, DATE_MONTH_FIRST } date_order;

/* What one value tells about its column: +1 it can only be day first, -1 it can only be month first, 0 nothing. */
int date_order_hint(su_str cell);
/* 2019-03-28, 2019/03/28, 2019.03.28, each also with a time after T or a blank; 28/03/2019, 28.03.2019, 28-03-2019 in the order given.
 * Four-digit years 1000..9999 only, days that exist only. */
bool date_parse(su_str cell, date_order order, civil_date *out);
/* A date, a year (2019, 2019.0, 2019,0), a quarter (2019-Q4, 2019 Q4) or a month (2019-03). */
bool year_parse(su_str cell, date_order order, int *out);

#endif
