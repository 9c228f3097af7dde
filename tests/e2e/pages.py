"""The report pages in headless Chromium: they open without errors or requests, sort, filter, and show every item.

Usage: pages.py HARNESS FOLDER. Runs are made on the spot; pages and screenshots go to FOLDER.
"""

import json
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

HARNESS = Path(sys.argv[1]).resolve()
FOLDER = Path(sys.argv[2]).resolve()
# What a page of 10,000 items may take: the size is a promise, the time a bound that only a broken page misses.
MANY = 10_000
MOST_BYTES = 8_000_000
MOST_SECONDS = 10.0
# What a model might write to get out of its text.
HOSTILE = "</script><img src=x onerror='window.escaped=1'><script>window.escaped=1</script>"


def harness(*args, check=True):
    """Runs the program in the folder and returns what it printed."""
    done = subprocess.run([HARNESS, *map(str, args)], cwd=FOLDER, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"harness {shlex.join(map(str, args))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def evaluation(*args):
    """A run directory."""
    return json.loads(harness("eval", "--log-dir", "runs", "--json", *args))["run_dir"]


def browser(scripts=True):
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    return webdriver.Chrome(options=options)


class Page:
    """A page in the browser."""

    def __init__(self, driver, path):
        self.driver, self.path, self.url = driver, path, path.as_uri()
        self.prefers("light")

    def open(self, fragment=""):
        """Opens it anew; returns how many seconds it took until the items were there."""
        self.driver.get("about:blank")
        begun = time.perf_counter()
        self.driver.get(self.url + fragment)
        self.until("!document.getElementById('browser') || document.getElementById('browser').dataset.ready")
        return time.perf_counter() - begun

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def until(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(f"return !!({condition})"):
            assert time.monotonic() < end, f"{self.path.name}: waited in vain for {condition}"
            time.sleep(0.01)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def shot(self, name):
        self.driver.save_screenshot(str(FOLDER / f"{name}.png"))

    def width(self, pixels, height):
        metrics = {"width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": pixels < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefers(self, scheme):
        """What the system prefers; nothing moves smoothly, so that what is clicked stands still."""
        wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def stays_quiet(self):
        """No errors on the console, and no request but for the page itself."""
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        assert not errors, f"{self.path.name}: the console says {errors}"
        sent = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                sent.append(message["params"]["request"]["url"])
        others = [url for url in sent if not url.startswith((self.url, "about:", "data:"))]
        assert not others, f"{self.path.name}: it asks for {others}"


def tables_sort(page, section):
    """The first table of a section, by a column of numbers, with the mouse and with the keyboard."""
    read = """const table = document.querySelector(arguments[0] + ' table.sortable');
        const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.classList.contains('number'));
        return [...table.tBodies[0].rows].map(row => row.cells[at].dataset.sort).filter(x => x !== undefined).map(Number);"""
    button = page.find(f"{section} table.sortable th.number button")
    button.click()
    numbers = page.run(read, section)
    assert len(numbers) > 1 and numbers == sorted(numbers, reverse=True), f"a click sorts downwards: {numbers}"
    button.send_keys(Keys.ENTER)
    numbers = page.run(read, section)
    assert numbers == sorted(numbers), f"Enter turns the order around: {numbers}"
    assert page.run("return document.querySelector(arguments[0]).getAttribute('aria-sort')", f"{section} th.number") == "ascending"


def rows_filter(page, word, some):
    """The first table with an input, by a word that `some` of its rows have."""
    box = page.find("main .filters input")
    page.run("arguments[0].closest('details') && (arguments[0].closest('details').open = true)", box)
    box.send_keys(word)
    shown = page.run("""const table = arguments[0].parentNode.nextElementSibling;
        return [...table.querySelectorAll('tbody tr')].filter(row => !row.hidden).map(row => row.textContent);""", box)
    assert shown and all(word in text for text in shown) and some(len(shown)), shown
    box.clear()
    box.send_keys(" ", Keys.BACKSPACE)


def items_filter(page, total):
    """The list of items: by verdict and by text."""
    count = "document.querySelector('#browser .filters .note').textContent"
    assert page.run(f"return {count}") == f"{total:,} of {total:,}", page.run(f"return {count}")
    page.run("""const select = [...document.querySelectorAll('#browser select')].find(one => [...one.options].some(o => o.value === 'wrong'));
        select.value = 'wrong'; select.dispatchEvent(new Event('change'));""")
    verdicts = page.run("return [...document.querySelectorAll('#browser tbody .verdict')].map(cell => cell.textContent)")
    assert verdicts and set(verdicts) == {"wrong"}, verdicts
    search = page.find("#browser input[type=search]")
    search.send_keys("no text that anybody wrote")
    page.until("document.querySelectorAll('#browser tbody tr').length === 0")
    search.clear()
    search.send_keys(" ", Keys.BACKSPACE)
    page.until("document.querySelectorAll('#browser tbody tr').length > 0")
    header = page.find("#browser th.number button")
    header.click()
    numbers = page.run("""return [...document.querySelectorAll('#browser tbody tr')]
        .map(row => Number(row.querySelector('td.number').textContent.replaceAll(',', '')))""")
    assert numbers == sorted(numbers, reverse=True), numbers


def items_open(page, shot):
    """One item after the other, by mouse and keyboard."""
    page.find("#browser tbody tr td:last-child").click()
    page.until("document.getElementById('item').open")
    first = page.run("return location.hash")
    assert first.startswith("#item="), first
    assert page.run("return document.querySelectorAll('#item ol.code li').length") > 3
    assert page.run("return document.querySelectorAll('#item table.slots tbody tr').length") > 0
    page.press("j")
    page.until(f"location.hash !== {json.dumps(first)}")
    page.press("k")
    page.until(f"location.hash === {json.dumps(first)}")
    page.press(Keys.ARROW_RIGHT)
    page.until(f"location.hash !== {json.dumps(first)}")
    prompt = "[...document.querySelectorAll('#item details')].find(box => box.querySelector('summary').textContent.startsWith('Prompt'))"
    page.run(f"{prompt}.open = true")
    told, program = page.run(f"""return [{prompt}.textContent,
        [...document.querySelectorAll('#item ol.code li')].map(line => line.textContent).join('\\n')];""")
    assert program.strip() in told and "\uf8ff" not in told, "the prompt has the program where it stood"
    command = page.run("return document.querySelector('#item .command code').textContent")
    words = shlex.split(command)
    assert words[:2] == ["harness", "explain"], command
    item = words[words.index("--item") + 1]
    assert item in harness(*words[1:]), "the command explains the item"
    page.run("document.getElementById('item').scrollTop = 0")
    page.shot(shot)
    page.press(Keys.ESCAPE)
    page.until("!document.getElementById('item').open")
    assert page.run("return location.hash") == "", "closed, it is no address of an item any more"


def executions_open(page):
    """Some items have their execution, made into rows when it is opened."""
    found = page.run("""const link = [...document.querySelectorAll('main a')].find(a => a.hash.startsWith('#item='));
        return link && link.hash;""")
    assert found, "there is no link to an item"
    page.open(found)
    page.until("document.getElementById('item').open")
    opened = page.run("""const box = [...document.querySelectorAll('#item details')]
        .find(box => box.querySelector('summary').textContent.startsWith('Execution'));
        if (box) box.open = true;
        return !!box;""")
    assert opened, "an item of the list is told with its execution"
    page.until("document.querySelectorAll('#item table.trace tbody tr').length > 3")


def links_go_deep(page, item):
    page.open(f"#item={item}")
    page.until("document.getElementById('item').open")
    assert page.run("return document.getElementById('item-heading').textContent") == item
    page.press(Keys.ESCAPE)
    page.until("!document.getElementById('item').open")


def themes_change(page, shot):
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.run(f"return {ground}")
    page.shot(f"{shot}-light")
    page.find("#theme").click()
    assert page.run(f"return {ground}") != before, "the toggle changes the colours"
    page.shot(f"{shot}-dark")
    page.find("#theme").click()
    assert page.run(f"return {ground}") == before
    page.prefers("dark")
    page.run("localStorage.clear()")
    page.open()
    assert page.run(f"return {ground}") != before, "the page follows the system"
    page.prefers("light")


def phones_read(page, shot):
    page.width(390, 844)
    page.open()
    wide = page.run("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"the page is {wide} pixels wider than a phone"
    page.shot(shot)
    page.width(1280, 1000)


def nothing_overprints(page):
    """No cell runs into its neighbour, and no two labels of a picture stand on each other."""
    found = page.run("""
        const wide = [...document.querySelectorAll('main th, main td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1);
        const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
        const over = [...document.querySelectorAll('svg.chart')].flatMap(chart => {
            const labels = [...chart.querySelectorAll('text')].map(text => [text.textContent.trim(), text.getBoundingClientRect()]);
            return labels.flatMap(([a, box], at) => labels.slice(at + 1).filter(([, other]) => meet(box, other)).map(([b]) => `${a} and ${b}`));
        });
        return wide.map(cell => cell.textContent).concat(over);""")
    assert not found, found


def weaknesses_come_first(page, claims):
    """Each weakness has its smallest program, the truth in green beside the reply in red, and the first is on the first screen."""
    cards = page.run("""const tone = cell => cell && getComputedStyle(cell).color;
        const named = name => { const probe = document.createElement('p'); probe.style.color = `var(--${name})`;
            document.body.append(probe); const color = getComputedStyle(probe).color; probe.remove(); return color; };
        return [...document.querySelectorAll('.card')].map(card => ({
            title: card.querySelector('h4').textContent, end: card.querySelector('table').getBoundingClientRect().bottom,
            program: card.querySelector('pre').textContent,
            right: [...card.querySelectorAll('td:nth-child(2)')].every(cell => tone(cell) === named('right')),
            wrong: [...card.querySelectorAll('td:nth-child(3)')].some(cell => tone(cell) === named('wrong'))}));""")
    assert [card["title"].split(". ", 1)[1] for card in cards] == [claim["what"] for claim in claims], cards
    assert cards[0]["end"] < page.run("return innerHeight"), "the first weakness stands below the first screen"
    assert all(card["right"] and card["wrong"] and "(module" in card["program"] for card in cards), cards


def few_models_read(driver):
    """With one model, and with two that cost the same, everything has its room."""
    for count, models in ((1, ["sim/novice"]), (2, ["sim/novice", "sim/no-wrap"])):
        named = [word for model in models for word in ("--model", model)]
        run = json.loads(harness("eval", "--log-dir", f"few-{count}", "--json", "--suite", "smoke", *named))["run_dir"]
        harness("leaderboard", run, "--out", f"few-{count}-board")
        page = Page(driver, FOLDER / f"few-{count}-board" / "index.html")
        page.open()
        nothing_overprints(page)
        page.stays_quiet()


def leaderboard_page(driver):
    print("leaderboard")
    asked = evaluation("--suite", "smoke", "--model", "sim/novice", "--model", "sim/noise=0.4", "--model", "sim/oracle",
                       "--model", "guess/zero")
    evaluation("--suite", "smoke", "--seed", "7", "--epochs", "2", "--model", "sim/noise=0.4", "--task", "stack")
    harness("leaderboard", "runs", "--out", "leaderboard")
    total = sum(len(path.read_text().splitlines()) for path in FOLDER.glob("runs/*/records.jsonl"))
    page = Page(driver, FOLDER / "leaderboard" / "index.html")
    page.open()
    themes_change(page, "leaderboard")
    page.open()
    assert page.run("return document.querySelector('main section').id") == "overall-0", "all tasks stand first"
    nothing_overprints(page)
    tables_sort(page, "#board-0")
    rows_filter(page, "novice", lambda n: n >= 1)
    items_filter(page, total)
    items_open(page, "leaderboard-item")
    item = json.loads(Path(FOLDER, asked, "items.jsonl").read_text().splitlines()[5])["id"]
    links_go_deep(page, item)
    executions_open(page)
    phones_read(page, "leaderboard-phone")
    page.stays_quiet()


def attack_page(driver):
    """The page of an attack: what fails, what was cut down, the pictures, and every item."""
    print("attack report")
    attack = ["attack", "--preset", "broad", "--model", "sim/unsigned-as-signed", "--strategy", "random", "--log-dir", "attacks"]
    run = json.loads(harness(*attack, "--query-budget", "600", "--shrink", "3", "--json"))["run_dir"]
    report = json.loads(harness("report", run, "--json"))
    claims = report["weaknesses"]["claims"]
    page = Page(driver, Path(FOLDER, run, "report.html"))
    page.open()
    themes_change(page, "report")
    page.open()
    assert claims and "cures" in page.run("return document.getElementById('weaknesses').textContent")
    weaknesses_come_first(page, claims)
    nothing_overprints(page)
    shrunk = Path(FOLDER, run, "shrunk.jsonl").read_text().splitlines()
    assert page.run("return document.querySelectorAll('#shrunk h3').length") == len(shrunk) >= 1
    assert page.run("return document.querySelectorAll('#course svg.chart').length") == 2
    tables_sort(page, "#verdicts")
    lines = [json.loads(line) for line in Path(FOLDER, run, "records.jsonl").read_text().splitlines()]
    items_filter(page, len(shrunk) + sum(line["purpose"] in ("attack", "baseline") for line in lines))
    items_open(page, "report-item")
    cut = json.loads(shrunk[0])["record"]["id"]
    links_go_deep(page, cut)
    executions_open(page)
    phones_read(page, "report-phone")
    page.stays_quiet()


def multiplied(run, times_to):
    """A run with so many items, each with constants of its own, and replies that want to be markup."""
    copy = FOLDER / "many" / "run"
    copy.mkdir(parents=True)
    shutil.copy(Path(FOLDER, run, "manifest.yaml"), copy)
    records = [json.loads(line) for line in Path(FOLDER, run, "records.jsonl").read_text().splitlines()]
    records.sort(key=lambda record: record["index"])
    fields = ("chosen_by", "level", "id", "task", "program", "probes", "truth", "fuel", "bytes", "instructions", "canonical", "recipe")
    chance = random.Random(1)
    with open(copy / "items.jsonl", "w") as items, open(copy / "records.jsonl", "w") as lines:
        for at in range(times_to):
            record = json.loads(json.dumps(records[at % len(records)]))
            number = lambda match: match.group(1) + str(chance.randrange(1 << chance.randrange(1, 31)))
            record["program"] = re.sub(r"(i(?:32|64)\.const )-?\d+", number, record["program"])
            record["id"], record["index"], record["canonical"] = f"item-{at:05}", at, f"{chance.getrandbits(128):032x}"
            if at % 3:
                record["answer"]["verdict"] = "wrong"
            record["answer"]["reply"] = HOSTILE + (record["answer"].get("reply") or "")
            items.write(json.dumps({key: record[key] for key in fields if key in record}) + "\n")
            lines.write(json.dumps(record) + "\n")
    # Other records than the run wrote: its hashes are left out, as in runs of before there were any.
    manifest = (copy / "manifest.yaml").read_text().split("\nfiles:")[0] + "\n"
    (copy / "manifest.yaml").write_text(re.sub(r"(?m)^items: .*$", f"items: {times_to}", manifest))


def large_page(driver):
    run = evaluation("--suite", "standard", "--limit", "40", "--model", "sim/novice")
    multiplied(run, MANY)
    harness("leaderboard", "many", "--out", "many/leaderboard")
    path = FOLDER / "many" / "leaderboard" / "index.html"
    size = path.stat().st_size
    page = Page(driver, path)
    seconds = sorted(page.open() for _ in range(3))[1]
    print(f"{MANY:,} items: {size / 1e6:.2f} MB, open in {seconds:.2f} s")
    assert size < MOST_BYTES, f"{size} bytes"
    assert seconds < MOST_SECONDS, f"{seconds} seconds"
    assert page.run("return document.querySelector('#browser .filters .note').textContent") == f"{MANY:,} of {MANY:,}"
    page.find("#browser tbody a").click()
    page.until("document.getElementById('item').open")
    assert HOSTILE[:20] in page.run("return document.getElementById('item').textContent")
    assert page.run("return window.escaped === undefined && document.images.length === 0"), "what a model wrote became markup"
    page.stays_quiet()


def without_scripts():
    driver = browser(scripts=False)
    try:
        driver.get((FOLDER / "leaderboard" / "index.html").as_uri())
        said = driver.find_element(By.CSS_SELECTOR, "noscript").text
        assert "Scripts are switched off" in said, said
        assert "sim/novice" in driver.find_element(By.CSS_SELECTOR, "#board-0 table").text
        driver.save_screenshot(str(FOLDER / "leaderboard-noscript.png"))
    finally:
        driver.quit()


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    driver = browser()
    try:
        leaderboard_page(driver)
        few_models_read(driver)
        attack_page(driver)
        large_page(driver)
    finally:
        driver.quit()
    without_scripts()
    print(f"screenshots are in {FOLDER}")


main()
