"""Grades replies exactly as `harness eval` does, with the standard library alone.

`grade(reply, truth)` takes the text of a reply and the truth of an item, as
`{"stack_values": [{"type": "i32", "value": "30"}]}`, `{"flag_states": {"FLAG_0": true}}`,
`{"return_values": [...]}` or `{"fuel": 17}` (or the JSON text of it), and returns
`{"verdict": ..., "slots": [...], "wrong_share": ...}`.

What the model thought (between `<think>` and `</think>` and their like) is no answer; a thought that was never closed leaves
a reply that is truncated. The answer is the last `<OUTPUT>...</OUTPUT>` of the rest, else the last JSON object with the task's key. Integers are compared by
their bits, floats by their bits after the decimal was rounded once to their type; any NaN equals any NaN.
This file is copied beside every exported task, so that each is whole by itself.
"""

import json
import math
import re
import struct
from decimal import Decimal

# What Unicode calls white space. `str.strip()` takes more.
SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
TYPES = ("i32", "i64", "f32", "f64", "v128", "funcref", "externref")
OTHER_NAMES = {"int32": "i32", "int64": "i64", "float32": "f32", "float64": "f64", "double": "f64"}

WHOLE = {"", "null", "stop", "stop_sequence", "end_turn", "end", "eos", "eos_token", "complete", "completed"}
DECLINED = {
    "content_filter", "content_filtered", "safety", "refusal", "prohibited_content", "recitation", "blocklist", "spii",
    "guardrail_intervened",
}
CUT_OFF = {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "incomplete"}


def grade(reply, truth, finish_reason=None, refusal=None):
    """The verdict on a reply, with what is right of it."""
    truth = json.loads(truth) if isinstance(truth, str) else truth
    reason = lower((finish_reason or "").strip(SPACE))
    if (refusal or "").strip(SPACE) or reason in DECLINED:
        return unread("refusal")
    answer, is_open = told(reply or "")
    if reason in CUT_OFF or is_open:
        return unread("truncated")
    if reason in WHOLE:
        return read(answer, truth) if answer.strip(SPACE) else unread("no_response")
    # Nobody knows whether it is whole; no accident makes it correct.
    graded = read(answer, truth)
    return graded if graded["verdict"] == "correct" else unread("truncated")


def unread(verdict):
    return {"verdict": verdict, "slots": [], "wrong_share": None}


def compared(slots, surplus):
    count = len(slots) + surplus
    wrong = count - sum(slots)
    share = wrong / count if count else 0.0
    return {"verdict": "wrong" if wrong else "correct", "slots": slots, "wrong_share": share}


def read(reply, truth):
    ((key, answer),) = truth.items()
    if isinstance(answer, list):
        given = find(reply, key, list_of_values, list_of_values, annotations)
        return unread("invalid_format") if given is None else compare_values(given, answer)
    if isinstance(answer, dict):
        given = find(reply, key, given_flags, given_flags, lines_of_flags)
        return unread("invalid_format") if given is None else compare_flags(given, answer)
    given = find(reply, key, amount, lambda _: None, amount_of)
    return unread("invalid_format") if given is None else compared([integer(clean(given)) == int(answer)], 0)


def compare_values(given, truth):
    def right(at, value):
        bits = value_of(given[at], value["type"]) if at < len(given) else None
        return bits is not None and same(value["type"], bits, truth_bits(value["type"], value["value"]))

    slots = [right(at, value) for at, value in enumerate(truth)]
    return compared(slots, max(len(given) - len(truth), 0))


def compare_flags(given, truth):
    by_name, states = given
    if by_name is None:
        return compared([at < len(states) and states[at] == state for at, state in enumerate(truth.values())], 0)
    return compared([by_name.get(lower(name)) == state for name, state in truth.items()], 0)


def same(ty, bits, truth):
    return bits == truth or (is_nan(ty, bits) and is_nan(ty, truth))


def is_nan(ty, bits):
    if ty == "f32":
        return bits & 0x7FFFFFFF > 0x7F800000
    return ty == "f64" and bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000


# What was thought, and what was answered.

# Opening marker, closing marker, and what they are worth. "alone": the closing one ends any thought, one that nothing opened
# too. "own": it ends what its own family opened. "said": both are sentences that anybody may write; the opening one counts
# at the start of a reply, the closing one after any such opening.
FAMILIES = [
    ("<think>", "</think>", "alone"),
    ("<thinking>", "</thinking>", "alone"),
    ("<thought>", "</thought>", "alone"),
    ("<reasoning>", "</reasoning>", "alone"),
    ("[THINK]", "[/THINK]", "alone"),
    ("<seed:think>", "</seed:think>", "alone"),
    ("<longcat_think>", "</longcat_think>", "alone"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7", "alone"),
    ("<|begin_of_thought|>", "<|end_of_thought|>", "alone"),
    ("<|START_THINKING|>", "<|END_THINKING|>", "alone"),
    ("<|channel>thought", "<channel|>", "alone"),
    ("<unused94>thought", "<unused95>", "alone"),
    ("<unused94>", "<unused95>", "alone"),
    ("<scratchpad>", "</scratchpad>", "alone"),
    ("<analysis>", "</analysis>", "alone"),
    ("<reflection>", "</reflection>", "alone"),
    ("<think_start>", "<think_end>", "alone"),
    ("<|think_start|>", "<|think_end|>", "alone"),
    ("<|channel|>analysis<|message|>", "<|end|>", "own"),
    ("<|channel|>commentary<|message|>", "<|end|>", "own"),
    ("", "<|channel|>final<|message|>", "alone"),
    ("", "<|channel|>final <|constrain|>json<|message|>", "alone"),
    ("Here is my thought process:", "Here is my response:", "said"),
    ("Here's my thought process:", "Here's my response:", "said"),
    ("Here\u2019s my thought process:", "Here\u2019s my response:", "said"),
]
# By marker, in capitals: the closing marker of its family, what that is worth, and whether this one opens.
MARKERS = {}
for _open, _close, _kind in FAMILIES:
    for _marker, _opens in ((_open, True), (_close, False)):
        if _marker:
            MARKERS.setdefault(_marker.translate(UPPER), (_close, _kind, _opens))
MARK = re.compile("|".join(re.escape(marker) for marker in sorted(MARKERS, key=len, reverse=True)))


def told(reply):
    """What was answered, and whether a thought was opened and never closed."""
    shout = reply.translate(UPPER)
    ends = [at for at in (reply.find("}"), shout.find("</OUTPUT>")) if at >= 0]
    first, last = ends[0] if ends else None, max(map(reply.rfind, "{[<"))
    begin = len(reply) - len(reply.lstrip(SPACE))
    # `inside` has the closing markers of what was opened inside of the open thought.
    answers, start, opened, inside = [], 0, None, set()
    for mark in MARK.finditer(shout):
        if reply.endswith(QUOTES, 0, mark.start()) and reply.startswith(QUOTES, mark.end()):
            continue
        close, kind, opens = MARKERS[mark[0]]
        if opens and kind == "said" and mark.start() > begin:
            continue
        answered = first is not None and first < mark.start() and last < mark.end()
        is_mention = answered and is_prose(reply, mark.start(), -1) and is_prose(reply, mark.end(), 1)
        if opened is None and opens and not is_mention:
            answers.append(reply[start : mark.start()])
            opened, start, inside = (close, kind, mark), mark.end(), set()
        elif opened is not None and opens:
            inside.add(close)
        elif opened is None and kind == "alone" and not opens and not is_mention:
            answers, start = [], mark.end()
        elif opened is not None and is_end(close, kind, opened, inside):
            opened, start = None, mark.end()
    answers.append(reply[start:] if opened is None else reply[opened[2].start() : opened[2].end()])
    return "".join(answers), opened is not None


def is_end(close, kind, opened, inside):
    """Whether this closing marker ends the open thought, inside of which those families were opened."""
    if close == opened[0]:
        return True
    return close not in inside if kind == "alone" else kind == opened[1] == "said"


QUOTES = ("`", '"', "'", "\u201c", "\u201d")


def is_prose(reply, at, step):
    """Whether a word stands before (-1) or behind (1) this place on its line."""
    at -= step < 0
    while 0 <= at < len(reply) and reply[at] in " \t":
        at += step
    return 0 <= at < len(reply) and reply[at] not in "\n\r>}]"


# Where the answer stands.

TAG = re.compile("<OUTPUT>|</OUTPUT>")


def tags(reply):
    """The tags that are used, not spoken of, in order: where each starts, and whether it opens."""
    shout = reply.translate(UPPER)
    found = [[tag.start(), tag[0] == "<OUTPUT>", is_spoken_of(shout, tag)] for tag in TAG.finditer(shout)]
    for opened, close in zip(found, found[1:]):
        if opened[1] and not close[1] and is_spoken_pair(shout, opened[0], close[0]):
            opened[2] = close[2] = True
    return [(at, opens) for at, opens, spoken in found if not spoken]


def is_spoken_pair(shout, opened, close):
    """Whether two tags are spoken of together. In quotes, nothing or `{"fuel": ...}` may stand in between."""
    between = shout[opened + len("<OUTPUT>") : close].strip(SPACE)
    if (in_prose(shout, opened) and between in ("AND", "OR")) or is_placeholder(between):
        return True
    is_quoted = shout.endswith(QUOTES[:3], 0, opened) and shout.startswith(QUOTES[:3], close + len("</OUTPUT>"))
    is_cut_short = ("..." in between or "\u2026" in between) and not re.search("[0-9]", between)
    return is_quoted and (not between or is_cut_short)


NAMES = {"YOUR", "THE", "MY", "FINAL", "JSON", "ANSWER", "OBJECT", "HERE"}


def is_placeholder(shout):
    """Whether this only holds the place of an answer: dots, or words that name one, as in `{...}` and `[your answer]`."""
    text = shout.strip(SPACE + "{}[]()<>\"'`")
    return bool(text) and (not text.strip(".\u2026") or all(word in NAMES for word in text.split(" ")))


def is_spoken_of(shout, tag):
    after = shout[tag.end() : tag.end() + 4]
    quoted = shout.endswith(QUOTES[:3], 0, tag.start()) and after.startswith(QUOTES[:3])
    return quoted or (in_prose(shout, tag.start()) and after == " TAG")


def in_prose(shout, at):
    """Whether a word stands before this place on its line."""
    at -= 1
    while at >= 0 and shout[at] == " ":
        at -= 1
    return at >= 0 and ("A" <= shout[at] <= "Z" or shout[at] == ",")


def find(reply, key, keyed, bare, plain):
    """The answer in a reply; `None` if there is none that can be read whole."""
    used = tags(reply)
    start = max((at + len("<OUTPUT>") for at, opens in used if opens), default=None)
    close = max((at for at, opens in used if not opens), default=-1)
    if close < 0:
        # Only the closing tag is forgiven: what stands before the opening one is a draft.
        return outside_block(reply[start or 0 :], key, keyed, bare)
    if start is None:
        return outside_block(reply, key, keyed, bare)
    if start > close:
        # A new answer was begun after the last one and never ended.
        return None
    block = reply[start:close]
    found = outside_block(block, key, keyed, bare)
    return plain(unfenced(block)) if found is None else found


def outside_block(text, key, keyed, bare):
    found = plainly(text, key, keyed, bare)
    if found is None and '\\"' in text:
        # JSON that was quoted once more.
        found = plainly(text.replace('\\"', '"').replace("\\n", "\n"), key, keyed, bare)
    if found is None and "&" in text:
        # JSON that was escaped for HTML.
        for entity, quote in ENTITIES:
            text = text.replace(entity, quote)
        found = plainly(text, key, keyed, bare)
    return found


ENTITIES = (("&quot;", '"'), ("&#34;", '"'), ("&#x22;", '"'), ("&apos;", "'"), ("&#39;", "'"), ("&#x27;", "'"))


def plainly(text, key, keyed, bare):
    found = whole_answer(unfenced(text), key, keyed, bare)
    return last_object(text, key, keyed) if found is None else found


def whole_answer(text, key, keyed, bare):
    if not text.startswith(("{", "[")):
        return None
    scanner = Scanner(text, 0)
    value = scanner.value(0)
    if value is None or scanner.peek() is not None:
        return None
    answer = get(value, key)
    return bare(value) if answer is None else keyed(answer)


def last_object(text, key, keyed):
    """The object with the last key in it; one that cannot be read gives no way to those before it."""
    opened, found = [], None
    for match in re.finditer(r"[{}]|" + re.escape(key), text):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}":
            if opened:
                opened.pop()
        elif opened:
            found = opened[-1]
    if found is None:
        return None
    answer = get(Scanner(text, found).value(0), key)
    return None if answer is None else keyed(answer)


def unfenced(text):
    """The text without the Markdown fence around it, of which either end may be missing."""
    text = text.strip(SPACE)
    text = text.removesuffix("```").rstrip(SPACE)
    if not text.startswith("```"):
        return text
    return text[3 + len(word_at_start(text[3:])) :].strip(SPACE)


def word_at_start(text):
    return re.match(r"[0-9A-Za-z]*", text)[0]


# JSON as models write it. A value is ("text", s), ("word", s), ("list", [...]) or ("map", [(key, value), ...]).


def get(value, key):
    """The last value under this key, if this is an object that has it."""
    if value is None or value[0] != "map":
        return None
    key = lower(key)
    return next((inner for name, inner in reversed(value[1]) if lower(name) == key), None)


class Scanner:
    """Reads trailing commas, comments, bare words, single and typographic quotes; numbers stay text."""

    MAX_DEPTH = 16
    NOT_SPACE = re.compile(f"[^{SPACE}]")
    COMMENT = "|//|/\\*|#|;;"
    # A flag as programs write it is no comment.
    MARKED_NAME = re.compile(";; *flag_", re.IGNORECASE | re.ASCII)
    END_OF_WORD = re.compile(r'[,{}\[\]"\n]' + COMMENT)
    END_OF_KEY = re.compile(f"[:{SPACE},{{}}\\[\\]]" + COMMENT)
    # What ends a text that is begun with this quote.
    CLOSING = {
        '"': '"',
        "'": "'",
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '\u201d\u201c"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "\u2019\u2018'"),
        "\xab": "\xbb",
    }
    ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

    def __init__(self, text, at):
        self.text, self.at = text, at

    def peek(self):
        """The next character that is neither white space nor in a comment; moves up to it."""
        while True:
            match = self.NOT_SPACE.search(self.text, self.at)
            self.at = match.start() if match else len(self.text)
            if self.MARKED_NAME.match(self.text, self.at):
                return ";"
            for opened, close in (("//", "\n"), ("/*", "*/"), ("#", "\n"), (";;", "\n")):
                if self.text.startswith(opened, self.at):
                    end = self.text.find(close, self.at + len(opened))
                    self.at = len(self.text) if end < 0 else end + len(close)
                    break
            else:
                return match[0] if match else None

    def value(self, depth):
        start = self.peek()
        if depth > self.MAX_DEPTH or start is None:
            return None
        if start == "{":
            return self.map(depth)
        if start == "[":
            return self.list(depth)
        kind, text = ("text", self.string()) if start in self.CLOSING else ("word", self.until(self.END_OF_WORD))
        return None if text is None else (kind, text)

    def list(self, depth):
        self.at += 1
        items = []
        while True:
            start = self.peek()
            if start is None:
                return None
            if start in "],":
                self.at += 1
                if start == "]":
                    return ("list", items)
                continue
            items.append(self.value(depth + 1))
            if items[-1] is None:
                return None

    def map(self, depth):
        self.at += 1
        entries = []
        while True:
            start = self.peek()
            if start is None:
                return None
            if start in "},":
                self.at += 1
                if start == "}":
                    return ("map", entries)
                continue
            key = self.string() if start in self.CLOSING else self.until(self.END_OF_KEY)
            if key is None or self.peek() != ":":
                return None
            self.at += 1
            value = self.value(depth + 1)
            if value is None:
                return None
            entries.append((key, value))

    def string(self):
        """A quoted string; an escape that JSON does not know stands for itself."""
        ends, parts, at = self.CLOSING[self.text[self.at]], [], self.at + 1
        special = re.compile(f"[{ends}\\\\]")
        while True:
            match = special.search(self.text, at)
            if match is None:
                return None
            parts.append(self.text[at : match.start()])
            at = match.end()
            if match[0] in ends:
                self.at = at
                return "".join(parts)
            if at >= len(self.text):
                return None
            escaped = self.text[at]
            at += 1
            if escaped == "u":
                digits = re.compile(r"[0-9A-Fa-f]{4}").match(self.text, at)
                if digits is None:
                    return None
                at, code = at + 4, int(digits[0], 16)
                parts.append("\ufffd" if 0xD800 <= code < 0xE000 else chr(code))
            else:
                parts.append(self.ESCAPES.get(escaped, escaped))

    def until(self, stop):
        marks = 2 if self.MARKED_NAME.match(self.text, self.at) else 0
        match = stop.search(self.text, self.at + marks)
        end = match.start() if match else len(self.text)
        word = self.text[self.at : end].strip(SPACE)
        self.at = end
        return word or None


# Answers in the shapes that models use. A given value is (type or None, number as text).


def given_value(ty, number):
    if ty is None:
        fits = is_number(number) or parse("v128", number) is not None or parse("funcref", number) is not None
    elif ty in ("v128", "funcref", "externref"):
        fits = parse(ty, number) is not None
    else:
        # One that its type has no room for is a number all the same.
        fits = is_number(number)
    return (ty, number.strip(SPACE)) if fits else None


def value_of(given, ty):
    own, number = given
    return parse(ty, number) if own is None or own == ty else None


def value_from_text(text):
    """`i32(10)`, `i32.const 10`, `i32: 10`, or a number alone."""
    text = text.strip(SPACE)
    head = word_at_start(text)
    ty = type_of(head)
    if ty is None:
        return given_value(None, text)
    rest = text[len(head) :].lstrip(SPACE)
    if rest.startswith(".const"):
        rest = rest[len(".const") :]
    elif rest.startswith(":"):
        rest = rest[1:]
    rest = rest.strip(SPACE)
    bare = rest[1:-1] if len(rest) > 1 and rest[0] == "(" and rest[-1] == ")" else rest
    return given_value(ty, bare)


def value_from_json(value):
    kind, held = value
    if kind == "list" or (kind == "word" and lower(held) == "null"):
        # Who leaves a value out does not mean a null reference.
        return None
    if kind != "map":
        return value_from_text(held)
    inner = get(value, "value")
    if inner is not None:
        return value_beside(inner, get(value, "type"))
    if len(held) != 1 or held[0][1][0] not in ("text", "word"):
        return None
    ty = type_of(held[0][0])
    return None if ty is None else given_value(ty, held[0][1][1])


def value_beside(value, ty):
    """A value with a type beside it; the lanes of a vector may be a list."""
    kind, held = value
    if kind == "word" and lower(held) == "null":
        named = type_of(ty[1]) if ty is not None and ty[0] in ("text", "word") else None
        return None if named is None else given_value(named, held)
    if kind in ("text", "word"):
        return typed(value_from_text(held), ty)
    if kind == "map" or any(lane[0] not in ("text", "word") for lane in held):
        return None
    return typed(given_value("v128", " ".join(lane[1] for lane in held)), ty)


def typed(given, beside):
    """The same with the type that stands beside it; `None` if what is meant cannot be known."""
    if given is None or beside is None:
        return given
    if beside[0] not in ("text", "word"):
        return None
    word = beside[1].strip(SPACE)
    if not word or lower(word) == "null":
        return given
    ty = type_of(word)
    if ty is None or given[0] not in (None, ty):
        return None
    return given_value(ty, given[1])


def type_of(word):
    name = lower(word.strip(SPACE))
    return name if name in TYPES else OTHER_NAMES.get(name)


def every(read_one, items):
    """All of them read; `None` if one cannot be."""
    found = [read_one(item) for item in items]
    return None if any(one is None for one in found) else found


def list_of_values(value):
    return every(value_from_json, value[1]) if value[0] == "list" else None


def annotations(text):
    return every(value_from_text, parts(text)) or None


def parts(text):
    return [part for part in (part.strip(SPACE) for part in re.split(r"[,\n]", text)) if part]


def given_flags(value):
    """The states of flags: ({name: state}, None), or (None, [state, ...]) in the order of the text."""
    if value[0] == "list":
        states = every(state, value[1])
        return None if states is None else (None, states)
    if value[0] != "map":
        return None
    flags = every(lambda entry: pair(flag_name(entry[0]), state(entry[1])), value[1])
    return None if flags is None else ({lower(name): given for name, given in flags}, None)


def lines_of_flags(text):
    def flag(part):
        split = re.split(r"[:=]", part, maxsplit=1)
        return pair(flag_name(split[0]), state_of(split[1])) if len(split) == 2 else None

    flags = every(flag, parts(text))
    return ({lower(name): given for name, given in flags}, None) if flags else None


def pair(name, given):
    return None if name is None or given is None else (name, given)


def flag_name(text):
    name = text.strip(SPACE).lstrip(";").strip(SPACE)
    return name if lower(name[:5]) == "flag_" else None


def state(value):
    return state_of(value[1]) if value[0] in ("text", "word") else None


def state_of(word):
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(lower(word.strip(SPACE)))


def amount(value):
    return amount_of(value[1]) if value[0] in ("text", "word") else None


def amount_of(text):
    return text.strip(SPACE) if is_number(text) else None


# Numbers, without losing a bit.


def lower(text):
    return text.translate(LOWER)


def clean(text):
    """Lower case, without digit separators and with the ASCII minus."""
    return lower(text.strip(SPACE)).translate(MINUS)


# Digit separators go; hyphens and dashes stand where a minus is meant.
MINUS = {ord("_"): None, **dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE63, 0xFF0D], "-")}


def is_number(text):
    return parse("f64", text) is not None or integer(clean(text)) is not None


def truth_bits(ty, text):
    if ty == "externref" and text.startswith("$x"):
        return 1 + int(text[2:])
    return parse(ty, text)


def parse(ty, text):
    """The bits that `text` says as a value of this type; `None` if it is no number of the type."""
    text = clean(text)
    if ty in ("i32", "i64"):
        number, width = integer(text), int(ty[1:])
        fits = number is not None and -(1 << (width - 1)) <= number < 1 << width
        return number & ((1 << width) - 1) if fits else None
    if ty in ("f32", "f64"):
        exact = special(text)
        if exact is None:
            exact = hex_float(text)
        if exact is None:
            return decimal_bits(ty, text)
        return float_bits(ty, exact, 0)
    return vector(text) if ty == "v128" else reference(ty, text)


def sign(text):
    return (text[:1] == "-", text[1:] if text[:1] in ("-", "+") and text else text)


def special(text):
    negative, rest = sign(text)
    if rest in ("inf", "infinity", "\u221e"):
        return -math.inf if negative else math.inf
    return math.nan if rest == "nan" or rest.startswith(("nan:", "nan(")) else None


DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?")


def decimal_bits(ty, text):
    if DECIMAL.fullmatch(text) is None:
        return None
    nearest = float(text)
    if ty == "f64" or nearest == 0 or math.isinf(nearest):
        return float_bits(ty, nearest, 0)
    # Which side of the nearest double the decimal lies on decides where that is halfway between two floats.
    exact, double = Decimal(text), Decimal(nearest)
    side = (exact > double) - (exact < double)
    return float_bits(ty, nearest, -side if nearest < 0 else side)


def float_bits(ty, number, side):
    """The bits of a float; `side` says where the magnitude that is meant lies beside that of `number`."""
    if ty == "f64":
        return struct.unpack("<Q", struct.pack("<d", number))[0]
    if math.isnan(number):
        return 0x7FC00000
    top = 0x80000000 if math.copysign(1.0, number) < 0 else 0
    magnitude = abs(number)
    if magnitude == 0 or magnitude >= 2.0**128:
        return top | (0x7F800000 if magnitude else 0)
    # In units of the last place of the float: exact, since both steps are by powers of two.
    place = max(math.frexp(magnitude)[1] - 24, -149)
    units = math.ldexp(magnitude, -place)
    floor = math.floor(units)
    rest = units - floor
    if rest > 0.5 or (rest == 0.5 and (side > 0 or (side == 0 and floor % 2))):
        floor += 1
    rounded = math.ldexp(floor, place)
    return top | (0x7F800000 if rounded >= 2.0**128 else struct.unpack("<I", struct.pack("<f", rounded))[0])


HEX = re.compile(r"[0-9a-f]+")
DIGITS = re.compile(r"[0-9]+")


def hex_float(text):
    """A hex float of the text format (`0x1.8p+1`), if a double holds it exactly."""
    negative, rest = sign(text)
    if not rest.startswith("0x"):
        return None
    mantissa, _, exponent = rest[2:].partition("p") if "p" in rest[2:] else (rest[2:], "p", "0")
    before, _, after = mantissa.partition(".")
    digits = before + after
    if HEX.fullmatch(digits) is None:
        return None
    digits = digits.lstrip("0")
    exponent = small_int(exponent)
    if len(digits) > 16 or exponent is None or abs(exponent) >= 4096:
        return None
    mantissa, exponent = int(digits or "0", 16), exponent - 4 * len(after)
    if mantissa >= 1 << 53:
        return None
    half = int(exponent / 2)
    magnitude = float(mantissa) * power_of_two(half) * power_of_two(exponent - half)
    return -magnitude if negative else magnitude


def small_int(text):
    """A whole number of 32 bits with an optional sign."""
    negative, rest = sign(text)
    if DIGITS.fullmatch(rest) is None or len(rest.lstrip("0")) > 10:
        return None
    number = -int(rest.lstrip("0") or "0") if negative else int(rest.lstrip("0") or "0")
    return number if -(1 << 31) <= number < 1 << 31 else None


def power_of_two(exponent):
    if exponent > 1023:
        return math.inf
    return 0.0 if exponent < -1023 else math.ldexp(1.0, exponent)


MAX_DIGITS = 30


def integer(text):
    """An integer in hex or decimal; `1e3` and `10.0` are integers too."""
    negative, rest = sign(text)
    if rest.startswith("0x"):
        digits = rest[2:].lstrip("0")
        if HEX.fullmatch(rest[2:]) is None or len(digits) > 24:
            return None
        magnitude = int(digits or "0", 16)
    else:
        magnitude = whole_number(rest)
    return -magnitude if negative and magnitude is not None else magnitude


def whole_number(text):
    """An unsigned decimal with a fraction and an exponent, if its value is whole and not too long."""
    mantissa, _, exponent = text.partition("e") if "e" in text else (text, "e", "0")
    before, _, after = mantissa.partition(".")
    digits = before + after
    negative, exponent = sign(exponent)
    if DIGITS.fullmatch(digits) is None or DIGITS.fullmatch(exponent) is None:
        return None
    significant = digits.rstrip("0")
    leading = significant.lstrip("0")
    if not leading:
        return 0
    exponent = exponent.lstrip("0") or "0"
    if len(exponent) > 18 or int(exponent) >= 1 << 40:
        return None
    shift = (-int(exponent) if negative else int(exponent)) + len(before) - len(significant)
    if shift < 0 or len(leading) + shift > MAX_DIGITS:
        return None
    return int(leading) * 10**shift


LANES = {"i8x16": 16, "i16x8": 8, "i32x4": 4, "i64x2": 2}


def vector(text):
    """The lanes of a vector, lane 0 first: four of 32 bits, unless a shape stands before them."""
    words = [word for word in re.split("[ ,]", text) if word]
    lanes = LANES.get(words[0], 0) if words else 0
    if lanes:
        words = words[1:]
    lanes = lanes or 4
    if len(words) != lanes:
        return None
    width, bits = 128 // lanes, 0
    for word in reversed(words):
        number = integer(word)
        if number is None or not -(1 << (width - 1)) <= number < 1 << width:
            return None
        bits = bits << width | number & ((1 << width) - 1)
    return bits


def reference(ty, text):
    """`Null`, or the number of a function: `$f3`, `ref.func 3`."""
    if text == "null" or text.startswith("ref.null"):
        return 0
    number = text[len("ref.func") :].strip(SPACE) if text.startswith("ref.func") else text
    for prefix in ("$f", "$"):
        if number.startswith(prefix):
            number = number[len(prefix) :]
            break
    index = re.fullmatch(r"\+?([0-9]+)", number)
    if ty != "funcref" or index is None or len(number) == len(text):
        return None
    digits = index[1].lstrip("0") or "0"
    return 1 + int(digits) if len(digits) <= 10 and int(digits) < 1 << 32 else None
