"""suha serve cannot reach a vault: the portal's code names nothing of one, and a server links from portal and base alone."""
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ["SUHA_BUILD"]
SOURCE = os.environ["SUHA_SOURCE"]
MAIN = """#include <suha/portal.h>
int main(int argc, char **argv)
{
    su_context ctx;
    su_portal *portal = NULL;
    su_context_init(&ctx);
    if (su_portal_start(&ctx, (const char *const *)argv + 1, (size_t)argc - 1, NULL, &portal)) return 3;
    su_portal_stop(portal);
    return 0;
}
"""
# Names of the reaches that hold or could hold identifiable records.
FORBIDDEN = re.compile(r"\bsu_(vault|ledger|case_table|raw_table|seal|record_seal|batch|org)\w*|\bsqlite3_\w+|\bcrypto_secretbox\w*|\bcrypto_aead\w*")


def symbols(archive, which):
    done = subprocess.run(["nm", "--quiet", which, archive], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) >= 2}


def main():
    passed = failed = 0
    portal, base = (os.path.join(BUILD, "src", r, f"libsu_{r}.a") for r in ("portal", "base"))
    named = {s for s in symbols(portal, "--undefined-only") if FORBIDDEN.search(s)}
    if named:
        failed += 1
        print(f"the portal names {sorted(named)}")
    else:
        passed += 1
    defined = symbols(portal, "--defined-only") | symbols(base, "--defined-only")
    missing = {s for s in symbols(portal, "--undefined-only") if s.startswith("su_")} - defined
    if missing:
        failed += 1
        print(f"the portal needs {sorted(missing)} of other reaches than base")
    else:
        passed += 1
    with tempfile.TemporaryDirectory() as work:
        source, out = os.path.join(work, "serve.c"), os.path.join(work, "serve")
        with open(source, "w", encoding="utf-8") as f:
            f.write(MAIN)
        libraries = [f"-l{n}" for n in ("sodium", "utf8proc", "jansson", "microhttpd", "xlsxwriter", "z", "m", "pthread")]
        done = subprocess.run(["cc", f"-I{SOURCE}/include/base", f"-I{SOURCE}/include/portal", source, "-o", out, portal, base, *libraries], capture_output=True, text=True)
        linked = done.returncode == 0 and subprocess.run([out, work], capture_output=True).returncode == 3
        if linked:
            passed += 1
        else:
            failed += 1
            print(f"a server does not link from portal and base: {done.stderr[-2000:]}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
