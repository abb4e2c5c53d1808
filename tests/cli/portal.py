"""A running portal for the tests of tests/cli/test_portal_*.py, and the contract of web/openapi.json as a check of answers."""
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import SOURCE, SUHA, WAIT, path, suha, write

with open(os.path.join(SOURCE, "web", "openapi.json"), encoding="utf-8") as f:
    API = json.load(f)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Portal:
    """suha serve on any free port."""

    def __init__(self, *dirs, options=("--port", "0")):
        self.process = subprocess.Popen([SUHA, "serve", *dirs, *options, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = ""
        line = self.process.stdout.readline()
        if not line:
            self.said = self.process.stderr.read().decode()
            self.process.wait()
            self.port = None
            return
        self.port = json.loads(line)["port"]

    def __enter__(self):
        if self.port is None:
            raise AssertionError(f"the portal did not start: {self.said}")
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, by=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(by)
        self.said += self.process.communicate(timeout=WAIT)[1].decode()
        return self.process.returncode

    def get(self, target, method="GET", **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{target}", method=method,
                                         headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as r:
                return Answer(r.status, r.headers, r.read())
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.headers, e.read())

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        return s

    def raw(self, data, timeout=WAIT):
        """Sends bytes and reads until the server closes or is silent."""
        with self.connect() as s:
            s.settimeout(timeout)
            try:
                s.sendall(data)
            except OSError:
                pass
            out = b""
            while True:
                try:
                    block = s.recv(65536)
                except OSError:
                    break
                if not block:
                    break
                out += block
            return out


def query(**parameters):
    """by=..., where=[...] to an encoded address."""
    return "?" + urllib.parse.urlencode(parameters, doseq=True)


# ---- the contract -------------------------------------------------------------------------------------------------------------------------

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def resolve(schema):
    while "$ref" in schema:
        found = API
        for part in schema["$ref"].lstrip("#/").split("/"):
            found = found[part]
        schema = found
    return schema


KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "minimum", "maximum", "minItems", "maxItems", "description", "format", "default", "example"}


def faults(value, schema, where="$"):
    """What of the JSON value does not fit the schema: the part of JSON Schema that web/openapi.json uses."""
    schema = resolve(schema)
    unknown = set(schema) - KNOWN
    if unknown:
        yield f"{where}: this check does not know {unknown}"
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        yield f"{where}: {value!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < schema.get("minimum", float("-inf")):
        yield f"{where}: {value} is below {schema['minimum']}"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{where}: too few items"
        for i, one in enumerate(value):
            yield from faults(one, schema.get("items", {}), f"{where}[{i}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, one in value.items():
            if name in schema.get("properties", {}):
                yield from faults(one, schema["properties"][name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{where}: {name} is not described"


def template_of(target):
    plain = target.split("?")[0]
    for template in sorted(API["paths"], key=lambda t: t.count("{")):
        pattern = re.sub(r"\\\{path\\\}", ".+", re.escape(template))
        pattern = re.sub(r"\\\{[a-z]+\\\}", "[^/]+", pattern)
        if re.fullmatch(pattern, plain):
            return template
    return None


def check_contract(target, answer):
    """Status, media type and body of an answer are what web/openapi.json says."""
    template = template_of(target)
    if template is None:
        assert answer.status in (404, 414), f"{target}: {answer.status}"
        schema = {"$ref": "#/components/schemas/Problem"}
    else:
        responses = API["paths"][template]["get"]["responses"]
        assert str(answer.status) in responses or answer.status == 414, f"{target}: {answer.status} is not described"
        content = resolve(responses[str(answer.status)] if answer.status != 414 else responses["400"])["content"]
        media = answer.headers["Content-Type"].split(";")[0]
        if "*/*" in content:
            return
        assert media in content, f"{target}: {media} is not described"
        schema = content[media]["schema"]
        if "json" not in media:
            return
    wrong = list(faults(answer.json(), schema))
    assert not wrong, f"{target}: {wrong[:5]}"
    if answer.status >= 400:
        problem = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json", target
        assert problem["status"] == answer.status and problem["detail"].strip().endswith((".", "?")), problem


# ---- releases ------------------------------------------------------------------------------------------------------------------------------

def small_release(name="small", rows=4000, seed=5, *options):
    """26 columns of short lists, released up to length 3."""
    csv, out = path(f"{name}.csv"), path(name)
    if not os.path.exists(out):
        suha("generate", "--shape", "c17k", "--rows", rows, "--seed", seed, "--out", csv)
        suha("release", csv, "--schema", "c17k", "--epsilon", 8, "--no-evaluation", "--out", out, *options)
    return out


def ctdc_release(name="ctdc", rows=1500):
    """The columns of ctdc-2024, with question groups and countries, up to length 2."""
    import random
    out = path(name)
    if os.path.exists(out):
        return out
    with open(os.path.join(SOURCE, "instruments", "ctdc-2024", "schema.json"), encoding="utf-8") as f:
        fields = json.load(f)["fields"]
    dice = random.Random(11)
    values = {"yearOfRegistration": ["2018", "2019", "2020"], "gender": ["Man", "Woman", "Woman"], "ageBroad": ["09--17", "18--20", "30--38"],
              "citizenship": ["UKR", "PHL", "MDA", "IDN"], "CountryOfExploitation": ["USA", "RUS", "UKR"], "traffickMonths": ["0--12 (0-1 yr)"]}
    lines = [",".join(f["name"] for f in fields)]
    for _ in range(rows):
        lines.append(",".join(dice.choice(values[f["name"]] + [""]) if f["name"] in values else dice.choice(["1", "", ""]) for f in fields))
    csv = write(f"{name}.csv", "\n".join(lines) + "\n")
    suha("release", csv, "--schema", "ctdc-2024", "--epsilon", 8, "--length", 2, "--no-evaluation", "--out", out, "--title", "A <b>title</b> & more")
    return out
