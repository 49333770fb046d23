/* The data island: columns of numbers over a dictionary of strings (see html_data.py), opened into typed arrays. */

const FLAGGED = ["denied", "unexpected"];
/* The one report that this page shows: opened at its start. */
let fleet = null;

const readIsland = async () => {
  const island = byId("data");
  if (island.type === "application/json") return JSON.parse(island.textContent);
  const packed = atob(island.textContent);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at++) bytes[at] = packed.charCodeAt(at);
  const plain = new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(plain).text());
};

const startsOf = (counts) => {
  const starts = new Int32Array(counts.length + 1);
  counts.forEach((count, at) => { starts[at + 1] = starts[at] + count; });
  return starts;
};

const hostsOf = (starts) => {
  const owner = new Int32Array(starts[starts.length - 1]);
  for (let host = 0; host + 1 < starts.length; host++) owner.fill(host, starts[host], starts[host + 1]);
  return owner;
};

const range = (starts, at) => Array.from({ length: starts[at + 1] - starts[at] }, (_, step) => starts[at] + step);
const upTo = (count) => new Int32Array(count).map((_, at) => at);
const minus = (count) => new Int32Array(count).fill(-1);
const sparse = ([places, values]) => new Map(places.map((place, at) => [place, values[at]]));

const openListeners = (raw, starts) => {
  const kind = new Int32Array(raw.listeners.step.length);
  const address = new Int32Array(kind.length);
  for (let host = 0; host + 1 < starts.length; host++) {
    let number = 0;
    for (let at = starts[host]; at < starts[host + 1]; at++) {
      number = (at === starts[host] ? 0 : number) + raw.listeners.step[at];
      kind[at] = number;
      address[at] = raw.addresses[host][raw.listeners.address[at]];
    }
  }
  const { owners, pending, raw: lines } = raw.listeners;
  return { count: kind.length, starts, host: hostsOf(starts), kind, address, owners: sparse(owners), pending: sparse(pending), lines: sparse(lines) };
};

const openIds = ({ list, digits, packed }) => {
  if (list) return list;
  const bytes = atob(packed);
  const hex = [];
  for (let at = 0; at < bytes.length; at++) hex.push(bytes.charCodeAt(at).toString(16).padStart(2, "0"));
  const ids = [];
  for (let at = 0; at < hex.length; at += digits / 2) ids.push(hex.slice(at, at + digits / 2).join(""));
  return ids;
};

const openFindings = (raw, starts, listeners) => {
  const { matter, subject, at, port, proto, of, change } = raw.findings;
  const host = hostsOf(starts);
  const shownBy = Int32Array.from(at, (place, row) => (place < 0 ? -1 : listeners.starts[host[row]] + place));
  const pick = (column, own) => Int32Array.from(own, (value, row) => (shownBy[row] < 0 ? value : raw.kinds[column][listeners.kind[shownBy[row]]]));
  const level = of.severity.map((severity, one) => (of.waived[one] ? raw.severities.length : severity));
  const open = new Set(raw.open);
  const counted = Int32Array.from(matter.keys()).filter((row) => !open.has(raw.text[of.rule[matter[row]]]));
  return { count: matter.length, starts, host, matter, subject, shownBy, of, change, level, counted, port: pick("port", port), proto: pick("proto", proto) };
};

/* Which listeners each finding is about, as pairs: what shows it, and what else its subject names on that port of its host. */
const pairFindings = ({ text, kinds }, { count, host, subject, shownBy }, listeners, ports) => {
  const pairs = { finding: [], listener: [] };
  const newest = new Int32Array(ports.list.length);
  const seenOn = minus(ports.list.length);
  const before = new Int32Array(listeners.count);
  const portOfRow = (at) => ports.of[listeners.kind[at]];
  const chain = (own) => {
    for (let at = listeners.starts[own + 1] - 1; at >= listeners.starts[own]; at--) {
      const port = portOfRow(at);
      before[at] = seenOn[port] === own ? newest[port] : -1;
      newest[port] = at;
      seenOn[port] = own;
    }
  };
  const known = new Map(); // many hosts have the same subjects
  const spaces = new Map();
  const names = (said, at) => {
    const key = said * text.length + listeners.address[at];
    if (!spaces.has(said)) spaces.set(said, text[said].match(/ in netns (.+)$/)?.[1] ?? "host");
    if (!known.has(key)) known.set(key, ` ${text[said].replaceAll(",", " ")} `.includes(` ${joinPort(text[listeners.address[at]], ports.list[portOfRow(at)].port)} `));
    return known.get(key) && text[kinds.netns[listeners.kind[at]]] === spaces.get(said);
  };
  for (let row = 0; row < count; row++) {
    const first = shownBy[row];
    if (first < 0) continue;
    if (seenOn[portOfRow(first)] !== host[row]) chain(host[row]);
    for (let at = newest[portOfRow(first)]; at >= 0; at = before[at]) {
      if (at !== first && !names(subject[row], at)) continue;
      pairs.finding.push(row);
      pairs.listener.push(at);
    }
  }
  return { finding: Int32Array.from(pairs.finding), listener: Int32Array.from(pairs.listener) };
};

/* Rows that many hosts have alike: each stands once, and `row` says which ones a host shows. */
const openRows = (table) => {
  const starts = startsOf(table.shown);
  return { ...table, starts, host: hostsOf(starts), count: table.row.length };
};

/* Each port once: which one every kind of listener is on, and which kinds are not allowed, waived or bound to every address. */
const openPorts = ({ kinds, text }) => {
  const numbers = new Map();
  const list = [];
  const of = kinds.port.map((port, kind) => {
    const label = `${port}/${text[kinds.proto[kind]]}`;
    if (!numbers.has(label)) numbers.set(label, list.push({ port, proto: kinds.proto[kind], label }) - 1);
    return numbers.get(label);
  });
  const which = (column, ...words) => Uint8Array.from(column, (number) => (words.includes(text[number]) ? 1 : 0));
  const [flagged, waived] = [which(kinds.verdict, ...FLAGGED), which(kinds.verdict, "waived")];
  return { list, of: Int32Array.from(of), flagged, waived, wide: which(kinds.scope, "wildcard") };
};

/* How to read a row of a table by the names of its columns: numbers as they are, words as text, sets as lists of words. */
const readersOf = ({ word, words }, table, texts, sets = []) => Object.fromEntries(Object.keys(table).map((name) => {
  const column = table[name];
  if (texts.includes(name)) return [name, (at) => word(column[at])];
  return [name, sets.includes(name) ? (at) => words(column[at]) : (at) => column[at]];
}));

/* The same of rows that share rows of that table. */
const through = (readers, places) => Object.fromEntries(Object.entries(readers).map(([name, read]) => [name, (at) => read(places[at])]));

/* Rows as objects: what nobody asks for is not read. */
const openAs = (readers) => {
  const row = {};
  for (const [name, read] of Object.entries(readers)) Object.defineProperty(row, name, { get() { return read(this.at); } });
  return (at) => Object.assign(Object.create(row), { at });
};

const openFleet = (raw) => {
  const { text, sets, hosts, severities } = raw;
  const listeners = openListeners(raw, startsOf(hosts.listeners));
  const findings = openFindings(raw, startsOf(hosts.findings), listeners);
  const ports = openPorts(raw);
  const [gapStarts, coverageStarts] = [startsOf(hosts.gaps), startsOf(hosts.coverage)];
  const [unix, exposures, sums] = [openRows(raw.unix), openRows(raw.exposures), sparse(raw.coverage.sum)];
  const levels = [...severities, "waived"];
  let ids = null;
  const idOf = (row) => (ids ??= openIds(raw.findings.id))[row];
  const word = (number) => (number < 0 ? null : text[number]);
  const words = (set) => sets[set].map(word);
  const read = (table, texts, lists) => readersOf({ word, words }, table, texts, lists);

  const ownerAt = openAs(read(raw.owners, ["comm", "exe", "unit", "container"]));
  const gapAt = openAs(read(raw.gaps, ["source", "reason"]));
  const sourceAt = openAs({ ...through(read(raw.ledgers, ["source", "status"]), raw.coverage.ledger), sum: (at) => sums.get(at) });
  const decision = read(raw.decisions, ["policy", "entry", "file"]);
  const decisionAt = openAs({
    named: (at) => (decision.entry(at) ? `${decision.policy(at)}: ${decision.entry(at)}` : `default of ${decision.policy(at)}`),
    place: (at) => `${decision.file(at)}:${decision.line(at)}`,
  });
  const decisionOf = (by) => (by < 0 ? null : decisionAt(by));
  const kindTexts = ["proto", "family", "scope", "service", "kind", "dual_stack", "netns", "user", "owner_status", "seen", "verdict"];
  const listenerAt = openAs({
    ...through({ ...read(raw.kinds, kindTexts), by: (kind) => decisionOf(raw.kinds.by[kind]) }, listeners.kind),
    address: (at) => word(listeners.address[at]),
    host: (at) => hostAt(listeners.host[at]),
    owners: (at) => (listeners.owners.get(at) ?? []).map(ownerAt),
    pending: (at) => listeners.pending.get(at) ?? 0,
    line: (at) => listeners.lines.get(at),
  });
  const findingAt = openAs({
    ...through({
      ...read(findings.of, ["rule", "message", "remedy", "origin", "waiver", "reason", "owner", "expires"], ["controls"]),
      severity: (one) => severities[findings.of.severity[one]],
      level: (one) => levels[findings.level[one]],
    }, findings.matter),
    ...read({ subject: findings.subject, port: findings.port, proto: findings.proto, shownBy: findings.shownBy }, ["subject", "proto"]),
    id: idOf,
    host: (at) => hostAt(findings.host[at]),
  });
  const hostTexts = [
    "name", "address", "hostname", "os", "kernel", "arch", "byte_order", "reader_netns", "kex", "host_key_trust",
    "phase", "code", "error", "hint",
  ];
  const hostAt = openAs({
    ...read(hosts, hostTexts, ["groups", "policies", "labels"]),
    status: (at) => raw.statuses[hosts.status[at]],
    listeners: (at) => range(listeners.starts, at).map(listenerAt),
    findings: (at) => range(findings.starts, at).map(findingAt),
    gaps: (at) => range(gapStarts, at).map(gapAt),
    coverage: (at) => range(coverageStarts, at).map(sourceAt),
  });
  return {
    ...raw, word, words, listeners, findings, ports, unix, exposures, levels, idOf, hostAt, findingAt, listenerAt,
    unixAt: openAs({ ...through(read(raw.unix, ["kind", "path"]), unix.row), host: (at) => hostAt(unix.host[at]) }),
    exposureAt: openAs({
      ...through(read(raw.exposures, ["proto", "family", "address", "target", "source", "raw"]), exposures.row),
      host: (at) => hostAt(exposures.host[at]),
    }),
    pairs: pairFindings(raw, findings, listeners, ports),
    stateStarts: startsOf(raw.states.set.map((set) => sets[set].length)),
    findId: (id) => findings.subject.findIndex((_, at) => idOf(at) === id || (idOf(at).length >= 8 && id.startsWith(idOf(at)))),
    findHost: (name) => hosts.name.findIndex((number) => text[number] === name),
  };
};
