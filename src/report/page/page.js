// The theme, tables that sort and filter, lines that copy. Text is only ever set as text.
"use strict";

/** An element with properties and children; strings become text. */
const make = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
};

/** Numbers as the tables write them: 12,345. */
const grouped = number => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

// The theme: that of the system until somebody chooses.
{
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const key = "wasmweaver-theme";
  const stored = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const shown = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const tell = () => {
    const other = shown() === "dark" ? "light" : "dark";
    button.textContent = other;
    button.setAttribute("aria-label", `Show the page in ${other} colours`);
  };
  if (["light", "dark"].includes(stored())) root.dataset.theme = stored();
  button.addEventListener("click", () => {
    root.dataset.theme = shown() === "dark" ? "light" : "dark";
    try { localStorage.setItem(key, root.dataset.theme); } catch { /* It is forgotten with the page. */ }
    tell();
  });
  dark.addEventListener("change", tell);
  tell();
  button.hidden = false;
}

/** Copies text, also where the page is opened from a disk and has no clipboard of its own. */
const copy = async (text, button) => {
  const say = word => {
    button.textContent = word;
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };
  try {
    await navigator.clipboard.writeText(text);
    say("copied");
  } catch {
    const area = make("textarea", { class: "offscreen", readonly: true });
    area.value = text;
    (button.closest("dialog") || document.body).append(area);
    area.select();
    say(document.execCommand("copy") ? "copied" : "select it");
    area.remove();
    button.focus();
  }
};

/** A command line with its button. */
const withCopy = box => {
  const button = make("button", { type: "button", class: "quiet", "aria-label": "Copy the command" }, "copy");
  button.addEventListener("click", () => copy(box.querySelector("code").textContent, button));
  box.append(button);
  return box;
};
document.querySelectorAll(".command").forEach(withCopy);

// Tables: a header is a button, numbers stand in data-sort, what is unknown goes to the end.
const enableTable = box => {
  const table = box.querySelector("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  const value = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    return cell.classList.contains("unknown") ? null : cell.textContent.trim();
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sort = at => {
    const header = headers[at];
    const first = header.classList.contains("number") ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const order = header.getAttribute("aria-sort") === first ? second : first;
    headers.forEach(other => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = rows.map((row, place) => ({ row, place, key: value(row, at) }));
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      return sign * compare(a.key, b.key) || a.place - b.place;
    });
    body.append(...keyed.map(({ row }) => row));
  };
  headers.forEach((header, at) => {
    const button = make("button", { type: "button", onclick: () => sort(at) }, ...header.childNodes);
    header.append(button);
  });
  // A box that scrolls is reached by the keyboard too.
  const scrolls = () => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  scrolls();
  addEventListener("resize", scrolls);
  if (box.dataset.filter === undefined) return;
  const said = make("span", { class: "note", "aria-live": "polite" });
  const input = make("input", { type: "search", placeholder: "filter rows", "aria-label": "Show only rows with this text" });
  const texts = rows.map(row => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !texts[at].includes(wanted);
      shown += !row.hidden;
    });
    said.textContent = wanted ? `${grouped(shown)} of ${grouped(rows.length)}` : "";
  });
  box.before(make("div", { class: "filters" }, input, said));
};
document.querySelectorAll(".scroll").forEach(box => { if (box.querySelector("table.sortable")) enableTable(box); });
