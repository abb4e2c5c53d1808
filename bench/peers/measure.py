"""Runs one command: writes {"ok", "cpu_s", "peak_mib"} of it and its children to a file. A process of its own and without numpy, because Linux hands the peak
memory of a parent on to the child that it starts; what a command needs below about 10 MiB is not seen.

usage: python -S -E measure.py RESULT LOG COMMAND ...
"""
import os
import sys


def main():
    result, log, *command = sys.argv[1:]
    pid = os.fork()
    if pid == 0:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.execv(command[0], command)
    _, status, use = os.wait4(pid, 0)
    with open(result, "w", encoding="utf-8") as f:
        f.write('{"ok": %s, "cpu_s": %.3f, "peak_mib": %.1f}\n' % ("true" if status == 0 else "false", use.ru_utime + use.ru_stime, use.ru_maxrss / 1024))


main()
