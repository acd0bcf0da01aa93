// Tabs, copying, light and dark, and a search that needs no server.
"use strict";

const root = document.body.dataset.root;

function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* a page may have no storage */ }
}

// ── light and dark ───────────────────────────────────────────────────────────────────────────

const theme = remembered("theme");
if (theme) document.documentElement.dataset.theme = theme;

document.querySelector(".theme").addEventListener("click", () => {
  const current = document.documentElement.dataset.theme
    || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = current === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  remember("theme", next);
});

// ── tabs ─────────────────────────────────────────────────────────────────────────────────────

function show(tabs, title) {
  if (!tabs.querySelector(`[data-tab="${CSS.escape(title)}"]`)) return;
  for (const tab of tabs.querySelectorAll("[data-tab]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.tab === title));
  }
  for (const panel of tabs.querySelectorAll("[data-panel]")) {
    panel.hidden = panel.dataset.panel !== title;
  }
}

for (const tabs of document.querySelectorAll(".tabs")) {
  const wanted = remembered("tab");
  if (wanted) show(tabs, wanted);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (tab) {
    remember("tab", tab.dataset.tab);
    for (const tabs of document.querySelectorAll(".tabs")) show(tabs, tab.dataset.tab);
    return;
  }
  const copy = event.target.closest(".copy");
  if (copy) {
    const panel = copy.closest(".tabs").querySelector("[data-panel]:not([hidden])");
    navigator.clipboard.writeText(panel.textContent).then(() => {
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
  }
});

// ── search ───────────────────────────────────────────────────────────────────────────────────

const input = document.querySelector(".search input");
const found = document.querySelector("#found");
let index = null;
let chosen = -1;

function load() {
  if (index) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${root}static/index.js`;
    script.onload = () => { index = window.RADIOGRAM_INDEX; resolve(); };
    script.onerror = reject;
    document.head.append(script);
  });
}

function squeeze(text) {
  return text.toLowerCase().replace(/[^a-z0-9.]/g, "");
}

// The whole name comes before its beginning, that before a part of it, that before the sentence.
function rank([kind, name, about], words) {
  const squeezed = squeeze(name);
  const last = squeezed.slice(squeezed.lastIndexOf(".") + 1);
  let total = { method: 0, error: 1, type: 1, guide: 1, constructor: 2 }[kind] ?? 2;
  for (const word of words) {
    if (squeezed === word || last === word) total += 0;
    else if (last.startsWith(word) || squeezed.startsWith(word)) total += 10;
    else if (squeezed.includes(word)) total += 20;
    else if (about.toLowerCase().includes(word)) total += 60;
    else return null;
  }
  return total + name.length / 100;
}

function search(text) {
  const words = text.split(/\s+/).map(squeeze).filter(Boolean);
  if (!words.length) return [];
  return index
    .map((entry) => [rank(entry, words), entry])
    .filter(([score]) => score !== null)
    .sort(([one], [other]) => one - other)
    .slice(0, 30)
    .map(([, entry]) => entry);
}

function render(entries) {
  chosen = -1;
  found.replaceChildren(...entries.map(([kind, name, about]) => {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    const link = document.createElement("a");
    link.href = `${root}${kind}/${encodeURIComponent(name)}.html`;
    link.textContent = name;
    const small = document.createElement("small");
    small.textContent = about;
    link.append(small);
    item.append(link);
    return item;
  }));
  found.hidden = entries.length === 0;
  input.setAttribute("aria-expanded", String(!found.hidden));
}

input.addEventListener("focus", () => { load().catch(() => {}); });
input.addEventListener("input", () => {
  load().then(() => render(search(input.value)), () => render([]));
});
input.addEventListener("keydown", (event) => {
  const items = [...found.children];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    chosen = Math.max(0, Math.min(items.length - 1, chosen + (event.key === "ArrowDown" ? 1 : -1)));
    items.forEach((item, number) => item.setAttribute("aria-selected", String(number === chosen)));
    items[chosen]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Escape") {
    render([]);
  }
});
document.querySelector(".search").addEventListener("submit", (event) => {
  event.preventDefault();
  const link = found.children[Math.max(0, chosen)]?.querySelector("a");
  if (link) location.href = link.href;
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) render([]);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    input.focus();
  }
});
