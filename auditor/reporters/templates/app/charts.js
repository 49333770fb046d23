/* The heat map of what is filtered: hosts by port when they are few, groups by port otherwise; its numbers as a table. */

const FEW_HOSTS = 200;
const HEAT_ROWS = 40;
const HEAT_PORTS = 40;

const mostOf = (counts, limit) => [...counts.entries()].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, limit).map(([key]) => key);

const gatherHeat = (fleet, mask, byHost) => {
  const { listeners, kinds, hosts, word } = fleet;
  const perPort = new Map();
  const cells = new Map();
  const sizes = new Map();
  const seen = new Set();
  const labels = hosts.name.map((_, host) => (byHost ? [word(hosts.name[host])] : fleet.words(hosts.groups[host])));
  for (let at = 0; at < listeners.count; at++) {
    if (mask && !mask[at]) continue;
    const kind = listeners.kind[at];
    const host = listeners.host[at];
    const port = kinds.port[kind] * 64 + (kinds.proto[kind] % 64);
    const label = `${kinds.port[kind]}/${word(kinds.proto[kind])}`;
    const bad = FLAGGED.has(word(kinds.verdict[kind]));
    const known = seen.has(host * 4194304 + port);
    if (known && !bad) continue;
    seen.add(host * 4194304 + port);
    if (!known) perPort.set(label, (perPort.get(label) ?? 0) + 1);
    for (const row of labels[host]) {
      const key = `${row}\n${label}`;
      const cell = cells.get(key) ?? { count: 0, bad: 0 };
      if (!known) { cell.count++; sizes.set(row, (sizes.get(row) ?? 0) + 1); }
      if (bad) cell.bad++;
      cells.set(key, cell);
    }
  }
  return { rows: mostOf(sizes, HEAT_ROWS).sort(), ports: mostOf(perPort, HEAT_PORTS).sort((a, b) => parseInt(a) - parseInt(b)), cells, left: sizes.size - Math.min(sizes.size, HEAT_ROWS) };
};

const heatMap = (fleet, mask, hostsShown) => {
  const byHost = hostsShown <= FEW_HOSTS;
  const { rows, ports, cells, left } = gatherHeat(fleet, mask, byHost);
  if (!rows.length) return make("p", { class: "calm" }, "No listeners to draw.");
  const what = byHost ? "host" : "group";
  const sizeOf = new Map(rows.map((row) => [row, 0]));
  if (!byHost) fleet.hosts.groups.forEach((set) => { for (const name of fleet.words(set)) if (sizeOf.has(name)) sizeOf.set(name, sizeOf.get(name) + 1); });
  const title = `What listens where: ${what} by port`;
  const picture = draw("svg", { class: "heat", viewBox: `0 0 ${190 + ports.length * 22} ${66 + rows.length * 22}`, width: 190 + ports.length * 22, height: 66 + rows.length * 22, role: "img", "aria-label": title },
    draw("title", {}, title), draw("desc", {}, "The same numbers stand in the table below."),
    ports.map((port, at) => draw("text", { class: "axis", transform: `translate(${164 + at * 22} 60) rotate(-60)` }, port)),
    rows.map((row, y) => [
      draw("text", { class: "axis", x: 142, y: 81 + y * 22, "text-anchor": "end" }, row.length > 20 ? `${row.slice(0, 19)}…` : row, draw("title", {}, row)),
      ports.map((port, x) => {
        const cell = cells.get(`${row}\n${port}`);
        if (!cell) return null;
        const share = byHost ? 1 : cell.count / (sizeOf.get(row) || 1);
        const [left, top] = [150 + x * 22, 66 + y * 22];
        const heat = `${cell.bad ? "bad " : ""}h${Math.max(1, Math.ceil(share * 4))}`;
        return [
          draw("rect", { class: heat, x: left, y: top }, draw("title", {}, `${row}, ${port}: ${cell.count}${cell.bad ? `, ${cell.bad} not allowed` : ""}`)),
          cell.bad > 0 && draw("path", { d: `M${left + 7} ${top + 7}l7 7m0 -7l-7 7` }),
        ];
      })]));
  const twin = table(`${title}, in numbers`, [what, ...ports], rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row), ports.map((port) => {
    const cell = cells.get(`${row}\n${port}`);
    return make("td", {}, cell ? `${cell.count}${cell.bad ? ` (${cell.bad} ✕)` : ""}` : "0");
  }))));
  return make("figure", { class: "chart" },
    make("figcaption", {}, title, make("span", { class: "sub" }, `The ${ports.length} commonest ports. Darker: on more hosts. ✕: not allowed there.${left ? ` ${left} more ${what}s are not drawn.` : ""}`)),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, picture),
    make("details", {}, make("summary", {}, "The same in numbers"), twin));
};
