/* Filters, sorting and small comforts over a page that is complete without them. Text goes in by textContent only. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const toolbar = document.getElementById("toolbar");
  const query = document.getElementById("query");
  const shown = document.getElementById("shown");
  const findings = all(".findings tbody tr");
  const hosts = all("details.host");
  const others = all("[data-find]");
  const words = new WeakMap();

  const textOf = (element) => {
    if (!words.has(element)) words.set(element, element.textContent.toLowerCase());
    return words.get(element);
  };

  const chosen = (name) => new Set(all(`input[name=${name}]:checked`, toolbar).map((box) => box.value));

  const keep = (elements, terms, picked, key) => {
    let count = 0;
    for (const element of elements) {
      const wanted = !picked.size || picked.has(element.dataset[key]);
      const fits = wanted && terms.every((term) => textOf(element).includes(term));
      element.hidden = !fits;
      count += fits;
    }
    return count;
  };

  const filter = () => {
    const terms = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = keep(findings, terms, chosen("level"), "level");
    const kept = keep(hosts, terms, chosen("status"), "status");
    keep(others, terms, new Set(), "");
    shown.textContent = `${found} of ${findings.length} findings, ${kept} of ${hosts.length} hosts shown`;
  };

  let waiting = 0;
  const filterSoon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 60);
  };

  const sortTable = (table, column, heading) => {
    const upward = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", upward ? "ascending" : "descending");
    const order = new Intl.Collator("en", { numeric: true });
    const keyed = all("tbody > tr", table).map((row) => {
      const cell = row.children[column];
      return [cell.dataset.key ?? cell.textContent.trim(), row];
    });
    const numbers = keyed.every(([key]) => key !== "" && !Number.isNaN(Number(key)));
    keyed.sort(([a], [b]) => (numbers ? a - b : order.compare(a, b)) * (upward ? 1 : -1));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
  };

  const makeSortable = (table) => {
    table.classList.add("can-sort");
    all("thead th", table).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortTable(table, column, heading));
      heading.replaceChildren(button);
    });
  };

  const offerCopy = (block) => {
    const text = block.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block.firstElementChild);
        button.textContent = "Selected";
      }
    });
    block.classList.add("can-copy");
    block.append(button);
  };

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      toolbar.reset();
      filter();
    }
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };

  const applyCard = (card) => {
    const [name, value] = card.dataset.filter.split(":");
    const box = all(`input[name=${name}]`, toolbar).find((candidate) => candidate.value === value);
    if (!box) return;
    toolbar.reset();
    box.checked = true;
    filter();
  };

  let closed = [];
  addEventListener("beforeprint", () => {
    const many = all("details:not([open])");
    closed = many.length > 4000 ? all(".fix:not([open])") : many;
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });

  toolbar.hidden = !(findings.length || hosts.length > 1);
  toolbar.addEventListener("submit", (event) => event.preventDefault());
  toolbar.addEventListener("input", filterSoon);
  toolbar.addEventListener("reset", () => setTimeout(filter));
  for (const card of all("[data-filter]")) card.addEventListener("click", () => applyCard(card));
  all(".findings[data-sortable]").forEach(makeSortable);
  addEventListener("toggle", (event) => {
    const opened = event.target;
    if (!opened.open) return;
    all("table[data-sortable]:not(.can-sort)", opened).forEach(makeSortable);
    all(":scope > pre:not(.can-copy)", opened).forEach(offerCopy);
  }, true);

  const actions = document.getElementById("host-actions");
  actions.hidden = hosts.length < 2;
  actions.addEventListener("click", (event) => {
    const wanted = event.target.dataset.open;
    if (wanted) for (const host of hosts) if (!host.hidden) host.open = wanted === "all";
  });

  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !toolbar.hidden && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
    } else if (event.key === "Escape" && event.target === query) {
      toolbar.reset();
    }
  });
  addEventListener("hashchange", openTarget);
  if (findings.length || hosts.length) filter();
  if (location.hash) openTarget();
})();
