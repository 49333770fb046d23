/* From the address to the page: one function shows a state, and everything else only changes the address. */

const root = document.documentElement;
let search = null;
let lists = {};
let shownList = null;
let query = "";

const stateOf = () => ({ tab: root.dataset.tab, ...readHash() });

/* What each list showed last: the way back to it, and the filter that goes along from one to the next. */
const visited = {};
const ownTitle = document.title;

const visit = (state) => {
  visited[state.tab] = state;
  for (const link of all("#tabs a")) link.href = writeHash({ ...visited[link.dataset.tab], tab: link.dataset.tab, q: state.q });
};

const labelOf = (tab) => document.querySelector(`#tabs a[data-tab=${tab}]`).firstChild.textContent.trim();
const nameView = (...words) => { document.title = [...words.filter(Boolean), ownTitle].join(" · "); };

const markCurrent = (links, isCurrent, kind = "true") => {
  for (const link of links) {
    if (isCurrent(link.dataset)) link.setAttribute("aria-current", kind);
    else link.removeAttribute("aria-current");
  }
};

const showPanels = (tab) => {
  for (const panel of all("main > .panel")) panel.hidden = panel.id !== tab;
  markCurrent(all("#tabs a"), (link) => link.tab === tab, "page");
};

const rowsFor = (list, { q = "" }) => {
  const mask = search(q, list.target);
  if (list.count) return list.count(mask);
  const rows = list.sorted ?? list.all();
  if (!mask) return rows;
  const kept = new Int32Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at++) if (mask[rows[at]]) kept[count++] = rows[at];
  return kept.subarray(0, count);
};

const timed = (name, work) => {
  const start = performance.now();
  const result = work();
  performance.measure(name, { start, end: performance.now() });
  return result;
};

const showList = (list, state) => {
  const sort = state.sort ?? list.sort;
  if (!list.count && list.sortedBy !== sort) {
    list.sorted = timed("sort", () => sortRows(list.all(), list.columns, sort));
    list.sortedBy = sort;
  }
  timed("filter", () => {
    const found = rowsFor(list, state);
    const rows = list.count ? sortRows(found, list.columns, sort) : found;
    const shown = list.grid.show(rows, { ...state, sort, columns: columnsIn(list, state) });
    const total = list.all().length;
    say(`${digits(shown)} of ${plural(total, list.noun, list.nouns)} shown`);
    list.tally = { shown: rows.length, total, q: state.q ?? "" };
  });
  shownList = list;
};

const showPortCharts = ({ q = "" }) => {
  const mask = search(q, "listener");
  const hosts = search(q, "host");
  const count = hosts ? hosts.reduce((sum, one) => sum + one, 0) : fleet.hosts.name.length;
  byId("heat").replaceChildren(heatMap(mask, count));
};

const EACH = { 1: "listeners", elsewhere: "exposures", unix: "unix" };
const listOf = (state) => lists[state.tab === "ports" ? EACH[state.each] ?? "ports" : state.tab];

const showSwitch = (state, list) => {
  const links = all("#ports .switch a");
  for (const link of links) link.href = writeHash({ ...state, sort: null, columns: null, each: link.dataset.each });
  markCurrent(links, ({ each }) => each === (state.each ?? ""));
  for (const about of all("#ports > [id^=about-]")) about.hidden = about.id !== list?.about;
};

const showTab = (state) => {
  showPanels(state.tab);
  visit(state);
  nameView(labelOf(state.tab), listOf(state) && state.q);
  delete root.dataset.detail;
  byId("detail").hidden = true;
  const list = listOf(state);
  const anything = Boolean(list?.all().length);
  byId("toolbar").hidden = !anything;
  shownList = null;
  for (const one of Object.values(lists)) one.grid.element.hidden = one !== list || !anything;
  if (state.tab === "ports") showSwitch(state, list);
  const { q = "" } = state;
  const heat = byId("heat");
  if (state.tab === "ports" && heat && heat.dataset.q !== q) {
    heat.dataset.q = q;
    setTimeout(() => showPortCharts(state));
  }
  if (!anything) return;
  if (query !== q || document.activeElement !== byId("query")) byId("query").value = q;
  query = q;
  drawFilters(state, list);
  showList(list, state);
};

const showDetail = (view, tab) => {
  showPanels("");
  root.dataset.detail = "";
  markCurrent(all("#tabs a"), (link) => link.tab === tab);
  byId("toolbar").hidden = true;
  const title = make("h2", { tabindex: "-1", id: "detail-title" }, ...view.title);
  const from = { tab, ...visited[tab] };
  const back = make("p.back", linkTo(from, from.q ? `← The ${tab} shown before` : `← All ${tab}`));
  byId("detail").replaceChildren(back, title, ...view.content.flat(Infinity).filter(Boolean));
  byId("detail").hidden = false;
  nameView(title.textContent);
  shownList = null;
  scrollTo(0, byId("tabs").getBoundingClientRect().top + scrollY);
  title.focus({ preventScroll: true });
};

const missing = (what, text) => ({ title: [`No such ${what}`], content: [make("p", "This report has no ", what, " ", code(text), ".")] });

const places = new Map();
let shownHash = null;

/* Back in a list, the row that was opened has the focus again, for whoever goes on by keyboard. */
const focusOpened = (hash) => {
  const link = all("main > .panel:not([hidden]) a").find((one) => one.getAttribute("href") === hash);
  (link ?? byId("main")).focus({ preventScroll: true });
};

const apply = () => {
  const left = root.dataset.detail === undefined ? null : shownHash;
  if (shownHash !== null) places.set(shownHash, scrollY);
  shownHash = location.hash;
  countSteps();
  const state = stateOf();
  if (state.finding) {
    const at = fleet.findId(state.finding);
    showDetail(at < 0 ? missing("finding", state.finding) : viewFinding(fleet.findingAt(at)), "findings");
  } else if (state.host) {
    const at = fleet.findHost(state.host);
    showDetail(at < 0 ? missing("host", state.host) : viewHost(fleet.hostAt(at)), "hosts");
  } else if (state.rule && !byId(`rule-${state.rule}`)) {
    showDetail(missing("rule", state.rule), "rules");
  } else if (state.rule) {
    showTab({ tab: "rules", q: query });
    const rule = byId(`rule-${state.rule}`);
    rule.scrollIntoView();
    rule.focus();
  } else {
    showTab(state);
    if (places.has(shownHash)) scrollTo(0, places.get(shownHash));
    shownList?.grid.gather();
    if (left !== null) focusOpened(left);
  }
};

const setTerm = (field, values) => {
  const state = stateOf();
  const terms = splitQuery(state.q ?? "").filter((term) => term.field !== field || term.not);
  if (values.length) terms.push({ not: false, field, value: values.join(",") });
  goTo({ ...state, q: joinQuery(terms) });
};

const valuesOf = ({ q = "" }, field) => splitQuery(q).filter((term) => term.field === field && !term.not).flatMap((term) => term.value.split(","));

/* A box, or with `type: "radio"` a button, that looks like a label. */
const chip = (label, attributes, change, title) =>
  make("label.chip", { title }, make("input", { type: "checkbox", ...attributes, on: { change } }), make("span", label));

const drawChips = (legend, field, names, state) => {
  const chosen = valuesOf(state, field);
  const toggle = (name) => setTerm(field, chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  const drawChip = (name) => chip(name, { name: field, value: name, checked: chosen.includes(name) }, () => toggle(name));
  return names.length > 1 && make("fieldset", make("legend", legend), names.map(drawChip));
};

const CHOICES = 300;
const drawSelect = (label, field, names, state) => {
  const [chosen = ""] = valuesOf(state, field);
  const change = ({ target: { value } }) => setTerm(field, value ? [value] : []);
  return names.length > 1 && make("select", { "aria-label": label, name: field, on: { change } },
    make("option", { value: "" }, `${label}: any`),
    names.slice(0, CHOICES).map((name) => make("option", { value: name, selected: name === chosen }, name)),
    names.length > CHOICES && make("option", { disabled: true }, `and ${digits(names.length - CHOICES)} more: search ${field}:NAME`));
};

const present = (numbers) => [...new Set(numbers)].filter((number) => number >= 0).sort((a, b) => a - b).map(fleet.word);

const makeFacets = () => {
  const { hosts, findings, kinds, statuses, levels } = fleet;
  const groups = [...new Set(hosts.groups)].flatMap((set) => fleet.sets[set]);
  const seen = new Set(findings.counted.map((row) => findings.level[findings.matter[row]]));
  const statusesIn = (rows) => {
    const some = new Set(rows.map((row) => hosts.status[row]));
    return statuses.filter((_, at) => some.has(at));
  };
  return {
    levels: levels.filter((_, at) => seen.has(at)),
    statuses: statusesIn(lists.hosts.all()),
    unaudited: statusesIn(lists.unaudited.all()),
    groups: present(groups),
    rules: present(findings.of.rule).filter((rule) => !fleet.open.includes(rule)),
    protos: present(kinds.proto),
    families: present(kinds.family),
    scopes: present(kinds.scope),
    verdicts: present(kinds.verdict),
  };
};

let facets = null;

const drawFilters = (state, list) => {
  facets ??= makeFacets();
  const { target } = list;
  const focus = byId("filters").contains(document.activeElement) && [document.activeElement.name, document.activeElement.value];
  byId("filters").replaceChildren(...[
    target === "finding" && drawChips("Severity", "severity", facets.levels, state),
    drawChips("Host", "status", list === lists.unaudited ? facets.unaudited : facets.statuses, state),
    make("div.selects",
      drawSelect("Group", "group", facets.groups, state),
      target === "finding" && drawSelect("Rule", "rule", facets.rules, state),
      target !== "unix" && [drawSelect("Protocol", "proto", facets.protos, state), drawSelect("Family", "family", facets.families, state)],
      target !== "unix" && target !== "exposure" && drawSelect("Scope", "scope", facets.scopes, state),
      target === "listener" && drawSelect("Verdict", "verdict", facets.verdicts, state),
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
  const drawBox = (column) => {
    const box = { type: "checkbox", name: "columns", value: column.key, checked: shown.includes(column), disabled: column.header };
    return make("label", make("input", { ...box, on: { change: () => turn(column) } }), ` ${column.label}`);
  };
  const open = document.querySelector("#filters .columns[open]")?.dataset.of === list.noun;
  const boxes = make("div", { role: "group", "aria-label": "Columns shown" }, list.columns.map(drawBox));
  return dress(details("Columns", boxes), { class: "columns", "data-of": list.noun, open });
};

const drawWhole = ({ rows }) => {
  const change = (event) => goTo({ ...stateOf(), rows: event.target.checked ? "all" : null });
  const title = "So that the browser's own search finds every row";
  return chip("All as a plain table", { name: "rows", value: "all", checked: rows === "all" }, change, title);
};

const build = () => {
  lists = {
    findings: findingsTab(), hosts: hostsTab(), ports: portsTab(), listeners: listenersTab(), exposures: exposuresTab(), unix: unixTab(),
    unaudited: unauditedTab(),
  };
  for (const [name, list] of Object.entries(lists)) {
    const rows = list.all();
    list.all = () => rows;
    list.name = name;
    list.nouns ??= `${list.noun}s`;
    const onSort = (key, add) => {
      const state = stateOf();
      goTo({ ...state, sort: toggleSort(state.sort ?? list.sort, key, add) });
    };
    list.grid = makeGrid(list, onSort);
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
    visit(state);
    drawFilters(state, listOf(state));
    showList(listOf(state), state);
    clearTimeout(waiting);
    unwritten = state;
    waiting = setTimeout(settle, 400);
  };
  const forget = () => { clearTimeout(waiting); unwritten = null; };
  const listen = (id, event, react) => byId(id).addEventListener(event, react);
  listen("query", "input", typed);
  listen("query", "blur", settle);
  listen("toolbar", "submit", (event) => event.preventDefault());
  listen("clear", "click", () => { forget(); goTo({ ...stateOf(), q: null, sort: null }); });
  listen("export-open", "click", () => openExport(shownList));
  listen("help-open", "click", openHelp);
  listen("help-close", "click", () => byId("help").close());
  listen("theme", "click", turnTheme);
  addEventListener("hashchange", () => { forget(); apply(); });  // whoever goes back right after typing means it
  addEventListener("keydown", pressKey);
  addEventListener("beforeprint", spreadOut);
  addEventListener("afterprint", () => { byId("print-note").hidden = true; shownList?.grid.gather(); });
};

const openHelp = () => { byId("help").showModal(); byId("help").scrollTop = 0; };

const THEMES = ["auto", "dark", "light"];
const turnTheme = () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % 3];
  root.dataset.theme = next;
  history.replaceState({ ...history.state, theme: next }, "");  // for when it is loaded again; nothing is stored
  nameTheme();
};
const nameTheme = () => {
  byId("theme").textContent = `Theme: ${root.dataset.theme ?? "auto"}`;
};

const pressKey = (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const columns = event.key === "Escape" && event.target.closest(".columns[open]");
  if (columns) { columns.open = false; columns.firstElementChild.focus(); }
  else if (event.key === "Escape" && event.target === byId("query")) byId("clear").click();
  else if (event.key === "Escape" && !byId("detail").hidden) (depth > 0 ? history.back() : document.querySelector("#detail .back a").click());
  else if (event.key === "ArrowDown" && event.target === byId("query") && shownList?.grid.rows.length) { event.preventDefault(); shownList.grid.focusRow(0); }
  else if (typing) return;
  else if (event.key === "/" && !byId("toolbar").hidden) { event.preventDefault(); byId("query").focus(); }
  else if (event.key === "?") openHelp();
};

const spreadOut = () => {
  for (const closed of all("#detail details")) closed.open = true;
  const unread = lists.unaudited;
  if (shownList !== unread && unread.all().length && root.dataset.detail === undefined) {
    unread.grid.element.hidden = false;
    unread.grid.show(sortRows(unread.all(), unread.columns, unread.sort), unread);
    unread.grid.spread(PAPER);
  }
  if (!shownList) return;
  const left = shownList.grid.spread(PAPER);
  const { shown, total, q } = shownList.tally;
  const parts = [
    q && `Filtered by “${q}”: ${digits(shown)} of ${plural(total, shownList.noun, shownList.nouns)}.`,
    left > 0 && `${plural(left, "more row")} did not go on paper; export them, or filter first.`,
  ];
  byId("print-note").textContent = parts.filter(Boolean).join(" ");
  byId("print-note").hidden = !byId("print-note").textContent;
};

const fallBack = (error) => {
  root.classList.remove("js");
  byId("failed").hidden = false;
  byId("failed-why").textContent = String(error);
};

const start = async () => {
  fleet = openFleet(await readIsland());
  search = makeSearch();
  build();
  for (const card of all("[data-q]")) card.href = writeHash({ tab: card.dataset.tab, q: card.dataset.q, each: card.dataset.each });
  for (const fallback of all(".static")) fallback.remove();
  for (const cell of all("#changes [data-host], #changes [data-finding]")) {
    const { host, finding } = cell.dataset;
    if (finding || fleet.findHost(host) >= 0) cell.replaceChildren(linkTo({ host, finding }, ...cell.childNodes));
  }
  for (const time of all("time")) time.title = `${new Date(time.dateTime).toLocaleString()} here`;
  byId("theme").hidden = false;
  nameTheme();
  history.scrollRestoration = "manual";
  listenToPage();
  apply();
  performance.mark("ready");
  root.dataset.ready = "";
};

root.dataset.app = "";
start().catch(fallBack);
