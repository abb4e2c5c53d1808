"""What the documents print is what the program does.

Pages of docs/guide: every block marked `console` is run, in the order of the page, in an empty folder that has examples/ beside it. After a
command stand lines of its output: they must come in this order, exactly; `...` stands for any lines, in a line for any text, and in a block
`console noisy`, where numbers come from fresh noise, every number for any number. `[exit 1]` is the exit status, else 0. `suha serve` is stopped
once it says its address.
Everywhere else in the documents and in `suha --help`: commands exist, and have the options they are shown with. examples/make.py gives the
files that are there.
"""
import glob
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

BUILD = os.environ["SUHA_BUILD"]
SOURCE = os.environ["SUHA_SOURCE"]
SUHA = os.path.join(BUILD, "suha")
FENCE = re.compile(r"^```console( noisy)?\n(.*?)^```$", re.M | re.S)
SHOWN = re.compile(r"`(suha [^`\n]+)`|^(?:    |\$ )(suha .+)$", re.M)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
PROSE = ("docs/**/*.md", "examples/**/*.md", "instruments/*/README.md", "*.md")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def steps(block):
    """(command, lines of output shown, exit status) of a block."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        lines = part.rstrip("\n").split("\n")
        while lines[0].endswith("\\"):
            lines[0:2] = [lines[0][:-1].rstrip() + " " + lines[1].strip()]
        ends = [re.fullmatch(r"\[exit (\d+)\]", l) for l in lines[1:]]
        yield lines[0], [l for l, e in zip(lines[1:], ends) if not e], next((int(e.group(1)) for e in ends if e), 0)


def plain(line, noisy):
    return " ".join((NUMBER.sub("#", line) if noisy else line).split())


def says(line, want):
    return re.fullmatch(".*".join(re.escape(part) for part in want.split("...")), line) is not None


def missing(shown, output, noisy):
    """The first shown line that does not come in its place, or None. A line follows the one before unless `...` stands between."""
    have, at, free = [plain(l, noisy) for l in output.split("\n")], 0, True
    for line in shown:
        if line.strip() == "...":
            free = True
            continue
        want = plain(line, noisy)
        places = range(at, len(have)) if free else range(at, min(at + 1, len(have)))
        found = next((i for i in places if says(have[i], want)), None)
        if found is None:
            return line
        at, free = found + 1, False
    return None


def serve(command, folder, environment):
    """Starts a server on any free port and stops it when it has said where it is."""
    child = subprocess.Popen(["bash", "-c", "exec " + command + " --port 0"], cwd=folder, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in child.stdout:
        said += line
        if "http://" in line:
            break
    child.send_signal(signal.SIGINT)
    said += child.stdout.read()
    return child.wait(timeout=30), said


def run_page(path):
    failures = done = 0
    with tempfile.TemporaryDirectory(prefix="suha-docs-") as folder:
        os.symlink(os.path.join(SOURCE, "examples"), os.path.join(folder, "examples"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUHA_")}
        environment.update(PATH=BUILD + os.pathsep + environment["PATH"], SUHA_PASSPHRASE="correct horse battery staple", LC_ALL="C.UTF-8")
        for noisy, block in FENCE.findall(read(path)):
            for command, shown, status in steps(block):
                if command.startswith("suha serve"):
                    code, said = serve(command, folder, environment)
                else:
                    ran = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True, timeout=240)
                    code, said = ran.returncode, ran.stdout
                lost = missing(shown, said, bool(noisy))
                if code != status or lost is not None:
                    failures += 1
                    why = f"exit {code}, expected {status}" + (f"; not said: {lost}" if lost else "")
                    print(f"{os.path.relpath(path, SOURCE)}: {command}\n  {why}\n{said[-3000:]}")
                else:
                    done += 1
    return done, failures


def commands():
    """Names of the commands, from the list of --help, each with its options."""
    text = subprocess.run([SUHA, "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r'SU_COMMAND\(\w+, "([^"]+)"', read(os.path.join(SOURCE, "src", "cli", "commands.def")))
    known = {}
    for name in names:
        if not re.search(rf"^  {re.escape(name)}\s", text, re.M):
            sys.exit(f"suha --help does not list {name}")
        helped = subprocess.run([SUHA, *name.split(), "--help"], capture_output=True, text=True, check=True).stdout
        known[name] = set(re.findall(r"^  --([\w-]+)", helped, re.M)), helped
    return known


def fault(shown, known):
    """What is wrong with a command as shown, or None. Two words go before one: `vault init`, then `count`."""
    words = re.split(r"\s{2,}#|\s#\s|\s>|\s\|", shown.replace("\\", " "))[0].split()[1:]
    if not words or words[0].startswith("-") or words[0].isupper():
        return None
    families = {n.split()[0] for n in known if " " in n}
    name = next((n for n in (" ".join(words[:2]), words[0]) if n in known), None)
    if name is None:
        return None if words[0] in families and len(words) == 1 else f"there is no command {' '.join(words[:2])}"
    wrong = [o for o in re.findall(r"(?<![\w-])--([a-z][\w-]*)", shown) if o not in known[name][0]]
    return f"{name} has no option --{wrong[0]}" if wrong else None


def examples_differ():
    """Made files of examples/ that are not what examples/make.py writes."""
    with tempfile.TemporaryDirectory(prefix="suha-docs-") as folder:
        subprocess.run([sys.executable, os.path.join(SOURCE, "examples", "make.py"), folder], check=True)
        made = [os.path.relpath(f, folder) for f in glob.glob(os.path.join(folder, "*", "*.csv"))]
        return [f for f in made if read(os.path.join(folder, f)) != read(os.path.join(SOURCE, "examples", f))] or ([] if made else ["none was made"])


def main():
    differ = examples_differ()
    passed, failed = int(not differ), int(bool(differ))
    if differ:
        print(f"examples/make.py writes others than {differ}")
    known = commands()
    for pattern in PROSE:
        for path in sorted(glob.glob(os.path.join(SOURCE, pattern), recursive=True)):
            for found in SHOWN.finditer(read(path)):
                shown = found.group(1) or found.group(2)
                why = fault(shown, known)
                passed, failed = passed + (why is None), failed + (why is not None)
                if why:
                    print(f"{os.path.relpath(path, SOURCE)}: {shown}: {why}")
    for name, (options, helped) in known.items():
        example = helped.split("example:\n", 1)[1].strip()
        why = fault(example, known) or (None if shlex.split(example)[1:1 + len(name.split())] == name.split() else "it shows another command")
        passed, failed = passed + (why is None), failed + (why is not None)
        if why:
            print(f"suha {name} --help: {example}: {why}")
    for path in sorted(glob.glob(os.path.join(SOURCE, "docs", "guide", "*.md"))):
        if len(sys.argv) < 2 or any(w in path for w in sys.argv[1:]):
            done, wrong = run_page(path)
            passed, failed = passed + done, failed + wrong
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
