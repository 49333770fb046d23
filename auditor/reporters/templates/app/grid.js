/* A table of any number of rows of which only those in sight are in the page, unless the reader wants a whole one: up to
   PLAIN rows, for the browser's own search and for screen readers. Columns rank rows by whole numbers. */

const MARGIN = 12;
const PLAIN = 2000;
const PAPER = 5000;

const countingSort = (rows, rank, down) => {
  const keys = new Int32Array(rows.length);
  let top = 0;
  for (let at = 0; at < rows.length; at++) {
    keys[at] = rank(rows[at]) + 1;
    if (keys[at] > top) top = keys[at];
  }
  if (down) for (let at = 0; at < keys.length; at++) keys[at] = top - keys[at];
  const starts = new Int32Array(top + 2);
  for (const key of keys) starts[key + 1]++;
  for (let key = 0; key <= top; key++) starts[key + 1] += starts[key];
  const sorted = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) sorted[starts[keys[at]]++] = rows[at];
  return sorted;
};

const sortRows = (rows, columns, sort) => {
  let sorted = rows;
  for (const key of sort.split(",").filter(Boolean).reverse()) {
    const column = columns.find((one) => one.key === key.replace(/^-/, ""));
    if (column?.rank) sorted = countingSort(sorted, column.rank, key.startsWith("-"));
  }
  return sorted;
};

const toggleSort = (sort, key, add) => {
  const keys = sort.split(",").filter(Boolean);
  const at = keys.findIndex((one) => one.replace(/^-/, "") === key);
  const upward = add ? at >= 0 && !keys[at].startsWith("-") : keys[0] === key;
  const next = upward ? `-${key}` : key;
  if (!add) return next;
  if (at >= 0) keys[at] = next;
  else keys.push(next);
  return keys.join(",");
};

const makeGrid = ({ name, nouns, columns, open }, onSort) => {
  const head = make("tr", { role: "row", "aria-rowindex": "1" });
  const above = make("tbody", { "aria-hidden": "true" });
  const body = make("tbody", { role: "rowgroup" });
  const below = make("tbody", { "aria-hidden": "true" });
  const grid = make("table", { class: `grid g-${name}`, role: "table" },
    make("caption.quiet", `${nouns} that fit the filter`), make("thead", { role: "rowgroup" }, head), above, body, below);
  const empty = make("p.calm", { hidden: true });
  const cut = make("p.note.cut", { hidden: true });
  const element = make("div", cut, grid, empty);
  let rows = new Int32Array(0);
  let shownColumns = columns;
  let drawn = [-1, -1];
  let whole = false;

  const drawHead = (sort) => {
    const keys = sort.split(",").filter(Boolean);
    head.replaceChildren(...shownColumns.map((column) => {
      const place = keys.findIndex((key) => key.replace(/^-/, "") === column.key);
      const down = place >= 0 && keys[place].startsWith("-");
      const heading = make("th", { scope: "col", role: "columnheader", "data-key": column.key, class: column.number && "number", "aria-sort": place === 0 && (down ? "descending" : "ascending") });
      if (!column.rank) return dress(heading, {}, column.label);
      const also = place > 0 && make("span.also", `${down ? "↓" : "↑"}${place + 1}`);
      const sortBy = (event) => onSort(column.key, event.shiftKey);
      return dress(heading, {}, make("button", { type: "button", title: "Shift sorts by this as well", on: { click: sortBy } }, column.label, also));
    }));
  };

  const drawRow = (at) => {
    const row = make("tr", { role: "row", "aria-rowindex": at + 2, "data-at": at });
    const one = open(rows[at]);
    shownColumns.forEach((column, place) => {
      const tag = column.header ? "th" : "td";
      const role = column.header ? "rowheader" : "cell";
      const cell = make(tag, { role, scope: column.header && "row", class: column.number && "number", "data-key": column.key, "data-label": column.label });
      const content = or(column.cell(one));
      const clip = make("div.clip", typeof content === "string" ? make("span", content) : content); // an element, that ends in an ellipsis
      if (column.tip) clip.title = clip.textContent; // whole, where it may not fit
      row.append(dress(cell, {}, clip));
    });
    return row;
  };

  const rowHeight = () => body.querySelector("tr")?.getBoundingClientRect().height || parseFloat(getComputedStyle(grid).getPropertyValue("--row")) * 16 || 56;

  const pad = (gap, height) => {
    gap.replaceChildren();
    if (height > 0) {
      const filler = make("td", { colspan: shownColumns.length });
      filler.style.height = `${height}px`;
      gap.append(make("tr", filler));
    }
  };

  const fill = (first, last) => {
    const active = body.contains(document.activeElement) ? document.activeElement : null;
    const focused = active && [active.closest("tr").dataset.at, all("a, button", active.closest("tr")).indexOf(active)];
    const height = whole ? 0 : rowHeight();
    body.replaceChildren(...Array.from({ length: last - first }, (_, at) => drawRow(first + at)));
    pad(above, first * height);
    pad(below, (rows.length - last) * height);
    if (focused) all("a, button", body.querySelector(`tr[data-at="${focused[0]}"]`) ?? document.createElement("i"))[focused[1]]?.focus({ preventScroll: true });
  };

  const follow = (force) => {
    if (!element.isConnected || !element.checkVisibility()) return;
    if (whole) {
      if (force) fill(0, Math.min(PLAIN, rows.length));
      return;
    }
    const height = rowHeight();
    const passed = -(above.isConnected ? grid.getBoundingClientRect().top + head.getBoundingClientRect().height : 0);
    const from = Math.max(0, Math.min(rows.length - 1, Math.floor(passed / height)));
    const to = Math.min(rows.length, from + Math.ceil(innerHeight / height) + 1);
    if (!force && from >= drawn[0] && to <= drawn[1]) return;
    drawn = [Math.max(0, from - MARGIN), Math.min(rows.length, to + MARGIN)];
    fill(...drawn);
  };

  const focusRow = (at) => {
    if (at < 0 || at >= rows.length) return;
    if (!whole && (at < drawn[0] || at >= drawn[1])) {
      scrollBy(0, (at - drawn[0]) * rowHeight());
      follow(true);
    }
    const row = body.querySelector(`tr[data-at="${at}"]`);
    (row?.querySelector("a[data-opens]") ?? row?.querySelector("a"))?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };

  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tr");
    if (!step || !row) return;
    event.preventDefault();
    focusRow(Number(row.dataset.at) + step);
  });
  body.addEventListener("click", (event) => {
    if (event.target.closest("a, button") || String(getSelection())) return;
    event.target.closest("tr")?.querySelector("a[data-opens]")?.click();
  });
  addEventListener("scroll", () => follow(false), { passive: true });
  addEventListener("resize", () => follow(!whole));

  const gather = () => {
    if (!whole && grid.classList.contains("whole")) body.replaceChildren(); // or all its rows would be laid out once more
    grid.classList.toggle("whole", whole);
    drawn = [-1, -1];
    follow(true);
  };

  return {
    element,
    columns,
    get rows() { return rows; },
    show: (newRows, { sort, columns: chosen = columns, rows: how, q = "" }) => {
      rows = newRows;
      shownColumns = chosen;
      whole = how === "all";
      const left = whole ? rows.length - PLAIN : 0;
      cut.hidden = left <= 0;
      cut.textContent = `${plural(left, "more row")} that fit the filter are not in this table, which ends after ${digits(PLAIN)}: filter further, or export them.`;
      grid.hidden = !rows.length;
      empty.hidden = Boolean(rows.length);
      empty.textContent = `Nothing here fits the filter.${explainNothing(q)}`;
      grid.setAttribute("aria-rowcount", rows.length + 1);
      drawHead(sort);
      gather();
      return whole ? Math.min(PLAIN, rows.length) : rows.length;
    },
    spread: (limit) => {
      grid.classList.add("whole");
      fill(0, Math.min(limit, rows.length));
      pad(below, 0);
      return rows.length - Math.min(limit, rows.length);
    },
    gather,
    focusRow,
  };
};
