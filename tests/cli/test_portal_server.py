"""suha serve as a server: raw requests, limits, slow clients, stopping, where it listens, what it logs, damaged bundles."""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import SUHA, WAIT, suha
from portal import Portal, query, small_release

HOST = b"Host: 127.0.0.1\r\n"
LATE = 120
NEXT = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
portal = None


def start():
    global portal
    if portal is None:
        portal = Portal(small_release()).__enter__()
    return portal


def alive():
    answer = start().get("/healthz")
    assert answer.status == 200 and answer.body == b"ok\n"


def status(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0


def test_malformed_requests():
    """The fourteen of libraries that let a second request through, and what no program should send."""
    fourteen = {
        "two Content-Length": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + NEXT, 400),
        "two equal Content-Length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + NEXT, 400),
        "Content-Length and chunked": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT, 400),
        "blank before the colon": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + NEXT, 400),
        "two Transfer-Encoding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + NEXT, 400),
        "unknown Transfer-Encoding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + NEXT, 400),
        "list in Content-Length": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 0, 44\r\n\r\n" + NEXT, 400),
        "signed Content-Length": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: +0\r\n\r\n" + NEXT, 400),
        "no Host": (b"GET / HTTP/1.1\r\n\r\n" + NEXT, 400),
        "two Hosts": (b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n" + NEXT, 400),
        "foreign Host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n" + NEXT, 400),
        "body on a GET": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 44\r\n\r\n" + NEXT, 400),
        "control byte in a name": (b"GET / HTTP/1.1\r\n" + HOST + b"X\x01Y: 1\r\n\r\n" + NEXT, 400),
        "body on a POST": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 44\r\n\r\n" + NEXT, 405)}
    for name, (request, expected) in fourteen.items():
        answer = start().raw(request)
        assert status(answer) == expected and b"HTTP/1.1 200" not in answer, f"{name}: {answer[:200]}"
        assert b"connection: close" in answer.lower(), name
    for request in (b"GET /\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n", b"\r\n" * 50,
                    b"GET / HTTP/1.1\r\n" + HOST + b"Nothing\r\n\r\n", bytes(range(256)) * 8):
        answer = start().raw(request, 1)
        assert b"HTTP/1.1 200" not in answer, f"{request[:60]}: {answer[:100]}"
    alive()


def test_too_much():
    """A 10 MB address, 10 MB of headers, a thousand parameters: refused with a sentence, memory stays."""
    before = resident()
    for request in (b"GET /api/v1/releases?" + b"x" * 10_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
                    b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(600_000)) + b"\r\n",
                    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 10_000_000 + b"\r\n\r\n"):
        answer = start().raw(request, 5)
        assert status(answer) in (0, 400, 414, 431), answer[:100]      # 0: the connection was reset before the answer was read
        alive()
    for length, expected in ((3000, 400), (5000, 414), (9000, 414), (20000, 414)):
        answer = start().raw(b"GET /api/v1/releases?" + b"x" * length + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert status(answer) == expected and len(answer.split(b"\r\n\r\n", 1)[1]) > 20, (length, answer[:300])
    answer = start().raw(b"POST /api/v1/releases HTTP/1.1\r\n" + HOST + b"Content-Length: 100000000\r\n\r\n" + b"z" * 1_000_000, 5)
    assert status(answer) in (0, 405), answer[:100]
    alive()
    assert resident() < before + 40_000, f"{before} KiB, now {resident()} KiB"


def resident():
    with open(f"/proc/{start().process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def test_methods():
    for method, expected in (("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("PUT", 405), ("DELETE", 405), ("PATCH", 405), ("TRACE", 405), ("BREW", 405)):
        answer = start().get("/api/v1/releases", method=method)
        assert answer.status == expected, (method, answer.status)
        if expected == 405:
            assert answer.headers["Allow"] == "GET, HEAD, OPTIONS" and answer.headers["Content-Type"] == "application/problem+json", method
            assert answer.json()["status"] == 405
    preflight = start().get("/api/v1/releases", method="OPTIONS", Origin="https://example.org", Access_Control_Request_Method="GET")
    assert preflight.headers["Access-Control-Allow-Origin"] == "*" and "GET" in preflight.headers["Access-Control-Allow-Methods"]


def test_slow_clients_are_cut_off():
    """A head that drips, and a head that stops half-way, end after ten seconds (on a busy machine somewhat later); others are answered meanwhile."""
    p = start()
    begun = time.monotonic()
    dripping, half, idle = p.connect(), p.connect(), p.connect()
    half.sendall(b"GET / HTTP/1.1\r\nHost: 127")
    ended = {}

    def drip():
        text = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
        try:
            for i in range(10 * LATE):
                dripping.sendall(text[i:i + 1] or b"y")
                time.sleep(0.1)
                dripping.settimeout(0.001)
                try:
                    if dripping.recv(1000) == b"":
                        break
                except TimeoutError:
                    pass
        except OSError:
            pass
        ended["dripping"] = time.monotonic() - begun

    thread = threading.Thread(target=drip)
    thread.start()
    for name, s in (("half", half), ("idle", idle)):
        s.settimeout(WAIT)
        try:
            while s.recv(1000):
                pass
        except ConnectionError:
            pass
        ended[name] = time.monotonic() - begun
        alive()
    thread.join()
    for name, seconds in ended.items():
        assert 8 < seconds < LATE, f"{name}: cut off after {seconds:.1f} s"
    for s in (dripping, half, idle):
        s.close()


def test_more_connections_than_there_is_room_for():
    p = start()
    many = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2000, hard) if hard >= 0 else 2000, hard))
    try:
        for _ in range(700):
            s = socket.socket()
            s.settimeout(LATE)
            s.connect(("127.0.0.1", p.port))
            many.append(s)
    except OSError:
        pass
    assert len(many) > 500
    for s in many:
        s.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    deadline = time.monotonic() + LATE
    while time.monotonic() < deadline:
        try:
            alive()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer after a flood of connections")


def test_many_at_once_get_what_one_gets():
    p = start()
    release = p.get("/api/v1/releases").json()["releases"][0]["id"]
    columns = [c["name"] for c in p.get(f"/api/v1/releases/{release}").json()["columns"]]
    targets = [f"/api/v1/releases/{release}/tabulate" + query(by=c) for c in columns] + ["/", f"/r/{release}/data/aggregates.csv"]
    alone = {t: p.get(t).body for t in targets}
    wrong = []

    def worker(start_at):
        for i in range(60):
            t = targets[(start_at + i * 7) % len(targets)]
            if p.get(t).body != alone[t]:
                wrong.append(t)

    threads = [threading.Thread(target=worker, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong, wrong[:3]


def test_stopping():
    for by in (signal.SIGTERM, signal.SIGINT):
        with Portal(small_release()) as p:
            assert p.get("/healthz").status == 200
            assert p.stop(by) == 0 and p.said.rstrip().endswith("stopped"), p.said


def test_where_it_listens():
    release = small_release()
    with Portal(release, options=("--listen", "127.0.0.1:0")) as p:
        assert p.get("/healthz").status == 200
        taken = suha("serve", release, "--listen", f"127.0.0.1:{p.port}", code=1)
        assert "already in use" in taken.err and "Stop that one" in taken.err
    for options, code, words in ((("--listen", "8080"), 2, "--listen is an address and a port"), (("--listen", "127.0.0.1:99999"), 1, "0 to 65535"),
                                 (("--listen", "::1:80"), 2, "in brackets"), (("--listen", "[::1]:x"), 2, "--listen is"), (("--listen", "localhorst:0"), 2, "not an IP address"),
                                 (("--listen", "127.0.0.1:0", "--port", "1"), 2, "one place to listen"), (("--port", "x"), 2, "--port"), (("--port", "70000"), 1, "--port"),
                                 (("--log-addresses",), 2, "needs --access-log"), (("--access-log", "/nowhere/log"), 1, "access log /nowhere/log cannot be written"),
                                 (("--unix", "/" + "a" * 200), 2, "Unix socket has 1 to")):
        done = suha("serve", release, *options, code=code)
        assert words in done.err, (options, done.err)


def test_unix_socket():
    at = harness.path("socket")
    folder = os.open(harness.WORK, os.O_RDONLY)
    p = subprocess.Popen([SUHA, "serve", small_release(), "--unix", "socket", "--json"], cwd=harness.WORK, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.stdout.readline().startswith(b'{"port": 0')
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"/proc/self/fd/{folder}/socket")        # the path of a socket is short, that of a temporary folder perhaps not
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: data.example.org\r\nConnection: close\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    assert os.stat(at).st_mode & 0o777 == 0o660
    p.terminate()
    p.communicate(timeout=WAIT)
    os.close(folder)
    assert p.returncode == 0 and not os.path.exists(at)


def test_access_log():
    log = harness.path("access.log")
    with Portal(small_release(), options=("--port", "0", "--access-log", log)) as p:
        p.get("/healthz?name=Maria", User_Agent="Secret", Referer="http://secret.example/")
        p.get("/Maria")
        p.get("/api/v1/releases?lang=fr")
    with open(log, encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert len(lines) == 3 and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ GET (/healthz|-|/api/v1/releases) (200|404) \d+ \d+\.\d", x) for x in lines), lines
    assert not re.search("Maria|ecret|127|lang", "\n".join(lines))


def test_damaged_bundles():
    good, bad = small_release(), harness.path("damaged")
    shutil.copytree(good, bad)
    with open(os.path.join(bad, "data", "microdata.csv"), "r+b") as f:
        f.seek(200)
        f.write(b"X")
    with Portal(bad, good) as p:
        assert len(p.get("/api/v1/releases").json()["releases"]) == 1
    assert "not served: " in p.said and "data/microdata.csv is not the file that was published" in p.said, p.said
    done = suha("serve", bad, code=1)
    assert "does not match SHA256SUMS" in done.err
    done = suha("serve", bad, harness.path("nothing"), code=1)
    assert "not the file that was published" in done.err
    assert "not a release" in suha("serve", harness.WORK, code=1).err


def test_paths_lead_nowhere_else():
    p = start()
    release = p.get("/api/v1/releases").json()["releases"][0]["id"]
    for target in ("/../../etc/passwd", f"/r/{release}/../../../etc/passwd", f"/r/{release}/data/../../../../etc/passwd", f"/r/{release}/%2e%2e/%2e%2e/etc/passwd",
                   f"/r/{release}/data%2fmicrodata.csv", "//etc/passwd", f"/r/{release}//data/microdata.csv", f"/assets/../etc/passwd", f"/r/{release}/data/microdata.csv%00",
                   f"/api/v1/releases/{release}/files//etc/passwd", f"/api/v1/releases/{release}/files/%2e%2e/SHA256SUMS", f"/r/{release}/stories/../../x"):
        answer = p.raw(f"GET {target} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")
        assert status(answer) == 404 and b"root:" not in answer, f"{target}: {answer[:100]}"


def test_end():
    assert start().stop() == 0


harness.main()
