/* Building the page: every text goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const dress = (element, attributes, ...children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, react] of Object.entries(value)) element.addEventListener(event, react);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

/* `make("p.note", { id: "one" }, "text")`: a tag with its classes, attributes if there are any, and what is inside. */
const makeBy = (create) => (tag, ...inside) => {
  const [name, ...classes] = tag.split(".");
  const element = create(name);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  return inside[0]?.constructor === Object ? dress(element, ...inside) : dress(element, {}, ...inside);
};
const make = makeBy((name) => document.createElement(name));
const draw = makeBy((name) => document.createElementNS(SVG, name));

const code = (text) => make("code", text);
const sub = (...inside) => make("span.sub", ...inside);
const or = (value, other = "—") => (value === null || value === undefined || value === "" ? other : value);
const digits = (number) => number.toLocaleString("en");
const plural = (count, noun, nouns = `${noun}s`) => `${digits(count)} ${count === 1 ? noun : nouns}`;
const linkTo = (state, ...inside) => make("a", { href: writeHash(state) }, ...inside);
/* The link of a row that a click anywhere on the row follows. */
const opening = (state, ...inside) => dress(linkTo(state, ...inside), { "data-opens": true });

const icon = (name) => draw(`svg.icon.i-${name}`, { "aria-hidden": "true", focusable: "false" }, draw("use", { href: `#i-${name}` }));
const badge = (name) => make(`span.badge.b-${name}`, icon(name), name);
const details = (summary, ...inside) => make("details", make("summary", summary), ...inside);

const scrolling = (label, inside) => make("div.scroll", { tabindex: "0", role: "region", "aria-label": label }, inside);
const numeric = (label) => ({ label, number: true });
/* A table of rows of cells; a heading is a word, or says how its column is. A cell that is not a `td` is put into one. */
const table = (caption, headings, rows, name) => {
  const columns = headings.filter(Boolean);
  const fill = (cell, { header, number }) => {
    if (cell instanceof HTMLTableCellElement) return cell;
    return header ? make("th", { scope: "row" }, cell) : make("td", { class: number && "number" }, cell);
  };
  return scrolling(caption, make("table", { class: name },
    make("thead", make("tr", columns.map((one) => make("th", { scope: "col", class: one.number && "number" }, one.label ?? one)))),
    make("tbody", rows.map((cells) => make("tr", cells.filter((cell) => cell !== false).map((cell, at) => fill(cell, columns[at])))))));
};

const facts = (pairs) =>
  make("dl.facts", pairs.filter(Boolean).map(([label, value]) => make("div", make("dt", label), make("dd", or(value)))));

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

const block = (...inside) => make("pre", { tabindex: "0" }, make("code", ...inside));
const snippet = (lines) => make("pre.can-copy", { tabindex: "0" }, code(lines.join("\n")), copyButton(lines.join("\n")));

const say = (text) => { byId("shown").textContent = text; };
