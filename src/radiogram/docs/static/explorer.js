// Forms that make a call on the embedded server, and trees of what came back.
"use strict";

const token = document.querySelector('meta[name="radiogram-token"]').content;

async function ask(path, body) {
  const answer = await fetch(`${document.body.dataset.root}api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Radiogram-Token": token },
    body: JSON.stringify(body),
  });
  return answer.json();
}

// What was typed, as JSON; what stays empty is left out.
function values(form) {
  const found = {};
  for (const field of form.elements) {
    const type = field.dataset?.type;
    if (!type) continue;
    if (type === "true") {
      if (field.checked) found[field.name] = true;
      continue;
    }
    const text = type === "string" ? field.value : field.value.trim();
    if (text === "" && type !== "string") continue;
    if (text === "" && field.closest("label").textContent.includes("optional")) continue;
    if (type === "Bool") found[field.name] = text === "true";
    else if (type === "string") found[field.name] = text;
    else if (type === "int" || type === "long") found[field.name] = text; // 64 bits are text in JSON
    else if (type === "double") found[field.name] = Number(text);
    else if (field.list) found[field.name] = /^-?\d+$/.test(text) ? Number(text) : peer(text);
    else found[field.name] = JSON.parse(text);
  }
  return found;
}

function peer(text) {
  return text.startsWith("{") ? JSON.parse(text) : text;
}

function element(name, options = {}, ...children) {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
}

// ── trees ────────────────────────────────────────────────────────────────────────────────────

function leaf(value) {
  const kind = value === null ? "none" : typeof value === "object" ? "long" : typeof value;
  const text = kind === "long" ? value.$long : kind === "string" ? JSON.stringify(value) : value;
  return element("span", { className: `leaf ${kind}`, textContent: String(text) });
}

function tree(name, value, depth) {
  const label = name === null ? "" : `${name}: `;
  const isObject = value !== null && typeof value === "object" && !("$long" in value);
  if (!isObject) {
    return element("div", { className: "row" }, element("span", { className: "field", textContent: label }), leaf(value));
  }
  const entries = Array.isArray(value)
    ? value.map((item, number) => [String(number), item])
    : Object.entries(value).filter(([key, item]) => key !== "_" && item !== null && item !== false);
  const title = Array.isArray(value) ? `${value.length} item${value.length === 1 ? "" : "s"}` : value._;
  if (!entries.length) {
    return element("div", { className: "row" }, element("span", { className: "field", textContent: label }),
      element("span", { className: "type", textContent: title }));
  }
  const details = element("details", { open: depth < 3 && !(name === "users" || name === "chats") });
  details.append(
    element("summary", {}, element("span", { className: "field", textContent: label }),
      element("span", { className: "type", textContent: title })),
    ...entries.map(([key, item]) => tree(key, item, depth + 1)),
  );
  return details;
}

function showOutcome(box, outcome) {
  const parts = [];
  if (outcome.error) {
    const { name, code, text, page } = outcome.error;
    const title = page
      ? element("a", { href: `${document.body.dataset.root}${page}`, textContent: name })
      : name;
    parts.push(element("div", { className: "problem" },
      element("strong", {}, title, code ? ` (${code})` : ""), element("p", { textContent: text })));
  } else {
    parts.push(element("h4", { textContent: "Result" }),
      element("div", { className: "tree result" }, tree(null, outcome.result, 0)));
  }
  for (const { to, updates } of outcome.updates ?? []) {
    parts.push(element("h4", { textContent: `Pushed to ${to}` }));
    for (const update of updates) {
      parts.push(element("div", { className: "tree update" }, tree(null, update, 0)));
    }
  }
  if (outcome.code) {
    const pre = element("pre", {}, element("code", { textContent: outcome.code }));
    pre.dataset.panel = "code";
    parts.push(element("div", { className: "tabs" },
      element("div", { className: "tablist" }, element("h4", { textContent: "The same in Python" }),
        element("button", { type: "button", className: "copy", textContent: "Copy" })), pre));
  }
  box.replaceChildren(...parts);
  box.hidden = false;
}

// ── forms ────────────────────────────────────────────────────────────────────────────────────

for (const form of document.querySelectorAll("form.run")) {
  const outcome = form.querySelector(".outcome");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    button.disabled = true;
    try {
      const request = {
        method: form.dataset.method, actor: form.elements.$actor.value, values: values(form),
      };
      showOutcome(outcome, await ask("call", request));
    } catch (error) {
      showOutcome(outcome, { error: { name: "The form cannot be sent", text: error.message } });
    } finally {
      button.disabled = false;
    }
  });
  form.querySelector(".reset").addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      await ask("reset", {});
      outcome.replaceChildren(element("p", { textContent: "Everything is as it was in the beginning." }));
      outcome.hidden = false;
    } finally {
      event.target.disabled = false;
    }
  });
}
