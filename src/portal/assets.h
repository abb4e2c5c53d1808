/* assets: what browsers load besides the pages: scripts, style sheet, messages, map, icon. Built from web/ by web/build.py and held in the
 * program. An address below /assets/ has a hash of the content in it: what it gives never changes. */
#ifndef SU_PORTAL_ASSETS_H
#define SU_PORTAL_ASSETS_H

#include <suha/base.h>

typedef struct su_asset {
    const char *name;       /* "app.js", "portal.css", "messages.fr.json", "world.json", "sw.js", "icon.svg", "manifest.webmanifest" */
    const char *path;       /* "/assets/app.2F6K7QWX.js", "/sw.js" */
    const char *media_type; /* with charset where it is text */
    const char *etag;       /* with its quotes, of the bytes */
    su_str bytes, gzip;     /* gzip.n is 0 where it does not pay */
    bool immutable;         /* may be kept for ever; otherwise to be asked for again each time */
} su_asset;

extern const su_asset su_assets[]; /* sorted by path */
extern const size_t su_asset_count;

/* The asset at an address, exactly; NULL if there is none. O(log assets). */
const su_asset *su_asset_at(const char *path);
/* The address of a name; NULL if there is none. O(assets). */
const char *su_asset_path(const char *name);

#endif
