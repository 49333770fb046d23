/* From the address to the page: one function shows a state, and everything else only changes the address. */

const root = document.documentElement;
let fleet = null;
let search = null;
let lists = {};
let shownList = null;
let query = "";

const stateOf = () => ({ tab: root.dataset.tab, ...readHash() });

const showPanels = (tab) => {
  for (const panel of all("main > .panel")) panel.hidden = panel.id !== tab;
  for (const link of all("#tabs a")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

const rowsFor = (list, state) => {
  const mask = search(state.q ?? "", list.target);
  if (list.count) return list.count(mask);
  const rows = list.sorted ?? list.all();
  if (!mask) return rows;
  const kept = new Int32Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at++) if (mask[rows[at]]) kept[count++] = rows[at];
  return kept.subarray(0, count);
};

const sortList = (list, sort) => {
  if (list.count || list.sortedBy === sort) return;
  list.sorted = sortRows(list.all(), list.columns, sort);
  list.sortedBy = sort;
};

const timed = (name, work) => {
  const start = performance.now();
  const result = work();
  performance.measure(name, { start, end: performance.now() });
  return result;
};

const showList = (list, state) => {
  const sort = state.sort ?? list.sort;
  if (!list.count && list.sortedBy !== sort) timed("sort", () => sortList(list, sort));
  timed("filter", () => {
    const found = rowsFor(list, state);
    const rows = list.count ? sortRows(found, list.columns, sort) : found;
    const shown = list.grid.show(rows, { ...state, sort, columns: columnsIn(list, state) });
    const total = list.count ? found.length : list.all().length;
    say(`${shown.toLocaleString("en")} of ${plural(total, list.noun, list.nouns)} shown`);
  });
  shownList = list;
};

const showPortCharts = (state) => {
  const mask = search(state.q ?? "", "listener");
  const hosts = search(state.q ?? "", "host");
  const count = hosts ? hosts.reduce((sum, one) => sum + one, 0) : fleet.hosts.name.length;
  byId("heat").replaceChildren(heatMap(fleet, mask, count));
};

const EACH = { 1: "listeners", elsewhere: "exposures", unix: "unix" };
const listOf = (state) => lists[state.tab === "ports" ? EACH[state.each] ?? "ports" : state.tab];

const showSwitch = (state, list) => {
  for (const link of all("#ports .switch a")) {
    link.href = writeHash({ ...state, sort: null, columns: null, each: link.dataset.each });
    if ((link.dataset.each || "") === (state.each || "")) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const about of all("#ports > [id^=about-]")) about.hidden = about.id !== list?.about;
};

const showTab = (state) => {
  showPanels(state.tab);
  delete root.dataset.detail;
  byId("detail").hidden = true;
  const list = listOf(state);
  const anything = Boolean(list?.all().length);
  byId("toolbar").hidden = !anything;
  shownList = null;
  for (const one of Object.values(lists)) one.grid.element.hidden = one !== list || !anything;
  if (state.tab === "ports") showSwitch(state, list);
  if (!anything) return;
  if (state.tab === "ports") {
    if (byId("heat") && byId("heat").dataset.q !== (state.q ?? "")) {
      byId("heat").dataset.q = state.q ?? "";
      setTimeout(() => showPortCharts(state));
    }
  }
  if (query !== (state.q ?? "") || document.activeElement !== byId("query")) byId("query").value = state.q ?? "";
  query = state.q ?? "";
  drawFilters(state, list);
  showList(list, state);
};

const showDetail = (view, tab) => {
  showPanels("");
  root.dataset.detail = "";
  for (const link of all("#tabs a")) if (link.dataset.tab === tab) link.setAttribute("aria-current", "true");
  byId("toolbar").hidden = true;
  const title = make("h2", { tabindex: "-1", id: "detail-title" }, ...view.title);
  const back = make("p", { class: "back" }, linkTo({ tab }, `← All ${tab === "unaudited" ? "hosts not audited" : tab}`));
  byId("detail").replaceChildren(back, title, ...view.content.flat(Infinity).filter(Boolean));
  byId("detail").hidden = false;
  shownList = null;
  scrollTo(0, byId("tabs").getBoundingClientRect().top + scrollY);
  title.focus({ preventScroll: true });
};

const missing = (what, text) => ({ title: [`No such ${what}`], content: [make("p", {}, "This report has no ", what, " ", code(text), ".")] });

const places = new Map();
let shownHash = null;

const apply = () => {
  if (shownHash !== null) places.set(shownHash, scrollY);
  shownHash = location.hash;
  const state = stateOf();
  if (state.finding) {
    const row = fleet.findId(state.finding);
    showDetail(row < 0 ? missing("finding", state.finding) : viewFinding(fleet, row), "findings");
  } else if (state.host) {
    const host = fleet.findHost(state.host);
    showDetail(host < 0 ? missing("host", state.host) : viewHost(fleet, host), "hosts");
  } else if (state.rule) {
    showTab({ tab: "rules" });
    const rule = byId(`rule-${state.rule}`);
    rule?.scrollIntoView();
    rule?.focus();
  } else {
    showTab(state);
    if (places.has(shownHash)) scrollTo(0, places.get(shownHash));
  }
};

const setTerm = (field, values, not = false) => {
  const state = stateOf();
  const terms = splitQuery(state.q ?? "").filter((term) => term.field !== field || term.not !== not);
  if (values.length) terms.push({ not, field, value: values.join(",") });
  goTo({ ...state, q: joinQuery(terms) });
};

const valuesOf = (state, field) => splitQuery(state.q ?? "").filter((term) => term.field === field && !term.not).flatMap((term) => term.value.split(","));

const drawChips = (legend, field, names, state) => {
  const chosen = valuesOf(state, field);
  const toggle = (name) => setTerm(field, chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return make("fieldset", {}, make("legend", {}, legend), names.map((name) => make("label", { class: "chip" },
    make("input", { type: "checkbox", name: field, value: name, checked: chosen.includes(name), on: { change: () => toggle(name) } }), make("span", {}, name))));
};

const drawSelect = (label, field, names, state) => {
  const [chosen = ""] = valuesOf(state, field);
  const select = make("select", { "aria-label": label, name: field, on: { change: (event) => setTerm(field, event.target.value ? [event.target.value] : []) } },
    make("option", { value: "" }, `${label}: any`), names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
  return names.length > 1 && select;
};

const present = (numbers) => [...new Set(numbers)].filter((number) => number >= 0).sort((a, b) => a - b).map(fleet.word);

const makeFacets = () => {
  const groups = new Set();
  for (const set of new Set(fleet.hosts.groups)) for (const number of fleet.sets[set]) groups.add(number);
  const seen = new Set(fleet.findings.counted.map((row) => fleet.findings.level[fleet.findings.matter[row]]));
  const statuses = new Set(fleet.hosts.status);
  return {
    levels: fleet.levels.filter((_, at) => seen.has(at)),
    statuses: fleet.statuses.filter((_, at) => statuses.has(at)),
    groups: present(groups).slice(0, 300),
    rules: present(fleet.findings.of.rule).filter((rule) => !fleet.open.includes(rule)),
    protos: present(fleet.kinds.proto),
    families: present(fleet.kinds.family),
    scopes: present(fleet.kinds.scope),
    verdicts: present(fleet.kinds.verdict),
  };
};

let facets = null;

const drawFilters = (state, list) => {
  facets ??= makeFacets();
  const focus = byId("filters").contains(document.activeElement) && [document.activeElement.name, document.activeElement.value];
  byId("filters").replaceChildren(...[
    list.target === "finding" && facets.levels.length > 1 && drawChips("Severity", "severity", facets.levels, state),
    facets.statuses.length > 1 && drawChips("Host", "status", facets.statuses, state),
    make("div", { class: "selects" },
      drawSelect("Group", "group", facets.groups, state),
      list.target === "finding" && drawSelect("Rule", "rule", facets.rules, state),
      list.target !== "unix" && [drawSelect("Protocol", "proto", facets.protos, state), drawSelect("Family", "family", facets.families, state)],
      list.target !== "unix" && list.target !== "exposure" && drawSelect("Scope", "scope", facets.scopes, state),
      list.target === "listener" && drawSelect("Verdict", "verdict", facets.verdicts, state),
      drawColumns(list, state), drawWhole(state)),
  ].filter(Boolean));
  if (focus) all(`#filters [name="${focus[0]}"]`).find((one) => one.tagName === "SELECT" || one.value === focus[1])?.focus();
};

/* The columns to show: those the address names, or the usual ones; and always the one that names the row. */
const columnsIn = (list, { columns }) => {
  const named = columns?.split(",");
  return list.columns.filter((column) => column.header || (named ? named.includes(column.key) : !column.off));
};

const drawColumns = (list, state) => {
  const shown = columnsIn(list, state);
  const keysOf = (columns) => columns.map((column) => column.key).join(",");
  const turn = (column) => {
    const keys = keysOf(list.columns.filter((one) => (one === column) !== shown.includes(one)));
    goTo({ ...stateOf(), columns: keys === keysOf(columnsIn(list, {})) ? null : keys });
  };
  const boxes = list.columns.map((column) => make("label", {}, make("input", { type: "checkbox", name: "columns", value: column.key, checked: shown.includes(column), disabled: column.header, on: { change: () => turn(column) } }), ` ${column.label}`));
  const open = document.querySelector("#filters .columns[open]")?.dataset.of === list.noun;
  return make("details", { class: "columns", "data-of": list.noun, open }, make("summary", {}, "Columns"), make("div", { role: "group", "aria-label": "Columns shown" }, boxes));
};

const drawWhole = (state) => make("label", { class: "chip", title: "So that the browser's own search finds every row" },
  make("input", { type: "checkbox", name: "rows", value: "all", checked: state.rows === "all", on: { change: (event) => goTo({ ...stateOf(), rows: event.target.checked ? "all" : null }) } }),
  make("span", {}, "All as a plain table"));

const build = () => {
  lists = { findings: findingsTab(fleet), hosts: hostsTab(fleet), ports: portsTab(fleet), listeners: listenersTab(fleet), exposures: exposuresTab(fleet), unix: unixTab(fleet), unaudited: unauditedTab(fleet) };
  for (const [name, list] of Object.entries(lists)) {
    const rows = list.all();
    list.all = () => rows;
    const onSort = (key, add) => {
      const state = stateOf();
      goTo({ ...state, sort: toggleSort(state.sort ?? list.sort, key, add) });
    };
    list.grid = makeGrid({ name, caption: `${list.nouns ?? `${list.noun}s`} that fit the filter`, columns: list.columns, onSort });
    (byId(`live-${name}`) ?? byId("live-ports")).append(list.grid.element);
  }
};

const listenToPage = () => {
  let waiting = 0;
  let unwritten = null;
  // The address is written when the typing rests, or when the reader goes on: the way back then leads to this search.
  const settle = () => {
    clearTimeout(waiting);
    if (unwritten) amend(unwritten);
    unwritten = null;
  };
  const typed = () => {
    const state = { ...stateOf(), q: byId("query").value };
    query = state.q;
    drawFilters(state, listOf(state));
    showList(listOf(state), state);
    clearTimeout(waiting);
    unwritten = state;
    waiting = setTimeout(settle, 400);
  };
  byId("query").addEventListener("input", typed);
  byId("query").addEventListener("blur", settle);
  byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
  const forget = () => { clearTimeout(waiting); unwritten = null; };
  byId("clear").addEventListener("click", () => { forget(); goTo({ ...stateOf(), q: null, sort: null }); });
  byId("export-open").addEventListener("click", () => {
    const [name] = Object.entries(lists).find(([, list]) => list === shownList);
    openExport(name, Array.from(shownList.grid.rows, shownList.record));
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("help-close").addEventListener("click", () => byId("help").close());
  byId("theme").addEventListener("click", turnTheme);
  addEventListener("hashchange", () => { forget(); apply(); });  // whoever goes back right after typing means it
  addEventListener("keydown", pressKey);
  addEventListener("beforeprint", spreadOut);
  addEventListener("afterprint", () => { byId("print-note").hidden = true; shownList?.grid.gather(); });
};

const THEMES = ["auto", "dark", "light"];
const turnTheme = () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % 3];
  root.dataset.theme = next;
  byId("theme").textContent = `Theme: ${next}`;
};

const pressKey = (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const columns = event.key === "Escape" && event.target.closest(".columns[open]");
  if (columns) { columns.open = false; columns.firstElementChild.focus(); }
  else if (event.key === "Escape" && event.target === byId("query")) byId("clear").click();
  else if (event.key === "Escape" && !byId("detail").hidden) history.back();
  else if (typing) return;
  else if (event.key === "/" && !byId("toolbar").hidden) { event.preventDefault(); byId("query").focus(); }
  else if (event.key === "?") byId("help").showModal();
};

const spreadOut = () => {
  for (const closed of all("main details.fix, #detail details")) closed.open = true;
  const unread = lists.unaudited;
  if (shownList !== unread && unread.all().length && root.dataset.detail === undefined) {
    unread.grid.element.hidden = false;
    unread.grid.show(sortRows(unread.all(), unread.columns, unread.sort), unread);
    unread.grid.spread(PAPER);
  }
  if (!shownList) return;
  const left = shownList.grid.spread(PAPER);
  byId("print-note").textContent = `${plural(left, "more row")} did not go on paper; export them, or filter first.`;
  byId("print-note").hidden = !left;
};

const fallBack = (error) => {
  root.classList.remove("js");
  byId("failed").hidden = false;
  byId("failed-why").textContent = String(error);
};

const start = async () => {
  fleet = openFleet(await readIsland());
  search = makeSearch(fleet);
  build();
  for (const card of all("[data-q]")) card.href = writeHash({ tab: card.dataset.tab, q: card.dataset.q, each: card.dataset.each });
  for (const link of all("#tabs a")) link.href = writeHash({ tab: link.dataset.tab });
  for (const fallback of all(".static")) fallback.remove();
  for (const time of all("time")) time.title = `${new Date(time.dateTime).toLocaleString()} here`;
  byId("theme").hidden = false;
  history.scrollRestoration = "manual";
  listenToPage();
  apply();
  performance.mark("ready");
  root.dataset.ready = "";
};

root.dataset.app = "";
start().catch(fallBack);
