#!/usr/bin/env python3
"""Load on the portal: tabulate over a release of c206k at 64 connections, answers from the cache and answers never asked before, beside nginx
with a file of the same size as the limit; and memory over time. Only 127.0.0.1.

usage: bench/portal.py [BUILD] [--seconds S] [--minutes M] [--release DIR]
       S: of each measurement (default 10); M: of the memory run (default 1; the goal is stated for 10)

Needs wrk and nginx (Debian: apt-get install wrk nginx-light); says so and ends when they are missing. The load generator runs on the same
processors as the server.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTIONS = 64
LUA = """
local columns = {"c01", "c02", "c03", "c04", "c05", "c06"}
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
local asked = 0
-- Five attributes, so that the synthetic records are counted; the same question does not come again for 6 * 20 ^ 4 / 2 requests of a thread.
request = function()
   asked = asked + 1
   local k = asked * 2 + number
   local f = {}
   for i = 1, 4 do
      f[i] = string.format("&where=f%02d:1", k % 20 + 1)
      k = math.floor(k / 20)
   end
   return wrk.format("GET", "/api/v1/releases/@ID@/tabulate?by=" .. columns[k % 6 + 1] .. table.concat(f))
end
"""
NGINX = """
worker_processes auto; daemon off; pid {work}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; default_type application/json; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s; server {{ listen 127.0.0.1:{port}; root {work}/www; }} }}
"""


def get(url):
    with urllib.request.urlopen(url, timeout=60) as r:
        return r.read()


def wrk(url, seconds, script=None):
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *(["-s", script] if script else []), url]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = re.search(r"Socket errors: (.*)", out)
    if wrong or errors:
        print(f"  not all answers were good: {wrong and wrong.group(0)} {errors and errors.group(0)}")
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def row(what, goal, rate, p99):
    print(f"| {what} | {goal} | {rate:,.0f} | {p99:.1f} |", flush=True)


def release(suha, work):
    table, out = os.path.join(work, "c206k.csv"), os.path.join(work, "release")
    subprocess.run([suha, "generate", "--shape", "c206k", "--seed", "1", "--out", table], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([suha, "release", table, "--schema", "c206k", "--epsilon", "4", "--no-evaluation", "--out", out], check=True, stderr=subprocess.DEVNULL)
    return out


def measure_nginx(work, body, seconds):
    os.chmod(work, 0o755)      # nginx reads as another user
    os.mkdir(os.path.join(work, "www"))
    with open(os.path.join(work, "www", "answer.json"), "wb") as f:
        f.write(body)
    conf = os.path.join(work, "nginx.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(NGINX.format(work=work, port=18961))
    process = subprocess.Popen(["nginx", "-c", conf, "-p", work], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        return wrk("http://127.0.0.1:18961/answer.json", seconds)
    finally:
        process.terminate()
        process.wait()


def memory_run(base, pid, script, minutes):
    """MiB at the start, after a fifth of the time (the cache is full by then, or never will be), and at the end."""
    sizes, end = [resident(pid)], time.monotonic() + minutes * 60
    while time.monotonic() < end:
        wrk(base, max(1, min(5, int(end - time.monotonic()) + 1)), script)
        sizes.append(resident(pid))
    return sizes[0], sizes[max(1, len(sizes) // 5)], sizes[-1], max(sizes)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", nargs="?", default=os.path.join(ROOT, "build"))
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--minutes", type=float, default=1)
    options.add_argument("--release")
    o = options.parse_args()
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not shutil.which("wrk") or not nginx:
        sys.exit("bench/portal.py needs wrk and nginx: apt-get install wrk nginx-light")
    os.environ["PATH"] += ":/usr/sbin"
    suha, work = os.path.join(os.path.abspath(o.build), "suha"), tempfile.mkdtemp(prefix="suha-bench-portal-")
    folder = o.release or release(suha, work)
    server = subprocess.Popen([suha, "serve", folder, "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}"
        name = json.loads(get(base + "/api/v1/releases"))["releases"][0]["id"]
        script = os.path.join(work, "distinct.lua")
        with open(script, "w", encoding="ascii") as f:
            f.write(LUA.replace("@ID@", name))
        target = f"{base}/api/v1/releases/{name}/tabulate?by=c01&where=f01:1"
        body = get(target)
        cores = len(os.sched_getaffinity(0))
        print(f"{cores} processors, shared by server and load generator; {CONNECTIONS} connections, {o.seconds} s each; an answer of {len(body):,} bytes\n")
        print("| requests | goal | per second | p99 ms |\n|---|---|---|---|")
        row("tabulate, cached", ">= 20,000, p99 <= 50 ms", *wrk(target, o.seconds))
        row("tabulate, each another question (5 attributes, counted in 206,000 records)", ">= 2,000, p99 <= 50 ms", *wrk(base, o.seconds, script))
        row("limit: nginx, a static file of the same size", "-", *measure_nginx(work, body, o.seconds))
        first, early, last, most = memory_run(base, server.pid, script, o.minutes)
        print(f"\nmemory over {o.minutes:g} minutes of distinct questions: {first:.0f} MiB at the start, {early:.0f} after a fifth, {last:.0f} at the end, {most:.0f} at most "
              "(the cache of answers holds up to 64 MiB)")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(work)


main()
