"""Applies the additions of docs/adding.md to a copy of the sources, builds it, and sees each addition work.

Usage: adding.py SOURCES TARGET. A fenced block belongs where the line above it says (`file`, after|before|in place of
`text`; or: a new file `file`), a row of a table (in, where, line) where its cells say. Blocks of `sh` are run at the end.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

SOURCES, TARGET = Path(sys.argv[1]), Path(sys.argv[2])
PLACE = re.compile(r"(after|before|in place of) `([^`]+)`:?$")


def fail(what):
    sys.exit(f"adding.py: {what}")


def put(file, how, text, lines):
    """Puts lines beside, or in place of, the one line of the file that has this text."""
    path = SOURCES / file
    old = path.read_text().split("\n")
    found = [at for at, line in enumerate(old) if text in line]
    if len(found) != 1:
        fail(f"`{text}` stands in {len(found)} lines of {file}, and should in one")
    at = found[0]
    first, last = {"after": (at + 1, at + 1), "before": (at, at), "in place of": (at, at + 1)}[how]
    path.write_text("\n".join(old[:first] + lines + old[last:]))


def code(cell):
    """The lines of a cell: pieces of code with breaks between them."""
    pieces = [piece.strip() for piece in cell.replace(r"\|", "|").split("<br>")]
    return [piece[1:-1] for piece in pieces]


def row(cells, head):
    """Applies a row of a table: indented as the line that it stands beside."""
    (file,), lines = code(cells[0]), code(cells[2])
    how, text = (head[1], code(cells[1])[0]) if head[1] != "where" else PLACE.match(cells[1].strip()).groups()
    anchors = [line for line in (SOURCES / file).read_text().split("\n") if text in line]
    indent = re.match(" *", anchors[0]).group() if anchors else ""
    put(file, how, text, [indent + line for line in lines])


def block(above, info, lines):
    """Applies a block by the end of the text above it."""
    new = re.search(r"new file\s+`([^`]+)`:$", above)
    beside = re.search(r"In\s+`([^`]+)`,\s+(after|before|in place of)\s+`([^`]+)`:$", above)
    if new:
        path = SOURCES / new.group(1)
        if path.exists():
            fail(f"{new.group(1)} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    elif beside:
        put(*beside.groups(), lines)
    else:
        fail(f"nothing says where this block of {info} belongs:\n" + "\n".join(lines))


def follow(page):
    """Applies everything; the commands of each section."""
    commands, section, above, head, fence, ended = {}, None, "", None, None, False
    for line in page.split("\n"):
        if fence:
            if line == fence:
                (commands.setdefault(section, []).extend(body) if info == "sh" else block(above, info, body))
                fence, above, ended = None, "", False
            else:
                body.append(line)
        elif opening := re.match(r"(```+)(\w+)$", line):
            fence, info, body = opening.group(1), opening.group(2), []
        elif line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if head is None:
                head = cells
            elif not set(line) <= set("|-"):
                row(cells, head)
        else:
            head = None
            section = line[3:] if line.startswith("## ") else section
            # The text above a block is the paragraph that an empty line sets off from it.
            above = f"{above} {line}".strip() if line and not ended else line or above
            ended = not line
    return commands


def run(command, **more):
    """Runs a command line in the copy; what it printed."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=SOURCES, text=True, stdout=subprocess.PIPE, **more)
    if done.returncode:
        fail(f"exit code {done.returncode} of: {command}")
    return done.stdout


def told(command):
    """The object that a verb prints."""
    return json.loads(run(f"{command} --json", stderr=subprocess.DEVNULL))


def expect(holds, what):
    if not holds:
        fail(what)


def check_instruction(commands):
    run("\n".join(commands))
    name = "i16x8.relaxed_dot_i8x16_i7x16_s"
    having = run(f"grep -l {name} relaxed/items/*.wat | wc -l")
    vector = "v128.const i8x16 " + " ".join(map(str, range(-8, 8)))
    (SOURCES / "dot.wat").write_text(f'(module (func (export "run") (result i32) {vector} {vector} {name} i16x8.extract_lane_s 0))')
    found = told("harness inspect dot.wat")
    # (-8)(-8) + (-7)(-7)
    expect(found["return_values"] == [{"type": "i32", "value": "113"}] and found["confirmed"], f"the dot product is {found}")
    expect(int(having) >= 10, f"{having.strip()} of 40 items have {name}")
    return f"{having.strip()} of 40 items have {name}, each confirmed by wasmtime"


def check_task(commands):
    rows = {row["model"]: row for row in told("\n".join(commands))["rows"]}
    expect(all(row["task"] == "globals" and row["items"] == 40 for row in rows.values()), f"the rows are {rows}")
    right = {model: row["accuracy_strict"] for model, row in rows.items()}
    expect(right["sim/oracle"] == 1.0, f"the oracle is right on {right['sim/oracle']}")
    expect(right["guess/zero"] < 0.2 and right["sim/novice"] < 1.0, f"the shares right are {right}")
    return f"40 items of globals: {right}"


def check_provider(commands):
    server = subprocess.Popen(["harness", "serve", "--addr", "127.0.0.1:0", "--json"], cwd=SOURCES, text=True, stdout=subprocess.PIPE)
    try:
        os.environ["ENDPOINT"] = json.loads(server.stdout.readline())["base_url"]
        listed, probed = told(commands[0]), told(commands[1])
    finally:
        server.terminate()
        server.wait()
    expect([row["key_variable"] for row in listed["providers"]] == ["GROQ_API_KEY"], f"listed is {listed}")
    expect(probed["verdict"] == "correct", f"the probe came to {probed}")
    return "groq/ is listed, and answers through a stand-in"


def check_strategy(commands):
    found = told("\n".join(commands))
    expect(found["strategy"] == "last-miss" and 0 < found["queries"] <= 400, f"the attack came to {found}")
    rate, chance = found["miss_rate_last_quarter"], found["baseline_miss_rate"]
    expect(rate > 2 * chance, f"missed in the last quarter {rate}, by chance {chance}")
    return f"last-miss spent {found['queries']} queries, missed {rate:.2f} in the last quarter, by chance {chance:.2f}"


def main():
    # What is not formatted now is not the page's doing.
    run("cargo fmt")
    commands = follow((SOURCES / "docs/adding.md").read_text())
    # Built once and hardly run: what compiles soonest. Other crates keep their profile, and so what is built of them.
    quick = {"CARGO_PROFILE_DEV_OPT_LEVEL": "0", "CARGO_PROFILE_DEV_DEBUG": "false", "CARGO_INCREMENTAL": "0"}
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET), **quick)
    run("cargo fmt --check >&2", env=environment)
    run("cargo build --locked", env=environment)
    os.environ["PATH"] = f"{TARGET}/debug:{os.environ['PATH']}"
    checks = {
        "An instruction": check_instruction,
        "A task": check_task,
        "A provider": check_provider,
        "A strategy": check_strategy,
    }
    expect(set(checks) == set(commands), f"the sections are {sorted(commands)}")
    for section, check in checks.items():
        print(f"{section}: {check(commands[section])}", flush=True)
    print("adding.md: all four additions were made as written, and work")


main()
