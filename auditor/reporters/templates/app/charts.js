/* The heat map of what is filtered: hosts by port when they are few, groups by port otherwise; its numbers as a table. */

const FEW_HOSTS = 200;
const HEAT_ROWS = 40;
const HEAT_PORTS = 40;

const mostOf = (counts, limit, order) =>
  upTo(counts.length).filter((at) => counts[at]).sort((a, b) => counts[b] - counts[a] || a - b).slice(0, limit).sort(order);

/* Where in a picture the things with these numbers are drawn: -1, nowhere. */
const placesOf = (drawn, count) => {
  const places = minus(count);
  drawn.forEach((one, place) => { places[one] = place; });
  return places;
};

/* The commonest ports, the rows with most listeners, and how many hosts of each row have each of those ports. */
const gatherHeat = (mask, byHost) => {
  const { listeners, hosts, ports, sets } = fleet;
  const names = byHost ? hosts.name : [...new Set(hosts.groups.flatMap((set) => sets[set]))].sort((a, b) => a - b);
  const places = new Map(names.map((name, at) => [name, at]));
  const rowsOf = hosts.groups.map((set, host) => (byHost ? [host] : sets[set].map((name) => places.get(name))));
  const [perPort, hostsIn, sizes, wrongs] = [ports.list, names, names, names].map(({ length }) => new Int32Array(length));
  /* Every host once for each of its ports: whether it is met there, met where it is not allowed, or where it is waived. */
  const walk = (visit) => {
    const [last, bad, spared] = [0, 0, 0].map(() => minus(ports.list.length));
    for (let at = 0; at < listeners.count; at++) {
      if (mask && !mask[at]) continue;
      const [host, kind] = [listeners.host[at], listeners.kind[at]];
      const port = ports.of[kind];
      const fresh = last[port] !== host;
      const wrong = ports.flagged[kind] && bad[port] !== host;
      const waived = ports.waived[kind] && spared[port] !== host;
      if (fresh || wrong || waived) visit(host, port, fresh, wrong, waived);
      last[port] = host;
      if (wrong) bad[port] = host;
      if (waived) spared[port] = host;
    }
  };
  walk((host, port, fresh, wrong) => {
    if (fresh) perPort[port]++;
    for (const row of rowsOf[host]) {
      if (fresh) sizes[row]++;
      if (wrong) wrongs[row]++;
    }
  });
  const columns = mostOf(perPort, HEAT_PORTS, (a, b) => ports.list[a].port - ports.list[b].port || a - b);
  // Whoever has what is not allowed is drawn first.
  const ranks = Float64Array.from(sizes, (size, row) => (size ? wrongs[row] * 2 ** 32 + size : 0));
  const rows = mostOf(ranks, HEAT_ROWS, (a, b) => names[a] - names[b]);
  const [drawnRow, drawnPort] = [placesOf(rows, names.length), placesOf(columns, ports.list.length)];
  const cells = Array.from(rows, () => Array.from(columns, () => ({ count: 0, bad: 0, waived: 0 })));
  walk((host, port, fresh, wrong, waived) => {
    if (drawnPort[port] < 0) return;
    for (const row of rowsOf[host]) {
      if (drawnRow[row] < 0) continue;
      const cell = cells[drawnRow[row]][drawnPort[port]];
      if (fresh) cell.count++;
      if (wrong) cell.bad++;
      if (waived) cell.waived++;
    }
  });
  for (const of of rowsOf) for (const row of of) hostsIn[row]++;
  return {
    rows: Array.from(rows, (row, y) => ({ name: fleet.word(names[row]), hosts: hostsIn[row], cells: cells[y] })),
    ports: Array.from(columns, (port) => ports.list[port].label),
    left: sizes.filter(Boolean).length - rows.length,
  };
};

const heatMap = (mask, hostsShown) => {
  const byHost = hostsShown <= FEW_HOSTS;
  const { rows, ports, left } = gatherHeat(mask, byHost);
  if (!rows.length) return make("p.calm", "No listeners to draw.");
  const what = byHost ? "host" : "group";
  const title = `What listens where: ${what} by port`;
  const head = 66 + 7 * (Math.max(9, ...ports.map((port) => port.length)) - 9); /* as in _charts.html */
  const [width, height] = [190 + ports.length * 22, head + rows.length * 22];
  const drawCell = ({ count, bad, waived }, x, y, hosts, label) => {
    if (!count) return null;
    const heat = Math.max(1, Math.ceil((byHost ? 1 : count / hosts) * 4));
    return [
      draw("rect", { class: `${bad ? "bad " : waived ? "spared " : ""}h${heat}`, x, y },
        draw("title", `${label}: ${count}${bad ? `, ${bad} not allowed` : ""}${waived ? `, ${waived} waived` : ""}`)),
      bad > 0 && draw("path", { d: `M${x + 7} ${y + 7}l7 7m0 -7l-7 7` }),
    ];
  };
  const picture = draw("svg.heat", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title },
    draw("title", title), draw("desc", "The same numbers stand in the table below."),
    ports.map((port, at) => draw("text.axis", { transform: `translate(${164 + at * 22} ${head - 6}) rotate(-60)` }, port)),
    rows.map(({ name, hosts, cells }, at) => {
      const y = head + at * 22;
      return [
        draw("text.axis", { x: 142, y: y + 15, "text-anchor": "end" }, name.length > 20 ? `${name.slice(0, 19)}…` : name, draw("title", name)),
        ports.map((port, x) => drawCell(cells[x], 150 + x * 22, y, hosts, `${name}, ${port}`)),
      ];
    }));
  const spell = ({ count, bad, waived }) => `${count}${bad ? ` (${bad} ✕)` : ""}${waived ? ` (${waived} waived)` : ""}`;
  const headings = [{ label: what, header: true }, ...ports];
  const numbers = table(`${title}, in numbers`, headings, rows.map(({ name, cells }) => [name, ...cells.map(spell)]), "heat-numbers");
  const about = [
    `The ${ports.length} commonest ports.${byHost ? "" : " Darker: on more hosts of the group."} ✕: not allowed there. Outlined: waived.`,
    left && ` ${left} more ${what}s are not drawn, none of them worse.`,
  ];
  return make("figure.chart",
    make("figcaption", title, sub(about.filter(Boolean).join(""))),
    scrolling(title, picture),
    details("The same in numbers", numbers));
};
