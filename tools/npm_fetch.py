#!/usr/bin/env python3
"""Brings the npm packages of web/package-lock.json into web/node_modules, without npm: downloads what is missing, checks every
archive's sha512 against the lock file, unpacks, runs nothing.

usage: npm_fetch.py [build|test]     build: what the program is made of (default); test: the type checker and the browser tests too

NPM_CONFIG_REGISTRY names another registry; SUHA_NPM_ARCHIVES a folder of .tgz archives that is looked into first (no network needed).
"""
import base64
import concurrent.futures
import fcntl
import hashlib
import io
import json
import os
import platform
import shutil
import ssl
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request

WEB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "web")
TARGET = os.path.join(WEB, "node_modules")
MARK = ".suha-integrity"
LARGEST_ARCHIVE = 64 << 20
CPU = {"x86_64": "x64", "aarch64": "arm64", "i686": "ia32", "armv7l": "arm", "ppc64le": "ppc64"}


class Missing(Exception):
    """A package that could not be had; the text says why."""


def wanted(lock, tests):
    """(folder below node_modules, name, version, integrity) of every package that this machine and this purpose need."""
    here = CPU.get(platform.machine(), platform.machine())
    for path, package in sorted(lock["packages"].items()):
        if not path or (package.get("dev") and not tests):
            continue
        if "linux" not in package.get("os", ["linux"]) or here not in package.get("cpu", [here]):
            continue
        folder = path.removeprefix("node_modules/")
        yield folder, folder.rsplit("node_modules/", 1)[-1], package["version"], package["integrity"]


def is_there(folder, integrity):
    try:
        with open(os.path.join(TARGET, folder, MARK), encoding="ascii") as f:
            return f.read() == integrity
    except OSError:
        return False


def archive_name(name, version):
    return f"{name.rsplit('/', 1)[-1]}-{version}.tgz"


def checked(data, integrity):
    return any(kind == "sha512" and base64.b64encode(hashlib.sha512(data).digest()).decode() == digest
               for kind, _, digest in (part.partition("-") for part in integrity.split()))


def from_folder(name, version):
    """npm pack writes @scope/name as scope-name: both spellings are looked for."""
    shelf = os.environ.get("SUHA_NPM_ARCHIVES")
    for file in (name.lstrip("@").replace("/", "-") + f"-{version}.tgz", archive_name(name, version)):
        if shelf and os.path.exists(os.path.join(shelf, file)):
            with open(os.path.join(shelf, file), "rb") as f:
                return f.read()
    return None


def download(name, version):
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or os.environ.get("npm_config_registry") or "https://registry.npmjs.org/"
    address = f"{registry.rstrip('/')}/{name}/-/{archive_name(name, version)}"
    for attempt in range(3):
        try:
            with urllib.request.urlopen(address, timeout=60, context=ssl.create_default_context()) as answer:
                return answer.read(LARGEST_ARCHIVE + 1)
        except urllib.error.HTTPError as error:
            raise Missing(f"{address}: {error}") from error
        except (urllib.error.URLError, OSError) as error:
            if attempt == 2:
                raise Missing(f"{address}: {getattr(error, 'reason', error)}") from error
    return None


def unpack(data, folder):
    """Regular files only, below the package's own folder only."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            parts = member.name.split("/")[1:]
            if not member.isfile() or not parts:
                continue
            if ".." in parts or member.name.startswith("/"):
                raise Missing(f"the archive holds a path that leaves its folder: {member.name}")
            path = os.path.join(folder, *parts)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                shutil.copyfileobj(archive.extractfile(member), out)
            os.chmod(path, 0o755 if member.mode & 0o100 else 0o644)


def fetch(package):
    folder, name, version, integrity = package
    data = from_folder(name, version) or download(name, version)
    if len(data) > LARGEST_ARCHIVE or not checked(data, integrity):
        raise Missing(f"{name} {version}: the archive is not the one that web/package-lock.json names (sha512 differs). It was not used.")
    place = os.path.join(TARGET, folder)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    staged = tempfile.mkdtemp(prefix=".suha-", dir=TARGET)
    os.chmod(staged, 0o755)
    try:
        unpack(data, staged)
        with open(os.path.join(staged, MARK), "w", encoding="ascii") as f:
            f.write(integrity)
        shutil.rmtree(place, ignore_errors=True)
        os.rename(staged, place)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return len(data)


HELP = """
The pages' script is built from {count} packages of the npm registry, once; after that no network is needed. What you can do:
  - connect this machine to the internet (a proxy is taken from https_proxy) and run make again;
  - name your own registry: NPM_CONFIG_REGISTRY=https://... make
  - or bring the archives by hand: put {names}
    into one folder and run: SUHA_NPM_ARCHIVES=/that/folder make
  - or copy the folder web/node_modules from a machine where make has run."""


def ensure(tests=False, say=print):
    """Makes sure that the packages are there. Exits with a message when they cannot be had."""
    with open(os.path.join(WEB, "package-lock.json"), encoding="utf-8") as f:
        lock = json.load(f)
    needed = list(wanted(lock, tests))
    if all(is_there(p[0], p[3]) for p in needed):
        return
    os.makedirs(TARGET, exist_ok=True)
    with open(os.path.join(TARGET, ".suha-lock"), "w", encoding="ascii") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)      # two builds at once: the second finds everything there
        missing = [p for p in needed if not is_there(p[0], p[3])]
        if not missing:
            return
        say(f"fetching {len(missing)} packages of web/package-lock.json")
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                size = sum(pool.map(fetch, missing))
        except Missing as reason:
            names = ", ".join(archive_name(p[1], p[2]) for p in missing)
            sys.exit(f"npm_fetch: {reason}\n{HELP.format(count=len(missing), names=names)}")
        say(f"fetched {size / 1e6:.1f} MB, sha512 of each checked")


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["build"], ["test"]):
        sys.exit(__doc__)
    ensure(sys.argv[1:] == ["test"])
