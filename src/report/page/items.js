// The items: a list that filters and sorts, and one item at a time in a dialog. They come as gzipped lines of JSON, the
// last of which has what they have in common. Whatever a model wrote is set as text.

const PER_PAGE = 50;
const PLACE = "\uf8ff";

/** Programs that travelled column by column: words as characters, and what follows each word. */
const programsOf = ({ words, text, rest }) => {
  const follow = rest.map(lines => lines.split("\n"));
  const taken = words.map(() => 0);
  return text.split("\n").slice(0, -1).map(symbols => {
    let indent = "";
    const lines = [];
    for (const symbol of symbols) {
      const code = symbol.codePointAt(0);
      const at = code < 0x5c ? code - 0x23 : code < 0x7f ? code - 0x24 : code < 0xd800 ? code - 0x46 : code - 0x846;
      const word = words[at];
      if (word.startsWith(" ")) indent = " ".repeat(Number(word));
      else lines.push(indent + word + (word.endsWith(" ") ? follow[at][taken[at]++] : ""));
    }
    return lines.join("\n");
  });
};

const readItems = async data => {
  const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const lines = (await new Response(stream).text()).trimEnd().split("\n");
  const common = JSON.parse(lines.pop());
  const items = [];
  let waiting = 0;
  for (const line of lines) {
    const read = JSON.parse(line);
    if (!read.words) {
      items.push(read);
      continue;
    }
    const programs = programsOf(read);
    for (; waiting < items.length; waiting++) if (items[waiting].told) items[waiting].program = programs.shift();
  }
  return { common, items };
};

// WebAssembly text in colours: comments, strings, names, numbers, words.
const TOKEN = /(;;[^\n]*|\(;[\s\S]*?;\))|("(?:\\.|[^"\\])*")|(\$[^\s()";]+)|([+-]?(?:\d[^\s()";]*|inf\b|nan\b[^\s()";]*))|([a-z][^\s()";]*)|([\s\S])/g;
const DECLARES = new Set(("module type import export func param result local memory table global elem data start mut item "
  + "offset declare funcref externref i32 i64 f32 f64 v128").split(" "));
const PROBE = /^;;\s*(INSPECT|FLAG_)/;

/** The lines of a program, each an element; those of probes are marked. */
const programLines = text => {
  let line = make("li");
  const lines = [line];
  for (const [whole, comment, string, name, number, word] of text.matchAll(TOKEN)) {
    const kind = comment ? "comment" : string ? "string" : name ? "name" : number ? "numeral"
      : word ? (DECLARES.has(word) ? "declares" : "instruction") : null;
    if (comment && PROBE.test(comment)) line.classList.add("probe");
    whole.split("\n").forEach((part, at) => {
      if (at > 0) lines.push(line = make("li"));
      if (part) line.append(kind ? make("span", { class: kind }, part) : part);
    });
  }
  if (!line.textContent.trim()) lines.pop();
  return lines;
};

/** A word for a shell. */
const quoted = word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The items of the page. */
const openBrowser = ({ common, items }, place, dialog) => {
  const seen = new Map();
  items.forEach((item, at) => {
    if (item.same !== undefined) item.program = items[item.same].program;
    item.at = at;
    item.nth = seen.get(item.id) || 0;
    seen.set(item.id, item.nth + 1);
  });
  const href = item => `#item=${encodeURIComponent(item.id)}${item.nth ? `&n=${item.nth}` : ""}`;
  const word = text => String(text).replaceAll("_", " ");
  const verdict = name => make("span", { class: `verdict ${name}` }, word(name));

  // Columns; of those where all items agree nobody learns anything.
  const columns = [
    { key: "id", label: "item", cell: item => make("a", { href: href(item) }, item.id) },
    { key: "model", label: "model" },
    { key: "purpose", label: "asked to" },
    { key: "task", label: "task" },
    { key: "verdict", label: "verdict", cell: item => verdict(item.verdict) },
    { key: "level", label: "level", number: true },
    { key: "fuel", label: "fuel", number: true },
    { key: "bytes", label: "bytes", number: true },
    { key: "chosen_by", label: "chosen by" },
    { key: "round", label: "round", number: true },
  ];
  const always = new Set(["id", "verdict", "fuel", "bytes"]);
  const shownColumns = columns.filter(({ key }) => always.has(key) || items.some(item => item[key] !== items[0][key]));

  let sorting = null;
  let page = 0;
  let chosen = items;

  const select = (key, label) => {
    const counts = new Map();
    items.forEach(item => counts.set(item[key], (counts.get(item[key]) || 0) + 1));
    if (counts.size < 2) return null;
    const options = [...counts].sort((a, b) => b[1] - a[1])
      .map(([value, count]) => make("option", { value: value ?? "" }, `${word(value ?? "unknown")} (${grouped(count)})`));
    const element = make("select", { "aria-label": `Only this ${label}`, onchange: () => choose() },
      make("option", { value: "\u0000" }, `every ${label}`), ...options);
    element.accepts = item => element.value === "\u0000" || (item[key] ?? "") === element.value;
    return element;
  };
  const selects = [select("verdict", "verdict"), select("model", "model"), select("task", "task"), select("purpose", "purpose")]
    .filter(element => element);
  const search = make("input", { type: "search", placeholder: "text in id, program, reply", "aria-label": "Only items with this text" });
  let typing = null;
  search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(choose, 120); });
  const text = item => `${item.id}\n${item.model || ""}\n${item.program || ""}\n${item.reply ? item.reply.text : ""}`.toLowerCase();

  const choose = () => {
    const wanted = search.value.trim().toLowerCase();
    chosen = items.filter(item => selects.every(element => element.accepts(item)) && (!wanted || text(item).includes(wanted)));
    if (sorting) {
      const { key, sign } = sorting;
      const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
        : String(a ?? "").localeCompare(String(b ?? ""), "en", { numeric: true });
      chosen.sort((a, b) => sign * compare(a[key], b[key]) || a.at - b.at);
    }
    page = 0;
    draw();
  };

  const count = make("span", { class: "note", "aria-live": "polite" });
  const head = make("tr", {}, ...shownColumns.map(({ key, label, number }) => {
    const header = make("th", { scope: "col", class: number ? "number" : "" });
    header.append(make("button", { type: "button", onclick: () => {
      const sign = sorting && sorting.key === key ? -sorting.sign : (number ? -1 : 1);
      sorting = { key, sign };
      [...head.cells].forEach(cell => cell.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      choose();
    } }, label));
    return header;
  }));
  const body = make("tbody");
  const turn = by => { page += by; draw(); };
  const back = make("button", { type: "button", onclick: () => turn(-1) }, "previous");
  const on = make("button", { type: "button", onclick: () => turn(1) }, "next");
  const where = make("span", { class: "note" });

  const draw = () => {
    const pages = Math.max(1, Math.ceil(chosen.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const part = chosen.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
    body.replaceChildren(...part.map(item => {
      const cells = shownColumns.map(({ key, number, cell }) => make("td", { class: number ? "number" : "" },
        cell ? cell(item) : number && item[key] !== undefined ? grouped(item[key]) : word(item[key] ?? "")));
      return make("tr", { class: "opens", onclick: event => { if (!event.target.closest("a")) location.hash = href(item); } }, ...cells);
    }));
    count.textContent = `${grouped(chosen.length)} of ${grouped(items.length)}`;
    where.textContent = `page ${grouped(page + 1)} of ${grouped(pages)}`;
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
  };

  place.removeAttribute("aria-live");
  place.replaceChildren(
    make("div", { class: "filters" }, search, ...selects, count),
    make("div", { class: "scroll" }, make("table", { class: "items" }, make("thead", {}, head), body)),
    make("div", { class: "pages" }, back, where, on),
    make("p", { class: "note" }, "An item opens with a click. There, ", make("kbd", {}, "j"), " and ", make("kbd", {}, "k"),
      " or the arrow keys go to the next and the previous one, ", make("kbd", {}, "Esc"), " closes it."));
  choose();

  // One item.
  let current = null;

  const slots = item => {
    const said = item.slots.some(slot => slot[2] !== null);
    const rows = item.slots.map(([name, truth, answer, right]) => make("tr", { class: right === false ? "missed" : "" },
      make("th", { scope: "row" }, name), make("td", { class: "value good" }, truth),
      said ? make("td", { class: `value ${right === null ? "" : right ? "good" : "bad"}` }, answer ?? "") : null,
      make("td", {}, right === null ? "" : right ? "right" : "wrong")));
    (item.beyond || []).forEach(answer => rows.push(make("tr", { class: "missed" }, make("th", { scope: "row" }, "beyond"),
      make("td"), make("td", { class: "value bad" }, answer), make("td", {}, "too many"))));
    if (!rows.length) return make("p", { class: "note" }, "There is nothing to get right but that there is nothing.");
    const heads = [item.task === "reachability" ? "flag" : "slot", "truth", ...(said ? ["said"] : []), ""];
    return make("div", { class: "scroll" }, make("table", { class: "slots" },
      make("thead", {}, make("tr", {}, ...heads.map(label => make("th", { scope: "col" }, label)))), make("tbody", {}, ...rows)));
  };

  const quote = (title, { text, of }) => make("section", {}, make("h3", {}, title), make("pre", { class: "quote" }, text),
    of ? make("p", { class: "note" }, `Cut here: the first ${grouped(new TextEncoder().encode(text).length)} of ${grouped(of)} bytes; all of it is in records.jsonl.`) : null);

  const program = item => make("section", {}, make("h3", {}, "Program"), item.program
    ? make("ol", { class: "code", tabindex: 0, "aria-label": "Program" }, ...programLines(item.program))
    : make("p", { class: "note" }, "The page has no room for it; the command below prints it."));

  const trace = item => {
    const told = item.trace ? item : items.find(other => other.trace && other.id === item.id && other.canonical === item.canonical);
    if (!told) return null;
    const { steps, more, results } = told.trace;
    let before = null;
    const rows = [];
    steps.forEach(([depth, name, pc, line, instruction, after], at) => {
      if (name !== before) rows.push(make("tr", { class: "enters" }, make("th", { colspan: 4, scope: "rowgroup" }, `in ${name}`)));
      before = name;
      const code = make("td", { class: "value" }, instruction);
      code.style.paddingInlineStart = `${0.5 + Math.min(depth, 12)}em`;
      rows.push(make("tr", {}, make("td", { class: "number" }, grouped(at + 1)), make("td", { class: "number" }, line || ""),
        code, make("td", { class: "value" }, after)));
    });
    const end = more ? `${grouped(more)} more steps are left out. ` : "";
    const box = make("details", {}, make("summary", {}, `Execution, ${grouped(steps.length + more)} steps`));
    // Thousands of rows are made when somebody looks.
    box.addEventListener("toggle", () => {
      if (!box.open || box.dataset.made) return;
      box.dataset.made = "yes";
      box.append(make("div", { class: "scroll tall", tabindex: 0 }, make("table", { class: "trace" },
        make("thead", {}, make("tr", {}, ...["step", "line", "instruction", "operands after it"].map(label => make("th", { scope: "col" }, label)))),
        make("tbody", {}, ...rows))), make("p", { class: "note" }, `${end}Returns ${results || "nothing"}.`));
    });
    return box;
  };

  const prompt = item => {
    const known = item.prompt === undefined ? null : common.prompts[item.prompt];
    if (!known) return null;
    const box = make("details", {}, make("summary", {}, `Prompt ${known.name}`));
    if (!known.messages.length) {
      box.append(make("p", { class: "note" }, "Its text did not come with the program and is not at hand; the manifest has its hash."));
    }
    known.messages.forEach(({ role, content }) => box.append(make("h4", {}, role),
      make("pre", { class: "quote" }, content.replaceAll(PLACE, () => item.program))));
    return box;
  };

  const others = item => {
    if (seen.get(item.id) < 2) return null;
    const same = items.filter(other => other.id === item.id && other.canonical === item.canonical && other !== item);
    if (!same.length) return null;
    const name = other => other.model && other.model !== item.model ? other.model : `${word(other.purpose)}, round ${other.round}`;
    return make("section", {}, make("h3", {}, "The same item"), make("ul", { class: "plain" }, ...same.map(other =>
      make("li", {}, make("a", { href: href(other) }, name(other)), " ", verdict(other.verdict)))));
  };

  const facts = item => {
    const all = [["model", item.model], ["task", item.task], ["level", item.level], ["fuel", grouped(item.fuel)],
      ["bytes", grouped(item.bytes)], ["chosen by", item.chosen_by], ["asked to", item.purpose],
      [item.purpose === "eval" ? "epoch" : "round", item.round], ["number", item.index], ["stopped by", item.finish_reason],
      ["form", item.canonical], ...(item.notes || [])];
    return make("dl", { class: "facts" }, ...all.filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
  };

  const show = item => {
    current = item;
    const command = `harness explain ${quoted(common.runs[item.run])} --item ${quoted(item.id)}`;
    const button = (label, keys, action, disabled) => make("button", { type: "button", title: keys, onclick: action, disabled }, label);
    const at = chosen.indexOf(item);
    dialog.replaceChildren(
      make("header", {},
        make("h2", { id: "item-heading", tabindex: -1 }, item.id), verdict(item.verdict),
        make("div", { class: "steps" },
          button("previous", "k or arrow left", () => step(-1), at === 0),
          button("next", "j or arrow right", () => step(1), at === chosen.length - 1),
          button("close", "Esc", () => dialog.close(), false))),
      ...[facts(item), make("section", {}, make("h3", {}, "Truth and answer"), slots(item)),
        item.trouble ? quote("Refusal or trouble", item.trouble) : null, program(item), trace(item),
        item.reasoning ? quote("Reasoning", item.reasoning) : null, item.reply ? quote("Reply", item.reply) : null, prompt(item),
        make("section", {}, make("h3", {}, "Look closer"),
          withCopy(make("div", { class: "command" }, make("code", {}, command)))), others(item)].filter(part => part));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.querySelector("h2").focus();
    const marked = dialog.querySelector(".code .probe");
    const box = dialog.querySelector(".code");
    if (marked && box) box.scrollTop = marked.offsetTop - box.clientHeight / 2;
  };

  /** The next or previous item of those that are listed. */
  const step = by => {
    const next = chosen[chosen.indexOf(current) + by];
    if (!next) return;
    history.replaceState(null, "", href(next));
    show(next);
  };

  dialog.addEventListener("keydown", event => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "ArrowRight") step(1);
    else if (event.key === "k" || event.key === "ArrowLeft") step(-1);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    const row = [...body.rows].find(row => row.querySelector("a").getAttribute("href") === location.hash);
    if (location.hash.startsWith("#item=")) history.replaceState(null, "", location.pathname + location.search);
    current = null;
    if (row) row.querySelector("a").focus();
  });

  const follow = () => {
    const found = /^#item=([^&]*)(?:&n=(\d+)|&form=(\w+))?$/.exec(location.hash);
    if (!found) return dialog.open ? dialog.close() : undefined;
    let id = found[1];
    try { id = decodeURIComponent(id); } catch { /* Then it is the name as it stands. */ }
    const item = items.find(item => item.id === id && (found[3] ? item.canonical.replace(/\W/g, "") === found[3] : item.nth === Number(found[2] || 0)));
    if (item) show(item);
    else where.textContent = `there is no item ${id} on this page`;
  };
  addEventListener("hashchange", follow);
  follow();
  place.dataset.ready = "yes";
};

{
  const data = document.getElementById("item-data");
  const place = document.getElementById("browser");
  if (data && typeof DecompressionStream === "undefined") {
    place.replaceChildren(make("p", { class: "notice" }, "This browser cannot open compressed data (DecompressionStream); any of 2023 or later can."));
  } else if (data) {
    readItems(data.textContent).then(
      read => openBrowser(read, place, document.getElementById("item")),
      error => place.replaceChildren(make("p", { class: "notice" }, `The items cannot be opened: ${error}`)));
  }
}
