"""Holds grade.py against the judge: replies of every shape, cut, doubled and spiced, graded by both.

The judge is reached through `harness eval --replay`, which grades the stored replies of a run anew; so the run is written
here, reply by reply.
"""

import json
import random
import struct
from decimal import Decimal, getcontext
from pathlib import Path

from common import MODEL, Bench, lines

NUMBERS = """-1 4294967295 0xffffffff 0XFFFF_FFFF 1.5 15e-1 1.50 +1.5 .5 5. 1e400 -1e400 1e-400 0x1.8p0 0x1.8 0x0p4000 0x1p-1074
0x1p-1075 0x1p1023 0x1p1024 0x1.fffffffffffffp1023 0x1p4096 0x1p+3 0x.8p1 0xffffffffffffffff.8 nan -nan nan:0x200000 nan(0x1)
nano inf -Infinity +Inf \u221e -\u221e \u22121 1_000 1e3 10.0 1e-1 127e-1 1200e-2 99999999999999999999 9007199254740993
9007199254740992 -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 2147483648 -2147483649 seven
true null Null NULL 0x 0x1g --1 +-1 1e e5 . - + 1.5.5 1e5e5 0e99999999999999999999 0.0000e-5 1e1099511627776 0e1099511627776
1e-1099511627776 $f3 $3 $f+3 $f-3 $f4294967295 $f4294967296 f3 $x2 funcref externref -0.0 0.0 -0 0 17 17.0 0x11 1.7e1 170e-1 16
16777217 16777216.999999999999999999999999999999999999999999999 16777217.000000000000000000000000000000000000000000001
3.4028235677973366e38 3.4028235677973365e38 7.006492321624085e-46 7.006492321624086e-46 1e-46 \u0661\u0662 1\u00a02 1f 1.0f32
1E5 0X1P3 INF NAN 1,5 i32 i32(7) i64(-1) i32.const f32.const u32(1) int32(-1) double:1.5""".split()
PHRASES = [
    "ref.func 3", "ref.func $f3", "ref.null func", "ref.null extern", "ref.nullx", "-1 2 3 4", "i32x4 -1 2 3 4", "i64x2 1 -2",
    "i16x8 1 2 3 4 5 6 7 -8", "i8x16 " + " ".join(map(str, range(16))), "v128.const i32x4 -1 2 3 4", "i64x2 1 18446744073709551615",
    "-1, 2, 3, 4", "1 2 3", "i32x4 1 2 3 4294967296", "v128(-1 2 3 4)", "i32.const -1", "f32: 1.5", "f32 :1.5", "f32(1.5", "i32()",
    "(1)", "", " ", "about 17", "1" + "0" * 29, "1" + "0" * 30, "1" * 30, "1" * 31, "0" * 5000 + "7", "1." + "0" * 5000,
    "0." + "0" * 400 + "1e401", "1" + "0" * 4400 + "e-4400", "1e" + "0" * 5000, "0x" + "0" * 50 + "f",
]  # fmt: skip
SHAPES = [
    '<OUTPUT>{"KEY":[A,B]}</OUTPUT>', '<OUTPUT>{"KEY":["A","B"]}</OUTPUT>', "<OUTPUT>[A, B]</OUTPUT>", "<OUTPUT>A, B</OUTPUT>",
    '<OUTPUT>{"KEY":[{"type":"T","value":"A"},{"type":"U","value":"B"}]}</OUTPUT>',
    '<OUTPUT>{"KEY":[{"type":"T","value":A},{"value":B,"type":null},]}</OUTPUT>',
    '<OUTPUT>{"KEY":[{"T":A},{"U":"B"}]}</OUTPUT>', "<OUTPUT>T(A)\nU.const B</OUTPUT>", "<OUTPUT>T: A, U(B)</OUTPUT>",
    '<OUTPUT>{"KEY":[{"type":"v128","value":[-1, 2, "3", 4]},{"type":"funcref","value":null}]}</OUTPUT>',
    'So {"why": {"a": 1}, "KEY": [A, B]} it is.', "```json\n{'KEY': [A, 'B']}\n```", "```\n[A, B]\n```", '{"KEY":[A]',
    '<OUTPUT>{"KEY":[9]}</OUTPUT> no <OUTPUT>{"KEY":[A,B]}</OUTPUT>', '<output>{"KEY":[A,B]', '<OUTPUT>{"KEY":A}</OUTPUT>',
    '<OUTPUT>{"KEY":"A"}</OUTPUT>', "<OUTPUT>A</OUTPUT>", '{"KEY": A}', "<OUTPUT>A</OUTPUT> then [B]", "KEY: A", "   ", "",
    '<OUTPUT>{"KEY":{"FLAG_0":true,"FLAG_1":false}}</OUTPUT>', '<OUTPUT>{"FLAG_1":0,";;flag_0":"Yes","FLAG_7":1}</OUTPUT>',
    "<OUTPUT>FLAG_0: true\n;;FLAG_1 = no</OUTPUT>", '<OUTPUT>{"KEY":[true, 0]}</OUTPUT>', '<OUTPUT>{"KEY":{}}</OUTPUT>',
    '<OUTPUT>{"KEY":{"FLAG_0":A,"FLAG_0":true,"FLAG_1":"B"}}</OUTPUT>', "<OUTPUT>[1]</OUTPUT>", '<OUTPUT>{"KEY":[]}</OUTPUT>',
    '<OUTPUT>{"KEY":[{"type":"T","value":"U(A)"},{"type":[],"value":B}]}</OUTPUT>', '{"a":"\\u0041\\q\\n","KEY":["\\u0031",B]}',
    "[" * 18 + "A" + "]" * 18, '<OUTPUT>{"KEY":[A,B]} and {"other":[1]}</OUTPUT>', '}{"KEY":[A,B]}{',
]  # fmt: skip
SPICE = [
    "<OUTPUT>", "</OUTPUT>", "{", "}", "[", "]", '"', "'", "\\", "\\u", "\\ud83d", "e", ".", "0x", "-", "+", "\u00e4", "\u221e",
    "\0", "```", "KEY", "i32", "f32", "nan", ",", ":", ";;", "=", "(", ")", "_", "\u0130", "\u017f", "\u212a", "\x1c", "\x85",
    "\u2028", "\u3000", "\n", "\t", "9" * 32, "null", "type", "value", "FLAG_0", "\U0001f600",
]  # fmt: skip
TYPES = ["i32", "i64", "f32", "f64", "v128", "funcref", "externref", "I32", "int64", "double", "u32", "int", "", "null"]
REASONS = ["stop", "length", "content_filter", "MAX_TOKENS", "tool_calls", "", " Stop ", "end_turn", "error"]


def value(ty: str, text: str) -> dict:
    return {"type": ty, "value": text}


TRUTHS = [
    {"stack_values": [value("i32", "-1"), value("f32", "1.5")]},
    {"stack_values": [value("v128", "-1 2 3 4"), value("funcref", "Null")]},
    {"stack_values": [value("f64", "nan"), value("f64", "-0.0"), value("i64", "-9223372036854775808")]},
    {"stack_values": []},
    {"return_values": [value("funcref", "$f3"), value("externref", "Null")]},
    {"return_values": [value("externref", "$x2")]},
    {"return_values": [value("f32", "inf"), value("i32", "7")]},
    {"return_values": [value("i64", "9007199254740993")]},
    {"flag_states": {"FLAG_0": True, "FLAG_1": False}},
    {"flag_states": {"FLAG_0": False}},
    {"fuel": 17},
    {"fuel": 18446744073709551615},
]


def near_floats(rng: random.Random) -> tuple[dict, str]:
    """A float and a decimal close to the middle between it and its neighbour, where rounding twice goes wrong."""
    getcontext().prec = 400
    wide = rng.random() < 0.5
    form, exponents = ("<d", (0, 2046)) if wide else ("<f", (0, 254))
    fraction = rng.getrandbits(52 if wide else 23) if rng.random() < 0.7 else rng.choice([0, 1, (1 << (52 if wide else 23)) - 1])
    low = (rng.randint(*exponents) << (52 if wide else 23)) | fraction

    def number(bits: int) -> float:
        return struct.unpack(form, struct.pack("<Q" if wide else "<I", bits))[0]

    high, base = number(low + 1), Decimal(number(low))
    middle = (base + Decimal(high)) / 2 if high != float("inf") else base
    text = f"{middle:f}" if rng.random() < 0.3 else f"{middle:e}"
    if rng.random() < 0.6:
        mantissa, _, exponent = text.partition("e")
        mantissa += "" if "." in mantissa else "."
        text = mantissa + rng.choice(["", "0" * 40, "0" * 40 + "1", "9"]) + (f"e{exponent}" if exponent else "")
    if rng.random() < 0.3:
        text = f"{middle:.{rng.randint(6, 18)}e}"
    sign = rng.choice(["", "-"])
    expected = number(low + rng.choice([0, 1]))
    # The decimal of a double names the float exactly, whatever its width.
    truth = {"return_values": [value("f64" if wide else "f32", sign + repr(expected))]}
    return truth, f'<OUTPUT>{{"return_values":[{sign}{text}]}}</OUTPUT>'


def made(rng: random.Random) -> tuple[dict, str]:
    """A truth, and a reply that may have to do with it."""
    if rng.random() < 0.15:
        return near_floats(rng)
    truth = rng.choice(TRUTHS)
    key, answer = next(iter(truth.items()))
    right = [one["value"] for one in answer] if isinstance(answer, list) else [str(answer)]
    reply = rng.choice(SHAPES)

    def number(at: int) -> str:
        if rng.random() < 0.4 and at < len(right):
            return right[at]
        return rng.choice(NUMBERS if rng.random() < 0.8 else PHRASES)

    types = [one["type"] for one in answer] if isinstance(answer, list) else []
    for at, (letter, kind) in enumerate(("AT", "BU")):
        ty = types[at] if at < len(types) and rng.random() < 0.6 else rng.choice(TYPES)
        reply = reply.replace(kind + "(", ty + "(").replace(kind + ".", ty + ".").replace(kind + ":", ty + ":")
        reply = reply.replace(f'"{kind}"', f'"{ty}"')
        text = number(at)
        reply = "".join(text if c == letter and not around(reply, n) else c for n, c in enumerate(reply))
    reply = reply.replace("KEY", key if rng.random() < 0.9 else rng.choice(["stack_values", "fuel", "STACK_VALUES"]))
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 4])):
        at = rng.randint(0, len(reply))
        way = rng.randrange(5)
        if way == 0:
            reply = reply[:at]
        elif way == 1:
            reply = reply[at:]
        elif way == 2:
            reply += reply[at:]
        else:
            reply = reply[:at] + rng.choice(SPICE).replace("KEY", key) + reply[at:]
    return truth, reply


def around(text: str, at: int) -> bool:
    """Whether the letter is one of a longer word."""
    near = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    return any(c.isalpha() or c in "_\\" for c in near)


def write_run(run: Path, copy: Path, replies: list[tuple[dict, str, str | None, str | None]]) -> None:
    """A run with these replies, otherwise like the first record of another run."""
    copy.mkdir()
    # Other records than the run wrote: the manifest is that of a killed run, of which nothing is known at its end.
    manifest = (run / "manifest.yaml").read_text(encoding="utf-8").split("\nfiles:")[0] + "\n"
    (copy / "manifest.yaml").write_text(manifest.replace("status: complete", "status: running"), encoding="utf-8")
    template = lines(run / "records.jsonl")[0]
    tasks = {"stack_values": "stack", "return_values": "result", "flag_states": "reachability", "fuel": "fuel"}
    with (copy / "records.jsonl").open("w", encoding="utf-8") as file:
        for index, (truth, reply, reason, refusal) in enumerate(replies):
            answer = {"verdict": "correct", "reply": reply, "finish_reason": reason, "refusal": refusal, "usage": {}}
            task = tasks[next(iter(truth))]
            record = {**template, "index": index, "id": str(index), "task": task, "truth": truth, "answer": answer}
            record.update(program="(module)", probes=[], model=MODEL)
            file.write(json.dumps({key: held for key, held in record.items() if held is not None}) + "\n")


def single(number: float | None) -> float | None:
    """Rounded to 32 bits, as records have shares."""
    return None if number is None else struct.unpack("<f", struct.pack("<f", number))[0]


def check(bench: Bench, run: Path, grade, count: int) -> None:
    """Has both grade so many replies."""
    rng = random.Random(5)
    replies = []
    for _ in range(count):
        truth, reply = made(rng)
        reason = rng.choice(REASONS) if rng.random() < 0.1 else None
        refusal = rng.choice(["", " ", "no"]) if rng.random() < 0.02 else None
        replies.append((truth, reply, reason, refusal))
    for truth in TRUTHS:
        key = next(iter(truth))
        for piece in ("{", "[", "<OUTPUT>", key, f'{{"{key}":[', '"', "```", "1,", "}"):
            long = piece * (200_000 // len(piece))
            replies += [(truth, long, None, None), (truth, f"<OUTPUT>{long}</OUTPUT>", None, None)]
    copy = bench.work / "replies"
    write_run(run, copy, replies)
    replayed = Path(bench.json("eval", "--replay", str(copy), "--log-dir", "runs")["run_dir"])
    verdicts: dict[str, int] = {}
    graded = lines(bench.work / replayed / "records.jsonl")
    assert len(graded) == len(replies), f"{len(graded)} of {len(replies)} replies came back"
    for (truth, reply, reason, refusal), record in zip(replies, graded):
        answer = record["answer"]
        expected = (answer["verdict"], answer["slots"], answer.get("wrong_share"))
        given = grade(reply, truth, reason, refusal)
        share = single(given["wrong_share"])
        if (given["verdict"], given["slots"]) != expected[:2] or share != single(expected[2]):
            raise SystemExit(
                f"{reply[:400]!r} ({reason!r}, {refusal!r}) against {truth}: the judge says {expected}, grade.py says {given}"
            )
        verdicts[answer["verdict"]] = verdicts.get(answer["verdict"], 0) + 1
    assert verdicts["correct"] > count // 50 and verdicts["wrong"] > count // 50, verdicts
    told = ", ".join(f"{verdict} {n}" for verdict, n in sorted(verdicts.items()))
    print(f"grade.py: {len(replies)} replies graded as the judge does ({told})", flush=True)
