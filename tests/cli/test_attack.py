"""suha attack: every option, what it refuses and why, and the mark on a vault that was attacked."""
import os

import harness
from harness import path, suha, write


def small():
    if not os.path.exists(path("small.csv")):
        suha("generate", "--shape", "nb6k", "--rows", 400, "--seed", 2, "--out", path("small.csv"))
    return path("small.csv")


QUICK = ("--schema", "nb6k", "--length", 2, "--rounds", 20, "--targets", 10, "--seconds", 0.05, "--test-mode", "--seed", 4)


def refused(*more, code=1, says=()):
    done = suha("attack", small(), "--schema", "nb6k", "--epsilon", 1, *more, code=code)
    for word in says:
        assert word in done.err, (more, word, done.err)
    assert done.out == "", done.out
    return done.err


def test_seconds():
    got = suha("attack", small(), *QUICK, "--epsilon", 1, "--json", code=None).json()
    assert got["seconds"] == 0.05 and got["rounds"] == 20 and got["targets"] == 10 and got["records"] == 400, got
    text = suha("attack", small(), *QUICK, "--epsilon", 1, code=None).out
    assert "0.05" in text and "NOT FOR PUBLICATION" in text and "THE RELEASE" in text and "Nothing was published, nothing is charged" in text, text
    for value in ("0", "-1", "0.009", "3601", "1e9"):
        refused("--seconds", value, says=("--seconds", value, "0.01 to 3600"))
    for value in ("nan", "inf"):
        refused("--seconds", value, says=("--seconds", "finite"))
    refused("--seconds", "soon", code=2, says=("--seconds", "soon"))


def test_rounds_and_targets():
    for option, values in (("--rounds", ("0", "19", "10001", "-5")), ("--targets", ("0", "51", "-1"))):
        for value in values:
            refused(option, value, says=(option, value))
        refused(option, "many", code=2, says=(option, "many"))


def test_budget_and_mechanism():
    for option, value, code in (("--epsilon", "0", 1), ("--epsilon", "-1", 1), ("--epsilon", "nan", 1), ("--epsilon", "101", 1), ("--epsilon", "x", 2)):
        done = suha("attack", small(), "--schema", "nb6k", option, value, code=code)
        assert option in done.err, done.err
    assert "--epsilon" in suha("attack", small(), "--schema", "nb6k", code=2).err
    refused("--delta", "0", says=("--delta",))
    refused("--delta", "0.01", says=("--delta",))
    refused("--length", "5", says=("--length",))
    refused("--mechanism", "magic", code=2, says=("magic", "residual"))
    refused("--mechanism", "unseeded", code=2, says=("--epsilon",))
    refused("--k", "-1", says=("--k",))
    for mechanism in ("mst", "aim"):
        got = suha("attack", small(), *QUICK, "--epsilon", 1, "--mechanism", mechanism, "--k", 5, "--delta", 1e-6, "--json", code=None).json()
        assert got["mechanism"] == mechanism and got["delta"] == 1e-6 and got["bound_promised"] and not got["contradicted"], got
    got = suha("attack", small(), "--schema", "nb6k", "--mechanism", "unseeded", "--k", 10, *QUICK[2:], "--json", code=None).json()
    assert not got["bound_promised"] and got["mechanism"] == "unseeded", got


def test_persons_with_several_records_are_not_attacked():
    refused("--unit", "H1", says=("single records", "one record"))
    refused("--contribution", "2", says=("single records",))


def test_what_the_inference_wants_to_know():
    got = suha("attack", small(), *QUICK, "--epsilon", 1, "--sensitive", "H3", "--json", code=None).json()
    assert got["sensitive"] == "H3", got
    refused("--sensitive", "H99", code=2, says=("--sensitive H99", "no column"))


def test_sources():
    assert "--schema" in suha("attack", small(), "--epsilon", 1, code=2).err
    assert "absent.csv" in suha("attack", path("absent.csv"), "--schema", "nb6k", "--epsilon", 1, code=1).err
    suha("attack", "--schema", "nb6k", "--epsilon", 1, code=2)
    suha("attack", small(), "--vault", path("nowhere"), "--schema", "nb6k", "--epsilon", 1, code=2)
    suha("attack", "--vault", path("nowhere"), "--schema", "nb6k", "--epsilon", 1, code=1)
    refused("--seed", "4", says=("--test-mode",))
    for bad in ("empty.csv", "header.csv"):
        write(bad, "" if bad == "empty.csv" else "H1,H2\n")
        suha("attack", path(bad), "--schema", "nb6k", "--epsilon", 1, code=1)


def test_an_attacked_vault_knows_it():
    v = path("v")
    suha("vault", "init", v)
    suha("org", "add", v, "a", "--name", "A")
    suha("import", small(), "--vault", v, "--org", "a", "--schema", "nb6k")
    before, noted = suha("ledger", v, "--json").json(), suha("vault", "status", v, "--json").json()["audit_entries"]
    options = ("--schema", "nb6k", *QUICK[2:], "--epsilon", 1, "--json")
    from_vault = suha("attack", "--vault", v, *options, "--who", "Tester", code=None).json()
    from_file = suha("attack", small(), *options, code=None).json()
    assert from_vault["records"] == from_file["records"] == 400 and from_vault["sensitive"] == from_file["sensitive"]
    assert suha("ledger", v, "--json").json() == before       # nothing is charged
    assert suha("vault", "status", v, "--json").json()["audit_entries"] == noted + 1
    suha("vault", "verify", v)


harness.main()
