/* The heat map of what is filtered: hosts by port when they are few, groups by port otherwise; its numbers as a table. */

const FEW_HOSTS = 200;
const HEAT_ROWS = 40;
const HEAT_PORTS = 40;

const mostOf = (counts, limit, order) => upTo(counts.length).filter((at) => counts[at]).sort((a, b) => counts[b] - counts[a] || a - b).slice(0, limit).sort(order);

/* The commonest ports, the rows with most listeners, and how many hosts of each row have each of those ports. */
const gatherHeat = (fleet, mask, byHost) => {
  const { listeners, hosts, ports } = fleet;
  const count = hosts.name.length;
  const names = byHost ? [...hosts.name] : [...new Set(hosts.groups.flatMap((set) => fleet.sets[set]))].sort((a, b) => a - b);
  const places = new Map(names.map((name, at) => [name, at]));
  const rowsOf = Array.from({ length: count }, (_, host) => (byHost ? [host] : fleet.sets[hosts.groups[host]].map((name) => places.get(name))));
  const perPort = new Int32Array(ports.list.length);
  const sizes = new Int32Array(names.length);
  const last = new Int32Array(ports.list.length).fill(-1);
  const bad = new Int32Array(ports.list.length).fill(-1);
  const walk = (visit) => {
    last.fill(-1);
    bad.fill(-1);
    for (let at = 0; at < listeners.count; at++) {
      if (mask && !mask[at]) continue;
      const [host, kind] = [listeners.host[at], listeners.kind[at]];
      const port = ports.of[kind];
      const fresh = last[port] !== host;
      const wrong = ports.flagged[kind] && bad[port] !== host;
      if (fresh || wrong) visit(host, port, fresh, wrong);
      last[port] = host;
      if (wrong) bad[port] = host;
    }
  };
  walk((host, port, fresh) => {
    if (!fresh) return;
    perPort[port]++;
    for (const row of rowsOf[host]) sizes[row]++;
  });
  const columns = mostOf(perPort, HEAT_PORTS, (a, b) => ports.list[a].port - ports.list[b].port || a - b);
  const rows = mostOf(sizes, HEAT_ROWS, (a, b) => names[a] - names[b]);
  const drawnRow = new Int32Array(names.length).fill(-1);
  const drawnPort = new Int32Array(ports.list.length).fill(-1);
  rows.forEach((row, at) => { drawnRow[row] = at; });
  columns.forEach((port, at) => { drawnPort[port] = at; });
  const cells = { count: new Int32Array(rows.length * columns.length), bad: new Int32Array(rows.length * columns.length) };
  walk((host, port, fresh, wrong) => {
    if (drawnPort[port] < 0) return;
    for (const row of rowsOf[host]) {
      if (drawnRow[row] < 0) continue;
      const cell = drawnRow[row] * columns.length + drawnPort[port];
      if (fresh) cells.count[cell]++;
      if (wrong) cells.bad[cell]++;
    }
  });
  const filled = sizes.reduce((sum, size) => sum + (size ? 1 : 0), 0);
  const cellAt = (y, x) => ({ count: cells.count[y * columns.length + x], bad: cells.bad[y * columns.length + x] });
  const hostsIn = new Int32Array(names.length);
  for (const of of rowsOf) for (const row of of) hostsIn[row]++;
  return { rows: [...rows].map((row) => ({ name: fleet.word(names[row]), hosts: hostsIn[row] })), ports: [...columns].map((port) => ports.list[port].label), cellAt, left: filled - rows.length };
};

const heatMap = (fleet, mask, hostsShown) => {
  const byHost = hostsShown <= FEW_HOSTS;
  const { rows, ports, cellAt, left } = gatherHeat(fleet, mask, byHost);
  if (!rows.length) return make("p", { class: "calm" }, "No listeners to draw.");
  const what = byHost ? "host" : "group";
  const title = `What listens where: ${what} by port`;
  const picture = draw("svg", { class: "heat", viewBox: `0 0 ${190 + ports.length * 22} ${66 + rows.length * 22}`, width: 190 + ports.length * 22, height: 66 + rows.length * 22, role: "img", "aria-label": title },
    draw("title", {}, title), draw("desc", {}, "The same numbers stand in the table below."),
    ports.map((port, at) => draw("text", { class: "axis", transform: `translate(${164 + at * 22} 60) rotate(-60)` }, port)),
    rows.map(({ name: row, hosts }, y) => [
      draw("text", { class: "axis", x: 142, y: 81 + y * 22, "text-anchor": "end" }, row.length > 20 ? `${row.slice(0, 19)}…` : row, draw("title", {}, row)),
      ports.map((port, x) => {
        const cell = cellAt(y, x);
        if (!cell.count) return null;
        const share = byHost ? 1 : cell.count / hosts;
        const [left, top] = [150 + x * 22, 66 + y * 22];
        const heat = `${cell.bad ? "bad " : ""}h${Math.max(1, Math.ceil(share * 4))}`;
        return [
          draw("rect", { class: heat, x: left, y: top }, draw("title", {}, `${row}, ${port}: ${cell.count}${cell.bad ? `, ${cell.bad} not allowed` : ""}`)),
          cell.bad > 0 && draw("path", { d: `M${left + 7} ${top + 7}l7 7m0 -7l-7 7` }),
        ];
      })]));
  const twin = table(`${title}, in numbers`, [what, ...ports], rows.map(({ name }, y) => make("tr", {}, make("th", { scope: "row" }, name), ports.map((_, x) => {
    const cell = cellAt(y, x);
    return make("td", {}, `${cell.count}${cell.bad ? ` (${cell.bad} ✕)` : ""}`);
  }))));
  return make("figure", { class: "chart" },
    make("figcaption", {}, title, make("span", { class: "sub" }, `The ${ports.length} commonest ports. Darker: on more hosts. ✕: not allowed there.${left ? ` ${left} more ${what}s are not drawn.` : ""}`)),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, picture),
    make("details", {}, make("summary", {}, "The same in numbers"), twin));
};
