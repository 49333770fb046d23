/* The data island: columns of numbers over a dictionary of strings (see html_data.py), opened into typed arrays. */

const FLAGGED = new Set(["denied", "unexpected"]);

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

/* Rows that many hosts have alike: each stands once, and `row` says which ones a host shows. */
const openRows = (table) => {
  const starts = startsOf(table.shown);
  return { ...table, starts, host: hostsOf(starts), count: table.row.length };
};

const upTo = (count) => {
  const numbers = new Int32Array(count);
  for (let at = 0; at < count; at++) numbers[at] = at;
  return numbers;
};

/* Each port once: which one every kind of listener is on, and which kinds are not allowed or bound to every address. */
const openPorts = ({ kinds, text }) => {
  const numbers = new Map();
  const list = [];
  const of = new Int32Array(kinds.port.length);
  const flagged = new Uint8Array(of.length);
  const wide = new Uint8Array(of.length);
  for (let kind = 0; kind < of.length; kind++) {
    const label = `${kinds.port[kind]}/${text[kinds.proto[kind]]}`;
    if (!numbers.has(label)) numbers.set(label, list.push({ port: kinds.port[kind], proto: kinds.proto[kind], label }) - 1);
    of[kind] = numbers.get(label);
    flagged[kind] = FLAGGED.has(text[kinds.verdict[kind]]) ? 1 : 0;
    wide[kind] = text[kinds.scope[kind]] === "wildcard" ? 1 : 0;
  }
  return { list, of, flagged, wide };
};

const openFleet = (raw) => {
  const listeners = openListeners(raw, startsOf(raw.hosts.listeners));
  const findings = openFindings(raw, startsOf(raw.hosts.findings), listeners);
  const word = (number) => (number < 0 ? null : raw.text[number]);
  let ids = null;
  return {
    ...raw, word, listeners, findings,
    ports: openPorts(raw),
    unix: openRows(raw.unix),
    exposures: openRows(raw.exposures),
    stateStarts: startsOf(raw.states.set.map((set) => raw.sets[set].length)),
    levels: [...raw.severities, "waived"],
    gapStarts: startsOf(raw.hosts.gaps),
    coverageStarts: startsOf(raw.hosts.coverage),
    sums: sparse(raw.coverage.sum),
    words: (set) => raw.sets[set].map(word),
    idOf: (row) => (ids ??= openIds(raw.findings.id))[row],
    findId: (id) => (ids ??= openIds(raw.findings.id)).findIndex((own) => own === id || (own.length >= 8 && id.startsWith(own))),
    findHost: (name) => raw.hosts.name.findIndex((number) => raw.text[number] === name),
  };
};
