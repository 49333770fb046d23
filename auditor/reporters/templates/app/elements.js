/* Building the page: every text goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const dress = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, react] of Object.entries(value)) element.addEventListener(event, react);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

const make = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) => dress(document.createElementNS(SVG, tag), attributes, children);

const code = (text, name) => make("code", { class: name }, text);
const or = (value, other = "—") => (value === null || value === undefined || value === "" ? other : value);
const plural = (count, noun, nouns = `${noun}s`) => `${count.toLocaleString("en")} ${count === 1 ? noun : nouns}`;
const linkTo = (state, ...children) => make("a", { href: writeHash(state) }, ...children);

const icon = (name) => draw("svg", { class: `icon i-${name}`, "aria-hidden": "true", focusable: "false" }, draw("use", { href: `#i-${name}` }));
const badge = (name) => make("span", { class: `badge b-${name}` }, icon(name), name);

const table = (caption, headings, rows, name = "") =>
  make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { class: name },
      make("thead", {}, make("tr", {}, headings.map((heading) => make("th", { scope: "col", class: heading.number && "number" }, heading.label ?? heading)))),
      make("tbody", {}, rows)));

const facts = (pairs) => make("dl", { class: "facts" }, pairs.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, or(value)))));

const copyButton = (text, label = "Copy") => {
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here: select it";
    }
    say(button.textContent);
  });
  return button;
};

const snippet = (lines) => make("pre", { tabindex: "0", class: "can-copy" }, make("code", {}, lines.join("\n")), copyButton(lines.join("\n")));

const say = (text) => { byId("shown").textContent = text; };
