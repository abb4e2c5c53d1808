/* Files built into the program (tools/embed.py). */
#ifndef SU_EMBEDDED_H
#define SU_EMBEDDED_H

typedef struct su_embedded {
    const char *path, *begin, *end;
} su_embedded;
extern const su_embedded su_embedded_instruments[]; /* sorted by path, ended by a NULL path */

#endif
